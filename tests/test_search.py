"""Search over everybody's contacts: three languages, numbers in any spelling, the filters of the timeline."""

from typing import Any

import pytest

from customers import stretches
from customers.models import Interaction
from customers.stretches import Expected
from tests.support import COMMITTED, Api, at, event, identifier, pages, phone, push_and_drain

pytestmark = COMMITTED
TEXTS = {
    "order": "Здравствуйте, где мои заказы номер AB-12345?",
    "return": "Хочу вернуть ёлочную игрушку, звоните +7 (912) 345-67-89",
    "lithuanian": "Laba diena, ar turite žaislų vaikams?",
    "english": "When will you deliver the parcels to Vilnius?",
    "mixed": "Заказ 9988776 отправлен, tracking LT123456789LT",
    "long": "слово " * 30_000 + "редкость",
}


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


@pytest.mark.parametrize("walked", [0, 10**9])
@pytest.mark.parametrize("guess", [Expected(60, 60), Expected(10, 60), Expected(1, 60), Expected(90, -1)])
def test_wrong_guesses_cost_time_and_nothing_else(
    api: Api, monkeypatch: pytest.MonkeyPatch, guess: Expected, walked: int
) -> None:
    for name, value in {"FEW": 0, "AMPLE": 1, "LONGER": 2, "WALKED": walked, "RARE": 0.02}.items():
        monkeypatch.setattr(stretches, name, value)
    monkeypatch.setattr(stretches, "expected", lambda *_: guess)
    said = [event(identifier("phone", phone()), text=f"labas {n}", occurred_at=at(n % 3)) for n in range(23)]
    others = [event(identifier("phone", phone()), text="rytas", occurred_at=at(n % 7)) for n in range(30)]
    push_and_drain(api, *said, *others)
    want = Interaction.objects.filter(text__startswith="labas").order_by("-sorted_at", "-rank", "-id")
    whole = [str(one.id) for one in want]
    paged = [entry["id"] for page in pages(api, "search", {"q": "labas", "limit": 5}) for entry in page]
    assert paged == whole
    last = api.ok("search", {"q": "labas", "limit": 20})
    last = api.ok("search", {"q": "labas", "limit": 20, "cursor": last["next"]})
    assert [entry["id"] for entry in last["results"]] == whole[20:]
    back = api.ok("search", {"q": "labas", "limit": 5, "cursor": last["previous"]})
    assert [entry["id"] for entry in back["results"]] == whole[15:20]
    within = api.ok("search", {"q": "labas", "limit": 4, "since": at(1), "until": at(2)})
    assert [entry["id"] for entry in within["results"]] == [str(one.id) for one in want.filter(sorted_at=at(1))[:4]]


def test_how_far_back_is_looked() -> None:
    def lengths(found: float, total: float) -> list[tuple[int | None, bool]]:
        return [(one.lines, one.walk) for one in stretches.stretches(Expected(found, total), 51)]

    assert lengths(1_000, 5_000_000) == [(None, False)], "few are sorted at once"
    assert lengths(5_800, 5_000_000) == [(175_862, False), (None, False)]
    assert lengths(50_000, 5_000_000) == [(20_400, False), (163_200, False), (1_305_600, False), (None, False)]
    assert lengths(1_500_000, 5_000_000)[:2] == [(680, True), (5_440, False)], "common words are walked for"
    assert lengths(3_000, -1) == [(204, True), (None, False)], "nobody counted yet"


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
