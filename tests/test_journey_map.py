"""The journey map: sums of touches by stage and touchpoint, and the customers behind each number."""

from datetime import UTC, datetime
from typing import Any

from customers.experience.following import follow
from customers.experience.journeymap import months, realm
from customers.models import ExperienceSettings
from tests.support import COMMITTED, Api, at, event, identifier, phone, push_and_drain, unique

pytestmark = COMMITTED
DAY = 24 * 60
MARCH = {"since": "2026-03-01T00:00:00Z", "until": "2026-04-01T00:00:00Z"}


def customer(api: Api, *events: dict[str, Any]) -> str:
    number = phone()
    push_and_drain(api, *(event(identifier("phone", number), **one) for one in events))
    follow()
    return str(api.card("phone", number)["id"])


def two(api: Api) -> tuple[str, str]:
    """One who asks in a good mood and buys, one who asks by phone in vain and is never heard of again."""
    buyer = customer(
        api,
        {"occurred_at": at(), "channel": "email", "kind": "email", "details": {"emotion": 1}},
        {"occurred_at": at(60), "channel": "email", "kind": "email", "direction": "outbound", "agent": {"id": "a"}},
        {"occurred_at": at(DAY), "kind": "purchase", "channel": "web", "details": {"order": {"number": unique("N")}}},
    )
    gone = customer(
        api,
        {"occurred_at": at(5), "channel": "email", "kind": "email", "details": {"emotion": -1}},
        {"occurred_at": at(DAY), "channel": "phone", "kind": "call", "state": "missed"},
    )
    return buyer, gone


def test_the_map_adds_up_and_leads_back(api: Api) -> None:
    ExperienceSettings.objects.create(lost_after_days=30, stage_names={"before": "Curious"})
    buyer, gone = two(api)
    found = api.ok("experience/journey", MARCH)
    assert (found["first"], found["after"]) == ("2026-03-01", "2026-04-01")
    stages = {one["stage"]: one for one in found["stages"]}
    assert list(stages) == ["before", "purchase", "after", "again", "left"]
    before = stages["before"]
    assert before["name"] == "Curious"
    assert (before["customers"], before["contacts"], before["inbound"]) == (2, 4, 3)
    assert (before["emotion"], before["emotion_n"], before["waited_s"]) == (0, 2, 3600)
    assert (before["exits"], before["drop_off"]) == (1, 50)
    points = {one["channel"]: one for one in before["touchpoints"]}
    assert {name: (one["realm"], one["contacts"], one["exits"]) for name, one in points.items()} == {
        "email": ("digital", 3, 0),
        "phone": ("social", 1, 1),
    }
    assert {"was": "before", "stage": "purchase", "count": 1} in found["moves"]
    behind = api.ok("experience/journey/customers", {**MARCH, "stage": "before", "channel": "email"})["results"]
    assert {one["customer"]: (one["contacts"], one["emotion"]) for one in behind} == {buyer: (2, 1), gone: (1, -1)}
    (left,) = api.ok("experience/journey/customers", {**MARCH, "stage": "before", "left": "1"})["results"]
    call = api.ok(f"customers/{gone}/timeline", {"channel": "phone"})["results"][0]["id"]
    assert (left["customer"], left["left_at"]) == (gone, call)


def test_a_customers_path_with_reasons(api: Api) -> None:
    ExperienceSettings.objects.create(lost_after_days=30)
    buyer, gone = two(api)
    found = api.ok(f"customers/{buyer}/journey")
    assert [(one["stage"], one["reason"]) for one in found["steps"]] == [
        ("before", "first_contact"),
        ("purchase", "first_order"),
        ("left", "silence"),
    ]
    assert found["stage"] == "left"
    assert found["first_touch"]["channel"] == "email"
    assert api.ok(f"customers/{gone}/journey")["steps"][1]["reason"] == "silence"


def test_pages_of_customers_behind(api: Api) -> None:
    people = {customer(api, {"occurred_at": at()}) for _ in range(3)}
    path, asked = "experience/journey/customers", {**MARCH, "stage": "before", "limit": 2}
    first = api.ok(path, asked)
    second = api.ok(path, {**asked, "cursor": first["next"]})
    assert {one["customer"] for one in first["results"] + second["results"]} == people
    assert second["next"] is None
    assert api.refused(path, {"cursor": "x", "stage": "before"}) == (400, "invalid_value", "cursor")
    assert api.refused(path) == (400, "missing_field", "stage")
    assert api.refused(path, {"stage": "somewhere"}) == (400, "invalid_value", "stage")


def test_periods_are_whole_months() -> None:
    def span(since: str, until: str) -> tuple[str, str]:
        found = months(datetime.fromisoformat(since), datetime.fromisoformat(until))
        return found[0].isoformat(), found[1].isoformat()

    assert span("2026-03-05T00:00Z", "2026-03-06T00:00Z") == ("2026-03-01", "2026-04-01")
    assert span("2026-03-01T00:00Z", "2026-04-01T00:00Z") == ("2026-03-01", "2026-04-01")
    assert span("2026-12-01T00:00+02:00", "2026-12-31T00:00Z") == ("2026-11-01", "2027-01-01")
    assert months(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))[0].year == 2026
    assert [realm(one) for one in ("store", "vk", "telegram", "unheard-of")] == [
        *("physical", "social", "digital", "digital"),
    ]
