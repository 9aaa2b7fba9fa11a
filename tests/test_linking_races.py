"""Eight processes at once: nobody is split, nothing is lost, no deadlock comes to light."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.db.models import Count, Sum

from channels.models import Delivery
from customers.models import ContactCount, Customer, Identity, Interaction, InteractionPart, Link
from tests.support import COMMITTED, Api, Event, Racer, at, due_again, event, identifier, racers

pytestmark = [*COMMITTED, pytest.mark.slow]
WORKERS = 8


@pytest.fixture(scope="module")
def fleet(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Racer]]:
    with django_db_blocker.unblock(), racers(WORKERS) as (fleet, _):
        yield fleet


def race(fleet: Sequence[Racer], do: str, *each: dict[str, Any]) -> list[Any]:
    """All are told first, and only then asked."""
    for racer, how in zip(fleet, each, strict=True):
        racer.tell(do, **how)
    told = [racer.answer() for racer in fleet]
    for said in told:
        assert not (isinstance(said, dict) and "error" in said), said
    return told


def components() -> list[set[int]]:
    """Who belongs together, as the standing links alone say it."""
    groups: dict[int, set[int]] = {id_: {id_} for id_ in Identity.objects.values_list("pk", flat=True)}
    for a, b in Link.objects.filter(undone_at=None).values_list("a_id", "b_id"):
        if groups[a] is not groups[b]:
            groups[a] |= groups[b]
            for one in groups[b]:
                groups[one] = groups[a]
    return list({id(group): group for group in groups.values()}.values())


def consistent(lines: int) -> None:
    """What must hold whoever won."""
    due_again()
    states = Counter(Delivery.objects.values_list("state", flat=True))
    assert set(states) <= {"recorded", "duplicate"}, states
    assert not Delivery.objects.filter(attempts__gt=0).exists(), "nothing had to be tried alone"
    assert Interaction.objects.count() == lines
    assert not Identity.objects.values("kind", "scope", "value").annotate(n=Count("pk")).filter(n__gt=1).exists()
    owners = dict(Identity.objects.values_list("pk", "customer_id"))
    together = {frozenset(group) for group in components()}
    kept: dict[int, set[int]] = {}
    for id_, customer in owners.items():
        kept.setdefault(customer, set()).add(id_)
    assert {frozenset(group) for group in kept.values()} == together, "customers are the components of the links"
    assert not set(Interaction.objects.values_list("identity_id", flat=True)) - set(owners)
    assert ContactCount.objects.aggregate(n=Sum("count"))["n"] == lines
    for one in Customer.objects.filter(merged_into=None):
        assert one.founder_id in kept[one.pk]


def test_births_of_the_same_handles(api: Api, fleet: list[Racer]) -> None:
    people = [(f"+791234500{n:02}", f"race{n}@mail.example") for n in range(12)]

    def contacts(worker: int) -> list[Event]:
        dice = random.Random(worker)
        said = []
        for number, address in people:
            handles = [identifier("phone", number), identifier("email", address)]
            dice.shuffle(handles)
            said.append(event(*handles, id=f"{worker}-{number}", occurred_at=at(worker)))
        dice.shuffle(said)
        return said

    told = race(fleet, "push_and_drain", *({"key": api.plain, "events": contacts(n)} for n in range(WORKERS)))
    assert told == [["accepted"] * len(people)] * WORKERS
    consistent(WORKERS * len(people))
    assert Customer.objects.count() == len(people), "one person each, though eight were first"
    assert Identity.objects.count() == 2 * len(people)
    for number, _ in people:
        assert len(api.timeline("phone", number)) == WORKERS


def test_chains_of_unknown_handles(api: Api, fleet: list[Racer]) -> None:
    chains, length = 6, 9

    def handle(chain: int, place: int) -> Event:
        return identifier("device", f"chain-{chain}-{place}")

    def contacts(worker: int) -> list[Event]:
        said = [
            event(handle(chain, place), handle(chain, place + 1), id=f"{worker}-{chain}-{place}")
            for chain in range(chains)
            for place in range(length - 1)
            if (place + chain) % WORKERS == worker
        ]
        random.Random(worker).shuffle(said)
        return said

    everybodys = [contacts(n) for n in range(WORKERS)]
    race(fleet, "push_and_drain", *({"key": api.plain, "events": one} for one in everybodys))
    lines = sum(map(len, everybodys))
    assert lines == chains * (length - 1)
    consistent(lines)
    assert Identity.objects.count() == chains * length
    assert not Delivery.objects.exclude(refused=[]).exists()
    assert len(components()) == chains


def test_the_same_events_from_everybody(api: Api, fleet: list[Racer]) -> None:
    things = [event(identifier("phone", f"+791234501{n:02}"), id=f"same-{n}") for n in range(30)]
    told = race(fleet, "push", *({"key": api.plain, "events": things} for _ in range(WORKERS)))
    for each in zip(*told, strict=True):
        assert sorted(each) == ["accepted", *["duplicate"] * (WORKERS - 1)]
    race(fleet, "drain", *({"seconds": 10} for _ in range(WORKERS)))
    consistent(30)
    assert Delivery.objects.count() == 30


def test_parts_of_the_same_lines(api: Api, fleet: list[Racer]) -> None:
    calls = 10

    def parts(worker: int) -> list[Event]:
        said = [
            event(
                identifier("phone", f"+791234502{n:02}"),
                id=f"call-{n}",
                kind="call",
                channel="phone",
                part=f"part-{worker}",
                occurred_at=at(worker),
                details={f"by-{worker}": worker},
            )
            for n in range(calls)
        ]
        random.Random(worker).shuffle(said)
        return said

    race(fleet, "push_and_drain", *({"key": api.plain, "events": parts(n)} for n in range(WORKERS)))
    consistent(calls)
    assert InteractionPart.objects.count() == calls * WORKERS
    for n in range(calls):
        (entry,) = api.timeline("phone", f"+791234502{n:02}")
        assert entry["details"] == {f"by-{worker}": worker for worker in range(WORKERS)}
        assert entry["occurred_at"] == at(0)
