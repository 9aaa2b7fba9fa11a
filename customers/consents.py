"""What a person allowed us, per channel and purpose: noted once and never changed; the latest word counts."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from customers.changes import card_changed
from customers.models import Consent
from customers.sql import Cursor, Rows, as_json

if TYPE_CHECKING:
    from customers.incoming import ChannelEvent
    from customers.lines import Line
    from customers.recording import Placed

OURS: Final = "cxhub"
ANY: Final = "*"
MOST = 100

ROWS = Rows(
    "customers_consent",
    identity_id="bigint",
    channel="text",
    purpose="text",
    state="text",
    at="timestamptz",
    source="text",
    line_id="uuid",
    evidence="text",
    by="text",
)
ONCE = "ON CONFLICT (line_id, channel, purpose, state, at) DO NOTHING RETURNING identity_id"
MOVE = """
UPDATE customers_consent c SET identity_id = x.identity_id
  FROM json_to_recordset(%s::json) AS x(line_id uuid, identity_id bigint) WHERE c.line_id = x.line_id
"""
OF = """
SELECT c.channel, c.purpose, c.state, c.at, c.source, c.line_id::text, c.evidence, c.by, c.noted_at,
       row_number() OVER (PARTITION BY c.channel, c.purpose ORDER BY c.at DESC, c.id DESC) = 1
  FROM customers_consent c JOIN customers_identity i ON i.id = c.identity_id
 WHERE i.customer_id = %s ORDER BY c.at DESC, c.id DESC
"""
NAMES = ("channel", "purpose", "state", "at", "source", "interaction", "evidence", "by", "noted_at", "counts")


@dataclass(frozen=True, slots=True)
class Said:
    """One word of a person."""

    channel: str
    purpose: str
    state: str
    at: datetime
    evidence: str = ""


def note(sql: Cursor, identity: int, said: Said, *, by: str, line: UUID | None = None) -> None:
    """What somebody notes by hand, on an identity that the caller holds."""
    ROWS.insert(sql, [row(identity, said, OURS, line, by)], ONCE)
    card_changed(sql, identity)


def write(sql: Cursor, placed: Sequence["Placed"]) -> None:
    """What events say (`details.consent`, `details.consents`), beside their lines; told again, it is the same."""
    rows = [
        row(one.identity_id, said, one.case.event.source, one.case.event.line, by)
        for one in placed
        for said, by in said_by(one.case.event)
    ]
    if rows:
        told = ROWS.insert(sql, sorted(rows, key=lambda one: (str(one["line_id"]), str(one["at"]))), ONCE)
        card_changed(sql, *sorted({identity for (identity,) in told}))


def move(sql: Cursor, lines: Iterable["Line"]) -> None:
    """With the line in which it was said."""
    rows = [{"line_id": line.id, "identity_id": line.identity_id} for line in lines]
    if rows:
        sql.execute(MOVE, (as_json(rows),))


def said_by(event: "ChannelEvent") -> Iterable[tuple[Said, str]]:
    """Each (what, by whom); what cannot be read as a consent is none."""
    one, several = event.details.get("consent"), event.details.get("consents")
    given = [*([one] if one is not None else []), *(several if isinstance(several, list) else [])]
    for said in given[:MOST]:
        if isinstance(said, dict) and said.get("state") in Consent.STATES:
            words = [str(said.get(name) or "")[:200] for name in ("channel", "purpose", "evidence", "by")]
            channel, purpose, evidence, by = words
            if purpose:
                yield Said(channel or event.channel, purpose, said["state"], at_of(said, event), evidence), by


def at_of(said: dict[str, Any], event: "ChannelEvent") -> datetime:
    """When he said it; else when the contact was."""
    with suppress(ValueError):
        found = datetime.fromisoformat(str(said.get("at") or ""))
        if found.tzinfo:
            return found.astimezone(UTC)
    return event.occurred_at or event.received_at


def row(identity: int, said: Said, source: str, line: UUID | None, by: str) -> dict[str, Any]:
    return {
        "identity_id": identity,
        "channel": said.channel,
        "purpose": said.purpose,
        "state": said.state,
        "at": said.at,
        "source": source,
        "line_id": line,
        "evidence": said.evidence,
        "by": by,
    }


def of(sql: Cursor, customer: int) -> list[dict[str, Any]]:
    """All that was ever said, the latest first; `counts` marks the last word of a channel and purpose."""
    sql.execute(OF, (customer,))
    return [dict(zip(NAMES, found, strict=True)) for found in sql.fetchall()]
