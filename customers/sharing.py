"""Handles that several persons use: they turn shared, link nobody any more, and what rests on them is reviewed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from customers.changes import card_changed
from customers.components import components, standing_links
from customers.linking import LOCK
from customers.models import Candidate
from customers.sql import Cursor, as_json, cursor

if TYPE_CHECKING:
    from customers.recording import Placed

SHAREABLE: Final = frozenset({"phone", "email", "device", "loyalty"})
CONFLICTS: Final = ("contradiction", "unique_conflict")
OTHERS: Final = 2
"""With the owner three: so many distinct persons that could not be joined by a handle make it shared."""

# Whom a handle met and could not be joined to: by the owner where he is known, else by the line he came in.
MET = """
WITH asked AS (
    SELECT i.id, i.kind, i.scope, i.value, i.customer_id
      FROM json_to_recordset(%(keys)s::json) AS x(kind text, scope text, value text)
      JOIN customers_identity i USING (kind, scope, value) WHERE i.valid_to IS NULL AND NOT i.shared
), met AS (
    SELECT a.id, coalesce(o.customer_id::text, c.interaction_id::text) AS person
      FROM asked a JOIN customers_candidate c ON c.identity_id = a.id
      LEFT JOIN customers_identity o ON (o.kind, o.scope, o.value) = (c.kind, c.scope, c.value) AND o.valid_to IS NULL
     WHERE c.reason = ANY(%(conflicts)s) AND c.state <> 'accepted' AND o.customer_id IS DISTINCT FROM a.customer_id
     UNION
    SELECT a.id, o.customer_id::text FROM asked a
      JOIN customers_candidate c ON (c.value, c.kind, c.scope) = (a.value, a.kind, a.scope)
      JOIN customers_identity o ON o.id = c.identity_id
     WHERE c.reason = ANY(%(conflicts)s) AND c.state <> 'accepted' AND o.customer_id <> a.customer_id
)
SELECT id FROM met GROUP BY id HAVING count(*) >= %(others)s ORDER BY id
"""
SHARE = "UPDATE customers_identity SET shared = true WHERE id = ANY(%s) AND NOT shared RETURNING id"
UNSHARE = "UPDATE customers_identity SET shared = false WHERE id = %s AND shared"
# What an agent said does not rest on a handle, nor does the card that hangs on it.
RESTING = """
SELECT l.id, i.id AS shared_id, o.id AS other_id FROM customers_identity i
  JOIN customers_link l ON i.id IN (l.a_id, l.b_id) JOIN customers_identity o ON o.id = l.a_id + l.b_id - i.id
 WHERE i.id = ANY(%(ids)s) AND l.undone_at IS NULL AND l.cause NOT IN ('agent', 'note') AND o.kind <> 'card'
"""
REVIEW = f"""
INSERT INTO customers_candidate (identity_id, kind, scope, value, reason, trust, source, interaction_id, seen_at,
                                 times, state, decided_by, decision)
SELECT DISTINCT ON (r.other_id, i.id) r.other_id, i.kind, i.scope, i.value, 'shared', l.trust,
       coalesce(l.evidence->>'source', ''),
       coalesce(l.evidence->>'line', '00000000-0000-0000-0000-000000000000')::uuid, l.created_at, 1, 'open', '', ''
  FROM ({RESTING}) r JOIN customers_link l ON l.id = r.id JOIN customers_identity i ON i.id = r.shared_id
 ORDER BY r.other_id, i.id, l.id
    ON CONFLICT (identity_id, kind, scope, value) DO UPDATE SET reason = 'shared', state = 'open'
"""
REVIEWING = """
SELECT c.id FROM customers_identity i JOIN customers_candidate c
    ON (c.value, c.kind, c.scope) = (i.value, i.kind, i.scope)
 WHERE i.id = %s AND c.reason = 'shared' AND c.state = 'open' AND c.identity_id <> i.id ORDER BY c.id
"""
REVIEWED = """
UPDATE customers_candidate c SET state = %(stale)s FROM customers_identity i
 WHERE i.id = %(id)s AND (c.value, c.kind, c.scope) = (i.value, i.kind, i.scope)
   AND c.reason = 'shared' AND c.state = 'open'
"""
KEY = "SELECT kind, scope, value, customer_id, shared FROM customers_identity WHERE id = %s"
MEMBERS = "SELECT id FROM customers_identity WHERE customer_id = %s"
PAIRS = "SELECT a_id, b_id FROM customers_link WHERE id = ANY(%s)"
CONTACTS = "SELECT identity_id, sum(count) FROM customers_contactcount WHERE identity_id = ANY(%s) GROUP BY identity_id"


class NoSuchIdentity(LookupError):
    """No identity ever had this id."""


@dataclass(frozen=True, slots=True)
class Review:
    """The links that rest on a handle, and the groups into which its customer would fall without them."""

    customer: int
    shared: bool
    links: Sequence[int] = ()
    candidates: Sequence[int] = ()
    groups: Sequence[tuple[Sequence[int], int]] = ()  # (identities, contacts)


def detect(sql: Cursor, placed: Collection["Placed"]) -> list[int]:
    """Turn handles shared by which these events would have connected too many persons; in the linking transaction."""
    keys = {
        key
        for one in placed
        for suggested in one.suggested
        if suggested.reason in CONFLICTS
        for key in (one.case.evidence[0].key, suggested.evidence.key)
        if key.kind in SHAREABLE
    }
    if not keys:
        return []
    asked = as_json([key._asdict() for key in sorted(keys)])
    sql.execute(MET, {"keys": asked, "conflicts": list(CONFLICTS), "others": OTHERS})
    found = [row[0] for row in sql.fetchall()]
    if found:
        turn_shared(sql, found)
    return found


def turn_shared(sql: Cursor, identities: Sequence[int]) -> None:
    """Set them shared and put what rests on them up for review."""
    sql.execute(SHARE, (list(identities),))
    if fresh := [row[0] for row in sql.fetchall()]:
        sql.execute(REVIEW.encode(), {"ids": fresh})
        card_changed(sql, *fresh)


def share(identity: int) -> Review:
    """An agent says that several persons use it. Raises NoSuchIdentity."""
    with transaction.atomic(), cursor() as sql:
        hold(sql, identity)
        turn_shared(sql, [identity])
        return review(sql, identity)


def unshare(identity: int) -> Review:
    """It is one person's after all: it links again from the next event on. Raises NoSuchIdentity."""
    with transaction.atomic(), cursor() as sql:
        hold(sql, identity)
        sql.execute(UNSHARE, (identity,))
        sql.execute(REVIEWED, {"id": identity, "stale": Candidate.STALE})
        card_changed(sql, identity)
        return review(sql, identity)


def hold(sql: Cursor, identity: int) -> Any:
    """Keep all linking by this handle away until the end of the transaction; its row."""
    sql.execute(KEY, (identity,))
    row = sql.fetchone()
    if row is None:
        raise NoSuchIdentity
    sql.execute(LOCK, (["\x1f".join(row[:3])],))
    sql.execute(KEY, (identity,))
    return sql.fetchone() or row


def review(sql: Cursor, identity: int) -> Review:
    """What rests on a handle, and what would fall apart without it; nothing is undone."""
    sql.execute(KEY, (identity,))
    row = sql.fetchone()
    assert row is not None
    customer, shared = row[3:]
    sql.execute(RESTING, {"ids": [identity]})
    links = sorted(link for link, _, _ in sql.fetchall())
    sql.execute(REVIEWING, (identity,))
    candidates = [row[0] for row in sql.fetchall()]
    sql.execute(MEMBERS, (customer,))
    members = [one for (one,) in sql.fetchall()]
    without = list(standing_links(sql, members))
    sql.execute(PAIRS, (links,))
    for pair in sql.fetchall():
        without.remove(pair)
    sql.execute(CONTACTS, (members,))
    contacts = {one: int(count) for one, count in sql.fetchall()}
    groups = [(sorted(group), sum(contacts.get(one, 0) for one in group)) for group in components(members, without)]
    return Review(customer, shared, links, candidates, groups)
