"""What customers expect: of one before he is spoken with, and across all of them how it turned out."""

from typing import Any, Final
from uuid import UUID

from customers.experience.expectations import OUTCOMES
from customers.experience.owed import EXPECTATION, OF, SHORTLY, Owed, page_of, position
from customers.experience.owed import EXPECTATIONS as FROM
from customers.sql import Cursor

OPEN: Final = "open"
STATES: Final = (OPEN, *OUTCOMES)
# Lasting ones first; of the others those whose matter is not over.
LASTING_FIRST = """
  LEFT JOIN customers_request r ON r.id = e.request_id
 WHERE e.customer_id = %(customer)s AND (e.lasting OR e.outcome = '')
   AND (e.lasting OR e.request_id IS NULL OR r.solved_at IS NULL)
 ORDER BY e.lasting DESC, e.stated_at DESC, e.id LIMIT 20
"""
AHEAD = f"SELECT {EXPECTATION} FROM {FROM} {LASTING_FIRST}"
AHEAD_SHORTLY = f"SELECT json_build_object({SHORTLY}) AS expectation FROM customers_expectation e {LASTING_FIRST}"
ALL = f"""
SELECT {EXPECTATION} FROM {FROM} WHERE e.customer_id = %s ORDER BY e.stated_at DESC, e.id DESC LIMIT 200
"""


def ahead(sql: Cursor, customer: int) -> list[str]:
    """What he expects of whoever speaks with him next, as JSON texts."""
    sql.execute(AHEAD.encode(), {"customer": customer})
    return [row[0] for row in sql.fetchall()]


def of_customer(sql: Cursor, customer: int) -> list[str]:
    sql.execute(ALL.encode(), (customer,))
    return [row[0] for row in sql.fetchall()]


def one(sql: Cursor, id_: UUID) -> tuple[str, int] | None:
    """(JSON, customer) of one expectation."""
    sql.execute(f"SELECT {EXPECTATION}, e.customer_id FROM {FROM} WHERE e.id = %s".encode(), (id_,))
    row = sql.fetchone()
    return (row[0], row[1]) if row else None


def expected(sql: Cursor, *, outcome: str | None, token: str | None, limit: int) -> Owed:
    """Across customers, newest first: by when they were stated, or by when they turned out so."""
    over = outcome in OUTCOMES
    column = "e.outcome_at" if over else "e.stated_at"
    where = ["e.outcome <> ''", "e.outcome = %(outcome)s"] if over else ["e.outcome = ''"] if outcome == OPEN else []
    asked: dict[str, Any] = {"outcome": outcome}
    if token is not None:
        at, id_ = position(token)
        asked |= {"at": at, "id": id_}
        where.append(f"({column}, e.id) < (%(at)s, %(id)s)")
    shown = f"{EXPECTATION}, {OF}::text, e.customer_id, {column}, e.id"
    sql.execute(
        f"SELECT {shown} FROM {FROM} WHERE {' AND '.join(where) or 'true'}"
        f" ORDER BY {column} DESC, e.id DESC LIMIT {limit + 1}".encode(),
        asked,
    )
    return page_of(sql.fetchall(), limit)
