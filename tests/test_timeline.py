"""One timeline per customer: filters, pages that nothing disturbs, both orders, and what is shown of each line."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from customers.models import Customer, Identity
from tests.support import (
    COMMITTED,
    Api,
    Event,
    at,
    event,
    everything,
    identifier,
    pages,
    phone,
    push_and_drain,
)

pytestmark = COMMITTED


def path_of(api: Api, number: str) -> str:
    return f"customers/{api.card('phone', number)['id']}/timeline"


def texts(entries: list[Any]) -> list[str]:
    return [entry["text"] for entry in entries]


def said(number: str, minute: float, **fields: Any) -> Event:
    return event(identifier("phone", number), occurred_at=at(minute), **{"text": f"{minute:g}", **fields})


def test_newest_first_over_all_channels(api: Api) -> None:
    number = phone()
    push_and_drain(
        api,
        said(number, 2, channel="email", kind="email"),
        said(number, 0, channel="phone", kind="call"),
        said(number, 3, channel="web", kind="visit", customer={"identifiers": [identifier("phone", number)]}),
        said(number, 1, channel="telegram"),
    )
    page = api.ok(path_of(api, number))
    assert texts(page["results"]) == ["3", "2", "1", "0"]
    assert [entry["channel"] for entry in page["results"]] == ["web", "email", "telegram", "phone"]
    assert (page["next"], page["previous"]) == (None, None)
    assert page["changes"]
    assert texts(api.ok(path_of(api, number), {"order": "asc"})["results"]) == ["0", "1", "2", "3"]
    assert texts(api.ok(path_of(api, number), {"order": "desc"})["results"]) == ["3", "2", "1", "0"]


def test_all_identities_of_a_customer_are_one_timeline(api: Api) -> None:
    number, address = phone(), "one@mail.example"
    push_and_drain(api, event(identifier("phone", number), identifier("email", address), text="0", occurred_at=at(0)))
    push_and_drain(
        api,
        *(
            event(identifier(*(("phone", number), ("email", address))[n % 2]), text=f"{n}", occurred_at=at(n))
            for n in range(1, 30)
        ),
    )
    assert texts(api.timeline("phone", number)) == [f"{n}" for n in reversed(range(30))]
    found = [text for page in pages(api, path_of(api, number), {"limit": 4}) for text in texts(page)]
    assert found == [f"{n}" for n in reversed(range(30))]


FILTERED: list[tuple[dict[str, Any], list[str]]] = [
    ({"channel": "sms"}, ["a", "d"]),
    ({"channel": ["sms", "email"]}, ["a", "b", "d"]),
    ({"kind": "email"}, ["b"]),
    ({"kind": ["email", "call"]}, ["b", "c"]),
    ({"direction": "outbound"}, ["b", "d"]),
    ({"direction": ["inbound", "outbound"]}, ["a", "b", "c", "d"]),
    ({"direction": "internal"}, []),
    ({"thread": "t1"}, ["a", "b"]),
    ({"thread": ["t1", "t2"]}, ["a", "b", "d"]),
    ({"channel": "sms", "direction": "outbound"}, ["d"]),
    ({"channel": "nowhere"}, []),
    ({"since": at(1)}, ["b", "c", "d"]),
    ({"until": at(1)}, ["a"]),
    ({"since": at(1), "until": at(3)}, ["b", "c"]),
    ({"since": at(3)}, ["d"]),
    ({"since": at(3.1)}, []),
    ({"since": at(1), "channel": "sms"}, ["d"]),
    ({"since": "2026-03-02T12:01:00+03:00"}, ["b", "c", "d"]),
    ({"since": "2026-03-02T12:01:00 03:00"}, ["b", "c", "d"]),
    ({"since": "2026-03-02T09:01:00Z"}, ["b", "c", "d"]),
    ({"q": "заказы"}, ["a"]),
    ({"q": "AB-12345"}, ["b"]),
    ({"q": "ab12345", "channel": "email"}, ["b"]),
    ({"q": "заказы", "channel": "email"}, []),
]


@pytest.mark.parametrize(("params", "wanted"), FILTERED)
def test_filters(api: Api, params: dict[str, Any], wanted: list[str]) -> None:
    number = phone()
    who = {"identifiers": [identifier("phone", number)]}
    push_and_drain(
        api,
        event(customer=who, id="a", occurred_at=at(0), thread="t1", text="Где мой заказ?"),
        event(
            customer=who,
            id="b",
            occurred_at=at(1),
            thread="t1",
            channel="email",
            kind="email",
            direction="outbound",
            subject="Order AB-12345",
        ),
        event(customer=who, id="c", occurred_at=at(2), channel="phone", kind="call"),
        event(customer=who, id="d", occurred_at=at(3), thread="t2", direction="outbound"),
    )
    entries = api.timeline("phone", number, **params)
    times = {"a": at(0), "b": at(1), "c": at(2), "d": at(3)}
    assert sorted(entry["occurred_at"] for entry in entries) == [times[one] for one in wanted]


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": ["1", "2"]}, "limit"),
        ({"order": "random"}, "order"),
        ({"kind": "shout"}, "kind"),
        ({"direction": "up"}, "direction"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-03-02"}, "since"),
        ({"since": "2026-03-02T10:00:00"}, "since"),
        ({"until": "0000-01-01T00:00:00Z"}, "until"),
        ({"until": "9999-12-31T23:59:59-14:00"}, "until"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": "AAAA"}, "cursor"),
        ({"cursor": "é"}, "cursor"),
        ({"channel": ""}, "channel"),
        ({"page": "2"}, "page"),
        ({"Limit": "2"}, "Limit"),
    ],
)
def test_bad_parameters_are_400(api: Api, params: dict[str, Any], field: str) -> None:
    number = phone()
    push_and_drain(api, said(number, 0))
    assert api.refused(path_of(api, number), params) == (400, "invalid_value", field)


def test_a_cursor_holds_for_its_order(api: Api) -> None:
    number = phone()
    push_and_drain(api, *(said(number, n) for n in range(3)))
    token = api.ok(path_of(api, number), {"limit": 1})["next"]
    assert api.refused(path_of(api, number), {"cursor": token, "order": "asc"}) == (400, "invalid_value", "cursor")


def test_limit_at_its_edges(api: Api) -> None:
    number = phone()
    push_and_drain(api, *(said(number, n) for n in range(201)))
    page = api.ok(path_of(api, number), {"limit": 200})
    assert len(page["results"]) == 200
    assert page["next"]
    assert len(api.ok(path_of(api, number), {"limit": 1})["results"]) == 1
    assert len(api.ok(path_of(api, number))["results"]) == 50


def test_a_thousand_of_one_moment_are_paged_while_more_arrive(api: Api) -> None:
    number, moment = phone(), at(0)
    batch = [event(identifier("phone", number), text=f"old {n}", occurred_at=moment) for n in range(1_100)]
    push_and_drain(api, *batch)
    path = path_of(api, number)
    first = api.ok(path, {"limit": 200})
    seen = list(first["results"])
    backwards: list[Any] = []
    page, arrivals = first, 0
    while page["next"]:
        push_and_drain(api, said(number, 5 + arrivals, text=f"new {arrivals}"), said(number, -5 - arrivals))
        arrivals += 1
        page = api.ok(path, {"limit": 200, "cursor": page["next"]})
        seen += page["results"]
    old = [entry["id"] for entry in seen if entry["text"].startswith("old")]
    assert len(old) == len(set(old)) == 1_100, "nothing twice, nothing left out"
    assert not [entry for entry in seen if entry["text"].startswith("new")], "newer lines do not push in"
    while page["previous"]:
        page = api.ok(path, {"limit": 200, "cursor": page["previous"]})
        backwards = page["results"] + backwards
    assert [entry["text"] for entry in backwards[:arrivals]] == [f"new {n}" for n in reversed(range(arrivals))]
    again = [entry["id"] for entry in backwards if entry["text"].startswith("old")]
    assert again == old[: len(again)], "the same order on the way back"
    assert len(again) >= 1_000


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 3, 7])
def test_pages_are_the_whole_history_in_both_directions(api: Api, order: str, limit: int) -> None:
    number = phone()
    dice = random.Random(limit)
    push_and_drain(api, *(said(number, dice.randrange(6), text=f"{n}") for n in range(20)))
    path = path_of(api, number)
    whole = [entry["id"] for entry in api.ok(path, {"order": order})["results"]]
    forward = [[entry["id"] for entry in page] for page in pages(api, path, {"order": order, "limit": limit})]
    assert [one for page in forward for one in page] == whole
    page = api.ok(path, {"order": order, "limit": limit})
    while page["next"]:
        page = api.ok(path, {"order": order, "limit": limit, "cursor": page["next"]})
    back = [page["results"]]
    while page["previous"]:
        page = api.ok(path, {"order": order, "limit": limit, "cursor": page["previous"]})
        back.insert(0, page["results"])
    assert [entry["id"] for one in back for entry in one] == whole
    asc, desc = ([entry["id"] for entry in api.ok(path, {"order": one})["results"]] for one in ("asc", "desc"))
    assert asc == desc[::-1]


def test_pages_with_filters(api: Api) -> None:
    number = phone()
    push_and_drain(api, *(said(number, n, channel=("sms", "email")[n % 2]) for n in range(21)))
    path = path_of(api, number)
    found = [text for page in pages(api, path, {"channel": "sms", "limit": 4}) for text in texts(page)]
    assert found == [f"{n}" for n in range(20, -1, -2)]
    bounded = {"since": at(3), "until": at(9), "limit": 2, "order": "asc"}
    assert [text for page in pages(api, path, bounded) for text in texts(page)] == [f"{n}" for n in range(3, 9)]


def test_a_late_event_stands_where_it_belongs(api: Api) -> None:
    number = phone()
    push_and_drain(api, said(number, 0), said(number, 10))
    push_and_drain(api, said(number, 5))
    assert texts(api.timeline("phone", number)) == ["10", "5", "0"]


def test_a_clock_that_runs_ahead_does_not_stay_on_top(api: Api) -> None:
    number = phone()
    ahead = "9999-12-31T23:59:59+00:00"
    push_and_drain(api, event(identifier("phone", number), text="ahead", occurred_at=ahead))
    soon = (datetime.now(UTC) + timedelta(minutes=6)).isoformat()
    with connection.cursor() as cursor:  # as if it had been received a while ago
        cursor.execute("UPDATE customers_interaction SET sorted_at = sorted_at - interval '10 minutes'")
    push_and_drain(api, event(identifier("phone", number), text="now", occurred_at=soon))
    entries = api.timeline("phone", number)
    assert texts(entries) == ["now", "ahead"]
    assert entries[1]["occurred_at"] == ahead, "kept and shown unchanged"
    in_five_minutes = (datetime.now(UTC) + timedelta(minutes=5, seconds=1)).isoformat()
    assert api.timeline("phone", number, since=in_five_minutes) == [], "since and until follow the sort key"


def test_the_ends_of_time(api: Api) -> None:
    number = phone()
    push_and_drain(
        api,
        event(identifier("phone", number), text="first", occurred_at="0001-01-01T00:00:00Z"),
        event(identifier("phone", number), text="last", occurred_at="9999-12-31T23:59:59.999999Z"),
        said(number, 0, text="now"),
    )
    path = path_of(api, number)
    assert [text for page in pages(api, path, {"limit": 1}) for text in texts(page)] == ["last", "now", "first"]
    assert texts(api.timeline("phone", number, since="0001-01-01T00:00:00Z", order="asc")) == ["first", "now", "last"]
    card = api.card("phone", number)
    assert card["first_contact"].startswith("0001-01-01")
    assert card["last_contact"].startswith("9999-12-31")


def test_every_id_ever_given_out_shows_whoever_stands(api: Api) -> None:
    """As a link makes it: the younger customer's identities move, its id stays and answers."""
    one, other = phone(), phone()
    push_and_drain(api, said(one, 0), said(other, 1))
    older, younger = api.card("phone", one)["id"], api.card("phone", other)["id"]
    root = Customer.objects.get(public_id=older)
    Identity.objects.filter(customer__public_id=younger).update(customer=root)
    Customer.objects.filter(public_id=younger).update(merged_into=root)
    for id_ in (older, younger):
        card = api.ok(f"customers/{id_}")
        assert card["id"] == older
        assert sorted(card["ids"]) == sorted([older, younger])
        assert texts(api.ok(f"customers/{id_}/timeline")["results"]) == ["1", "0"]
        assert api.ok(f"customers/{id_}/changes")["next"]
    note = api.post(f"customers/{younger}/notes", {"text": "both"})
    assert note.status_code == 201
    assert "both" in texts(api.timeline("phone", one))


@pytest.mark.parametrize("erased", ["root", "merged"])
def test_the_erased_are_gone_under_every_path(api: Api, erased: str) -> None:
    one, other = phone(), phone()
    push_and_drain(api, said(one, 0), said(other, 1))
    older, younger = api.card("phone", one)["id"], api.card("phone", other)["id"]
    root = Customer.objects.get(public_id=older)
    Customer.objects.filter(public_id=younger).update(merged_into=root)
    Identity.objects.filter(customer__public_id=younger).update(customer=root)
    ids = [older, younger] if erased == "root" else [younger]
    Customer.objects.filter(public_id=ids[0]).update(erased_at=datetime.now(UTC))
    for id_ in ids:
        for path in ("", "/timeline", "/changes"):
            assert api.refused(f"customers/{id_}{path}")[:2] == (410, "erased"), path
        answer = api.post(f"customers/{id_}/notes", {"text": "x"})
        assert (answer.status_code, answer.json()["code"]) == (410, "erased")


@pytest.mark.parametrize("id_", ["b9e87de9-d8ec-4ea2-96e1-788627ff3f8a", "none", "0", "%00", "../x", "7" * 500])
def test_unknown_customers_are_404(api: Api, id_: str) -> None:
    for path in ("", "/timeline", "/changes"):
        answer = api.get(f"customers/{id_}{path}")
        assert answer.status_code == 404, path
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_nobody_else_keeps_a_copy(api: Api) -> None:
    number = phone()
    push_and_drain(api, said(number, 0))
    id_ = api.card("phone", number)["id"]
    for path in (
        f"customers/{id_}",
        f"customers/{id_}/timeline",
        f"customers?phone={number[1:]}",
        f"lookup?phone={number[1:]}",
    ):
        assert api.get(path).headers["Cache-Control"] == "private, no-store", path


def test_a_note_stands_in_the_timeline(api: Api) -> None:
    number = phone()
    push_and_drain(api, said(number, 0))
    id_ = api.card("phone", number)["id"]
    answer = api.post(f"customers/{id_}/notes", {"text": "Перезвонить завтра"}, Idempotency_Key="n1")
    assert answer.status_code == 201
    entry = answer.json()
    assert (entry["kind"], entry["direction"], entry["text"]) == ("note", "internal", "Перезвонить завтра")
    assert entry["agent"]["name"]
    assert api.timeline("phone", number)[0] == entry
    again = api.post(f"customers/{id_}/notes", {"text": "Перезвонить завтра"}, Idempotency_Key="n1")
    assert (again.status_code, again.json()["id"]) == (201, entry["id"])
    other = api.post(f"customers/{id_}/notes", {"text": "Other words"}, Idempotency_Key="n1")
    assert (other.status_code, other.json()["code"]) == (409, "conflict")
    stranger = everything().post(f"customers/{id_}/notes", {"text": "Other words"}, Idempotency_Key="n1")
    assert stranger.status_code == 201, "a key is the author's own"
    for _ in range(2):
        assert api.post(f"customers/{id_}/notes", {"text": "twice"}).status_code == 201
    assert texts(api.timeline("phone", number)).count("twice") == 2, "without a key each note is a note"
    assert len(api.timeline("phone", number)) == 5


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"text": ""}', b'{"text": "  "}', b'{"text": 5}', b'{"text": "a", "b": 1}']
)
def test_bad_notes_are_400(api: Api, body: bytes) -> None:
    number = phone()
    push_and_drain(api, said(number, 0))
    answer = api.post(f"customers/{api.card('phone', number)['id']}/notes", body)
    assert answer.status_code == 400
    assert answer.json()["code"] in ("not_json", "missing_field", "invalid_value")


def test_a_note_on_an_anonymous_customer(api: Api) -> None:
    (receipt,) = push_and_drain(api, event(channel="phone", kind="call"))
    assert api.post(f"customers/{receipt['customer']}/notes", {"text": "who?"}).status_code == 201
    assert len(api.ok(f"customers/{receipt['customer']}/timeline")["results"]) == 2


def test_the_card(api: Api) -> None:
    number, address = phone(), "card@mail.example"
    who = {
        "identifiers": [identifier("phone", number), identifier("email", address)],
        "name": "Юлия",
        "attributes": {"city": "Vilnius"},
    }
    push_and_drain(
        api,
        event(customer=who, occurred_at=at(0), thread="t"),
        event(customer=who, occurred_at=at(1), thread="t", direction="outbound"),
        event(customer=who, occurred_at=at(2), thread="u"),
        event(customer=who, occurred_at=at(3), channel="phone", kind="call", state="missed"),
        event(customer=who, occurred_at=at(4), channel="email", kind="email"),
        event(customer=who, occurred_at=at(5), channel="store", kind="purchase"),
    )
    card = api.card("phone", number)
    assert {"id", "ids", "name", "attributes", "identities", "counts", "open_threads"} <= set(card)
    assert (card["name"], card["ids"]) == ("Юлия", [card["id"]])
    assert card["attributes"]["city"]["value"] == "Vilnius"
    assert [(one["kind"], one["value"], one["trust"]) for one in card["identities"]] == [
        ("phone", number, "asserted"),
        ("email", address, "asserted"),
    ]
    assert card["counts"] == {"sms": 3, "phone": 1, "email": 1, "store": 1}
    assert (card["first_contact"], card["last_contact"]) == (at(0), at(5))
    assert [(one["channel"], one["thread"]) for one in card["open_threads"]] == [
        ("sms", "u"),
        ("phone", None),
        ("email", None),
    ]


@pytest.mark.parametrize(
    ("events", "is_open"),
    [
        ([("phone", "inbound", 0, ""), ("email", "outbound", 1, "")], False),
        ([("phone", "inbound", 1, ""), ("email", "outbound", 0, "")], True),
        ([("phone", "inbound", 0, ""), ("phone", "outbound", 1, "failed")], True),
        ([("email", "inbound", 0, ""), ("phone", "internal", 1, "")], True),
        ([("email", "inbound", 0, ""), ("email", "outbound", 1, ""), ("phone", "inbound", 2, "")], True),
    ],
)
def test_open_threads(api: Api, events: list[tuple[str, str, int, str]], is_open: bool) -> None:
    handles = {"phone": identifier("phone", phone()), "email": identifier("email", "open@mail.example")}
    push_and_drain(api, event(*handles.values(), kind="other", direction="internal"))
    things = [
        event(
            handles[kind],
            channel="max",
            direction=direction,
            occurred_at=at(minute),
            thread="t",
            **({"state": state} if state else {}),
        )
        for kind, direction, minute, state in events
    ]
    for order in (things, things[::-1]):
        push_and_drain(api, *order)
    assert bool(api.card("email", "open@mail.example")["open_threads"]) is is_open


def test_an_answer_that_fails_later_reopens_its_thread(api: Api) -> None:
    number = phone()
    answer = said(number, 1, direction="outbound", state="sent", revision=1)
    push_and_drain(api, said(number, 0), answer)
    assert api.card("phone", number)["open_threads"] == []
    push_and_drain(api, {**answer, "state": "failed", "revision": 2})
    (thread,) = api.card("phone", number)["open_threads"]
    assert thread["since"] == at(0)
