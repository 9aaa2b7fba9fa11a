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
BEGIN = "INSERT INTO customers_hold (identity_id, reason, begun_by, lifted_by) VALUES (%s, %s, %s, '')"
LIFT = """
UPDATE customers_hold h SET lifted_at = now(), lifted_by = %s FROM customers_identity i
 WHERE i.id = h.identity_id AND i.customer_id = %s AND h.lifted_at IS NULL RETURNING h.identity_id
"""


class Held(Exception):
    """A hold stands."""


def of(sql: Cursor, customer: int) -> list[dict[str, Any]]:
    """Those that stand."""
    sql.execute(OF, (customer,))
    return [dict(zip(("id", "reason", "at", "by"), row, strict=True)) for row in sql.fetchall()]


def held(sql: Cursor, customer: int) -> bool:
    return bool(of(sql, customer))


def begin(sql: Cursor, identity: int, reason: str, by: str) -> None:
    sql.execute(BEGIN, (identity, reason, by))
    card_changed(sql, identity)


def lift(sql: Cursor, customer: int, by: str) -> int:
    """All that stand; returns how many."""
    sql.execute(LIFT, (by, customer))
    identities = sorted({row[0] for row in sql.fetchall()})
    if identities:
        card_changed(sql, *identities)
    return len(identities)
