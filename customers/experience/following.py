"""Behind the timeline: whoever changed is folded again, and whoever only the clock changes."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

from customers import replica
from customers.experience import framing
from customers.experience.engine import LONG
from customers.experience.folding import fold_customers
from customers.experience.framing import Frame, frame
from customers.experience.outcomes import note_outcomes
from customers.models import Experience, Following
from customers.sql import Cursor, cursor

FEED = "changes"
LEFT = "left "
AT_ONCE = 100
"""Customers that are folded in one transaction …"""
WEIGHT = 1000
"""… unless they have more lines: nobody interrupts a batch, and it must make way soon when events come …"""
FEW = 8
"""… and while events wait."""
SHARE = 1 / 20
"""Of its time, what the follower takes while events wait."""
SLICE, NARROW = 1000, 50
"""Transactions of the change feed that are looked at together; while events wait."""

BELOW = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
# Whoever was folded since (a reader may have needed him) is not folded again.
TOUCHED = """
SELECT t.customer_id, (SELECT coalesce(sum(k.count), 0)::int FROM customers_identity i
                         JOIN customers_contactcount k ON k.identity_id = i.id WHERE i.customer_id = t.customer_id)
  FROM (SELECT DISTINCT x.customer_id FROM (
            SELECT i.customer_id, c.txid FROM customers_change c JOIN customers_identity i ON i.id = c.identity_id
             WHERE c.txid >= %(since)s AND c.txid < %(upto)s
            UNION ALL
            SELECT c.left_id, c.txid FROM customers_change c
             WHERE c.txid >= %(since)s AND c.txid < %(upto)s AND c.left_id IS NOT NULL
        ) x LEFT JOIN customers_experience e ON e.customer_id = x.customer_id
         WHERE e.customer_id IS NULL OR x.txid >= e.as_of) t
 ORDER BY t.customer_id
"""
LEAVE = """
INSERT INTO customers_following (name, txid, at)
SELECT %(name)s || id, %(upto)s, now() FROM unnest(%(ids)s::bigint[]) AS id
    ON CONFLICT (name) DO UPDATE SET txid = greatest(customers_following.txid, excluded.txid), at = excluded.at
"""
WERE_LEFT = """
SELECT f.name, f.txid, x.id, e.as_of >= f.txid
  FROM customers_following f CROSS JOIN LATERAL (SELECT substr(f.name, %(skip)s)::bigint AS id) x
  LEFT JOIN customers_experience e ON e.customer_id = x.id
 WHERE f.name ^@ %(name)s ORDER BY f.at, f.name
"""
DUE = """
SELECT customer_id, least(lines, %(long)s) FROM customers_experience WHERE next_at <= now() ORDER BY next_at
 LIMIT %(limit)s
"""
# With whoever was merged before anybody followed, but was read.
NEXT = """
SELECT c.id, (SELECT coalesce(sum(k.count), 0)::int FROM customers_identity i
                JOIN customers_contactcount k ON k.identity_id = i.id WHERE i.customer_id = c.id)
  FROM customers_customer c
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
    with cursor("reading" if replica.serves() else "default") as sql:
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

    While `others_wait` it takes a twentieth of that time, rings what is due and folds short histories; long ones are
    left until nobody waits. What the time did not suffice for is found by the next round. Two processes may do this:
    they only repeat work.
    """
    begun, of, done = time.monotonic(), frame(), 0
    with cursor() as sql:
        waited_for = others_wait()
        size = FEW if waited_for or seconds < 1 else AT_ONCE
        walks = [due(sql, size), changed(sql, size, cheap=waited_for)]
        if not waited_for:
            walks += [were_left(sql), everybody(sql, of, size)]
        for batch in chain(*walks):  # Which keep how far they came when they are asked for more.
            took = time.monotonic() - begun
            if done and (took > seconds or (took > seconds * SHARE and (waited_for or others_wait()))):
                break
            fold_customers(batch, of=of)
            done += len(batch)
    return done + note_outcomes()


def due(sql: Cursor, size: int) -> Iterator[list[int]]:
    """Whom the clock alone changes, e.g. by a promise that is due."""
    sql.execute(DUE, {"long": LONG, "limit": 10 * AT_ONCE})
    yield from in_batches(sql.fetchall(), size)


def changed(sql: Cursor, size: int, *, cheap: bool) -> Iterator[list[int]]:
    """Whose lines or identities changed, slice by slice of the feed, below the oldest running transaction.

    `cheap`: whoever has a long history is left for later.
    """
    sql.execute(BELOW)
    (below,) = sql.fetchone() or (0,)
    since = place(FEED, below)
    if since > below:  # A restored database counts its transactions anew: what was folded before says nothing.
        Experience.objects.update(rules="", as_of=0)
        Following.objects.exclude(name=FEED).delete()
        Following.objects.filter(name=FEED).update(txid=below)
    while since < below:
        upto = min(below, since + (NARROW if cheap else SLICE))
        sql.execute(TOUCHED, {"since": since, "upto": upto})
        found = sql.fetchall()
        yield from in_batches([one for one in found if not cheap or one[1] <= LONG], size)
        later = [id_ for id_, lines in found if cheap and lines > LONG]
        if later:
            sql.execute(LEAVE, {"name": LEFT, "upto": upto, "ids": later})
        since = upto
        Following.objects.update_or_create(name=FEED, defaults={"txid": upto})


def were_left(sql: Cursor) -> Iterator[list[int]]:
    """The long histories that were left while events waited, whoever waits longest first."""
    sql.execute(WERE_LEFT, {"name": LEFT, "skip": len(LEFT) + 1})
    for name, upto, id_, folded in sql.fetchall():
        if not folded:
            yield [id_]
        Following.objects.filter(name=name, txid=upto).delete()  # Left again since: with a later transaction.


def everybody(sql: Cursor, of: Frame, size: int) -> Iterator[list[int]]:
    """Each customer once under today's rules: at first, and after they were changed."""
    name = f"rules {of.rules}"
    after = place(name, 0)
    if not after:  # Whoever goes back to rules of before begins anew with them, too.
        Following.objects.filter(name__startswith="rules ").exclude(name=name).delete()
    while after >= 0:
        sql.execute(NEXT, (after, size))
        found = sql.fetchall()
        for batch in in_batches(found, size):
            yield batch
            Following.objects.update_or_create(name=name, defaults={"txid": batch[-1]})
        if found:
            after = found[-1][0]
        else:
            after = -1
            Following.objects.update_or_create(name=name, defaults={"txid": after})


def place(name: str, first: int) -> int:
    """How far a walk came; it begins at `first`."""
    return int(Following.objects.get_or_create(name=name, defaults={"txid": first})[0].txid)


def in_batches(customers: Iterable[tuple[int, int]], size: int) -> Iterator[list[int]]:
    """At most `size` customers and, but for one who has more alone, WEIGHT lines."""
    batch: list[int] = []
    weight = 0
    for id_, lines in customers:
        if batch and (len(batch) >= size or weight + lines > WEIGHT):
            yield batch
            batch, weight = [], 0
        batch.append(id_)
        weight += lines
    if batch:
        yield batch
