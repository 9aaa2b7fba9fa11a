"""Loads what the rules ask of customers, in a few statements for many of them."""

from collections.abc import Collection

from customers.attributes import BIRTHDAY, birthday
from customers.rules import Profile
from customers.sql import Cursor

IDENTITIES = """
SELECT customer_id, kind, scope, value FROM customers_identity
 WHERE customer_id = ANY(%s) AND kind NOT IN ('anonymous', 'card')
"""
JOINS = """
SELECT merged_into_id, count(*) FROM customers_customer WHERE merged_into_id = ANY(%s) GROUP BY merged_into_id
"""
SAID = """
SELECT DISTINCT ON (i.customer_id, a.key) i.customer_id, a.key, a.value
  FROM customers_identity i JOIN customers_attributeclaim a ON a.identity_id = i.id AND a.key IN ('name', 'birthday')
 WHERE i.customer_id = ANY(%s) ORDER BY i.customer_id, a.key, a.trust DESC, a.claimed_at DESC, a.id
"""
APART = """
SELECT a.customer_id, b.customer_id FROM customers_keepapart k
  JOIN customers_identity a ON a.id = k.a_id JOIN customers_identity b ON b.id = k.b_id
 WHERE k.lifted_at IS NULL AND (a.customer_id = ANY(%(ids)s) OR b.customer_id = ANY(%(ids)s))
"""


def load(sql: Cursor, customers: Collection[int]) -> dict[int, Profile]:
    """{customer: profile}"""
    found = {customer: Profile(customers={customer}) for customer in customers}
    if not found:
        return found
    ids = sorted(found)
    sql.execute(IDENTITIES, (ids,))
    for customer, kind, scope, value in sql.fetchall():
        found[customer].add(kind, scope, value)
    sql.execute(JOINS, (ids,))
    for customer, count in sql.fetchall():
        found[customer].joins = count
    sql.execute(SAID, (ids,))
    for customer, key, value in sql.fetchall():
        if key == BIRTHDAY:
            found[customer].birthday = birthday(value)
        elif isinstance(value, str):
            found[customer].name = value
    sql.execute(APART, {"ids": ids})
    for one, other in sql.fetchall():
        if one in found:
            found[one].apart.add(other)
        if other in found:
            found[other].apart.add(one)
    return found
