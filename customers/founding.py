"""A card by an agent's hand: a note on a number of which nothing is known founds its customer."""

from datetime import UTC, datetime
from uuid import UUID

from customers import blocklist, search
from customers.examining import REFUSED
from customers.identification import OURS
from customers.incoming import Agent, ChannelEvent, Handle, Trust
from customers.notes import SOURCE
from customers.recording import Outcome, record


class NobodysNumber(ValueError):
    """It is no whole number, or none that can be a customer's."""


def note_on(phone: str, text: str, *, key: str, agent: Agent) -> tuple[UUID, bool]:
    """The note's line, and False if `key` was used for other words; raises NobodysNumber.

    Whoever got the number meanwhile, by a call perhaps, gets the note: it hangs on the number itself.
    """
    found = search.handles_of("phone", phone, None)
    if not found or blocklist.verdict("phone", found[0][2]) in REFUSED:
        raise NobodysNumber
    event = ChannelEvent(
        source_id=OURS,
        source=SOURCE,
        key=f"note:{key}",
        received_at=datetime.now(UTC),
        channel="note",
        kind="note",
        direction="internal",
        handles=(Handle("phone", found[0][2], trust=Trust.ASSERTED),),
        text=text,
        agent=agent,
    )
    told: list[Outcome] = []
    record([[event]], lambda _, outcomes: told.extend(outcomes), actor=agent.id, cause="note")
    (outcome,) = told[-1:]
    return outcome.line, outcome.status != "conflict"
