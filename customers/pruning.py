"""What only grows is kept for so many days: the change feed, and who looked at whom; sessions, until they end."""

from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from customers.experience.following import FEED, LEFT, SLICE
from customers.sql import cursor

PRUNED: Final = "pruned"
"""How the list of followers calls the place that the feed begins at."""
BATCH = 5_000
LOGS: Final = (("customers_cardview", "viewed_at"), ("customers_lookup", "asked_at"))

# Whoever follows the feed and has not come by yet must still find it.
FOLLOWED = """
SELECT coalesce(min(CASE WHEN name = %(feed)s THEN txid ELSE txid - %(slice)s END), 0) FROM customers_following
 WHERE name = %(feed)s OR name LIKE %(left)s
"""
# The oldest come first by their ids: no index over the time is needed, and none is paid for by the writers.
CHANGES = """
WITH gone AS (
    DELETE FROM customers_change c USING (SELECT id FROM customers_change ORDER BY id LIMIT %(batch)s) oldest
     WHERE c.id = oldest.id AND c.at < %(limit)s AND c.txid < %(upto)s RETURNING c.txid
), begins AS (
    INSERT INTO customers_following (name, txid, at)
    SELECT %(pruned)s, max(txid) + 1, now() FROM gone HAVING count(*) > 0
        ON CONFLICT (name) DO UPDATE SET txid = greatest(customers_following.txid, excluded.txid), at = excluded.at
)
SELECT count(*) FROM gone
"""
LOG = """
WITH gone AS (
    DELETE FROM {table} t USING (SELECT id FROM {table} ORDER BY id LIMIT %(batch)s) oldest
     WHERE t.id = oldest.id AND t.{column} < %(limit)s RETURNING 1
)
SELECT count(*) FROM gone
"""

ENDED = """
WITH gone AS (
    DELETE FROM customers_session s USING (SELECT session_key FROM customers_session WHERE expire_date < %(limit)s
                                            LIMIT %(batch)s) ended
     WHERE s.session_key = ended.session_key RETURNING 1
)
SELECT count(*) FROM gone
"""


def prune(now: datetime | None = None, *, followed: int | None = None) -> dict[str, int]:
    """{table: rows that went}, in short transactions; `followed`: how far others than we have followed the feed."""
    at = now or datetime.now(UTC)
    gone = {"customers_session": in_batches(ENDED, {"limit": at})}
    if days := settings.CXHUB_CHANGE_DAYS:
        gone["customers_change"] = prune_changes(at - timedelta(days=days), followed)
    if days := settings.CXHUB_VIEW_DAYS:
        for table, column in LOGS:
            gone[table] = in_batches(LOG.format(table=table, column=column), {"limit": at - timedelta(days=days)})
    return gone


def prune_changes(limit: datetime, followed: int | None) -> int:
    with cursor() as sql:
        sql.execute(FOLLOWED, {"feed": FEED, "left": f"{LEFT}%", "slice": SLICE})
        (upto,) = sql.fetchone() or (0,)
    upto = min(upto, upto if followed is None else followed)
    return in_batches(CHANGES, {"limit": limit, "upto": upto, "pruned": PRUNED})


def in_batches(statement: str, how: dict[str, object]) -> int:
    total, count = 0, BATCH
    while count == BATCH:
        with transaction.atomic(), cursor() as sql:
            sql.execute(statement.encode(), {**how, "batch": BATCH})
            (count,) = sql.fetchone() or (0,)
        total += count
    return total
