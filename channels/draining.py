"""From stored deliveries to recorded lines: claim, parse, group, record; what fails is tried alone."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import DatabaseError, InterfaceError, OperationalError, connections, transaction

from channels.models import Delivery, Source
from channels.provider import Ignored, Provider, SourceInfo, StoredDelivery, Unreadable, Unsupported
from channels.providers import PROVIDERS
from customers import recording
from customers.incoming import ChannelEvent, Trust
from customers.recording import Outcome
from customers.sql import Cursor, Rows, as_json, cursor

logger = logging.getLogger(__name__)

BATCH, BYTES = 500, 16 * 1024 * 1024
LEASE = "20 seconds"
ATTEMPTS = 5
BACKOFF = (1, 2, 5, 15)
WAIT = (1, 5, 30, 300, 3600)
"""Seconds until a follow-up looks for its line again; a line that comes wakes it at once."""
WAIT_DAYS = 7

CLAIM = f"""
WITH due AS (
    SELECT id, sum(size) OVER (ORDER BY due_at, id) - size AS before, row_number() OVER (ORDER BY due_at, id) AS place
      FROM (SELECT id, size, due_at FROM channels_delivery
             WHERE state IN ('accepted', 'waiting') AND due_at <= now() AND (lease_until IS NULL OR lease_until < now())
               AND (failed OR lease IS NOT NULL) = %(alone)s
             ORDER BY due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED) open
), taken AS (
    SELECT id FROM due WHERE place = 1 OR before < {BYTES}
)
UPDATE channels_delivery d
   SET lease = %(lease)s, lease_until = now() + interval '{LEASE}', failed = %(alone)s,
       attempts = d.attempts + CASE WHEN %(alone)s THEN 1 ELSE 0 END
  FROM taken WHERE d.id = taken.id
RETURNING d.id, d.source_id, d.push, d.received_at, d.attempts, d.replays, d.state
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
   AND EXISTS (SELECT 1 FROM jsonb_array_elements(lines) AS l WHERE (l->>'interaction')::uuid = ANY(%s) AND l->>'status' = 'waiting')
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
    waited: bool
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    events: list[ChannelEvent] = field(default_factory=list)
    before: list[dict[str, Any]] = field(default_factory=list)


def drain_all(*, seconds: float) -> int:
    """Drain until nothing is due or the time is up; returns how many deliveries were taken."""
    end, total = time.monotonic() + seconds, 0
    try:
        while time.monotonic() < end:
            taken = drain() or drain_alone()
            if not taken:
                break
            total += taken
    except (OperationalError, InterfaceError) as error:
        # Trouble with the database is nobody's attempt: the lease runs out and the work is found again.
        logger.warning("drain stopped: %s", type(error).__name__)
        connections.close_all()
    return total


def drain() -> int:
    """Take and record one batch of what has never failed."""
    claimed, lease = claim(BATCH, alone=False)
    if claimed:
        settle(claimed, lease)
    return len(claimed)


def drain_alone() -> int:
    """Take one delivery that failed before, or whose lease ran out, so that it harms nobody else."""
    claimed, lease = claim(1, alone=True)
    if claimed:
        if claimed[0].attempts > ATTEMPTS:
            finish_without_events([(claimed[0], Delivery.QUARANTINED, "the process that parsed it died each time")], lease)
        else:
            settle(claimed, lease)
    return len(claimed)


def claim(limit: int, *, alone: bool) -> tuple[list[Claimed], UUID]:
    """Lease what is due; committed before anything is parsed, so that the attempts survive a crash."""
    lease = uuid4()
    with transaction.atomic(), cursor() as sql:
        sql.execute(CLAIM.encode(), {"limit": limit, "alone": alone, "lease": lease})
        claimed = {row[0]: Claimed(*row[:6], waited=row[6] == Delivery.WAITING) for row in sql.fetchall()}
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


def settle(claimed: list[Claimed], lease: UUID) -> None:
    """Parse and record; a batch that fails is halved, a single one is put off or quarantined."""
    said = parse_all(claimed)
    finish_without_events([(one, state, reason) for one, (state, reason) in zip(claimed, said, strict=True) if state], lease)
    speaking = [one for one, (state, _) in zip(claimed, said, strict=True) if not state]
    if speaking:
        record_halving(speaking, lease)


def parse_all(claimed: Sequence[Claimed]) -> list[tuple[str, str]]:
    """(state, reason) of each: empty when it has events to record."""
    sources = {source.pk: source for source in Source.objects.filter(pk__in={one.source_id for one in claimed})}
    infos = {pk: info_of(source) for pk, source in sources.items()}
    return [parse(one, infos[one.source_id]) for one in claimed]


def parse(one: Claimed, source: SourceInfo) -> tuple[str, str]:
    provider: Provider | None = PROVIDERS.get("push" if one.push else source.provider)
    if provider is None:
        return Delivery.QUARANTINED, f"no provider is called {source.provider}"
    delivery = StoredDelivery(one.id, source, one.body, one.headers, one.received_at, replay=one.replays > 0)
    try:
        one.events = list(provider.parse(delivery))
    except Ignored as reason:
        return Delivery.IGNORED, str(reason)
    except Unsupported as reason:
        return Delivery.UNSUPPORTED, str(reason)
    except Unreadable as reason:
        return Delivery.QUARANTINED, str(reason)
    except Exception as error:
        logger.exception("delivery %s could not be parsed", one.id)
        return Delivery.QUARANTINED, f"{provider.name} could not parse it: {type(error).__name__}"
    one.events = [replace(event, origin=one.id, replay=one.replays > 0) for event in one.events]
    return ("", "") if one.events else (Delivery.IGNORED, "it says nothing to keep")


def info_of(source: Source) -> SourceInfo:
    return SourceInfo(
        id=source.pk,
        slug=source.slug,
        provider=source.provider,
        region=source.region,
        trust=Trust[source.trust.upper()],
        addresses=tuple(source.addresses),
        secrets=source.secrets,
        hook_url=source.hook_url,
    )


def record_halving(claimed: list[Claimed], lease: UUID) -> None:
    """Record; on an error of the data, each half on its own, down to the one that is wrong."""
    try:
        record(claimed, lease)
    except LeaseLost:
        logger.warning("lease lost on %d deliveries", len(claimed))
    except (OperationalError, InterfaceError):
        raise
    except (DatabaseError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        claimed = still_ours(claimed, lease)
        if len(claimed) > 1:
            middle = len(claimed) // 2
            record_halving(claimed[:middle], lease)
            record_halving(claimed[middle:], lease)
        elif claimed:
            put_off(claimed[0], lease, error)


def still_ours(claimed: Sequence[Claimed], lease: UUID) -> list[Claimed]:
    """What a failed batch has not already recorded."""
    with cursor() as sql:
        sql.execute("SELECT id FROM channels_delivery WHERE id = ANY(%s) AND lease = %s", ([one.id for one in claimed], lease))
        ours = {row[0] for row in sql.fetchall()}
    return [one for one in claimed if one.id in ours]


def put_off(one: Claimed, lease: UUID, error: Exception) -> None:
    """Try it again alone after a while; after five attempts it is quarantined with its reason."""
    logger.exception("delivery %s could not be recorded", one.id, exc_info=error)
    if one.attempts >= ATTEMPTS:
        finish_without_events([(one, Delivery.QUARANTINED, f"it could not be recorded: {type(error).__name__}")], lease)
        return
    pause = BACKOFF[min(one.attempts, len(BACKOFF) - 1)]
    with cursor() as sql:
        sql.execute(
            """UPDATE channels_delivery SET failed = true, lease = NULL, lease_until = NULL, reason = %s,
               due_at = now() + make_interval(secs => %s) WHERE id = %s AND lease = %s""",
            (f"attempt {one.attempts}: {type(error).__name__}", pause, one.id, lease),
        )


def record(claimed: Sequence[Claimed], lease: UUID) -> None:
    by_id = {one.id: one for one in claimed}

    def finish(sql: Cursor, outcomes: list[Outcome]) -> None:
        by_delivery: dict[UUID, list[Outcome]] = {}
        for outcome in outcomes:
            assert outcome.event.origin is not None
            by_delivery.setdefault(outcome.event.origin, []).append(outcome)
        rows = []
        came: list[UUID] = []
        for id_, ones in sorted(by_delivery.items()):
            delivery = by_id[id_]
            withdraw(sql, delivery, {str(outcome.line) for outcome in ones})
            rows.append(row_of(delivery, ones))
            came += [outcome.line for outcome in ones if outcome.status == "recorded"]
        close(sql, rows, lease)
        wake(sql, came)

    recording.record(groups(claimed), finish)


def withdraw(sql: Cursor, delivery: Claimed, said: set[str]) -> None:
    """A replay takes back the lines that it no longer speaks of."""
    unsaid = {line["interaction"] for line in delivery.before} - said
    if unsaid:
        recording.withdraw(sql, delivery.id, [UUID(line) for line in sorted(unsaid)])


def groups(claimed: Sequence[Claimed]) -> list[list[ChannelEvent]]:
    """Events that share a delivery or a line stay together; groups in the order of their first delivery."""
    roots: dict[object, object] = {}

    def root(thing: object) -> object:
        while roots.setdefault(thing, thing) is not thing:
            roots[thing] = roots[roots[thing]]
            thing = roots[thing]
        return thing

    for one in claimed:
        for event in one.events:
            roots[root(event.line)] = root(one.id)
    together: dict[object, list[ChannelEvent]] = {}
    for one in claimed:
        together.setdefault(root(one.id), []).extend(one.events)
    return list(together.values())


def row_of(delivery: Claimed, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    statuses = {outcome.status for outcome in outcomes}
    order = (Delivery.WAITING, Delivery.CONFLICT, Delivery.RECORDED, Delivery.DUPLICATE)
    state = next(state for state in order if state in statuses)
    reason = ""
    age = time.time() - delivery.received_at.timestamp()
    if state == Delivery.WAITING and age > WAIT_DAYS * 86400:
        state, reason = Delivery.QUARANTINED, "the line that it belongs to never came"
    return {
        "id": delivery.id,
        "state": state,
        "reason": reason,
        "wait": next((wait for wait in WAIT if wait > age), WAIT[-1]),
        "lines": [
            {"interaction": outcome.line, "status": outcome.status, "matched_by": outcome.matched_by} for outcome in outcomes
        ],
        "refused": [refusal for outcome in outcomes for refusal in outcome.refused],
    }


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


def finish_without_events(states: Sequence[tuple[Claimed, str, str]], lease: UUID) -> None:
    if states:
        rows = [
            {"id": one.id, "state": state, "reason": reason[:1000], "lines": [], "refused": [], "wait": 0}
            for one, state, reason in states
        ]
        with transaction.atomic(), cursor() as sql:
            for one, _, _ in states:
                withdraw(sql, one, set())
            close(sql, rows, lease)
