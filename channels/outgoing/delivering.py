"""Delivers what waits: one sender a receiver, in order, tried again over three days, and who stays away is left alone.

Whoever sends holds a lease on the subscription. If he dies, the next one sends the same message again under the same
id: at least once. A receiver that fails is asked seldom, and what waited for it goes out in order once it is back.
"""

import random
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from django.db import transaction

from channels.outgoing.sending import Answer, Wire, send
from channels.outgoing.signing import signed
from customers import figures
from customers.sql import Cursor, cursor

SCHEDULE: Final = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds after each failed attempt, as Standard Webhooks recommends: three days, then the message is given up."""
JITTER = 0.1
PAUSES: Final = (5, 10, 20, 40, 80, 160, 300)
"""Seconds in which a receiver is left alone after so many failures in a row."""
PATIENCE = timedelta(days=5)
"""A receiver that took nothing for so long is told nothing any more, until somebody enables it again."""
AWAY = 3
"""Failures in a row after which a receiver was away, so that all that waits is due once it is back."""
LEASE = "60 seconds"
TURN = 20.0
"""Seconds for one receiver before the others are looked at."""
AT_ONCE = 100
GONE, FAILING = "gone", "failing"

TAKE = f"""
UPDATE channels_subscription SET lease = %(lease)s, lease_until = now() + interval '{LEASE}'
 WHERE id = (
    SELECT s.id FROM channels_subscription s
     WHERE s.enabled AND (s.lease_until IS NULL OR s.lease_until < now() OR s.lease_until > now() + interval '1 hour')
       AND (s.paused_until IS NULL OR s.paused_until <= now() OR s.paused_until > now() + interval '25 hours')
       AND EXISTS (SELECT 1 FROM channels_message m
                    WHERE m.subscription_id = s.id AND m.state = 'pending' AND m.due_at <= now())
     ORDER BY s.lease_until NULLS FIRST, s.id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
RETURNING id, url, secret, CASE WHEN previous_until > now() THEN previous_secret ELSE '' END, lease
"""
DUE = f"""
SELECT m.id, m.name, m.body, m.attempts FROM channels_message m
 WHERE m.subscription_id = %s AND m.state = 'pending' AND m.due_at <= now() ORDER BY m.id LIMIT {AT_ONCE}
"""
LOG = "INSERT INTO channels_attempt (message_id, status, milliseconds, said) VALUES (%s, %s, %s, %s)"
DELIVERED = "UPDATE channels_message SET state = 'delivered', settled_at = now() WHERE id = %s"
AGAIN = """
UPDATE channels_message SET attempts = %(attempts)s, due_at = now() + make_interval(secs => %(wait)s) WHERE id = %(id)s
"""
GIVEN_UP = "UPDATE channels_message SET attempts = %s, state = 'failed', settled_at = now() WHERE id = %s"
HURRY = """
UPDATE channels_message SET due_at = now() WHERE subscription_id = %(id)s AND state = 'pending' AND due_at > now()
   AND (SELECT failures FROM channels_subscription WHERE id = %(id)s) >= %(away)s
"""
WELL = f"""
UPDATE channels_subscription SET failures = 0, failing_since = NULL, paused_until = NULL, delivered_at = now(),
       lease_until = now() + interval '{LEASE}'
 WHERE id = %(id)s AND lease = %(lease)s AND enabled RETURNING true
"""
ILL = """
UPDATE channels_subscription SET failures = failures + 1, failing_since = coalesce(failing_since, now()),
       paused_until = now() + make_interval(secs => greatest(
           %(wait)s, (%(pauses)s::float8[])[least(failures + 1, cardinality(%(pauses)s::float8[]))])),
       enabled = enabled AND NOT %(gone)s AND coalesce(failing_since, now()) > now() - %(patience)s,
       disabled_why = CASE WHEN NOT enabled THEN disabled_why WHEN %(gone)s THEN 'gone'
                           WHEN coalesce(failing_since, now()) <= now() - %(patience)s THEN 'failing' ELSE '' END
 WHERE id = %(id)s AND lease = %(lease)s RETURNING enabled
"""
RELEASE = "UPDATE channels_subscription SET lease = NULL, lease_until = now() WHERE id = %s AND lease = %s"


@dataclass(frozen=True, slots=True)
class Receiver:
    """A subscription that is ours to send to."""

    id: UUID
    url: str
    secret: str
    previous: str
    lease: UUID

    @property
    def keys(self) -> list[str]:
        return [self.secret, *([self.previous] if self.previous else [])]


@dataclass(frozen=True, slots=True)
class Due:
    id: int
    name: UUID
    body: str
    attempts: int


def take() -> Receiver | None:
    """A receiver for whom something is due and whom nobody sends to."""
    with cursor() as sql:
        sql.execute(TAKE.encode(), {"lease": uuid4()})
        row = sql.fetchone()
    return Receiver(*row) if row else None


def serve(receiver: Receiver) -> int:
    """Send what is due, oldest first, until something fails or the turn is over; returns how many were tried."""
    tried, end = 0, time.monotonic() + TURN
    well = True
    with closing(Wire()) as wire:
        while well and (waiting := due(receiver)):
            for message in waiting:
                well = time.monotonic() < end and note(receiver, message, hand_over(receiver, message, wire))
                tried += 1
                if not well:
                    break
    with cursor() as sql:
        sql.execute(RELEASE, (receiver.id, receiver.lease))
    return tried


def due(receiver: Receiver) -> list[Due]:
    with cursor() as sql:
        sql.execute(DUE.encode(), (receiver.id,))
        return [Due(*row) for row in sql.fetchall()]


def hand_over(receiver: Receiver, message: Due, wire: Wire | None = None) -> Answer:
    body = message.body.encode()
    return send(receiver.url, signed(receiver.keys, f"msg_{message.name.hex}", int(time.time()), body), body, wire)


def note(receiver: Receiver, message: Due, answer: Answer) -> bool:
    """Keep what became of an attempt; whether the receiver may be sent the next message."""
    with transaction.atomic(), cursor() as sql:
        sql.execute(LOG, (message.id, answer.status, answer.milliseconds, answer.said))
        going_on = succeeded(sql, receiver, message) if answer.taken else failed(sql, receiver, message, answer)
    figures.add("outgoing", "delivered" if answer.taken else "failed")
    return going_on


def succeeded(sql: Cursor, receiver: Receiver, message: Due) -> bool:
    sql.execute(DELIVERED, (message.id,))
    sql.execute(HURRY, {"id": receiver.id, "away": AWAY})
    sql.execute(WELL.encode(), {"id": receiver.id, "lease": receiver.lease})
    return sql.fetchone() is not None


def failed(sql: Cursor, receiver: Receiver, message: Due, answer: Answer) -> bool:
    asked = answer.retry_after or 0.0
    attempts = message.attempts + 1
    if attempts > len(SCHEDULE):
        sql.execute(GIVEN_UP, (attempts, message.id))
    else:
        wait = SCHEDULE[attempts - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
        sql.execute(AGAIN, {"id": message.id, "attempts": attempts, "wait": max(wait, asked)})
    params = {"id": receiver.id, "lease": receiver.lease, "gone": answer.gone, "patience": PATIENCE}
    sql.execute(ILL, {**params, "wait": asked, "pauses": [float(one) for one in PAUSES]})
    return False
