"""Whoever must be kept: while a hold stands, no rule of retention and no erasure takes anything of the person.

A hold hangs on an identity, so that it goes along when customers are joined and taken apart; one on any of his
identities holds the whole customer.
"""

from typing import Any

from customers.changes import card_changed
from customers.sql import Cursor

OF = """
SELECT h.id, h.reason, h.begun_at, h.begun_by FROM customers_hold h JOIN customers_identity i ON i.id = h.identity_id
 WHERE i.customer_id = %s AND h.lifted_at IS NULL ORDER BY h.id
"""
# The same word twice (a form that was sent again) is one hold.
BEGIN = """
INSERT INTO customers_hold (identity_id, reason, begun_by, lifted_by)
SELECT %(identity)s, %(reason)s, %(by)s, ''
 WHERE NOT EXISTS (SELECT 1 FROM customers_hold
                    WHERE identity_id = %(identity)s AND reason = %(reason)s AND lifted_at IS NULL)
"""
LIFT = """
UPDATE customers_hold h SET lifted_at = now(), lifted_by = %(by)s, lifted_why = %(why)s FROM customers_identity i
 WHERE i.id = h.identity_id AND i.customer_id = %(customer)s AND h.lifted_at IS NULL
   AND (%(only)s::bigint IS NULL OR h.id = %(only)s) RETURNING h.identity_id
"""
NAMES = ("id", "reason", "at", "by", "lifted_at", "lifted_by", "lifted_why", "customer")
LISTED = """
SELECT h.id, h.reason, h.begun_at, h.begun_by, h.lifted_at, h.lifted_by, h.lifted_why, i.customer_id
  FROM customers_hold h JOIN customers_identity i ON i.id = h.identity_id
 WHERE (%(before)s::bigint IS NULL OR h.id < %(before)s)
   AND (%(customer)s::bigint IS NULL OR i.customer_id = %(customer)s)
   AND (h.lifted_at IS NULL) = %(standing)s ORDER BY h.id DESC LIMIT %(limit)s
"""


class Held(Exception):
    """A hold stands."""


def of(sql: Cursor, customer: int) -> list[dict[str, Any]]:
    """Those that stand."""
    sql.execute(OF, (customer,))
    return [dict(zip(NAMES, row, strict=False)) for row in sql.fetchall()]


def listed(
    sql: Cursor, *, standing: bool, limit: int, before: int | None = None, customer: int | None = None
) -> list[dict[str, Any]]:
    """Of everybody or of one, newest first: those that stand, or those that were lifted."""
    sql.execute(LISTED, {"standing": standing, "limit": limit, "before": before, "customer": customer})
    return [dict(zip(NAMES, row, strict=True)) for row in sql.fetchall()]


def held(sql: Cursor, customer: int) -> bool:
    return bool(of(sql, customer))


def begin(sql: Cursor, identity: int, reason: str, by: str) -> None:
    sql.execute(BEGIN, {"identity": identity, "reason": reason, "by": by})
    card_changed(sql, identity)


def lift(sql: Cursor, customer: int, by: str, why: str = "", only: int | None = None) -> int:
    """All that stand, or `only` one; returns how many."""
    sql.execute(LIFT, {"by": by, "why": why, "customer": customer, "only": only})
    identities = sorted({row[0] for row in sql.fetchall()})
    if identities:
        card_changed(sql, *identities)
    return len(identities)
