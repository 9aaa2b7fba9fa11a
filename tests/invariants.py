"""What must hold of identities at any moment: a second opinion on a live database, which shares no code with it."""

from collections import defaultdict
from typing import Any

from customers.sql import Cursor

Row = tuple[Any, ...]


def violations(sql: Cursor) -> list[str]:
    """One line for each thing that is wrong; call it when nobody writes."""
    homes: dict[int, int] = dict(asked(sql, "SELECT id, customer_id FROM customers_identity"))
    customers = asked(sql, "SELECT id, founder_id, merged_into_id FROM customers_customer ORDER BY id")
    links = asked(sql, "SELECT a_id, b_id FROM customers_link WHERE undone_at IS NULL")
    groups = grouped(homes, links)
    founders = {founder: id_ for id_, founder, _ in customers}
    stands: dict[int, int] = {}
    said: list[str] = []
    for members in {id(group): group for group in groups.values()}.values():
        ours = sorted(founders[one] for one in members if one in founders)
        if not ours:
            said.append(f"the component of identity {min(members)} has no founder")
            continue
        stands |= dict.fromkeys(ours, ours[0])
        said += [f"identity {one}: {homes[one]}, not {ours[0]}" for one in sorted(members) if homes[one] != ours[0]]
    for id_, _, merged in customers:
        expected = None if stands.get(id_) == id_ else stands.get(id_)
        if merged != expected:
            said.append(f"customer {id_}: merged into {merged}, not {expected}")
        if merged is None and id_ not in homes.values():
            said.append(f"customer {id_} is empty")
    for a, b in asked(sql, "SELECT a_id, b_id FROM customers_keepapart WHERE lifted_at IS NULL"):
        if groups[a] is groups[b]:
            said.append(f"{a} and {b} are to be kept apart, and are one")
    return said + of_lines(sql) + of_generations(sql)


def asked(sql: Cursor, statement: str) -> list[Row]:
    sql.execute(statement.encode())
    return sql.fetchall()


def grouped(homes: dict[int, int], links: list[Row]) -> dict[int, set[int]]:
    """Each identity with all that a path of links reaches, by walking the graph."""
    beside: dict[int, set[int]] = defaultdict(set)
    for a, b in links:
        beside[a].add(b)
        beside[b].add(a)
    groups: dict[int, set[int]] = {}
    for start in homes:
        if start not in groups:
            reached, queue = {start}, [start]
            while queue:
                new = beside[queue.pop()] - reached
                reached |= new
                queue += new
            groups |= dict.fromkeys(reached, reached)
    return groups


def of_lines(sql: Cursor) -> list[str]:
    """Lines hang on identities, and are counted there."""
    return [
        f"identity {identity}: {lines} lines, {counted} counted"
        for identity, lines, counted in asked(
            sql,
            """SELECT identity_id, coalesce(l.n, 0), coalesce(c.n, 0)
                 FROM (SELECT identity_id, count(*) AS n FROM customers_interaction GROUP BY 1) l
                 FULL JOIN (SELECT identity_id, sum(count) AS n FROM customers_contactcount GROUP BY 1) c
                USING (identity_id) WHERE coalesce(l.n, 0) <> coalesce(c.n, 0)""",
        )
    ] + [
        f"line {id_} hangs on nothing"
        for (id_,) in asked(
            sql,
            """SELECT t.id FROM customers_interaction t
                WHERE NOT EXISTS (SELECT 1 FROM customers_identity i WHERE i.id = t.identity_id)""",
        )
    ]


def of_generations(sql: Cursor) -> list[str]:
    """A handle has one owner at a time."""
    return [
        f"identities {one} and {other} are the same handle at the same time"
        for one, other in asked(
            sql,
            """SELECT a.id, b.id FROM customers_identity a JOIN customers_identity b USING (kind, scope, value)
                WHERE a.id < b.id AND tstzrange(a.valid_from, a.valid_to) && tstzrange(b.valid_from, b.valid_to)""",
        )
    ]
