"""A line is the fold of its parts: the same in every order, with every repetition, in memory and in the database."""

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from customers.folding import Part, Version, fold, put, version_of, without
from customers.incoming import Agent, Attachment, ChannelEvent, Handle
from customers.models import Interaction, InteractionPart
from tests.support import (
    COMMITTED,
    Api,
    Event,
    at,
    drained,
    due_again,
    event,
    everything,
    identifier,
    push_and_drain,
    shop,
)

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WORDS = some.sampled_from(["", "a", "b", "labas", "да"])

events = some.builds(
    ChannelEvent,
    source_id=some.just(1),
    source=some.just("shop"),
    key=some.just("thing"),
    part=some.sampled_from(["main", "status:ringing", "recording:1", "delivered"]),
    revision=some.integers(0, 3),
    received_at=some.integers(0, 600).map(lambda seconds: START + timedelta(seconds=seconds)),
    occurred_at=some.none() | some.integers(-900, 900).map(lambda seconds: START + timedelta(seconds=seconds)),
    rank=some.integers(0, 2),
    changed_at=some.none() | some.integers(0, 60).map(lambda seconds: START + timedelta(seconds=seconds)),
    channel=some.sampled_from(["phone", "sms"]),
    kind=some.sampled_from(["call", "message"]),
    direction=some.sampled_from(["inbound", "outbound"]),
    handles=some.sampled_from([(), (Handle("phone", "+73433443420"),)]),
    thread=WORDS,
    subject=WORDS,
    text=WORDS,
    agent=some.none() | some.just(Agent("7", "Ona")),
    attachments=some.sampled_from([(), (Attachment("a", ref="1"),), (Attachment("b", ref="1"), Attachment(url="x"))]),
    state=some.sampled_from(["", "ringing", "sent", "delivered", "completed", "failed", "own"]),
    deleted=some.booleans(),
    details=some.sampled_from(
        [{}, {"a": 1}, {"a": {"b": 2}}, {"a": {"c": 3}}, {"legs": [{"id": 1, "x": 1}]}, {"legs": [{"id": 2}]}]
    ),
)


def line_of(said: Iterable[ChannelEvent]) -> dict[str, Any]:
    parts: dict[str, Part] = {}
    for one in said:
        parts[one.part], _ = put(parts.get(one.part), one.part, version_of(one))
    return fold(parts.values())


def compatible(said: list[ChannelEvent]) -> list[ChannelEvent]:
    """One event per part and revision: what contradicts it would be a conflict."""
    return list({(one.part, one.revision): one for one in said}.values())


@settings(max_examples=300, deadline=None, derandomize=True)
@given(some.lists(events, min_size=1, max_size=7), some.randoms(use_true_random=False))
def test_any_order_and_any_repetition_fold_to_the_same_line(said: list[ChannelEvent], dice: random.Random) -> None:
    once = compatible(said)
    wanted = line_of(once)
    again = once + [dice.choice(once) for _ in range(4)]
    dice.shuffle(again)
    assert line_of(again) == wanted


@settings(max_examples=200, deadline=None, derandomize=True)
@given(some.lists(events, min_size=2, max_size=7))
def test_a_conflict_changes_nothing(said: list[ChannelEvent]) -> None:
    once = compatible(said)
    contradiction = replace(once[0], text=once[0].text + "!")
    assert line_of([*once, contradiction]) == line_of(once)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(some.lists(events, min_size=1, max_size=6))
def test_the_earliest_time_stands_and_the_sort_key_is_clamped(said: list[ChannelEvent]) -> None:
    line = line_of(compatible(said))
    times = [one.occurred_at for one in compatible(said) if one.occurred_at]
    if times:
        assert datetime.fromisoformat(line["occurred_at"]) == min(times)
    latest = max(one.received_at for one in said) + timedelta(minutes=5)
    assert datetime.fromisoformat(line["sorted_at"]) <= latest


@given(some.lists(events, min_size=1, max_size=6))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_what_a_delivery_wrote_can_be_taken_back(said: list[ChannelEvent]) -> None:
    once = compatible(said)
    parts: dict[str, Part] = {}
    for place, one in enumerate(once):
        version = replace(version_of(one), origin=f"d{place}")
        parts[one.part], _ = put(parts.get(one.part), one.part, version)
    left = {name: part for name in parts if (part := without(parts[name], "d0"))}
    wanted: dict[str, Part] = {}
    for place, one in enumerate(once[1:], start=1):
        version = replace(version_of(one), origin=f"d{place}")
        wanted[one.part], _ = put(wanted.get(one.part), one.part, version)
    assert left == wanted


def test_same_revision_same_words_is_a_duplicate() -> None:
    one = Version(1, "d", None, {})
    part, status = put(None, "main", one)
    assert status == "recorded"
    assert put(part, "main", one) == (part, "duplicate")
    assert put(part, "main", replace(one, digest="e")) == (part, "conflict")


class TestThroughTheDatabase:
    pytestmark = COMMITTED

    @pytest.fixture
    def api(self, committed: None) -> Api:
        shop()
        return everything()

    def call(self, number: str, id_: str) -> list[dict[str, Any]]:
        """A call as a PBX tells it, in parts; some of them name nobody."""
        named: Event = {"customer": {"identifiers": [identifier("phone", number)]}}
        common: Event = {"id": id_, "channel": "phone", "kind": "call"}
        return [
            event(**common, **named, part="main", revision=1, state="ringing", occurred_at=at(0)),
            event(**common, **named, part="main", revision=2, state="answered", occurred_at=at(0), text="spoke"),
            event(**common, part="hangup", state="completed", occurred_at=at(3), details={"call": {"talk_s": 100}}),
            event(
                **common, part="rec", occurred_at=at(4), details={"call": {"recording": {"url": "https://x.example/1"}}}
            ),
            event(
                **common, part="rec", revision=1, occurred_at=at(4), details={"call": {"recording": {"duration_s": 9}}}
            ),
            event(**common, part="note", occurred_at=at(5), subject="call back", details={"tags": ["a"]}),
        ]

    @pytest.mark.parametrize("seed", range(6))
    def test_shuffled_pushes_over_several_drains_are_one_line(self, api: Api, seed: int) -> None:
        dice = random.Random(seed)
        numbers = [f"+791234567{seed}{n}" for n in range(4)]
        parts = [(number, part) for number in numbers for part in self.call(number, f"call-{number}")]
        for number in numbers[:1]:  # one as it should be, to compare with
            push_and_drain(api, *(part for whose, part in parts if whose == number))
        rest = [part for whose, part in parts if whose != numbers[0]]
        rest += dice.choices(rest, k=6)
        dice.shuffle(rest)
        while rest:
            batch = [rest.pop() for _ in range(min(len(rest), dice.randrange(1, 7)))]
            push_and_drain(api, *batch, waiting=True)
            due_again()
        drained()
        lines = [self.shown(api, number) for number in numbers]
        assert lines[0]["state"] == "completed"
        assert lines[0]["subject"] == "call back"
        assert lines[0]["occurred_at"] == at(0)
        assert lines[0]["details"]["call"] == {"talk_s": 100, "recording": {"duration_s": 9}}
        for line in lines[1:]:
            assert line == lines[0], "the same line, in whatever order its parts came"
        assert Interaction.objects.count() == 4
        assert InteractionPart.objects.count() == 16

    def shown(self, api: Api, number: str) -> dict[str, Any]:
        (entry,) = api.timeline("phone", number)
        return {name: value for name, value in entry.items() if name not in ("id", "recorded_at", "identity")}

    def test_one_batch_and_many_batches_write_the_same(self, api: Api) -> None:
        one, other = "+79123456701", "+79123456702"
        push_and_drain(api, *self.call(one, "together"))
        for part in self.call(other, "apart"):
            push_and_drain(api, part, waiting=True)
        assert self.shown(api, one) == self.shown(api, other)

    def test_a_named_part_takes_an_anonymous_line_along(self, api: Api) -> None:
        hidden = event(id="c", channel="phone", kind="call", text="hidden", occurred_at=at(0))
        (before,) = push_and_drain(api, hidden)
        (after,) = push_and_drain(
            api, event(identifier("phone", "+79123456701"), id="c", channel="phone", kind="call", part="named")
        )
        assert after["interaction"] == before["interaction"]
        (entry,) = api.timeline("phone", "+79123456701")
        assert entry["text"] == "hidden"
        old = api.ok(f"customers/{before['customer']}")
        assert old["id"] == after["customer"]
        assert api.card("phone", "+79123456701")["counts"] == {"phone": 1}
