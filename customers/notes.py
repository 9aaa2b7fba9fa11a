"""What an agent adds by hand: a line on the customer's `card` identity, recorded like any other."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from customers.byhand import card_of
from customers.identification import OURS
from customers.incoming import Agent, ChannelEvent
from customers.recording import Outcome, record
from customers.sql import Cursor

SOURCE = "cxhub"


def add_note(
    sql: Cursor,
    customer: int,
    text: str,
    *,
    key: str,
    agent: Agent,
    at: datetime | None = None,
    details: Mapping[str, Any] | None = None,
) -> tuple[UUID, bool]:
    """Record a note on whoever stands for a customer; the line's id, and False if `key` was used for other words.

    The same `key` (an idempotency key with its author) addresses the same line: a repeated note changes nothing.
    """
    _, card = card_of(sql, customer, by=agent.id, cause="note")
    event = ChannelEvent(
        source_id=OURS,
        source=SOURCE,
        key=f"note:{key}",
        received_at=datetime.now(UTC),
        occurred_at=at,
        channel="note",
        kind="note",
        direction="internal",
        handles=(card,),
        text=text,
        agent=agent,
        details=details or {},
    )
    told: list[Outcome] = []
    record([[event]], lambda _, outcomes: told.extend(outcomes), actor=agent.id, cause="note")
    (outcome,) = told[-1:]
    return outcome.line, outcome.status != "conflict"
