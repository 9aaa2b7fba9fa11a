"""The card: who a customer is, how he is reached, what is open; made by PostgreSQL as JSON.

Of what several sources say of one attribute the best trust wins, then the latest, then the oldest row
(`customers.attributes` says more).
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from customers.models.identity import Trust
from customers.sql import Cursor
from customers.standing import STANDS_FOR

TRUST = "CASE {0}.trust " + " ".join(f"WHEN {trust.value} THEN '{trust.label}'" for trust in Trust) + " END"

PARTS = {
    "id": "c.public_id",
    "version": """(SELECT md5(coalesce(string_agg(i.id || ':' || i.trust || i.shared || coalesce(a.said, ''), ','
                                             ORDER BY i.id), ''))
                FROM customers_identity i LEFT JOIN LATERAL (
                     SELECT string_agg(a.id || '@' || a.claimed_at, ';' ORDER BY a.id) AS said
                       FROM customers_attributeclaim a WHERE a.identity_id = i.id) a ON true
               WHERE i.customer_id = c.id)""",
    "ids": """(SELECT json_agg(m.public_id ORDER BY m.id) FROM customers_customer m
           WHERE (m.id = c.id OR m.merged_into_id = c.id) AND m.erased_at IS NULL)""",
    "name": """(SELECT a.value FROM customers_attributeclaim a JOIN customers_identity i ON i.id = a.identity_id
            WHERE i.customer_id = c.id AND a.key = 'name' ORDER BY a.trust DESC, a.claimed_at DESC, a.id LIMIT 1)""",
    "attributes": f"""(SELECT coalesce(json_object_agg(w.key, json_build_object('value', w.value, 'source', w.source,
                        'trust', w.trust, 'claimed_at', w.claimed_at) ORDER BY w.key), '{{}}')
                   FROM (SELECT DISTINCT ON (a.key) a.key, a.value, a.source, {TRUST.format("a")} AS trust, a.claimed_at
                           FROM customers_attributeclaim a JOIN customers_identity i ON i.id = a.identity_id
                          WHERE i.customer_id = c.id AND a.key <> 'name' AND left(a.key, 4) <> 'tag:'
                          ORDER BY a.key, a.trust DESC, a.claimed_at DESC, a.id) w WHERE w.value <> 'null')""",
    "tags": """(SELECT coalesce(json_agg(substr(w.key, 5) ORDER BY w.key), '[]')
             FROM (SELECT DISTINCT ON (a.key) a.key, a.value
                     FROM customers_attributeclaim a JOIN customers_identity i ON i.id = a.identity_id
                    WHERE i.customer_id = c.id AND left(a.key, 4) = 'tag:'
                    ORDER BY a.key, a.trust DESC, a.claimed_at DESC, a.id) w WHERE w.value = 'true')""",
    "identities": f"""(SELECT coalesce(json_agg(json_build_object('id', i.id::text, 'kind', i.kind,
                        'scope', nullif(i.scope, ''), 'value', i.value, 'shared', i.shared,
                        'trust', {TRUST.format("i")}, 'first_seen', i.created_at) ORDER BY i.id), '[]')
                   FROM customers_identity i WHERE i.customer_id = c.id AND i.kind <> 'card')""",
    "candidates": """(SELECT coalesce(json_agg(json_build_object('kind', h.kind, 'scope', nullif(h.scope, ''),
                     'value', h.value, 'reason', h.reason, 'source', h.source, 'seen_at', h.seen_at)
                     ORDER BY h.id), '[]')
                FROM customers_candidate h JOIN customers_identity i ON i.id = h.identity_id AND h.state = 'open'
               WHERE i.customer_id = c.id)""",
    "first_contact": """(SELECT min(l.occurred_at) FROM customers_identity i CROSS JOIN LATERAL (SELECT t.occurred_at
                      FROM customers_interaction t WHERE t.identity_id = i.id
                     ORDER BY t.identity_id, t.sorted_at, t.rank, t.id LIMIT 1) l WHERE i.customer_id = c.id)""",
    "last_contact": """(SELECT max(l.occurred_at) FROM customers_identity i CROSS JOIN LATERAL (SELECT t.occurred_at
                     FROM customers_interaction t WHERE t.identity_id = i.id
                    ORDER BY t.identity_id DESC, t.sorted_at DESC, t.rank DESC, t.id DESC LIMIT 1) l
                    WHERE i.customer_id = c.id)""",
    "counts": """(SELECT coalesce(json_object_agg(n.channel, n.count ORDER BY n.channel), '{}')
               FROM (SELECT k.channel, sum(k.count) AS count FROM customers_contactcount k
                       JOIN customers_identity i ON i.id = k.identity_id
                      WHERE i.customer_id = c.id GROUP BY k.channel HAVING sum(k.count) > 0) n)""",
    "open_threads": """(SELECT coalesce(json_agg(json_build_object('channel', o.channel, 'thread', nullif(o.thread, ''),
                          'since', o.since, 'interaction', o.line) ORDER BY o.since), '[]')
                     FROM (SELECT h.channel, h.thread, max(h.inbound_at) AS since,
                                  (array_agg(h.inbound_line ORDER BY h.inbound_at DESC NULLS LAST))[1] AS line
                             FROM customers_thread h JOIN customers_identity i ON i.id = h.identity_id
                            WHERE i.customer_id = c.id GROUP BY h.channel, h.thread
                           HAVING max(h.inbound_at) > coalesce(max(h.outbound_at), '-infinity')) o)""",
}
"""What a card says, each as it is read of `c`, a customer."""


def card(*names: str) -> str:
    """The JSON of these parts."""
    return f"json_build_object({', '.join(f'{chr(39)}{name}{chr(39)}, {PARTS[name]}' for name in names)})"


CARD = card(*PARTS)
# For a list: without what takes the most time.
SHORT = f"""
SELECT c.id, {card("id", "name", "identities", "last_contact", "open_threads")}::text
  FROM unnest(%s::bigint[]) AS w(id) JOIN customers_customer c ON c.id = w.id WHERE c.erased_at IS NULL
"""
NAMED = f"""
SELECT c.id, {card("id", "name", "identities")}::text
  FROM unnest(%s::bigint[]) AS w(id) JOIN customers_customer c ON c.id = w.id WHERE c.erased_at IS NULL
"""
CARDS = f"SELECT c.id, {CARD}::text FROM customers_customer c WHERE c.id = ANY(%s) AND c.erased_at IS NULL"

STANDING = f"""
SELECT r.id, coalesce(r.erased_at, c.erased_at) IS NOT NULL AS erased
  FROM customers_customer c JOIN customers_customer r ON r.id = {STANDS_FOR}
 WHERE c.public_id = %s
"""


class Unknown(LookupError):
    """No customer ever had this id."""


class Erased(LookupError):
    """The person behind this id was erased."""


def standing(sql: Cursor, public_id: UUID) -> int:
    """The customer that stands for an id that was ever given out; raises Unknown or Erased."""
    sql.execute(STANDING.encode(), (public_id,), prepare=True)
    return stands(sql.fetchone())


def stands(row: Sequence[Any] | None) -> int:
    """The same, of a row that begins with the columns of STANDING."""
    if row is None:
        raise Unknown
    if row[1]:
        raise Erased
    return int(row[0])


def cards(sql: Cursor, customers: Sequence[int]) -> dict[int, str]:
    """{customer: card as JSON text}, in the order given."""
    return _ordered(sql, CARDS, customers)


def short(sql: Cursor, customers: Sequence[int]) -> dict[int, str]:
    """The same, as a list shows them."""
    return _ordered(sql, SHORT, customers)


def named(sql: Cursor, customers: Sequence[int]) -> dict[int, str]:
    """The same, only by what they are called."""
    return _ordered(sql, NAMED, customers)


def _ordered(sql: Cursor, statement: str, customers: Sequence[int]) -> dict[int, str]:
    if not customers:
        return {}
    sql.execute(statement.encode(), (list(customers),), prepare=True)
    found = dict(sql.fetchall())
    return {id_: found[id_] for id_ in customers if id_ in found}
