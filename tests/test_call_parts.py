"""A call of Twilio Voice folds into the same line in whatever order, and however often, its callbacks come."""

import random
from itertools import permutations
from typing import Any

import pytest

from channels.provider import StoredDelivery
from channels.providers import PROVIDERS
from customers.folding import Part, fold, put, version_of
from tests.test_payloads import PAYLOADS, delivery_of

Line = dict[str, Any]
INBOUND = [
    "status__inbound_request",
    "status__inbound_ringing",
    "status__inbound_in_progress",
    "status__inbound_completed",
]
OUTBOUND = [
    "status__outbound_initiated",
    "status__outbound_ringing",
    "status__outbound_answered",
    "status__outbound_completed",
]


def delivery(name: str) -> StoredDelivery:
    return delivery_of(PAYLOADS / "twilio_voice" / f"{name}.txt")


def line(names: list[str] | tuple[str, ...]) -> Line:
    parts: dict[str, Part] = {}
    for name in names:
        one = delivery(name)
        for event in PROVIDERS["twilio_voice"].parse(one):
            parts[event.part], status = put(parts.get(event.part), event.part, version_of(event))
            assert status != "conflict"
    return fold(parts.values())


def orders(names: list[str]) -> list[list[str]]:
    """Some orders, each with some callbacks twice."""
    chance = random.Random(7)
    few = list(permutations(names)) if len(names) < 5 else [chance.sample(names, len(names)) for _ in range(60)]
    return [[*order, *chance.choices(names, k=2)] for order in few]


@pytest.mark.parametrize(
    ("names", "status", "details"),
    [
        (INBOUND, "completed", {"duration_s": 94}),
        ([*INBOUND, "leg__agent_ringing", "leg__agent_answered", "leg__agent_completed"], "completed", {"talk_s": 84}),
        (
            [*INBOUND, "leg__agent_no_answer", "leg__agent_answered", "leg__agent_completed"],
            "completed",
            {"talk_s": 84},
        ),
        ([*INBOUND, "leg__agent_no_answer"], "missed", {"duration_s": 94}),
        ([*INBOUND, "dial__missed"], "missed", {"duration_s": 94}),
        ([*INBOUND, "dial__answered"], "completed", {"talk_s": 84}),
        ([*INBOUND, "leg__agent_no_answer", "recording__voicemail"], "voicemail", {"duration_s": 94}),
        ([*INBOUND, "recording__in_progress", "recording__completed"], "completed", {"duration_s": 94}),
        (["status__inbound_canceled", "status__inbound_ringing"], "missed", {"duration_s": 0}),
        (OUTBOUND, "completed", {"talk_s": 60}),
        ([*OUTBOUND, "machine__detected"], "voicemail", {"answered_by": "machine_start"}),
        ([*OUTBOUND, "recording__with_the_call", "recording__completed"], "completed", {"talk_s": 60}),
        (["status__outbound_ringing", "status__outbound_busy"], "busy", {"duration_s": 0}),
        (["status__browser_call", "leg__customer_busy"], "busy", {}),
        (["status__browser_call", "leg__customer_completed"], "completed", {"talk_s": 61}),
    ],
)
def test_order_does_not_matter(names: list[str], status: str, details: Line) -> None:
    expected = line(names)
    call = expected["details"]["call"]
    assert call["status"] == status
    assert call.items() >= details.items()
    assert all(line(order) == expected for order in orders(names))


def test_a_whole_call() -> None:
    whole = line(
        [*INBOUND, "leg__agent_no_answer", "leg__agent_answered", "leg__agent_completed", "recording__completed"]
    )
    assert (whole["kind"], whole["channel"], whole["direction"]) == ("call", "phone", "inbound")
    assert whole["agent"] == {"id": "rasa", "name": "rasa", "type": "human"}
    assert whole["occurred_at"].startswith("2026-11-20T10:00:00")
    assert [file["content_type"] for file in whole["attachments"]] == ["audio/wav"]
    call = whole["details"]["call"]
    assert call["started_at"] == "2026-11-20T10:00:00+00:00"
    assert call["answered_at"] == "2026-11-20T10:00:11+00:00"
    assert call["ended_at"] == "2026-11-20T10:01:35+00:00"
    assert call["recording"]["duration_s"] == 83
    assert [(leg["to"], leg["status"], leg.get("duration_s")) for leg in call["legs"]] == [
        ("client:rasa", "completed", 84),
        ("client:jonas", "missed", None),
    ]


def test_a_ring_group_in_which_one_talks_is_not_missed() -> None:
    assert line([*INBOUND[:3], "leg__agent_answered", "leg__agent_no_answer"])["state"] == "in-progress"


@pytest.mark.parametrize(
    "names", [[*INBOUND, "leg__agent_no_answer"], [*INBOUND, "dial__missed"], [*OUTBOUND, "machine__detected"]]
)
def test_the_state_of_an_ended_call_is_its_status(names: list[str]) -> None:
    whole = line(names)
    assert whole["state"] == whole["details"]["call"]["status"]
