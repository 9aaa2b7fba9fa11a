"""Answers that an integration or an agent writes down: as a line of their own, or in the line they speak of."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from customers.byhand import card_of
from customers.experience.facts import recorded, say
from customers.identification import OURS
from customers.incoming import Agent, ChannelEvent
from customers.notes import SOURCE
from customers.recording import Outcome
from customers.sql import Cursor

CHANNEL = "survey"

Given = Sequence[dict[str, Any]]
"""{metric, value, min, max, at, agent}, what was not said left out."""


def with_ids(scores: Given, key: str) -> dict[str, Any]:
    return {"scores": [{**score, "id": f"{key}:{place}"} for place, score in enumerate(scores)]}


def rate(
    sql: Cursor, customer: int, scores: Given, *, key: str, agent: Agent, at: datetime | None, text: str, channel: str
) -> Outcome:
    """A survey that this customer answered; the same `key` is the same survey."""
    _, card = card_of(sql, customer, by=agent.id, cause="note")
    event = ChannelEvent(
        source_id=OURS,
        source=SOURCE,
        key=f"survey:{key}",
        received_at=datetime.now(UTC),
        occurred_at=at,
        channel=channel or CHANNEL,
        kind="survey",
        direction="inbound",
        handles=(card,),
        text=text,
        details=with_ids(scores, "0"),
    )
    return recorded(event, agent.id)


def rate_line(sql: Cursor, line: UUID, scores: Given, *, key: str, agent: Agent) -> Outcome:
    """What the customer thinks of this contact; the same `key` again replaces what it said. Raises NoSuchLine."""
    now = datetime.now(UTC).isoformat()
    said = [{"at": now, **score} for score in scores]
    return say(sql, line, f"scores:{key}", with_ids(said, key), agent=agent)
