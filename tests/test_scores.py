"""Answers to surveys: rows with stage, matter and agent, what is not counted, and their sums over the API."""

from datetime import UTC, datetime
from typing import Any

import pytest

from customers.experience.folding import fold_customers
from customers.experience.following import follow
from customers.models import BusinessHours, CardView, Customer, Experience, Promise, Score
from tests.support import COMMITTED, Api, at, event, identifier, phone, problem_of, push_and_drain

pytestmark = COMMITTED
YEAR = {"since": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z"}


def survey(number: str, metric: str, value: float, minutes: float = 0, **score: Any) -> dict[str, Any]:
    return event(
        identifier("phone", number),
        channel="email",
        kind="survey",
        occurred_at=at(minutes),
        details={"score": {"metric": metric, "value": value, **score}},
    )


def who(api: Api, number: str) -> str:
    return str(api.card("phone", number)["id"])


def test_an_answer_knows_whom_and_what_it_speaks_of(api: Api) -> None:
    one = phone()
    asked = event(identifier("phone", one), channel="phone", kind="call", occurred_at=at(0), details=call("missed"))
    helped = event(
        identifier("phone", one),
        channel="phone",
        kind="call",
        direction="outbound",
        occurred_at=at(30),
        agent={"id": "7", "name": "Ona"},
        details=call("completed"),
    )
    push_and_drain(api, asked, helped, survey(one, "ces", 6, 60))
    reader = Api("read")
    (row,) = reader.ok(f"customers/{who(api, one)}/scores")["results"]
    assert (row["metric"], row["value"], row["min"], row["max"], row["counted"]) == ("ces", 6, 1, 7, True)
    assert (row["agent"], row["stage"], row["channel"]) == ("7", "before", "email")
    assert row["request"]
    assert row["effort"] == 0
    assert row["low"] is False
    assert row["follow_up"] is None
    assert Experience.objects.get().ces == 6
    assert CardView.objects.get(viewer=f"key:{reader.key.pk}").path.endswith("/scores")


def call(status: str) -> dict[str, Any]:
    return {"call": {"status": status}}


def test_what_no_formula_is_for_is_shown_and_not_counted(api: Api) -> None:
    one = phone()
    push_and_drain(
        api,
        survey(one, "nps", 11, 0),
        survey(one, "csat", 80, 1, min=0, max=100),
        survey(one, "nps", 7.5, 2),
        survey(one, "nps", 9, 3),
    )
    rows = api.ok(f"customers/{who(api, one)}/scores")["results"]
    assert [(row["metric"], row["why"], row["counted"], row["low"]) for row in rows] == [
        ("nps", None, True, False),
        ("nps", "fraction", False, False),
        ("csat", "scale", False, False),
        ("nps", "range", False, False),
    ]
    (nps, csat) = sorted(api.ok("experience/scores", YEAR)["results"], key=lambda one: one["metric"], reverse=True)
    assert (nps["score"]["value"], nps["score"]["n"], nps["not_counted"]) == (100, 1, 2)
    assert (csat["score"], csat["not_counted"]) == (None, 1)
    assert Experience.objects.get().nps == 9


def test_sums_are_those_of_the_formulas(api: Api) -> None:
    """Ten answers give 30 (see test_measuring); those from 1 to 10 are summed up apart."""
    events = [
        survey(phone(), "nps", value, 60 * 24 * place) for place, value in enumerate([10, 9, 9, 8, 7, 7, 6, 3, 10, 9])
    ]
    events += [survey(phone(), "nps", 1, 5, min=1, max=10), survey(phone(), "nps", 10, 5, min=1, max=10)]
    events += [survey(phone(), "csat", value) for value in [5] * 9 + [4] * 6 + [3] * 5]
    push_and_drain(api, *events)
    follow(60)
    found = {(one["metric"], one["min"]): one for one in api.ok("experience/scores", YEAR)["results"]}
    usual = found["nps", 0]
    assert (usual["score"]["value"], usual["score"]["n"]) == (30, 10)
    assert (usual["score"]["low"], usual["score"]["high"]) == (-19.05, 65.2)
    assert usual["low"] == 2
    assert list(usual["periods"]) == ["2026-03-01"]
    assert usual["channels"]["email"]["score"]["value"] == 30
    assert usual["stages"]["before"]["score"]["n"] == 10
    assert found["nps", 1]["score"]["value"] == 0
    assert found["csat", 1]["score"] == {"value": 75, "n": 20, "low": 53.13, "high": 88.81}
    assert found["csat", 1]["mean"]["value"] == 4.2
    weeks = api.ok("experience/scores", {**YEAR, "period": "week", "metric": "nps"})["results"][0]["periods"]
    assert {day: one["score"]["n"] for day, one in weeks.items()} == {"2026-03-02": 7, "2026-03-09": 3}
    days = api.ok("experience/scores", {**YEAR, "period": "day", "metric": "nps"})["results"][0]["periods"]
    assert len(days) == 10


def test_buckets_are_days_of_the_company(api: Api) -> None:
    late = survey(phone(), "nps", 9) | {"occurred_at": "2026-03-31T22:30:00Z"}
    push_and_drain(api, late)
    follow(60)
    assert list(api.ok("experience/scores", YEAR)["results"][0]["periods"]) == ["2026-03-01"]
    BusinessHours.objects.create(source="", time_zone="Europe/Vilnius")
    assert list(api.ok("experience/scores", YEAR)["results"][0]["periods"]) == ["2026-04-01"]


def test_answers_are_written_down_over_the_api(api: Api) -> None:
    one = phone()
    push_and_drain(api, event(identifier("phone", one)))
    path = f"customers/{who(api, one)}/scores"
    body = {"scores": [{"metric": "nps", "value": 0}, {"metric": "ces", "value": 6, "agent": "7"}], "text": "Slow"}
    answer = api.post(path, body, Idempotency_Key="s-1")
    assert answer.status_code == 201, answer.content
    rows = answer.json()["results"]
    assert {(row["metric"], row["value"], row["agent"]) for row in rows} == {("nps", 0, None), ("ces", 6, "7")}
    assert len({row["interaction"] for row in rows}) == 1
    assert api.post(path, body, Idempotency_Key="s-1").json()["results"] == rows
    assert problem_of(api.post(path, {**body, "text": "Fast"}, Idempotency_Key="s-1"))[1] == "conflict"
    (line,) = [entry for entry in api.timeline("phone", one) if entry["kind"] == "survey"]
    assert (line["text"], line["direction"], line["channel"]) == ("Slow", "inbound", "survey")
    assert line["details"]["scores"][0] == {"id": "0:0", "metric": "nps", "value": 0}


def test_a_contact_is_scored(api: Api) -> None:
    one = phone()
    (receipt,) = push_and_drain(
        api,
        event(
            identifier("phone", one),
            channel="phone",
            kind="call",
            direction="outbound",
            agent={"id": "9", "name": "Jonas"},
            details=call("completed"),
        ),
    )
    (line,) = api.timeline("phone", one)
    answer = api.post(f"interactions/{line['id']}/scores", {"scores": [{"metric": "csat", "value": 5}]})
    assert answer.status_code == 201, answer.content
    (row,) = answer.json()["results"]
    assert (row["agent"], row["interaction"], row["channel"]) == ("9", line["id"], "phone")
    assert row["given_at"] > line["occurred_at"]
    assert api.timeline("phone", one)[0]["id"] == line["id"], receipt


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "scores"),
        ({"scores": []}, "scores"),
        ({"scores": [{"metric": "nps"}]}, "scores.0.value"),
        ({"scores": [{"metric": "joy", "value": 1}]}, "scores.0.metric"),
        ({"scores": [{"metric": "nps", "value": "9"}]}, "scores.0.value"),
        ({"scores": [{"metric": "nps", "value": 9, "at": "yesterday"}]}, "scores.0.at"),
        ({"scores": [{"metric": "nps", "value": 9}], "channel": "No!"}, "channel"),
    ],
)
def test_what_is_wrong_is_named(api: Api, body: Any, field: str) -> None:
    one = phone()
    push_and_drain(api, event(identifier("phone", one)))
    status, _, named = problem_of(api.post(f"customers/{who(api, one)}/scores", body))
    assert (status, named) == (400, field)


def test_who_may(api: Api) -> None:
    one = phone()
    push_and_drain(api, event(identifier("phone", one)))
    body = {"scores": [{"metric": "nps", "value": 9}]}
    reader = Api("read")
    assert problem_of(reader.post(f"customers/{who(api, one)}/scores", body))[0] == 403
    assert reader.get(f"customers/{who(api, one)}/scores").status_code == 200
    assert problem_of(Api("ingest").get("experience/scores"))[0] == 403
    unknown = "00000000-0000-4000-8000-000000000000"
    assert problem_of(api.post(f"interactions/{unknown}/scores", body))[:2] == (404, "not_found")
    assert problem_of(api.post(f"customers/{unknown}/scores", body))[:2] == (404, "not_found")


def test_rows_are_the_same_after_merge_undo_and_rebuild(api: Api) -> None:
    one, other = phone(), phone()
    push_and_drain(api, *(survey(number, "nps", value, value) for number in (one, other) for value in (2, 9)))
    follow(60)

    def rows() -> set[tuple[Any, ...]]:
        return set(Score.objects.values_list("id", "customer_id", "metric", "value", "given_at", "stage", "agent"))

    before = rows()
    assert len(before) == 4
    merged = api.post(f"customers/{who(api, one)}/merge", {"with": who(api, other)})
    assert merged.status_code == 201, merged.content
    follow(60)
    assert {row[0] for row in rows()} == {row[0] for row in before}
    assert len({row[1] for row in rows()}) == 1
    undone = api.post(f"links/{merged.json()['link']}/undo", {})
    assert undone.status_code == 200, undone.content
    follow(60)
    assert rows() == before
    fold_customers(Customer.objects.values_list("id", flat=True), datetime.now(UTC), anew=True)
    assert rows() == before


def test_lists_page_and_filter(api: Api) -> None:
    one = phone()
    push_and_drain(api, *(survey(one, "nps", place % 11, place) for place in range(12)))
    path = f"customers/{who(api, one)}/scores"
    first = api.ok(path, {"limit": 5})
    second = api.ok(path, {"limit": 5, "cursor": first["next"]})
    third = api.ok(path, {"limit": 5, "cursor": second["next"]})
    assert third["next"] is None
    found = [row["value"] for page in (first, second, third) for row in page["results"]]
    assert found == [place % 11 for place in reversed(range(12))]
    assert [row["value"] for row in api.ok(path, {"low": "1"})["results"]] == [0, 6, 5, 4, 3, 2, 1, 0]
    assert len(api.ok(path, {"open": "true"})["results"]) == 8
    assert api.refused(path, {"cursor": "nonsense"})[1:] == ("invalid_value", "cursor")
    assert api.refused("experience/scores", {"since": at(0), "until": at(0)})[1:] == ("invalid_value", "until")


def test_answers_of_everybody_page_by_page(api: Api) -> None:
    people = [phone() for _ in range(3)]
    push_and_drain(api, *(survey(one, "nps", value) for one, value in zip(people, (2, 9, 3), strict=True)))
    follow()
    whole = api.ok("scores", {"metric": "nps"})
    assert {row["customer"] for row in whole["results"]} == {who(api, one) for one in people}
    assert {row["value"] for row in api.ok("scores", {"low": "1"})["results"]} == {2, 3}
    first = api.ok("scores", {"limit": "2"})
    rest = api.ok("scores", {"limit": "2", "cursor": first["next"]})
    assert [*first["results"], *rest["results"]] == whole["results"]
    assert rest["next"] is None
    assert api.refused("scores", {"cursor": "x"}) == (400, "invalid_value", "cursor")


def test_a_low_answer_asks_for_somebody_to_come_back(api: Api) -> None:
    kept, broken = phone(), phone()
    low = {"scores": [{"id": "a", "metric": "nps", "value": 2}, {"id": "b", "metric": "csat", "value": 1}]}
    push_and_drain(
        api,
        survey(kept, "nps", 2) | {"details": low},
        event(
            identifier("phone", kept),
            channel="phone",
            kind="call",
            direction="outbound",
            occurred_at=at(60 * 20),
            agent={"id": "7"},
            details=call("completed"),
        ),
        survey(broken, "ces", 3),
    )
    first, second = api.ok(f"customers/{who(api, kept)}/scores")["results"]
    assert first["low"]
    assert second["low"]
    assert first["follow_up"] == second["follow_up"]
    assert (first["follow_up"]["state"], first["follow_up"]["closed_at"][:16]) == ("kept", "2026-03-03T05:00")
    assert first["follow_up"]["due_at"][:16] == "2026-03-03T09:00"
    (other,) = api.ok(f"customers/{who(api, broken)}/scores")["results"]
    assert other["follow_up"]["state"] == "broken"
    assert Promise.objects.filter(origin="score").count() == 2
    assert api.ok(f"customers/{who(api, kept)}/scores", {"open": "1"})["results"] == []
    assert api.ok(f"customers/{who(api, broken)}/scores", {"open": "1"})["results"] == [other]


def test_it_is_due_in_open_hours(api: Api) -> None:
    """Monday 09:00 UTC, open 10:00 to 14:00 in UTC: three days a week: 24 open hours are six such days."""
    BusinessHours.objects.create(time_zone="UTC", hours={day: [["10:00", "14:00"]] for day in ("mon", "tue", "wed")})
    one = phone()
    push_and_drain(api, survey(one, "nps", 6))
    (row,) = api.ok(f"customers/{who(api, one)}/scores")["results"]
    assert row["follow_up"]["due_at"][:16] == "2026-03-11T14:00"
