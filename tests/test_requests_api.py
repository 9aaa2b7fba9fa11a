"""Matters over the API: pushed lines become matters, agents rule on them, and merging customers loses nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management import call_command

from customers.experience.following import follow
from customers.models import Request, StageChange, Touch
from tests.support import COMMITTED, Api, at, event, identifier, phone, push_and_drain, unique

pytestmark = COMMITTED
MISSED = {"channel": "phone", "kind": "call", "details": {"call": {"status": "missed"}}}
ANN = {"id": "ann", "name": "Ann"}


def customer(api: Api, *events: dict[str, Any]) -> tuple[str, str]:
    """(number, public id) of somebody new with these events."""
    number = phone()
    push_and_drain(api, *(event(identifier("phone", number), **one) for one in events))
    return number, api.card("phone", number)["id"]


def of(api: Api, who: str, **params: Any) -> list[Any]:
    found: list[Any] = api.ok(f"customers/{who}/requests", params)["results"]
    return found


def rows(model: Any) -> list[Any]:
    """Everything that is kept of it."""
    left_out = {"id"} if model is Touch else set()
    names = sorted(field.attname for field in model._meta.concrete_fields if field.attname not in left_out)
    return sorted(str(sorted(row.items())) for row in model.objects.values(*names))


def three(api: Api) -> str:
    """Somebody with one matter of three questions, of which the first was answered."""
    return customer(
        api,
        {"text": "Where is it?", "thread": "a", "occurred_at": at()},
        {"direction": "outbound", "agent": ANN, "thread": "a", "occurred_at": at(30)},
        {"text": "And the other?", "thread": "a", "occurred_at": at(60)},
        {"text": "Hello?", "thread": "a", "occurred_at": at(90)},
    )[1]


def ago(hours: float) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat()


def test_whoever_waits_longest_comes_first(api: Api) -> None:
    _, late = customer(api, {**MISSED, "occurred_at": ago(1)})
    _, again = customer(
        api,
        {"occurred_at": ago(9)},
        {"direction": "outbound", "agent": ANN, "occurred_at": ago(8)},
        {"text": "and?", "occurred_at": ago(2)},
    )
    _, early = customer(api, {"text": "first", "occurred_at": ago(5)})
    _, answered = customer(api, {"occurred_at": ago(7)}, {"direction": "outbound", "agent": ANN, "occurred_at": ago(6)})
    follow()
    waiting = api.ok("requests", {"state": "open", "limit": 2})
    assert [one["customer"] for one in waiting["results"]] == [early, again]
    rest = api.ok("requests", {"state": "open", "limit": 2, "cursor": waiting["next"]})
    assert ([one["customer"] for one in rest["results"]], rest["next"]) == ([late], None)
    newest = api.ok("requests", {"state": "unsolved"})["results"]
    assert [one["customer"] for one in newest] == [late, early, answered, again]


def test_lists_are_filtered_and_paged(api: Api) -> None:
    for minute in range(5):
        customer(
            api,
            {"channel": ("sms", "email")[minute % 2], "kind": "message", "occurred_at": at(minute)},
            {"direction": "outbound", "agent": ANN, "occurred_at": at(30 + minute)},
        )
    follow()
    whole = api.ok("requests")["results"]
    assert [one["opened_at"] for one in whole] == sorted((one["opened_at"] for one in whole), reverse=True)
    found, cursor = [], None
    while True:
        page = api.ok("requests", {"limit": 2, **({"cursor": cursor} if cursor else {})})
        found += page["results"]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == whole
    assert len(api.ok("requests", {"channel": "email"})["results"]) == 2
    assert len(api.ok("requests", {"agent": "ann"})["results"]) == 5
    assert api.ok("requests", {"agent": "bob"})["results"] == []
    assert len(api.ok("requests", {"since": at(3)})["results"]) == 2
    assert len(api.ok("requests", {"until": at(3)})["results"]) == 3
    assert api.refused("requests", {"cursor": "nonsense"}) == (400, "invalid_value", "cursor")
    assert api.refused("requests", {"state": "lost"}) == (400, "invalid_value", "state")


def test_one_request_says_all(api: Api) -> None:
    who = three(api)
    (found,) = of(api, who)
    assert (found["state"], found["solved_by"]) == ("solved", "silence")
    assert (found["answer_s"], found["inbound"], found["outbound"], found["agents"]) == (1800, 3, 1, ["ann"])
    assert found["by_channel"] == {"sms": {"in": 3, "out": 1, "unanswered": 2}}
    assert sum(found["effort_parts"].values()) == found["effort"]
    assert of(api, who, state="unsolved") == []


def test_agents_reopen_and_solve(api: Api) -> None:
    who = three(api)
    (found,) = of(api, who)
    path = f"requests/{found['id']}"
    again = api.post(f"{path}/reopen", {"why": "He called my mobile."}).json()
    assert (again["state"], again["reopened"], again["solved_at"]) == ("open", 1, None)
    assert again["waiting_since"]
    assert [one["id"] for one in api.ok("requests", {"state": "open"})["results"]] == [found["id"]]
    assert api.post(f"{path}/reopen", {}).status_code == 409
    solved = api.post(f"{path}/solve", {}).json()
    assert (solved["state"], solved["solved_by"]) == ("solved", "agent")
    assert api.post(f"{path}/solve", {}).status_code == 409
    entry = next(one for one in api.ok(f"customers/{who}/timeline")["results"] if one["id"] == found["interaction"])
    assert [one["do"] for one in entry["details"]["requests"]] in (["reopen", "solve"], ["solve", "reopen"])
    assert entry["text"] == "Where is it?"


def test_agents_split_and_merge(api: Api) -> None:
    who = three(api)
    (found,) = of(api, who)
    lines = found["interactions"]
    parted = api.post(f"requests/{found['id']}/split", {"interactions": [lines[2]], "why": "Another order."}).json()
    assert parted["request"]["interactions"] == [*lines[:2], lines[3]]
    assert parted["new"]["interactions"] == [lines[2]]
    assert len(of(api, who)) == 2
    joined = api.post(f"requests/{parted['new']['id']}/merge", {"with": found["id"]}).json()
    assert joined["id"] == found["id"]
    assert joined["interactions"] == lines
    assert len(of(api, who)) == 1
    assert api.post(f"requests/{found['id']}/split", {"interactions": [lines[0]]}).status_code == 409
    assert api.post(f"requests/{found['id']}/split", {"interactions": [found["id"]]}).status_code == 409
    assert api.post(f"requests/{found['id']}/merge", {"with": found["id"]}).status_code == 409
    assert api.post(f"requests/{lines[0]}/solve", {}).status_code == 404
    assert api.post(f"requests/{found['id']}/merge", {"with": lines[0]}).status_code == 404
    other = of(api, three(api))[0]["id"]
    assert api.post(f"requests/{found['id']}/merge", {"with": other}).status_code == 409


def test_a_reader_may_not_rule(api: Api) -> None:
    (found,) = of(api, three(api))
    reader = Api("read")
    assert reader.post(f"requests/{found['id']}/solve", {}).status_code == 403
    assert reader.ok("requests")["results"]


def test_pushed_numbers_and_states(api: Api) -> None:
    _, who = customer(
        api,
        {"occurred_at": at(), "details": {"request": {"id": "T-1"}}},
        {"occurred_at": at(1), "details": {"request": {"id": "T-2"}}},
        {
            "occurred_at": at(2),
            "direction": "internal",
            "kind": "other",
            "details": {"request": {"id": "T-1", "state": "solved"}},
        },
    )
    assert [(one["external"], one["state"], one["solved_by"]) for one in of(api, who)] == [
        ("T-2", "abandoned", "silence"),
        ("T-1", "solved", "event"),
    ]


def test_merging_customers_and_undoing_it_leaves_every_row_as_it_was(api: Api) -> None:
    one, other = three(api), three(api)
    (found,) = of(api, one)
    api.post(f"requests/{found['id']}/split", {"interactions": [found["interactions"][2]]})
    follow()
    before = {model: rows(model) for model in (Request, StageChange, Touch)}
    link = api.post(f"customers/{one}/merge", {"with": other, "reason": "one person"}).json()["link"]
    follow()
    assert Request.objects.values("customer_id").distinct().count() == 1
    assert {model: rows(model) for model in before} != before
    assert api.post(f"links/{link}/undo", {"reason": "two after all"}).status_code == 200
    follow()
    assert {model: rows(model) for model in before} == before
    call_command("rebuild_experience", quiet=True)
    assert {model: rows(model) for model in before} == before


def test_whatever_order_lines_come_in(api: Api) -> None:
    """Two customers with the same story, one told forwards, one backwards, read in between."""
    story: list[dict[str, Any]] = [
        {"occurred_at": at(0), "channel": "email", "kind": "email", "thread": "m"},
        {"occurred_at": at(100), **MISSED},
        {"occurred_at": at(110), "channel": "phone", "kind": "call", "agent": ANN},
        {"occurred_at": at(3000), "kind": "purchase", "channel": "web", "details": {"order": {"number": unique("N")}}},
        {"occurred_at": at(5000), "direction": "outbound", "channel": "email", "kind": "email", "thread": "m"},
        {"occurred_at": at(40_000), "text": "again"},
    ]
    people = []
    for lines in (story, story[::-1]):
        number = phone()
        for one in lines:
            push_and_drain(api, event(identifier("phone", number), **one))
            who = api.card("phone", number)["id"]
            of(api, who)
        people.append(who)
    mine = {"id", "customer", "interaction", "last_interaction", "answer_interaction", "interactions"}
    first, second = (
        [{name: value for name, value in one.items() if name not in mine} for one in of(api, who)] for who in people
    )
    assert first == second
    assert len(first) == 2


def test_a_long_history_goes_on_where_it_was(api: Api) -> None:
    """450 lines, then more, one by one: as if folded anew."""
    number = phone()
    lines = [
        event(
            identifier("phone", number),
            occurred_at=at(60 * 7 * place),
            direction=("inbound", "outbound")[place % 3 == 1],
            thread=str(place // 40),
            agent=ANN if place % 3 == 1 else None,
        )
        for place in range(460)
    ]
    push_and_drain(api, *lines[:450])
    who = api.card("phone", number)["id"]
    of(api, who)
    for one in lines[450:]:
        push_and_drain(api, one)
        of(api, who)
    models = (Request, StageChange, Touch)
    grown = {model: rows(model) for model in models}
    call_command("rebuild_experience", quiet=True)
    assert {model: rows(model) for model in models} == grown
