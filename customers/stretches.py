"""How far back words are looked for at first: the newest lines among which enough that hold them are expected.

The index of words knows no time. A word that is in a hundredth of five million lines has 50,000 entries there: reading
all those lines to sort them takes seconds from a cold disk, and so does walking back from the newest line, which checks
each for a third of a millisecond. Both indexes together tell which of the last lines hold the word; only they are read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson

from customers.homes import apart
from customers.places import Position
from customers.sql import Cursor
from customers.timeline import Filters

FEW: Final = 2_000
"""Lines that are sorted at once, without looking for the newest of them first."""
MOST: Final = 250_000
"""Lines of the longest first stretch; listing more of them costs more than reading those that hold the words."""
AMPLE: Final = 4
"""How many times as many as are asked for should be in it."""
LONGER: Final = 8
WALKED: Final = 2_000
"""Checking a line costs as much as so many entries of the index; common words are quicker found by checking. Half of
that is because the planner expects twice too many: it takes a word's Russian and Lithuanian stem for two."""
RARE: Final = 0.005
"""The part of all lines below which everything is read when the first stretch was too short."""

END = """
SELECT t.sorted_at FROM customers_interaction t WHERE {times} ORDER BY {sort} OFFSET %(lines)s LIMIT 1
"""
WALKING = """
SELECT t.id FROM customers_interaction t WHERE {clauses} ORDER BY {sort} LIMIT %(wanted)s
"""
SORTING = """
WITH t AS MATERIALIZED (
    SELECT t.sorted_at, t.rank, t.id FROM customers_interaction t
     WHERE (SELECT set_config('work_mem', '64MB', true)) IS NOT NULL AND {clauses}
)
SELECT t.id FROM t ORDER BY {sort} LIMIT %(wanted)s
"""
"""Materialised, so that nobody walks; with room for the exact places of a million entries, for this statement alone."""
LINES = "SELECT reltuples FROM pg_class WHERE oid = 'customers_interaction'::regclass"


@dataclass(frozen=True, slots=True)
class Stretch:
    """`lines` to look through, all where it is None; `walk`: from the newest on until there is enough."""

    lines: int | None
    walk: bool = False


ALL: Final = Stretch(None)
ANYHOW: Final = Stretch(None, walk=True)
"""What the planner thinks best, where lines are on several servers."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the planner's statistics say: how many lines hold the words, of how many."""

    found: float
    total: float


def expected(sql: Cursor, clauses: str, params: dict[str, Any]) -> Expected:
    """A guess, from what ANALYZE last saw, and as if each word were said independently of the others."""
    sql.execute(f"EXPLAIN (FORMAT JSON) SELECT FROM customers_interaction t WHERE {clauses}".encode(), params)
    (plan,) = orjson.loads(sql.fetchall()[0][0])
    sql.execute(LINES)
    return Expected(plan["Plan"]["Plan Rows"], sql.fetchall()[0][0])


def stretches(guess: Expected, wanted: int) -> Iterator[Stretch]:
    """One after the other until there are as many as are wanted; the last is everything."""
    found, total = max(guess.found, 1.0), guess.total
    length = max(AMPLE * wanted, int(AMPLE * wanted * total / found))
    if found > FEW and length <= MOST:
        yield Stretch(length, walk=found * found > WALKED * wanted * total)
        if found > RARE * total:
            while (length := length * LONGER) < total:
                yield Stretch(length)
    yield ALL


def nearest(sql: Cursor, filters: Filters, at: Position | None, wanted: int) -> list[UUID]:
    """The nearest lines that hold the words, in the order in which they are walked."""
    words, params = filters.clauses()
    clauses = list(words)
    way, beyond, bound = ("ASC", ">", "<=") if at and at.backwards else ("DESC", "<", ">=")
    if at is not None:
        clauses.append(f"(t.sorted_at, t.rank, t.id) {beyond} (%(sorted_at)s, %(rank)s, %(id)s)")
        params |= {"sorted_at": at.sorted_at, "rank": at.rank, "id": at.id}
    sort = f"t.sorted_at {way}, t.rank {way}, t.id {way}"
    times = [clause for clause in clauses if clause.lstrip("(").startswith("t.sorted_at")]
    params |= {"wanted": wanted}
    found: list[UUID] = []
    for stretch in [ANYHOW] if apart() else stretches(expected(sql, joined(words), params), wanted):
        within = list(clauses)
        if stretch.lines is not None:
            end = END.format(times=joined(times), sort=sort)
            sql.execute(end.encode(), params | {"lines": stretch.lines}, prepare=False)
            if last := sql.fetchall():
                within.append(f"t.sorted_at {bound} %(end)s")
                params |= {"end": last[0][0]}
            else:  # There are not so many.
                stretch = ALL
        shape = WALKING if stretch.walk else SORTING
        sql.execute(shape.format(clauses=joined(within), sort=sort).encode(), params, prepare=False)
        found = [row[0] for row in sql.fetchall()]
        if len(found) >= wanted or stretch.lines is None:
            break
    return found


def joined(clauses: list[str]) -> str:
    return " AND ".join(clauses) or "true"
