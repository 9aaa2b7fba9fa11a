"""What a merge would do, before anybody does it: evidence for and against, what moves, which fields clash."""

from typing import Any

from customers import profiles
from customers.names import similarity
from customers.rules import OBJECTIONS, Profile
from customers.sql import Cursor

MOVES = """
SELECT i.customer_id, count(DISTINCT i.id), coalesce(sum(n.contacts), 0), coalesce(sum(n.notes), 0)
  FROM customers_identity i LEFT JOIN LATERAL (
       SELECT sum(k.count) AS contacts, sum(k.count) FILTER (WHERE k.channel = 'note') AS notes
         FROM customers_contactcount k WHERE k.identity_id = i.id) n ON true
 WHERE i.customer_id = ANY(%s) GROUP BY i.customer_id
"""
IDENTITIES = """
SELECT id::text, kind, value FROM customers_identity WHERE customer_id = %s AND kind <> 'card' ORDER BY id
"""
FIELDS = """
SELECT DISTINCT ON (i.customer_id, a.key) i.customer_id, a.key, a.value, a.trust, a.claimed_at
  FROM customers_attributeclaim a JOIN customers_identity i ON i.id = a.identity_id
 WHERE i.customer_id = ANY(%s) ORDER BY i.customer_id, a.key, a.trust DESC, a.claimed_at DESC, a.id
"""
CANDIDATES = """
SELECT c.kind, c.value, c.reason, c.times, c.interaction_id::text FROM customers_candidate c
  JOIN customers_identity i ON i.id = c.identity_id
  JOIN customers_identity o ON (o.kind, o.scope, o.value) = (c.kind, c.scope, c.value)
 WHERE i.customer_id = ANY(%(both)s) AND o.customer_id = ANY(%(both)s) AND i.customer_id <> o.customer_id
 ORDER BY c.seen_at DESC
"""
LIKENESS = 0.85
"""From here on two names count as evidence for one person."""


def preview(sql: Cursor, one: int, other: int) -> dict[str, Any]:
    """`{stands, goes, moves, clashes, for, against}`; the ids are internal, the caller shows public ones."""
    stands, goes = sorted((one, other))
    known = profiles.load(sql, {one, other})
    sql.execute(MOVES, ([goes],))
    row = sql.fetchone() or (goes, 0, 0, 0)
    sql.execute(IDENTITIES, (goes,))
    identities = [{"id": id_, "kind": kind, "value": value} for id_, kind, value in sql.fetchall()]
    moves = {"identities": identities, "contacts": int(row[2]), "notes": int(row[3])}
    return {
        "stands": stands,
        "goes": goes,
        "moves": moves,
        "clashes": clashes(sql, stands, goes),
        "for": evidence_for(sql, known[stands], known[goes]),
        "against": [{"reason": reason} for reason, objects in OBJECTIONS if objects(known[stands], known[goes])],
    }


def clashes(sql: Cursor, stands: int, goes: int) -> list[dict[str, Any]]:
    """Fields of which the two say different things, and what the card would show."""
    sql.execute(FIELDS, ([stands, goes],))
    said: dict[str, dict[int, tuple[int, Any, Any]]] = {}
    for customer, key, value, trust, at in sql.fetchall():
        said.setdefault(key, {})[customer] = (trust, at, value)
    return [
        {"key": key, "values": [by[stands][2], by[goes][2]], "wins": max(by.values(), key=lambda claim: claim[:2])[2]}
        for key, by in sorted(said.items())
        if len(by) == 2 and by[stands][2] != by[goes][2]
    ]


def evidence_for(sql: Cursor, one: Profile, other: Profile) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    sql.execute(CANDIDATES, {"both": sorted(one.customers | other.customers)})
    for kind, value, reason, times, line in sql.fetchall():
        found.append({"kind": kind, "value": value, "refused": reason, "times": times, "interaction": line})
    if one.name and other.name and (likeness := similarity(one.name, other.name)) >= LIKENESS:
        found.append({"kind": "name", "value": [one.name, other.name], "similarity": round(likeness, 2)})
    if one.birthday and one.birthday == other.birthday:
        found.append({"kind": "birthday", "value": one.birthday})
    return found
