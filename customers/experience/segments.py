"""Segments: whom a filter means now, counted, page by page, and as a table to take away."""

from collections.abc import Iterator
from typing import Any, Final

import orjson

from customers.cards import cards
from customers.experience.filters import compiled
from customers.experience.paging import place, token
from customers.exporting import LOGGED, cell, rows
from customers.sql import Cursor, cursor

FROM = """
  FROM customers_customer c LEFT JOIN customers_experience e ON e.customer_id = c.id
 WHERE c.merged_into_id IS NULL AND c.erased_at IS NULL
   AND EXISTS (SELECT 1 FROM customers_identity i WHERE i.customer_id = c.id) AND ({})
"""
COUNT = f"SELECT count(*) {FROM}"
LIST = f"""
SELECT c.id, c.public_id, e.stage, e.first_contact_at, e.last_contact_at, e.purchases, e.last_purchase_at, e.nps,
       e.csat, e.ces, e.effort, e.open_promises, e.open_requests {FROM}
   AND c.id > %(after)s ORDER BY c.id LIMIT %(limit)s
"""
MEASURES: Final = (
    *("stage", "first_contact", "last_contact", "purchases", "last_purchase", "nps", "csat", "ces", "effort"),
    *("open_promises", "open_requests"),
)
COLUMNS: Final = ("id", "name", *MEASURES, "tags", "identifiers", "attributes")
PAGE = 500


def count(sql: Cursor, said: Any) -> int:
    """How many customers a filter means now; raises BadFilter."""
    where, params = compiled(said)
    sql.execute(COUNT.format(where).encode(), params)
    (found,) = sql.fetchone() or (0,)
    return int(found)


def members(
    sql: Cursor, said: Any, *, limit: int, cursor: str | None = None
) -> tuple[list[dict[str, Any]], list[int], str | None]:
    """Whom a filter means, the longest known first; raises BadFilter and BadToken."""
    after = place(cursor, 1)
    first = int(after[0]) if after and after[0].isdigit() and len(after[0]) < 19 else 0
    found = page(sql, said, first, limit + 1)
    following = token(found[limit - 1][0]) if len(found) > limit else None
    shown = found[:limit]
    ids = [row[0] for row in shown]
    names = {id_: orjson.loads(text)["name"] for id_, text in cards(sql, ids).items()}
    results = [
        {"customer": row[1], "name": names.get(row[0]), **dict(zip(MEASURES, row[2:], strict=True))} for row in shown
    ]
    return results, ids, following


def page(sql: Cursor, said: Any, after: int, limit: int) -> list[Any]:
    where, params = compiled(said)
    sql.execute(LIST.format(where).encode(), {**params, "after": after, "limit": limit})
    return sql.fetchall()


def exported(said: Any, viewer: str, path: str) -> Iterator[bytes]:
    """A table with a row for each, made while it is sent; each customer in it is logged as taken away."""
    yield b"\xef\xbb\xbf" + rows([list(COLUMNS)])
    after = 0
    while True:
        with cursor() as sql:
            found = page(sql, said, after, PAGE)
            known = {id_: orjson.loads(text) for id_, text in cards(sql, [row[0] for row in found]).items()}
            for id_ in sorted(known):
                sql.execute(LOGGED, (viewer, id_, path[:200]))
        yield rows([line(known[row[0]], row) for row in found if row[0] in known])
        if len(found) < PAGE:
            return
        after = found[-1][0]


def line(card: dict[str, Any], row: Any) -> list[str]:
    said = [
        *(row[1], card["name"], *row[2:]),
        "\n".join(card["tags"]),
        "\n".join(f"{one['kind']}:{one['value']}" for one in card["identities"] if one["kind"] != "anonymous"),
        orjson.dumps({key: one["value"] for key, one in card["attributes"].items()}).decode(),
    ]
    return [cell(one) for one in said]
