"""From stored deliveries to recorded lines: claim, parse, group, record; what fails is tried alone."""

import logging
import time
import traceback
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import takewhile
from typing import Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError, connections, transaction

from channels import counting, erasing
from channels.leasing import BATCH, Claimed, LeaseLost, claim, close, give_back, postpone, still_ours, wake
from channels.models import Delivery, Source
from channels.provider import Ignored, Provider, SourceInfo, StoredDelivery, Unreadable, Unsupported
from channels.providers import PROVIDERS
from customers import recording
from customers.incoming import ChannelEvent, Trust
from customers.recording import Outcome
from customers.sql import Cursor, cursor

logger = logging.getLogger(__name__)

ATTEMPTS = 5
ALONE = 50
"""How many deliveries that need to be alone are tried between two batches."""
WAIT = (1, 5, 30, 300, 3600)
"""Seconds until a follow-up looks for its line again; a line that comes wakes it at once."""
WAIT_DAYS = 7


def drain_all(*, seconds: float) -> int:
    """Drain until nothing is due or the time is up; returns how many deliveries were taken."""
    end, total = time.monotonic() + seconds, 0
    try:
        while time.monotonic() < end:
            taken = drain() + sum(takewhile(bool, (drain_alone() for _ in range(ALONE))))
            if not taken:
                break
            total += taken
    except (OperationalError, InterfaceError) as error:
        # Trouble with the database is nobody's attempt: the work was given back, or is found when its lease runs out.
        logger.warning("drain stopped: %s", type(error).__name__)
        connections.close_all()
    return total


def drain() -> int:
    """Take and record one batch of what has never failed."""
    begun = time.monotonic()
    claimed, lease = claim(BATCH, alone=False)
    if claimed:
        settle(claimed, lease)
        counting.took(len(claimed), begun)
    return len(claimed)


def drain_alone() -> int:
    """Take one delivery that failed before, or whose lease ran out, so that it harms nobody else."""
    claimed, lease = claim(1, alone=True)
    if claimed:
        if claimed[0].attempts > ATTEMPTS:
            finish_without_events(
                [(claimed[0], Delivery.QUARANTINED, "the process that parsed it died each time")], lease
            )
        else:
            settle(claimed, lease)
    return len(claimed)


def settle(claimed: list[Claimed], lease: UUID) -> None:
    """Parse and record; a batch that fails is halved, a single one is put off or quarantined."""
    try:
        said = parse_all(claimed)
        finish_without_events(
            [(one, state, reason) for one, (state, reason) in zip(claimed, said, strict=True) if state], lease
        )
        speaking = [one for one, (state, _) in zip(claimed, said, strict=True) if not state]
        if speaking:
            record_halving(speaking, lease)
    except (OperationalError, InterfaceError):
        give_back(claimed, lease)
        raise


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
        where = "".join(traceback.format_tb(error.__traceback__)[-4:])
        logger.error("delivery %s could not be parsed: %s\n%s", one.id, type(error).__name__, where)  # noqa: TRY400
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
    except (
        DatabaseError,
        InterfaceError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
    ) as error:
        if is_trouble(error):
            raise
        claimed = still_ours(claimed, lease)
        if len(claimed) > 1:
            middle = len(claimed) // 2
            record_halving(claimed[:middle], lease)
            record_halving(claimed[middle:], lease)
        elif claimed:
            put_off(claimed[0], lease, error)


def is_trouble(error: Exception) -> bool:
    """Whether the database is at fault and not the data; what exceeds a limit of PostgreSQL (class 54) is data."""
    state = str(getattr(error.__cause__, "sqlstate", None) or "")
    return isinstance(error, OperationalError | InterfaceError) and not state.startswith("54")


def put_off(one: Claimed, lease: UUID, error: Exception) -> None:
    """Try it again alone after a while; after five attempts it is quarantined with its reason."""
    # Only where it happened: what PostgreSQL says quotes the row, and with it the customer.
    where = "".join(traceback.format_tb(error.__traceback__)[-4:])
    logger.error("delivery %s could not be recorded: %s\n%s", one.id, type(error).__name__, where)
    if one.attempts >= ATTEMPTS:
        reason = f"it could not be recorded: {type(error).__name__}"
        finish_without_events([(one, Delivery.QUARANTINED, reason)], lease)
    else:
        postpone(one, lease, f"attempt {one.attempts}: {type(error).__name__}")


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
        transaction.on_commit(partial(counting.drained, by_id, rows))
        erasing.forget(sql, [one.event.origin for one in outcomes if one.status == Delivery.ERASED])
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
    order = (Delivery.WAITING, Delivery.CONFLICT, Delivery.RECORDED, Delivery.DUPLICATE, Delivery.ERASED)
    state = next(state for state in order if state in statuses)
    reason = ""
    if state == Delivery.WAITING and delivery.age > WAIT_DAYS * 86400:
        state, reason = Delivery.QUARANTINED, "the line that it belongs to never came"
    return {
        "id": delivery.id,
        "state": state,
        "reason": reason,
        "wait": next((wait for wait in WAIT if wait > delivery.age), WAIT[-1]),
        "lines": [
            {"interaction": outcome.line, "status": outcome.status, "matched_by": outcome.matched_by}
            for outcome in outcomes
            if outcome.status != Delivery.ERASED
        ],
        "refused": [refusal for outcome in outcomes for refusal in outcome.refused],
    }


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
            transaction.on_commit(partial(counting.drained, {one.id: one for one, _, _ in states}, rows))
