"""Lines by the numbers of other systems: an order's, a call's and those of its legs, as a provider or the details say.

A telephone system that pops a card up knows its own id of the call, and nothing of ours.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from customers.incoming import ChannelEvent
from customers.models.reference import Reference
from customers.sql import Cursor, Rows

ROWS = Rows("customers_reference", kind="text", value="text", line_id="uuid")
CALL_IDS = ("id", "call_id", "sid", "uuid", "uniqueid", "linkedid", "session_id")
MOST = 50
"""References of one event."""


class Found(NamedTuple):
    line: UUID
    customer: int


def normal(value: object) -> str:
    """`AB-20 417`, `№ab20417` and `#AB20417` are one number."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return "".join(letter for letter in text.casefold() if letter.isalnum())[:200]


def write(sql: Cursor, events: Iterable[ChannelEvent]) -> None:
    """Note what the events' lines are known by."""
    rows = {(kind, value, str(event.line)) for event in events for kind, value in list(dict.fromkeys(of(event)))[:MOST]}
    ROWS.insert(
        sql,
        [dict(zip(("kind", "value", "line_id"), row, strict=True)) for row in sorted(rows)],
        "ON CONFLICT (kind, value, line_id) DO NOTHING",
    )


def of(event: ChannelEvent) -> Iterator[tuple[str, str]]:
    """(kind, normal value) of everything that names the line."""
    if event.kind == "call":
        yield from named(Reference.CALL, (event.key, event.key.rpartition(":")[2]))
    call, order = event.details.get("call"), event.details.get("order")
    if event.details.get("call_id"):
        yield from named(Reference.CALL, [event.details["call_id"]])
    if isinstance(call, Mapping):
        legs = call.get("legs")
        parts = [call, *(leg for leg in legs if isinstance(leg, Mapping))] if isinstance(legs, list) else [call]
        yield from named(Reference.CALL, (part.get(name) for part in parts for name in CALL_IDS))
    if isinstance(order, Mapping):
        yield from named(Reference.ORDER, [order.get("number")])


def named(kind: str, values: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for value in values:
        if found := normal(value):
            yield kind, found


def forget(sql: Cursor, lines: Iterable[UUID]) -> None:
    sql.execute("DELETE FROM customers_reference WHERE line_id = ANY(%s)", (list(lines),))


FIND = """
SELECT t.id, i.customer_id FROM customers_reference r
  JOIN customers_interaction t ON t.id = r.line_id JOIN customers_identity i ON i.id = t.identity_id
 WHERE r.kind = ANY(%s) AND r.value = %s ORDER BY t.sorted_at DESC, t.rank DESC, t.id DESC LIMIT %s
"""


def find(sql: Cursor, value: str, *kinds: str, limit: int = 10) -> list[Found]:
    """Lines known by this number and whose they are, newest first; of any kind if none is named."""
    wanted = normal(value)
    if not wanted:
        return []
    sql.execute(FIND, (list(kinds) or [Reference.CALL, Reference.ORDER], wanted, limit))
    return [Found(*row) for row in sql.fetchall()]
