"""Search over everybody's contacts: three languages, numbers in any spelling, the filters of the timeline."""

from typing import Any

import pytest

from tests.support import COMMITTED, Api, at, event, everything, identifier, pages, phone, push_and_drain, shop

pytestmark = COMMITTED
TEXTS = {
    "order": "Здравствуйте, где мои заказы номер AB-12345?",
    "return": "Хочу вернуть ёлочную игрушку, звоните +7 (912) 345-67-89",
    "lithuanian": "Laba diena, ar turite žaislų vaikams?",
    "english": "When will you deliver the parcels to Vilnius?",
    "mixed": "Заказ 9988776 отправлен, tracking LT123456789LT",
    "long": "слово " * 30_000 + "редкость",
}


@pytest.fixture
def api(committed: None) -> Api:
    shop()
    return everything()


def found(api: Api, q: str, **params: Any) -> set[str]:
    results = api.ok("search", {"q": q, **params})["results"]
    by_text = {text: name for name, text in TEXTS.items()}
    return {by_text[entry["text"]] for entry in results}


@pytest.mark.parametrize(
    ("q", "wanted"),
    [
        ("заказ", {"order", "mixed"}),
        ("заказами", {"order", "mixed"}),
        ("ЗАКАЗ", {"order", "mixed"}),
        ("AB-12345", {"order"}),
        ("ab12345", {"order"}),
        ("12345", {"order"}),
        ("елочная игрушка", {"return"}),
        ("ёлочная", {"return"}),
        ("+7 (912) 345-67-89", {"return"}),
        ("89123456789", {"return"}),
        ("9123456789", {"return"}),
        ("8 912 345 67 89", {"return"}),
        ("žaislai", {"lithuanian"}),
        ("zaislu", {"lithuanian"}),
        ("parcel", {"english"}),
        ("delivering", {"english"}),
        ("9988776", {"mixed"}),
        ("LT123456789LT", {"mixed"}),
        ('"где мои"', {"order"}),
        ("заказ -отправлен", {"order"}),
        ("parcels Vilnius", {"english"}),
        ("parcels Kaunas", set()),
        ("ничего подобного", set()),
    ],
)
def test_what_was_said_is_found(api: Api, q: str, wanted: set[str]) -> None:
    push_and_drain(api, *(event(identifier("phone", phone()), text=text) for text in TEXTS.values()))
    assert found(api, q) == wanted


def test_entries_name_their_customer(api: Api) -> None:
    number = phone()
    (receipt,) = push_and_drain(api, event(identifier("phone", number), subject="Предмет", text="Речь"))
    for q in ("предметы", "речью"):
        (entry,) = api.ok("search", {"q": q})["results"]
        assert entry["customer"] == receipt["customer"]
        assert {name: value for name, value in entry.items() if name != "customer"} == api.timeline("phone", number)[0]


def test_search_takes_the_filters_of_the_timeline(api: Api) -> None:
    for minute, (channel, kind, direction, thread) in enumerate(
        [("sms", "message", "inbound", "a"), ("email", "email", "outbound", "b"), ("sms", "message", "outbound", "b")]
    ):
        thing = {"channel": channel, "kind": kind, "direction": direction, "thread": thread, "text": "labas rytas"}
        push_and_drain(api, event(identifier("phone", phone()), occurred_at=at(minute), **thing))

    def times(**params: Any) -> list[str]:
        return [entry["occurred_at"] for entry in api.ok("search", {"q": "labas", **params})["results"]]

    assert times() == [at(2), at(1), at(0)], "newest first"
    assert times(channel="sms") == [at(2), at(0)]
    assert times(channel=["sms", "email"], direction="outbound") == [at(2), at(1)]
    assert times(kind="email") == [at(1)]
    assert times(thread="a") == [at(0)]
    assert times(since=at(1)) == [at(2), at(1)]
    assert times(until=at(1)) == [at(0)]


def test_search_is_paged(api: Api) -> None:
    push_and_drain(
        api, *(event(identifier("phone", phone()), text=f"labas {n}", occurred_at=at(n % 3)) for n in range(23))
    )
    seen = [entry["id"] for page in pages(api, "search", {"q": "labas", "limit": 5}) for entry in page]
    assert len(seen) == len(set(seen)) == 23
    page = api.ok("search", {"q": "labas", "limit": 5})
    second = api.ok("search", {"q": "labas", "limit": 5, "cursor": page["next"]})
    assert api.ok("search", {"q": "labas", "limit": 5, "cursor": second["previous"]})["results"] == page["results"]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "missing_field"),
        ({"q": ""}, "missing_field"),
        ({"q": "  "}, "missing_field"),
        ({"q": "x", "order": "asc"}, "invalid_value"),
        ({"q": ["x", "y"]}, "invalid_value"),
        ({"q": "x", "limit": "0"}, "invalid_value"),
        ({"q": "x", "kind": "shout"}, "invalid_value"),
    ],
)
def test_bad_searches_are_400(api: Api, params: dict[str, Any], code: str) -> None:
    assert api.refused("search", params)[:2] == (400, code)


def test_an_edited_line_is_found_by_its_new_words(api: Api) -> None:
    thing = event(identifier("phone", phone()), text="первоначально", revision=1)
    push_and_drain(api, thing, {**thing, "text": "исправлено", "revision": 2})
    assert len(api.ok("search", {"q": "исправлено"})["results"]) == 1
    assert api.ok("search", {"q": "первоначально"})["results"] == []
