"""Until when an agent had seen a card, and that he looks at it again."""

from datetime import datetime

from customers.sql import Cursor, noting

LOOKED = """
WITH kept AS (
     SELECT seen_until FROM customers_lastlook
      WHERE user_id = %(user)s AND customer_id = %(customer)s AND looked_at > now() - interval '10 seconds'
), noted AS (
     INSERT INTO customers_lastlook (user_id, customer_id, seen_until, looked_at)
     SELECT %(user)s, id, now(), now() FROM customers_customer
      WHERE id = %(customer)s AND erased_at IS NULL AND NOT EXISTS (SELECT FROM kept)
         ON CONFLICT (user_id, customer_id) DO UPDATE SET looked_at = now(), seen_until = CASE
             WHEN customers_lastlook.looked_at < now() - interval '10 minutes' THEN customers_lastlook.looked_at
             ELSE customers_lastlook.seen_until END
     RETURNING seen_until
), looked AS (SELECT coalesce((SELECT seen_until FROM kept), (SELECT seen_until FROM noted)) AS at)
"""
"""A page that is loaded again does not make everything old at once, and at once it is the same look."""
SINCE = "(SELECT at FROM looked)"
LOOK = f"{LOOKED} SELECT at FROM looked".encode()
SEEN = "SELECT seen_until FROM customers_lastlook WHERE user_id = %(user)s AND customer_id = %(customer)s"


def look(sql: Cursor, user: int, customer: int) -> datetime | None:
    """Until when he had seen it, where that is not asked together with something else."""
    with noting(sql) as near:
        return first(near, LOOK, user, customer)


def seen(sql: Cursor, user: int, customer: int) -> datetime | None:
    """The same without looking again."""
    return first(sql, SEEN.encode(), user, customer)


def first(sql: Cursor, statement: bytes, user: int, customer: int) -> datetime | None:
    sql.execute(statement, {"user": user, "customer": customer}, prepare=True)
    row = sql.fetchone()
    return row[0] if row else None
