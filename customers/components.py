"""Who belongs together: a pure function of the standing links."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from uuid_utils.compat import uuid7

from customers.models import Change
from customers.sql import Cursor, Rows

MOVES = Rows("customers_change", what="text", identity_id="bigint", left_id="bigint", joined_id="bigint")

FAMILY = """
SELECT id FROM customers_customer WHERE id = ANY(%(roots)s) OR merged_into_id = ANY(%(roots)s)
 ORDER BY id FOR NO KEY UPDATE
"""
MEMBERS = "SELECT id, customer_id FROM customers_identity WHERE customer_id = ANY(%s) ORDER BY id"
LINKS = """
SELECT a_id, b_id FROM customers_link WHERE a_id = ANY(%(ids)s) AND b_id = ANY(%(ids)s) AND undone_at IS NULL
"""
FOUNDERS = "SELECT founder_id, id FROM customers_customer WHERE founder_id = ANY(%s)"
MOVE = "UPDATE customers_identity SET customer_id = %s WHERE id = ANY(%s)"
MERGED = "UPDATE customers_customer SET merged_into_id = %s WHERE id = %s AND merged_into_id IS DISTINCT FROM %s"
FOUND = "INSERT INTO customers_customer (public_id, founder_id, created_at) VALUES (%s, %s, %s) RETURNING id"


@dataclass(frozen=True, slots=True)
class Component:
    """One person: his identities, and the customers that they founded (the lowest id stands for all)."""

    identities: frozenset[int]
    customers: tuple[int, ...]


def components(identities: Iterable[int], links: Iterable[tuple[int, int]]) -> list[frozenset[int]]:
    """The connected components, each once, by their lowest identity."""
    parent = {identity: identity for identity in identities}

    def root(one: int) -> int:
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    for a, b in links:
        parent[max(root(a), root(b))] = min(root(a), root(b))
    members: dict[int, set[int]] = {}
    for identity in parent:
        members.setdefault(root(identity), set()).add(identity)
    return [frozenset(members[least]) for least in sorted(members)]


def partition(
    identities: Iterable[int], links: Iterable[tuple[int, int]], founders: Mapping[int, int]
) -> list[Component]:
    """Components with the customers founded in them; `founders` is {identity: customer}."""
    return [
        Component(members, tuple(sorted(founders[one] for one in members if one in founders)))
        for members in components(identities, links)
    ]


def hold_family(sql: Cursor, roots: Sequence[int]) -> dict[int, int]:
    """Lock customers with all that were merged into them, and return {identity: customer} of their identities."""
    sql.execute(FAMILY, {"roots": list(roots)})
    sql.fetchall()
    sql.execute(MEMBERS, (list(roots),))
    return dict(sql.fetchall())


def standing_links(sql: Cursor, identities: Iterable[int]) -> list[tuple[int, int]]:
    sql.execute(LINKS, {"ids": sorted(identities)})
    return sql.fetchall()


def founders_among(sql: Cursor, identities: Iterable[int]) -> dict[int, int]:
    sql.execute(FOUNDERS, (sorted(identities),))
    return dict(sql.fetchall())


def regroup(sql: Cursor, homes: Mapping[int, int]) -> dict[int, int]:
    """Make the caches say what the standing links say, for identities held by `hold_family`.

    `homes` is {identity: customer} as cached; returns the same as it is now. Only what moves is written: an
    identity gets its customer, a founded customer its `merged_into`, a component without a founder a new customer.
    """
    founders = founders_among(sql, homes)
    now: dict[int, int] = {}
    for component in partition(homes, standing_links(sql, homes), founders):
        stands = component.customers[0] if component.customers else found(sql, min(component.identities))
        for customer in component.customers:
            into = None if customer == stands else stands
            sql.execute(MERGED, (into, customer, into))
        moved = sorted(one for one in component.identities if homes[one] != stands)
        if moved:
            sql.execute(MOVE, (stands, moved))
            MOVES.insert(
                sql,
                [
                    {"what": Change.MOVED, "identity_id": one, "left_id": homes[one], "joined_id": stands}
                    for one in moved
                ],
            )
        now |= dict.fromkeys(component.identities, stands)
    return now


def found(sql: Cursor, founder: int) -> int:
    sql.execute(FOUND, (uuid7(), founder, datetime.now(UTC)))
    row = sql.fetchone()
    assert row is not None
    return int(row[0])
