"""A company's synthetic history: who its customers are, how often each writes, and what each contact says."""

import random
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from tests.bench import wording

SOURCE, SOURCE_ID = "bench", 1
LINES_EACH = 20
HEAVIEST = 20_000
YEARS = 3
KINDS = ("phone", "email", "telegram", "viber", "crm_id")
CHANNELS = {"phone": "phone", "email": "email", "telegram": "telegram", "viber": "viber", "crm_id": "store"}
CONTACT = {"phone": "call", "email": "email", "telegram": "message", "viber": "message", "crm_id": "purchase"}
SCOPED = ("viber", "crm_id", "device")


@dataclass(frozen=True, slots=True)
class Person:
    """A customer with his handles; the first one founded him, and every other is linked to it."""

    number: int  # from 1, also his id
    handles: tuple[tuple[str, str], ...]  # (kind, value)
    first_identity: int

    @property
    def public_id(self) -> UUID:
        return UUID(int=random.Random(f"person {self.number}").getrandbits(128), version=4)


def sizes(scale: int) -> list[int]:
    """Lines of each customer: Zipf's law, capped, `scale` in all; the first customer is the heaviest."""
    people = max(scale // LINES_EACH, 5)
    harmonic = sum(1 / rank for rank in range(1, people + 1))
    found = [max(1, min(HEAVIEST, int(scale / harmonic / rank))) for rank in range(1, people + 1)]
    spare, place = scale - sum(found), 1
    while spare:
        step = 1 if spare > 0 else -1
        if HEAVIEST > found[place] + step > 0:
            found[place] += step
            spare -= step
        place = place % (people - 1) + 1
    return found


def handle(kind: str, number: int) -> tuple[str, str]:
    """A handle in its normal form."""
    values = {
        "phone": f"+79{120_000_000 + number}",
        "email": f"client{number}@example{number % 97}.com",
        "telegram": str(5_000_000_000 + number),
        "viber": f"viber{number:08d}==",
        "crm_id": f"C{number:07d}",
        "device": f"device-{number:012x}",
    }
    return kind, values[kind]


class History:
    """Everything about a history of `scale` lines; the same scale gives the same history."""

    def __init__(self, scale: int) -> None:
        self.scale = scale
        self.sizes = sizes(scale)
        self.end = datetime.now(UTC) - timedelta(hours=2)

    @cached_property
    def people(self) -> list[Person]:
        found = []
        identity = 1
        for number, lines in enumerate(self.sizes, start=1):
            rng = random.Random(f"handles of {number}")
            count = min(rng.choice((1, 1, 2, 2, 3)) + (lines > 200) + (lines > 2_000), len(KINDS))
            kinds = (KINDS[number % 3], *(kind for kind in KINDS if kind != KINDS[number % 3]))[:count]
            found.append(Person(number, tuple(handle(kind, number) for kind in kinds), identity))
            identity += count
        return found

    @cached_property
    def traffic(self) -> "array[int]":
        """The customer (from 0) of each line, in the order of time: who has more contacts is met more often."""
        whose = array("I", (place for place, lines in enumerate(self.sizes) for _ in range(lines)))
        random.Random("traffic").shuffle(whose)
        return whose

    def lines(self) -> Iterator[tuple[Person, int, datetime, dict[str, Any]]]:
        """Person, which of his handles, when, and what was said; oldest first."""
        rng = random.Random("lines")
        step = timedelta(days=365 * YEARS) / self.scale
        at = self.end - step * self.scale
        for place in self.traffic:
            person = self.people[place]
            which = int(rng.random() ** 2 * len(person.handles))
            at += step
            yield person, which, at + step * rng.random() / 2, contact(rng, person, which)


def contact(rng: random.Random, person: Person, which: int) -> dict[str, Any]:
    """What one contact says, in the words of a pushed event."""
    kind = person.handles[which][0]
    language = wording.LANGUAGES[person.number % len(wording.LANGUAGES)]
    inbound = kind == "crm_id" or rng.random() < 0.6
    said: dict[str, Any] = {
        "channel": CHANNELS[kind],
        "kind": CONTACT[kind],
        "direction": "inbound" if inbound else "outbound",
        "text": wording.text(rng, language),
    }
    if kind == "email":
        said |= {"subject": said["text"][:60], "thread": f"t{person.number}-{rng.randrange(8)}"}
    elif kind == "phone":
        seconds = rng.randrange(1, 600)
        said |= {"state": "completed", "details": {"call": {"status": "completed", "duration_s": seconds}}}
    elif kind == "crm_id":
        total = rng.randrange(100, 90_000)
        said["details"] = {"order": {"number": f"AB-{rng.randrange(10**6)}", "total": total, "currency": "RUB"}}
    if not inbound:
        agent = rng.randrange(40)
        said["agent"] = {"id": f"a{agent}", "name": f"Агент {agent}", "type": "human"}
    return said
