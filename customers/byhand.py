"""What agents add by hand hangs on a customer's `card`, an identity that is born when it is first needed."""

from collections.abc import Mapping
from datetime import UTC, datetime

from customers.handles import NORMALISER_VERSION, NormalHandle
from customers.identification import CARD
from customers.incoming import Handle, Trust
from customers.linking import IDENTITIES, LINKS, MOVES, Retry
from customers.merging import holding
from customers.models import Change
from customers.recording import attempt
from customers.rules import RULES_VERSION
from customers.sql import Cursor

STANDS = "SELECT coalesce(merged_into_id, id) FROM customers_customer WHERE id = %s"
# A card that was split off, or went with another customer, is no longer his: its successor counts on in `scope`.
CARD_OF = """
SELECT i.id, i.scope, c.public_id::text, c.founder_id, c.erased_at IS NOT NULL,
       (SELECT count(*) FROM customers_identity o WHERE o.kind = 'card' AND o.value = c.public_id::text)
  FROM customers_customer c
  LEFT JOIN customers_identity i ON i.kind = 'card' AND i.value = c.public_id::text AND i.customer_id = c.id
 WHERE c.id = %s ORDER BY i.id LIMIT 1
"""
NEXT_IDENTITY = "SELECT nextval(pg_get_serial_sequence('customers_identity', 'id'))"


def card_of(sql: Cursor, customer: int, *, by: str, cause: str = "agent") -> tuple[int, Handle]:
    """The card of the customer that stands for this one, and how an event names it."""

    def work() -> tuple[int, Handle]:
        sql.execute(STANDS, (customer,))
        (root,) = sql.fetchone() or (customer,)
        sql.execute(CARD_OF, (root,))
        row = sql.fetchone()
        if row and row[0] is not None:
            return row[0], Handle(CARD, row[2], row[1], Trust.VERIFIED)
        with holding(root) as (held, _):
            return card_beside_founder(held, root, by=by, cause=cause)

    return attempt(work)


def card_beside_founder(sql: Cursor, root: int, *, by: str, cause: str = "agent") -> tuple[int, Handle]:
    """The card of a standing customer that the caller holds, linked to his founder.

    Raises Retry if he was erased while he was waited for: nothing may be added to him.
    """
    sql.execute(CARD_OF, (root,))
    row = sql.fetchone()
    assert row is not None
    card, scope, value, founder, erased, cards = row
    if erased:
        raise Retry
    if card is None:
        scope = str(cards + 1) if cards else ""
        handle = NormalHandle(CARD, scope, value, raw="")
        card = bear_beside(sql, handle, founder, root, trust=Trust.VERIFIED, by=by, cause=cause)
    return int(card), Handle(CARD, value, scope, Trust.VERIFIED)


def bear_beside(
    sql: Cursor,
    handle: NormalHandle,
    beside: int,
    customer: int,
    *,
    trust: Trust,
    by: str,
    cause: str,
    evidence: Mapping[str, str] | None = None,
    generation: int = 0,
    valid_from: datetime | None = None,
) -> int:
    """A new identity of a customer that the caller holds, linked to one of his; the handle is nobody's yet."""
    sql.execute(NEXT_IDENTITY)
    (identity,) = sql.fetchone() or (0,)
    born = {
        "id": identity,
        "kind": handle.kind,
        "scope": handle.scope,
        "value": handle.value,
        "generation": generation,
        "valid_from": valid_from,
        "raw": handle.raw,
        "match_key": handle.match_key,
        "linkable": handle.linkable,
        "shared": False,
        "normaliser_version": NORMALISER_VERSION,
        "trust": int(trust),
        "customer_id": customer,
        "created_at": datetime.now(UTC),
    }
    IDENTITIES.insert(sql, [born])
    link(sql, beside, identity, trust=trust, by=by, cause=cause, evidence=evidence or {})
    MOVES.insert(sql, [{"what": Change.MOVED, "identity_id": identity, "left_id": None, "joined_id": customer}])
    return int(identity)


def link(sql: Cursor, one: int, other: int, *, trust: int, by: str, cause: str, evidence: Mapping[str, str]) -> None:
    """One more edge between two identities of a customer, or of two whom the caller is about to regroup."""
    row = {
        "a_id": min(one, other),
        "b_id": max(one, other),
        "cause": cause,
        "evidence": evidence,
        "trust": int(trust),
        "rules_version": RULES_VERSION,
        "created_at": datetime.now(UTC),
        "created_by": by,
        "undone_by": "",
        "undo_reason": "",
    }
    LINKS.insert(sql, [row])
