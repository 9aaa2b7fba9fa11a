"""What people put together and take apart: merge, undo, split. The links say it, the caches follow."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from customers import figures
from customers.components import components, hold_family, regroup, standing_links
from customers.linking import Retry
from customers.models.identity import Trust
from customers.rules import IDENTITIES, JOINS, RULES_VERSION
from customers.sql import Cursor, as_json, cursor

LINK = """
INSERT INTO customers_link (a_id, b_id, cause, evidence, trust, rules_version, created_at, created_by, undone_by,
                            undo_reason)
VALUES (least(%(a)s, %(b)s), greatest(%(a)s, %(b)s), 'agent', %(evidence)s, %(trust)s, %(rules)s, now(), %(by)s, '', '')
RETURNING id
"""
SAME_KEY = """
SELECT id FROM customers_link WHERE cause = 'agent' AND created_by = %s AND evidence->>'key' = %s
   AND a_id = ANY(%s) AND b_id = ANY(%s)
"""
FOUNDERS = "SELECT id, founder_id FROM customers_customer WHERE id = ANY(%s)"
HOMES = "SELECT id, customer_id FROM customers_identity WHERE id = ANY(%s)"
UNDO = """
UPDATE customers_link SET undone_at = now(), undone_by = %(by)s, undo_reason = %(reason)s
 WHERE id = ANY(%(ids)s) AND undone_at IS NULL RETURNING id
"""
LINK_BY_ID = "SELECT a_id, b_id, undone_at IS NOT NULL FROM customers_link WHERE id = %s"
CROSSING = """
SELECT id, a_id, b_id FROM customers_link WHERE undone_at IS NULL
   AND (a_id = ANY(%(cut)s) AND b_id = ANY(%(rest)s) OR b_id = ANY(%(cut)s) AND a_id = ANY(%(rest)s))
"""
KEEP_APART = """
INSERT INTO customers_keepapart (a_id, b_id, reason, created_at, created_by, lifted_by)
SELECT least(%(a)s, %(b)s), greatest(%(a)s, %(b)s), %(reason)s, now(), %(by)s, ''
 WHERE NOT EXISTS (SELECT 1 FROM customers_keepapart WHERE lifted_at IS NULL
                      AND (a_id, b_id) = (least(%(a)s, %(b)s), greatest(%(a)s, %(b)s)))
"""
LIFT = """
UPDATE customers_keepapart SET lifted_at = now(), lifted_by = %(by)s WHERE lifted_at IS NULL
   AND (a_id = ANY(%(one)s) AND b_id = ANY(%(other)s) OR b_id = ANY(%(one)s) AND a_id = ANY(%(other)s)) RETURNING id
"""
BETWEEN = """
SELECT id, a_id, b_id FROM customers_link WHERE undone_at IS NULL AND a_id = ANY(%(ids)s) AND b_id = ANY(%(ids)s)
"""


class Refused(Exception):
    """The merge is more than a person can be, or the cards changed since they were read."""


class NoSuchLink(LookupError):
    """No link ever had this id."""


@dataclass(frozen=True, slots=True)
class Merged:
    """`link` is None when the two were one already; `lifted` are the KeepAparts that gave way."""

    customer: int
    link: int | None
    lifted: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Parted:
    """Where the identities of a former customer are now, and what still connects the two ends of a link."""

    homes: Mapping[int, int]
    still_connected_by: tuple[int, ...] = ()
    undone: tuple[int, ...] = field(default=())


@contextmanager
def holding(*roots: int) -> Iterator[tuple[Cursor, dict[int, int]]]:
    """A transaction that holds these customers with all that were merged into them; raises Retry if they moved."""
    with transaction.atomic(), cursor() as sql:
        homes = hold_family(sql, sorted(set(roots)))
        sql.execute(
            "SELECT 1 FROM customers_customer WHERE id = ANY(%s) AND merged_into_id IS NOT NULL", (list(roots),)
        )
        if sql.fetchone():
            raise Retry
        yield sql, homes


def merge(
    one: int,
    other: int,
    *,
    reason: str,
    by: str,
    key: str = "",
    ends: tuple[int, int] | None = None,
    evidence: Mapping[str, str] | None = None,
) -> Merged:
    """Two standing customers are one person, says an agent; the older one stands. Raises Refused, Retry.

    The link is between the founders, or between the two identities that an agent was shown (`ends`).
    """
    with holding(one, other) as (sql, homes):
        if one == other:
            return Merged(one, same_key(sql, by, key, homes))
        mine = [identity for identity, home in homes.items() if home == one]
        theirs = [identity for identity, home in homes.items() if home == other]
        if len(homes) > IDENTITIES or joins(sql, one, other) > JOINS:
            raise Refused("Together they would have more identities, or stand for more customers, than a person does.")
        lifted = rows(sql, LIFT, {"one": mine, "other": theirs, "by": by})
        sql.execute(FOUNDERS, ([one, other],))
        founders = dict(sql.fetchall())
        if ends is not None and {homes.get(end) for end in ends} != {one, other}:
            raise Retry
        a, b = ends or (founders[one], founders[other])
        said = {"reason": reason, **({"key": key} if key else {}), **(evidence or {})}
        link = add_link(sql, a, b, by, said)
        regroup(sql, homes)
        return Merged(min(one, other), link, tuple(lifted))


def joins(sql: Cursor, *roots: int) -> int:
    """How many others whoever stands for these customers would stand for."""
    sql.execute("SELECT count(*) FROM customers_customer WHERE merged_into_id = ANY(%s)", (list(roots),))
    row = sql.fetchone()
    return int(row[0]) + 1 if row else 1


def same_key(sql: Cursor, by: str, key: str, homes: Iterable[int]) -> int | None:
    if not key:
        return None
    ids = sorted(homes)
    return next(iter(rows(sql, SAME_KEY, (by, key, ids, ids))), None)


def add_link(sql: Cursor, a: int, b: int, by: str, evidence: Mapping[str, str]) -> int:
    values = {"a": a, "b": b, "evidence": as_json(evidence), "trust": int(Trust.VERIFIED), "by": by}
    figures.add_later("links", "made")
    return rows(sql, LINK, {**values, "rules": RULES_VERSION})[0]


def rows(sql: Cursor, statement: str, params: Any) -> list[int]:
    sql.execute(statement.encode(), params)
    return [row[0] for row in sql.fetchall()]


def undo(link: int, *, by: str, reason: str, dry_run: bool = False) -> Parted:
    """Take one link back: exactly what it alone connected falls apart, and stays apart. Raises NoSuchLink, Retry."""
    with cursor() as sql:
        sql.execute(LINK_BY_ID, (link,))
        found = sql.fetchone()
        if found is None:
            raise NoSuchLink
        a, b, _ = found
        sql.execute(HOMES, ([a, b],))
        roots = sorted(set(dict(sql.fetchall()).values()))
    with holding(*roots) as (sql, homes):
        if a not in homes or b not in homes:
            raise Retry
        undone = rows(sql, UNDO, {"ids": [link], "by": by, "reason": reason})
        figures.add_later("links", "undone", by=len(undone))
        now = regroup(sql, homes) if undone else homes
        if undone and now[a] != now[b]:
            sql.execute(KEEP_APART, {"a": a, "b": b, "reason": reason or "undo", "by": by})
        path = () if now[a] != now[b] else connection(sql, now, a, b)
        if dry_run:
            transaction.set_rollback(True)
        return Parted(now, path, (link,))


def connection(sql: Cursor, homes: Mapping[int, int], a: int, b: int) -> tuple[int, ...]:
    """The links of a shortest path between two identities of one customer."""
    sql.execute(BETWEEN, {"ids": [one for one, home in homes.items() if home == homes[a]]})
    beside: dict[int, list[tuple[int, int]]] = {}
    for id_, one, other in sql.fetchall():
        beside.setdefault(one, []).append((other, id_))
        beside.setdefault(other, []).append((one, id_))
    paths: dict[int, tuple[int, ...]] = {a: ()}
    queue = [a]
    for one in queue:
        for other, id_ in beside.get(one, ()):
            if other not in paths:
                paths[other] = (*paths[one], id_)
                queue.append(other)
    return paths.get(b, ())


def split(customer: int, identities: Sequence[int], *, to: int | None, by: str, reason: str) -> Parted:
    """These identities are somebody else's: every link across the cut is undone, and they stay together.

    They become a new customer, or part of the standing customer `to`. Raises Refused, Retry.
    """
    if to == customer:
        raise Refused("Name another customer than the one that is split.")
    with holding(customer, *([to] if to is not None else [])) as (sql, homes):
        mine = {identity for identity, home in homes.items() if home == customer}
        cut, rest = sorted(mine & set(identities)), sorted(mine - set(identities))
        if set(identities) - mine or not cut or not rest:
            raise Refused("Name some, and not all, of the identities of this customer.")
        sql.execute(CROSSING, {"cut": cut, "rest": rest})
        crossing = sql.fetchall()
        undone = rows(sql, UNDO, {"ids": [row[0] for row in crossing], "by": by, "reason": reason})
        figures.add_later("links", "undone", by=len(undone))
        for side in (cut, rest):
            keep_together(sql, side, by, reason)
        for a, b in sorted({(a, b) for _, a, b in crossing}):  # What was parted stays so, whatever is split later.
            sql.execute(KEEP_APART, {"a": a, "b": b, "reason": reason or "split", "by": by})
        if to is not None:
            theirs = [identity for identity, home in homes.items() if home == to]
            rows(sql, LIFT, {"one": cut, "other": theirs, "by": by})
            sql.execute(FOUNDERS, ([to],))
            add_link(sql, cut[0], dict(sql.fetchall())[to], by, {"reason": reason})
        return Parted(regroup(sql, homes), (), tuple(undone))


def keep_together(sql: Cursor, side: Sequence[int], by: str, reason: str) -> None:
    """What was connected only across the cut is still one person on its side of it."""
    first, *others = components(side, standing_links(sql, side))
    for other in others:
        add_link(sql, min(first), min(other), by, {"reason": reason})
