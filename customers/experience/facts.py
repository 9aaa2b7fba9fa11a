"""What people and programs add to the experience: parts of lines, and lines beside them, recorded like any event.

A promise, an expectation, a decision on a request lie in the details of the line in which they were said. They follow
the line wherever it goes, are erased with it, and arrive the same way when an integration pushes them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from customers.experience.contacts import micros
from customers.identification import OURS
from customers.incoming import Agent, ChannelEvent, Kind
from customers.notes import SOURCE
from customers.recording import Outcome, record
from customers.sql import Cursor

LINE = """
SELECT t.source_id, t.source, t.channel, t.kind, t.direction, t.thread, i.customer_id
  FROM customers_interaction t JOIN customers_identity i ON i.id = t.identity_id WHERE t.id = %s
"""


class NoSuchLine(LookupError):
    """There is no line of this id."""


def say(
    sql: Cursor, line: UUID, part: str, details: Mapping[str, Any], *, agent: Agent, at: datetime | None = None
) -> Outcome:
    """Add details to a line that stands, as its part `part`; said again later they replace what the part said.

    The line's place, text and direction stay as they are. Raises NoSuchLine.
    """
    sql.execute(LINE, (line,))
    row = sql.fetchone()
    if row is None:
        raise NoSuchLine
    source_id, source, channel, kind, direction, thread, _ = row
    now = datetime.now(UTC)
    event = ChannelEvent(
        source_id=source_id,
        source=source,
        key="",
        on=line,
        part=part,
        revision=micros(now),
        received_at=now,
        occurred_at=at or now,
        channel=channel,
        kind=kind,
        direction=direction,
        thread=thread,
        details=details,
    )
    return recorded(event, agent.id)


def note_beside(
    line: UUID, key: str, text: str, details: Mapping[str, Any], *, at: datetime, agent: Agent, kind: Kind = "note"
) -> Outcome:
    """A line of our own on the identity of a line that stands; the same `key` is the same line."""
    return recorded(beside(line, key, text, details, at=at, agent=agent, kind=kind), agent.id)


def beside(
    line: UUID, key: str, text: str, details: Mapping[str, Any], *, at: datetime, agent: Agent, kind: Kind = "note"
) -> ChannelEvent:
    return ChannelEvent(
        source_id=OURS,
        source=SOURCE,
        key=key,
        beside=line,
        received_at=datetime.now(UTC),
        occurred_at=at,
        channel="note",
        kind=kind,
        direction="internal",
        text=text,
        agent=agent,
        details=details,
    )


def recorded(event: ChannelEvent, actor: str) -> Outcome:
    told: list[Outcome] = []
    record([[event]], lambda _, outcomes: told.extend(outcomes), actor=actor, cause="experience")
    return told[-1]
