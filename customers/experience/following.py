"""Behind the timeline: whoever changed is folded again, and whoever only the clock changes."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

from customers.experience import framing
from customers.experience.folding import fold_customers
from customers.experience.framing import Frame, frame
from customers.experience.outcomes import note_outcomes
from customers.models import Experience, Following
from customers.sql import Cursor, cursor

FEED = "changes"
AT_ONCE = 100
"""Customers that are folded in one transaction …"""
FEW = 8
"""… and while events wait: nobody interrupts a batch, and it must not take more than its share of the time."""
SLICE = 5000
"""Transactions of the change feed that are looked at together."""

BELOW = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
# Whoever was folded since (a reader may have needed him) is not folded again.
TOUCHED = """
SELECT DISTINCT x.customer_id FROM (
    SELECT i.customer_id, c.txid FROM customers_change c JOIN customers_identity i ON i.id = c.identity_id
     WHERE c.txid >= %(since)s AND c.txid < %(upto)s
    UNION ALL
    SELECT c.left_id, c.txid FROM customers_change c
     WHERE c.txid >= %(since)s AND c.txid < %(upto)s AND c.left_id IS NOT NULL
) x LEFT JOIN customers_experience e ON e.customer_id = x.customer_id
 WHERE e.customer_id IS NULL OR x.txid >= e.as_of ORDER BY x.customer_id
"""
DUE = "SELECT customer_id FROM customers_experience WHERE next_at <= now() ORDER BY next_at LIMIT %s"
# With whoever was merged before anybody followed, but was read.
NEXT = """
SELECT c.id FROM customers_customer c
 WHERE c.id > %s
   AND (c.merged_into_id IS NULL OR EXISTS (SELECT 1 FROM customers_experience e WHERE e.customer_id = c.id))
 ORDER BY c.id LIMIT %s
"""
FRESH: Final = f"""{framing.SAID}, e.rules, (e.next_at IS NULL OR e.next_at > %(now)s)
   AND e.members = (SELECT coalesce(jsonb_agg(i.id ORDER BY i.id), '[]') FROM customers_identity i
                     WHERE i.customer_id = e.customer_id)
   AND NOT EXISTS (SELECT 1 FROM customers_identity i JOIN customers_change c ON c.identity_id = i.id
                    WHERE i.customer_id = e.customer_id AND c.txid >= e.as_of)"""
"""The settings, the rules of the rows of `e`, and whether these rows still say what the lines say: see `fresh`."""
STANDS = f"""
SELECT {FRESH} FROM (SELECT) one LEFT JOIN customers_experience e ON e.customer_id = %(customer)s
"""


def freshen(customer: int, now: datetime | None = None) -> None:
    """Fold a customer if his lines or the clock say something that his rows do not: what is read next is true."""
    at = now or datetime.now(UTC)
    with cursor() as sql:
        sql.execute(STANDS.encode(), {"customer": customer, "now": at}, prepare=True)
        found = sql.fetchone() or ("", "", False)
    fresh(customer, found, at)


def fresh(customer: int, found: Sequence[Any], now: datetime) -> bool:
    """Whether the columns of FRESH say that his rows are true; if not, they are when this returns."""
    said, rules, stands = found
    of = framing.of(said)
    if stands and rules == of.rules:
        return True
    fold_customers([customer], now, of=of)
    return False


def follow(seconds: float = 1.0, others_wait: Callable[[], bool] = lambda: False) -> int:
    """One round behind the feed, for about so many seconds; returns how many customers were folded.

    Once `others_wait` it ends after a tenth of that time. What the time did not suffice for is found by the next
    round. Two processes may do this: they only repeat work.
    """
    begun, of, done = time.monotonic(), frame(), 0
    size = AT_ONCE if seconds >= 1 and not others_wait() else FEW
    with cursor() as sql:
        for batch in chain(due(sql, size), changed(sql, size), everybody(sql, of, size)):
            fold_customers(batch, of=of)
            done += len(batch)
            took = time.monotonic() - begun
            if took > seconds or (took > seconds / 10 and others_wait()):
                break
    return done + note_outcomes()


def due(sql: Cursor, size: int) -> Iterator[list[int]]:
    """Whom the clock alone changes, e.g. by a promise that is due."""
    sql.execute(DUE, (10 * AT_ONCE,))
    yield from in_batches([row[0] for row in sql.fetchall()], size)


def changed(sql: Cursor, size: int) -> Iterator[list[int]]:
    """Whose lines or identities changed, slice by slice of the feed, below the oldest running transaction."""
    sql.execute(BELOW)
    (below,) = sql.fetchone() or (0,)
    since = place(FEED, below)
    if since > below:  # A restored database counts its transactions anew: what was folded before says nothing.
        Experience.objects.update(rules="", as_of=0)
        Following.objects.exclude(name=FEED).delete()
        Following.objects.filter(name=FEED).update(txid=below)
    while since < below:
        upto = min(below, since + SLICE)
        sql.execute(TOUCHED, {"since": since, "upto": upto})
        yield from in_batches([row[0] for row in sql.fetchall()], size)
        since = upto
        Following.objects.update_or_create(name=FEED, defaults={"txid": upto})


def everybody(sql: Cursor, of: Frame, size: int) -> Iterator[list[int]]:
    """Each customer once under today's rules: at first, and after they were changed."""
    name = f"rules {of.rules}"
    after = place(name, 0)
    while after >= 0:
        sql.execute(NEXT, (after, size))
        ids = [row[0] for row in sql.fetchall()]
        if ids:
            yield ids
        after = ids[-1] if ids else -1
        Following.objects.update_or_create(name=name, defaults={"txid": after})


def place(name: str, first: int) -> int:
    """How far a walk came; it begins at `first`."""
    return int(Following.objects.get_or_create(name=name, defaults={"txid": first})[0].txid)


def in_batches(ids: Sequence[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(ids), size):
        yield list(ids[start : start + size])
