"""From the change feed to messages: each subscription goes along the feed by itself and never skips anything.

A message is thin: what happened, ids, channel and kind. Whoever needs more asks the API with a key of his own.
"""

from typing import Final

from django.db import transaction

from customers.sql import Cursor, cursor

ROWS = 1000
SLICE = 1000
"""Transactions of the feed that are looked at together; at most ROWS changes of them."""
MOST = 50_000
"""Messages that may wait for one receiver: what comes after them stays in the feed until some are gone."""

TYPES: Final = (
    "interaction.recorded",
    "interaction.changed",
    "interaction.gone",
    "promise.kept",
    "promise.broken",
    "customer.changed",
    "customer.moved",
    "customer.erased",
)
TEST: Final = "cxhub.test"

TAKE = """
SELECT id, txid, change FROM channels_subscription WHERE id = %(id)s AND enabled FOR NO KEY UPDATE SKIP LOCKED
"""
WAITING = """
SELECT count(*) FROM (
    SELECT 1 FROM channels_message WHERE subscription_id = %(id)s AND state = 'pending' LIMIT %(most)s) x
"""
BELOW = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint
"""

# Below the oldest running transaction nothing can still appear. Of the same said twice in a slice the last is told.
SPREAD = f"""
WITH s AS (
    SELECT types, sources FROM channels_subscription WHERE id = %(id)s
), slice AS MATERIALIZED (
    SELECT c.* FROM customers_change c
     WHERE c.txid >= %(txid)s AND c.txid < %(upto)s AND (c.txid, c.id) > (%(txid)s, %(change)s)
     ORDER BY c.txid, c.id LIMIT {ROWS}
), known AS (
    SELECT c.txid, c.id, c.at, c.line_id, l.source,
           CASE WHEN c.what = 'recorded' AND l.details #>> '{{outcome,state}}' IN ('kept', 'broken')
                THEN 'promise.' || (l.details #>> '{{outcome,state}}')
                WHEN c.line_id IS NOT NULL AND l.id IS NULL THEN 'interaction.gone'
                WHEN c.line_id IS NOT NULL THEN 'interaction.' || c.what
                WHEN c.what = 'card' THEN 'customer.changed'
                ELSE 'customer.' || c.what END AS type,
           CASE WHEN c.what = 'moved' THEN joined.public_id ELSE whose.public_id END AS customer,
           CASE WHEN c.what = 'moved' THEN moved.public_id END AS before,
           CASE WHEN c.line_id IS NOT NULL AND l.id IS NOT NULL THEN jsonb_build_object('source', l.source,
                'channel', l.channel, 'kind', l.kind, 'direction', l.direction,
                'occurred_at', l.occurred_at) END AS told,
           l.details #>> '{{outcome,promise}}' AS promise,
           CASE WHEN c.what = 'erased' THEN (SELECT jsonb_agg(m.public_id ORDER BY m.id) FROM customers_customer m
                                              WHERE m.id = whose.id OR m.merged_into_id = whose.id) END AS ids
      FROM slice c
      LEFT JOIN customers_interaction l ON l.id = c.line_id AND c.what <> 'gone'
      LEFT JOIN customers_identity i ON i.id = c.identity_id
      LEFT JOIN customers_customer whose ON whose.id = i.customer_id
      LEFT JOIN customers_customer moved ON moved.id = c.left_id
      LEFT JOIN customers_customer joined ON joined.id = c.joined_id
     WHERE c.what <> 'moved' OR c.left_id IS NOT NULL  -- an identity that is new to its customer brings a line
), last AS (
    SELECT DISTINCT ON (type, customer, line_id, before) * FROM known
     ORDER BY type, customer, line_id, before, txid DESC, id DESC
), made AS (
    INSERT INTO channels_message (name, subscription_id, type, body)
    SELECT gen_random_uuid(), %(id)s, type,
           json_build_object('type', type, 'timestamp', at, 'data', jsonb_strip_nulls(jsonb_build_object(
               'customer', customer, 'interaction', line_id, 'from', before,
               'ids', ids, 'promise', CASE WHEN type LIKE 'promise.%%' THEN promise END)
               || coalesce(told, '{{}}')))::text
      FROM last, s
     WHERE (s.types = '{{}}' OR type = ANY(s.types))
       AND (s.sources = '{{}}' OR source IS NULL OR source = ANY(s.sources))
     ORDER BY txid, id
    RETURNING 1
)
SELECT (SELECT count(*) FROM made), (SELECT count(*) FROM slice),
       (SELECT txid FROM slice ORDER BY txid DESC, id DESC LIMIT 1),
       (SELECT id FROM slice ORDER BY txid DESC, id DESC LIMIT 1)
"""
FURTHER = "UPDATE channels_subscription SET txid = %(txid)s, change = %(change)s WHERE id = %(id)s"
ENABLED = "SELECT id FROM channels_subscription WHERE enabled ORDER BY id"


def spread_all() -> int:
    """Bring every subscription up to the end of the feed; returns how many messages were made."""
    with cursor() as sql:
        sql.execute(ENABLED)
        ids = [row[0] for row in sql.fetchall()]
    return sum(map(spread, ids))


def spread(id_: object) -> int:
    """One subscription, slice by slice, each in a transaction of its own; nothing while somebody else is at it."""
    made, more = 0, True
    while more:
        with transaction.atomic(), cursor() as sql:
            count, more = step(sql, id_)
            made += count
    return made


def step(sql: Cursor, id_: object) -> tuple[int, bool]:
    """(messages made, whether there is more to look at)"""
    sql.execute(TAKE, {"id": id_})
    taken = sql.fetchone()
    if taken is None:
        return 0, False
    _, txid, change = taken
    sql.execute(WAITING, {"id": id_, "most": MOST})
    if (sql.fetchone() or (0,))[0] >= MOST:
        return 0, False
    sql.execute(BELOW)
    below, ahead = sql.fetchone() or (0, 0)
    if txid > ahead:  # A restored database counts its transactions anew.
        sql.execute(FURTHER, {"id": id_, "txid": below, "change": 0})
        return 0, False
    if txid >= below:
        return 0, False
    upto = min(below, txid + SLICE)
    sql.execute(SPREAD.encode(), {"id": id_, "txid": txid, "change": change, "upto": upto})
    made, seen, last_txid, last_id = sql.fetchone() or (0, 0, None, None)
    if seen == ROWS:
        sql.execute(FURTHER, {"id": id_, "txid": last_txid, "change": last_id})
    else:
        sql.execute(FURTHER, {"id": id_, "txid": upto, "change": 0})
    return int(made), seen == ROWS or upto < below
