"""The only writer of the timeline: events into lines, counts, threads and changes, in one transaction."""

import logging
import random
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from django.db import IntegrityError, OperationalError, transaction

from customers import attachments, lines, tallies
from customers.examining import examine
from customers.folding import Part, Status, Version, put, version_of, without
from customers.homes import locate
from customers.identification import ANONYMOUS, Case, KnownWorld, NeedsLinking, Suggestion, Verdict, judge
from customers.incoming import ChannelEvent
from customers.legible import legible_event
from customers.linking import LinkingWorld, Retry
from customers.replaying import Correction
from customers.sql import Cursor, cursor
from customers.suppression import suppressed

logger = logging.getLogger(__name__)

LINKING_CHUNKS = (500, 100, 20)
"""Groups that are linked in one transaction: many while nobody else links the same persons, fewer when somebody does,
so that locks are short where others wait for them."""
TRIES = 8
MOVES = 100
"""How often the ground may move under one transaction: each time somebody else got through, so it is no failure."""


@dataclass(slots=True)
class Outcome:
    """What became of one event; `identity_id` is None while it waits for its line."""

    event: ChannelEvent
    line: UUID
    identity_id: int | None
    status: Status | str
    matched_by: str
    refused: list[dict[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Placed:
    """An event with the identity that its line hangs on."""

    case: Case
    identity_id: int
    real: bool  # named by the event itself and not anonymous: an anonymous line moves there
    matched_by: str
    version: Version
    suggested: list[Suggestion] = field(default_factory=list)
    refused: list[dict[str, str]] = field(default_factory=list)


Group = Sequence[Case]
Finish = Callable[[Cursor, list[Outcome]], None]


def record(
    groups: Sequence[Sequence[ChannelEvent]], finish: Finish, *, actor: str = "rules", cause: str = "event"
) -> None:
    """Record groups of events; what shares a delivery or a line must be in one group.

    `finish(cursor, outcomes)` is called within each transaction, after its events are written; what it raises
    rolls them back. Groups whose handles are all known go together in one transaction, the others in chunks
    under the locking protocol. Database errors are raised when retrying does not help.
    """
    cases = [[examine(legible_event(event)) for event in group] for group in groups]
    rest = attempt(lambda: record_known(cases, finish))
    link_chunks(rest, LINKING_CHUNKS, lambda chunk: record_linking(chunk, finish, actor, cause))


def link_chunks(cases: Sequence[Group], sizes: Sequence[int], work: Callable[[Sequence[Group]], None]) -> None:
    """Chunks of the first size; where the ground moved under one, of the next."""
    size, *smaller = sizes
    for start in range(0, len(cases), size):
        chunk = cases[start : start + size]
        try:
            attempt(lambda chunk=chunk: work(chunk), moves=1 if smaller else MOVES)  # type: ignore[misc]
        except Retry:
            if not smaller:
                raise
            link_chunks(chunk, smaller, work)


T = TypeVar("T")


def attempt(work: Callable[[], T], *, moves: int = MOVES) -> T:
    """Deadlocks, lost races and a moved ground are tried again from the start, in a new transaction."""
    tries = TRIES
    while True:
        try:
            return work()
        except Retry:
            moves -= 1
            if not moves:
                raise
            time.sleep(random.uniform(0, 0.005))  # noqa: S311 - jitter, no secret
        except (IntegrityError, OperationalError) as error:
            tries -= 1
            if not tries or getattr(error.__cause__, "sqlstate", None) not in ("40P01", "40001", "23505"):
                raise
            time.sleep(random.uniform(0, 0.05) * (TRIES - tries))  # noqa: S311


def record_known(cases: Sequence[Group], finish: Finish) -> list[Group]:
    """Record the groups that need no linking; the others are returned."""
    rest: list[Group] = []
    with transaction.atomic(), cursor() as sql:
        world = KnownWorld(sql, [case for group in cases for case in group])
        gone = suppressed(sql, [case for group in cases for case in group])
        homes = locate(sql, [case.lives for group in cases for case in group if case.follow_up])
        placed: list[Placed] = []
        outcomes: list[Outcome] = []
        for group in cases:
            try:
                group_placed, group_waiting = place(group, world, homes, gone)
            except NeedsLinking:
                rest.append(group)
            else:
                placed += group_placed
                outcomes += group_waiting
        if placed or outcomes:
            finish(sql, outcomes + write(sql, placed))
    return rest


def record_linking(cases: Sequence[Group], finish: Finish, actor: str, cause: str) -> None:
    with transaction.atomic(), cursor() as sql:
        world = LinkingWorld(sql, [case for group in cases for case in group], actor=actor, cause=cause)
        gone = suppressed(sql, [case for group in cases for case in group])
        homes = locate(sql, [case.lives for group in cases for case in group if case.follow_up])
        standing = lines.versions(sql, [case.event.line for group in cases for case in group])
        placed: list[Placed] = []
        outcomes: list[Outcome] = []
        for group in cases:
            fair, conflicting = set_conflicts_apart(group, standing)
            outcomes += conflicting
            group_placed, group_waiting = place(fair, world, homes, gone)
            placed += group_placed
            outcomes += group_waiting
        world.flush(sql)
        finish(sql, outcomes + write(sql, placed))


def set_conflicts_apart(
    group: Group, standing: dict[tuple[UUID, str, int], tuple[str, int]]
) -> tuple[list[Case], list[Outcome]]:
    """What contradicts a version that stands must not link anybody either."""
    fair, conflicting = [], []
    for case in group:
        event = case.event
        known = standing.get((event.line, event.part, event.revision))
        if known is None or event.replay or known[0] == version_of(event).digest:
            fair.append(case)
        else:
            conflicting.append(Outcome(event, event.line, known[1], "conflict", "line"))
    return fair, conflicting


def place(
    group: Group, world: KnownWorld, homes: dict[UUID, int], gone: Collection[int]
) -> tuple[list[Placed], list[Outcome]]:
    """An identity for each event of a group; follow-ups go where their line lives, or wait. `gone` were erased."""
    placed: list[Placed] = []
    waiting: list[Outcome] = []
    for case in sorted(group, key=lambda case: case.follow_up):
        event = case.event
        if id(case) in gone:
            waiting.append(Outcome(event, event.line, None, "erased", ""))
        elif not case.follow_up:
            verdict: Verdict = judge(case, world)
            real = verdict.carrier.key.kind != ANONYMOUS
            placed.append(
                Placed(
                    case,
                    verdict.carrier.id,
                    real,
                    verdict.matched_by,
                    version_of(event),
                    verdict.suggested,
                    verdict.refused,
                )
            )
            homes.setdefault(event.line, verdict.carrier.id)
        elif case.lives in homes:
            placed.append(Placed(case, homes[case.lives], real=False, matched_by="line", version=version_of(event)))
        else:
            waiting.append(Outcome(event, event.line, None, "waiting", ""))
    return placed, waiting


def write(sql: Cursor, placed: Sequence[Placed]) -> list[Outcome]:
    """Insert or lock the lines in the order of their ids, fold, and keep what is counted of them."""
    now = datetime.now(UTC)
    by_line: dict[UUID, list[Placed]] = {}
    for one in placed:
        by_line.setdefault(one.case.event.line, []).append(one)
    outcomes: list[Outcome] = []
    tally = tallies.Tally()
    fresh: dict[UUID, lines.Line] = {}
    for id_, ones in sorted(by_line.items()):
        line, statuses = grow({}, ones)
        home = next((one.identity_id for one in ones if one.real), ones[0].identity_id)
        event = ones[0].case.event
        fresh[id_] = lines.Line(id_, home, event.source_id, event.source, line)
        outcomes += [outcome(one, home, status) for one, status in zip(ones, statuses, strict=True)]
    inserted = lines.insert(sql, list(fresh.values()), now)
    for id_ in inserted:
        tally.came(fresh[id_])
    stood = [id_ for id_ in fresh if id_ not in inserted]
    if stood:
        outcomes = [one for one in outcomes if one.line in inserted]
        for standing in lines.hold(sql, stood):
            outcomes += regrow(standing, by_line[standing.id], tally)
        lines.update(sql, tally.touched())
    recorded = {id(one.event) for one in outcomes if one.status == "recorded"}
    tally.write(sql, [one for one in placed if id(one.case.event) in recorded])
    return outcomes


def grow(parts: dict[str, Part], ones: Sequence[Placed]) -> tuple[dict[str, Part], list[Status]]:
    """The parts with the versions of these events put in."""
    for origin in {str(one.case.event.origin) for one in ones if one.case.event.replay}:
        parts = {name: left for name, part in parts.items() if (left := without(part, origin))}
    parts = dict(parts)
    statuses: list[Status] = []
    for one in ones:
        event = one.case.event
        parts[event.part], status = put(parts.get(event.part), event.part, one.version)
        statuses.append(status)
    return parts, statuses


def regrow(standing: lines.Line, ones: Sequence[Placed], tally: tallies.Tally) -> list[Outcome]:
    """A line that stands takes more parts; from an anonymous identity it moves to a named one."""
    parts, statuses = grow(standing.parts, ones)
    home = standing.identity_id
    named = next((one for one in ones if one.real), None)
    if named is not None and not standing.assigned and (standing.anonymous or rewritten(standing, named.case.event)):
        home = named.identity_id
    if rewritten(standing, ones[0].case.event):
        tally.corrections.append(Correction(standing, {e.key for one in ones for e in one.case.evidence}))
    if parts != standing.parts or home != standing.identity_id:
        tally.changed(
            standing, lines.Line(standing.id, home, standing.source_id, standing.source, parts, standing.recorded_at)
        )
    return [outcome(one, home, status) for one, status in zip(ones, statuses, strict=True)]


def rewritten(standing: lines.Line, event: ChannelEvent) -> bool:
    """Whether a replay replaces all that the line says, so that it may also correct whose it is."""
    return event.replay and all(
        v.origin == str(event.origin) for part in standing.parts.values() for v in part.versions
    )


def outcome(one: Placed, identity_id: int, status: Status) -> Outcome:
    return Outcome(one.case.event, one.case.event.line, identity_id, status, one.matched_by, one.refused)


def withdraw(sql: Cursor, origin: UUID, ids: Sequence[UUID]) -> list[UUID]:
    """Take back what a delivery wrote on these lines and its replay no longer says; returns the lines that went."""
    tally = tallies.Tally()
    gone: list[lines.Line] = []
    for standing in lines.hold(sql, sorted(ids)):
        parts = {name: left for name, part in standing.parts.items() if (left := without(part, str(origin)))}
        if not parts:
            gone.append(standing)
            tally.went(standing)
            tally.corrections.append(Correction(standing))
        elif parts != standing.parts:
            changed = lines.Line(
                standing.id, standing.identity_id, standing.source_id, standing.source, parts, standing.recorded_at
            )
            tally.changed(standing, changed)
    lines.update(sql, tally.touched())
    lines.delete(sql, gone)
    attachments.forget(line.id for line in gone)
    tally.write(sql, [])
    return [line.id for line in gone]
