"""What comes in while we measure: new events of the company's customers, in the shares that the figures name."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from tests.bench.access import Access
from tests.bench.client import request
from tests.bench.history import KINDS, SCOPED, SOURCE, History, Person, contact, handle

MIX = {"known": 0.80, "two known": 0.10, "one new": 0.05, "birth": 0.05}
"""One known handle; two handles of one customer; a known handle and a new one; a handle that nobody owns."""
NEWCOMERS = 5_000_000


@dataclass(frozen=True, slots=True)
class Event:
    """A pushed event and whose it is."""

    said: dict[str, Any]
    person: Person

    @property
    def key(self) -> str:
        return str(self.said["id"])


class Stream:
    """Counts how many of each sort came."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.rng = random.Random("stream")
        self.sorts: Counter[str] = Counter()
        self.number = 0
        self.newcomer = NEWCOMERS
        self.several = [person for person in history.people if len(person.handles) > 1]

    def events(self, count: int, only: str = "") -> list[Event]:
        return [self.event(only) for _ in range(count)]

    def event(self, only: str = "") -> Event:
        (sort,) = (only,) if only else self.rng.choices(list(MIX), list(MIX.values()))
        self.sorts[sort] += 1
        self.number += 1
        person, which, handles = self.parties(sort)
        identifiers = [
            {"kind": kind, "value": value, **({"scope": SOURCE} if kind in SCOPED else {})} for kind, value in handles
        ]
        named = {} if sort == "known" else {"name": f"Клиент {person.number} Иванович"}
        at = datetime.now(UTC) - timedelta(seconds=self.rng.random() * 60)
        said = {
            "id": f"s{self.number}",
            "occurred_at": at.isoformat(),
            "customer": {"identifiers": identifiers, **named},
            **contact(self.rng, person, which),
        }
        return Event(said, person)

    def parties(self, sort: str) -> tuple[Person, int, list[tuple[str, str]]]:
        """Whose event it is, by which of his handles, and all the handles that it names."""
        rng, history = self.rng, self.history
        if sort == "birth":
            person = Person(history.scale, (self.fresh(rng.choice(KINDS)),), 0)
            return person, 0, [person.handles[0]]
        person = history.people[history.traffic[rng.randrange(history.scale)]]
        if sort == "one new":
            person = rng.choice(history.people)  # nobody gets new handles as often as he writes
        if sort == "two known":
            # The pair that the history links directly: any other would get a link of its own.
            person = person if len(person.handles) > 1 else rng.choice(self.several)
            which = rng.randrange(1, len(person.handles))
            return person, which, [person.handles[which], person.handles[0]]
        which = int(rng.random() ** 2 * len(person.handles))
        more = [self.fresh("device")] if sort == "one new" else []
        return person, which, [person.handles[which], *more]

    def fresh(self, kind: str) -> tuple[str, str]:
        self.newcomer += 1
        return handle(kind, self.newcomer)


def pushes(events: Sequence[Event], access: Access, size: int) -> list[bytes]:
    """Requests that push these events, `size` at a time; one alone as an object."""
    batches = [[event.said for event in events[place : place + size]] for place in range(0, len(events), size)]
    return [
        request(
            "POST",
            "/api/v1/events",
            orjson.dumps(batch if size > 1 else batch[0]),
            Authorization=f"Bearer {access.ingest}",
            Content_Type="application/json",
        )
        for batch in batches
    ]
