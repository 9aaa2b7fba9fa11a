"""What an agent adds by hand: a line on the customer's `card` identity, recorded like any other."""

from datetime import UTC, datetime
from uuid import UUID

from customers.identification import CARD, OURS
from customers.incoming import Agent, ChannelEvent, Handle, Trust
from customers.recording import Outcome, record
from customers.sql import Cursor

SOURCE = "cxhub"
FOUNDER = """
SELECT i.kind, i.scope, i.value, c.public_id FROM customers_customer c JOIN customers_identity i ON i.id = c.founder_id
 WHERE c.id = %s
"""


def add_note(sql: Cursor, customer: int, text: str, *, key: str, agent: Agent) -> tuple[UUID, bool]:
    """Record a note on a customer that stands; the line's id, and False if `key` was used for other words.

    The same `key` (an idempotency key with its author) addresses the same line: a repeated note changes nothing.
    """
    sql.execute(FOUNDER, (customer,))
    row = sql.fetchone()
    assert row is not None
    kind, scope, value, public_id = row
    event = ChannelEvent(
        source_id=OURS,
        source=SOURCE,
        key=f"note:{key}",
        received_at=datetime.now(UTC),
        channel="note",
        kind="note",
        direction="internal",
        handles=(
            Handle(CARD, str(public_id), trust=Trust.VERIFIED),
            Handle(kind, value, scope, Trust.VERIFIED),
        ),
        text=text,
        agent=agent,
    )
    told: list[Outcome] = []
    record([[event]], lambda _, outcomes: told.extend(outcomes), actor=agent.id, cause="note")
    (outcome,) = told[-1:]
    return outcome.line, outcome.status != "conflict"
