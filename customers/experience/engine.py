"""The fold itself: one customer's lines, oldest first, through every measure, with the clock in between.

A measure is a module with `begin() -> dict`, `see(state, contact, out)`, `hear(state, fact, out)`,
`ring(state, at, out)` and `close(state, now, out)`. `state` is the state of all measures by name and plain JSON, so
that a long history can go on from a checkpoint; `out` collects rows. Nothing here asks the database or the clock: the
same lines and the same `now` give the same rows, in whatever order they came, which is why merging and undoing
customers need no code of their own.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol
from uuid import UUID, uuid5

import orjson

from customers.experience.calendar import Calendars
from customers.experience.contacts import Contact, Fact, facts
from customers.experience.meaning import Meaning

State = dict[str, Any]
Row = dict[str, Any]

LONG = 300
"""Lines from which on a checkpoint is kept …"""
RECENT = 100
"""… so many lines before the end: what still changes is nearly always younger. It follows in steps of as many."""


class Measure(Protocol):
    """What each module of a measure offers."""

    def begin(self) -> State: ...
    def see(self, state: State, contact: Contact, out: "Out") -> None: ...
    def hear(self, state: State, fact: Fact, out: "Out") -> None: ...
    def ring(self, state: State, at: int, out: "Out") -> None: ...
    def close(self, state: State, now: int, out: "Out") -> None: ...


@dataclass(slots=True)
class Out:
    """The rows that a fold made, by table and key, with what the company means by its words.

    A row has the names of its model's columns; times are microseconds. A later row of the same key replaces it.
    """

    meaning: Meaning
    calendars: Calendars
    colleagues: Mapping[str, str] = field(default_factory=dict)
    promises: dict[UUID, Row] = field(default_factory=dict)
    requests: dict[UUID, Row] = field(default_factory=dict)
    expectations: dict[UUID, Row] = field(default_factory=dict)
    scores: dict[UUID, Row] = field(default_factory=dict)
    feedback: dict[UUID, Row] = field(default_factory=dict)
    stages: dict[UUID, Row] = field(default_factory=dict)
    touches: dict[tuple[str, str, str], Row] = field(default_factory=dict)
    summary: Row = field(default_factory=dict)

    def colleague(self, name: str) -> str:
        """His one name, if he has several."""
        return self.colleagues.get(name.casefold(), name)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state after `lines` lines, the last at `at`; every later line is strictly later than `at`."""

    at: int
    lines: int
    state: State


@dataclass(frozen=True, slots=True)
class Folded:
    out: Out
    checkpoint: Checkpoint | None
    next_at: int | None
    lines: int


def row_id(contact_id: str, name: str, id_: str = "") -> UUID:
    """The key of a row that comes from a line: the same however often it is folded."""
    return uuid5(UUID(contact_id), f"{name}:{id_}")


def alarm(state: State, measure: str, at: int | None) -> None:
    """Have the clock ring for a measure; a later call replaces it, None takes it back."""
    if at is None:
        state["alarms"].pop(measure, None)
    else:
        state["alarms"][measure] = at


def begin(measures: Mapping[str, Measure]) -> State:
    return {"alarms": {}, "pending": [], **{name: measure.begin() for name, measure in measures.items()}}


def fold(
    contacts: Sequence[Contact], now: int, out: Out, measures: Mapping[str, Measure], start: Checkpoint | None = None
) -> Folded:
    """Fold lines (sorted, all later than `start`) up to `now`, both in microseconds."""
    state = orjson.loads(orjson.dumps(start.state)) if start else begin(measures)
    done = start.lines if start else 0
    boundary = boundary_of(contacts, done)
    checkpoint = start
    for place, contact in enumerate(contacts):
        run_until(state, contact.at, out, measures)
        if not contact.deleted:  # What was taken back has no effect.
            for measure in measures.values():
                measure.see(state, contact, out)
            for fact in facts(contact):
                heapq.heappush(state["pending"], [*fact.key, asdict(fact)])
        if place == boundary:
            run_until(state, contact.at, out, measures)
            checkpoint = Checkpoint(contact.at, done + place + 1, orjson.loads(orjson.dumps(state)))
    run_until(state, now, out, measures)
    for measure in measures.values():
        measure.close(state, now, out)
    return Folded(out, checkpoint, next_of(state), done + len(contacts))


def boundary_of(contacts: Sequence[Contact], before: int) -> int:
    """After which line the checkpoint is taken: the next one must be strictly later; -1 for none."""
    if before + len(contacts) < LONG or (before and len(contacts) < 2 * RECENT):
        return -1
    place = len(contacts) - RECENT - 1
    while place >= 0 and contacts[place].at == contacts[place + 1].at:
        place -= 1
    return place


def run_until(state: State, now: int, out: Out, measures: Mapping[str, Measure]) -> None:
    """Whatever is due by `now`, in the order of time: the clock first, then what was said at that moment."""
    while True:
        bell = min(((at, name) for name, at in state["alarms"].items()), default=None)
        said = state["pending"][0] if state["pending"] else None
        if bell and bell[0] <= now and (said is None or bell[0] <= said[0]):
            at, name = bell
            del state["alarms"][name]
            measures[name].ring(state, at, out)
        elif said and said[0] <= now:
            fact = fact_of(heapq.heappop(state["pending"])[-1])
            for measure in measures.values():
                measure.hear(state, fact, out)
        else:
            return


def next_of(state: State) -> int | None:
    """When the clock alone changes something."""
    return min([*state["alarms"].values(), *(one[0] for one in state["pending"][:1])], default=None)


def fact_of(data: Mapping[str, Any]) -> Fact:
    return Fact(**{**data, "contact": Contact(**data["contact"])})
