"""Leases on deliveries: claimed with a token, done or put off only by whoever still holds it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

from django.db import DatabaseError, InterfaceError, connections, transaction

from customers.incoming import ChannelEvent
from customers.sql import Cursor, Rows, as_json, cursor

BATCH, BYTES = 500, 16 * 1024 * 1024
LEASE = "20 seconds"
BACKOFF = (1, 2, 5, 15)
# A lease that ends later than any can was given before the database's clock was set back.
FREE = "(lease_until IS NULL OR lease_until < now() OR lease_until > now() + interval '30 seconds')"

CLAIM = f"""
WITH due AS (
    SELECT id, sum(size) OVER (ORDER BY due_at, id) - size AS before, row_number() OVER (ORDER BY due_at, id) AS place
      FROM (SELECT id, size, due_at FROM channels_delivery
             WHERE state IN ('accepted', 'waiting') AND due_at <= now() AND {FREE}
               AND (failed OR lease IS NOT NULL) = %(alone)s
             ORDER BY due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED) open
), taken AS (
    SELECT id FROM due WHERE place = 1 OR before < {BYTES}
)
UPDATE channels_delivery d
   SET lease = %(lease)s, lease_until = now() + interval '{LEASE}', failed = %(alone)s,
       attempts = d.attempts + CASE WHEN %(alone)s THEN 1 ELSE 0 END
  FROM taken WHERE d.id = taken.id
RETURNING d.id, d.source_id, d.push, d.received_at, d.attempts, d.replays,
          extract(epoch FROM now() - d.received_at)::float
"""
# Due later than any pause lasts: the clock of the database was set back.
SOONER = """
UPDATE channels_delivery SET due_at = now()
 WHERE id IN (SELECT id FROM channels_delivery
               WHERE state IN ('accepted', 'waiting') AND due_at > now() + interval '1 minute'
                 AND (state = 'accepted' OR due_at > now() + interval '61 minutes')
               ORDER BY id LIMIT 10000 FOR UPDATE SKIP LOCKED)
"""
BODIES = """
SELECT b.delivery_id, b.body, b.headers FROM unnest(%s::uuid[], %s::timestamptz[]) AS x(id, at)
  JOIN channels_deliverybody b ON b.received_at = x.at AND b.delivery_id = x.id
"""
DONE = Rows("channels_delivery", id="uuid", state="text", reason="text", lines="jsonb", refused="jsonb")
FINISH = f"""
UPDATE channels_delivery AS t SET {DONE.set}, lease = NULL, lease_until = NULL, failed = false,
       recorded_at = CASE WHEN x.state = 'waiting' THEN NULL ELSE now() END,
       due_at = CASE WHEN x.state = 'waiting' THEN now() + make_interval(secs => wait) ELSE t.due_at END
  FROM json_to_recordset(%s::json) AS x({DONE.typed}, wait int)
 WHERE t.id = x.id AND t.lease = %s
"""
WAKE = """
UPDATE channels_delivery SET due_at = now() WHERE state = 'waiting' AND lines <> '[]'
   AND EXISTS (SELECT 1 FROM jsonb_array_elements(lines) AS l
                WHERE (l->>'interaction')::uuid = ANY(%s) AND l->>'status' = 'waiting')
"""


class LeaseLost(Exception):
    """Somebody else has these deliveries now: what we wrote is rolled back."""


@dataclass(slots=True)
class Claimed:
    """A leased delivery with its bytes and, once parsed, what it says."""

    id: UUID
    source_id: int
    push: bool
    received_at: datetime
    attempts: int
    replays: int
    age: float
    """Seconds, by the clock of the database: that of a worker may be wrong by days."""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    events: list[ChannelEvent] = field(default_factory=list)
    before: list[dict[str, Any]] = field(default_factory=list)
    taken: float = field(default_factory=monotonic)


def claim(limit: int, *, alone: bool) -> tuple[list[Claimed], UUID]:
    """Lease what is due; committed before anything is parsed, so that the attempts survive a crash."""
    lease = uuid4()
    with transaction.atomic(), cursor() as sql:
        sql.execute(CLAIM.encode(), {"limit": limit, "alone": alone, "lease": lease})
        claimed = {row[0]: Claimed(*row) for row in sql.fetchall()}
    if claimed:
        with cursor() as sql:
            sql.execute(BODIES, (list(claimed), [one.received_at for one in claimed.values()]))
            for id_, body, headers in sql.fetchall():
                claimed[id_].body, claimed[id_].headers = body, headers
            replayed = [one.id for one in claimed.values() if one.replays]
            if replayed:
                sql.execute("SELECT id, lines FROM channels_delivery WHERE id = ANY(%s)", (replayed,))
                for id_, lines in sql.fetchall():
                    claimed[id_].before = lines
    return sorted(claimed.values(), key=lambda one: one.id), lease


def still_ours(claimed: Sequence[Claimed], lease: UUID) -> list[Claimed]:
    """What a failed batch has not already recorded."""
    with cursor() as sql:
        sql.execute(
            "SELECT id FROM channels_delivery WHERE id = ANY(%s) AND lease = %s", ([one.id for one in claimed], lease)
        )
        ours = {row[0] for row in sql.fetchall()}
    return [one for one in claimed if one.id in ours]


def close(sql: Cursor, rows: list[dict[str, Any]], lease: UUID) -> None:
    """Mark deliveries done, guarded by the lease."""
    sql.execute(FINISH.encode(), (as_json(rows), lease))
    if sql.rowcount != len(rows):
        raise LeaseLost


def wake(sql: Cursor, lines: list[UUID]) -> None:
    """Follow-ups that wait for one of these lines are due now."""
    if lines:
        sql.execute("SELECT 1 FROM channels_delivery WHERE state = 'waiting' LIMIT 1")
        if sql.fetchone():
            sql.execute(WAKE, (lines,))


def postpone(one: Claimed, lease: UUID, reason: str) -> None:
    """Give it back, to be tried again alone after a while."""
    pause = BACKOFF[min(one.attempts, len(BACKOFF) - 1)]
    with cursor() as sql:
        sql.execute(
            """UPDATE channels_delivery SET failed = true, lease = NULL, lease_until = NULL, reason = %s,
               due_at = now() + make_interval(secs => %s) WHERE id = %s AND lease = %s""",
            (reason, pause, one.id, lease),
        )


def give_back(claimed: Sequence[Claimed], lease: UUID) -> None:
    """After trouble with the database: nobody's attempt, though from now on each alone. The lease ends it otherwise."""
    connections["default"].close()
    with suppress(DatabaseError, InterfaceError), cursor() as sql:
        sql.execute(
            """UPDATE channels_delivery SET failed = true, lease = NULL, lease_until = NULL,
               attempts = greatest(attempts - 1, 0), due_at = now() + interval '2 seconds'
               WHERE id = ANY(%s) AND lease = %s""",
            ([one.id for one in claimed], lease),
        )


def hurry() -> None:
    """After the database's clock was set back, what was to be tried soon must not wait for as long."""
    with cursor() as sql:
        sql.execute(SOONER)


def anything_waits() -> bool:
    """Whether there is work for a drain, in whoever's hands."""
    with cursor() as sql:
        sql.execute("SELECT 1 FROM channels_delivery WHERE state = 'accepted' AND due_at <= now() LIMIT 1")
        return sql.fetchone() is not None
