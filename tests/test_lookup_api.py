"""Who is calling: customers by every kind of handle, by half-remembered words, and with their timeline at once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support import COMMITTED, Api, at, event, everything, identifier, problem_of, push_and_drain, shop

pytestmark = COMMITTED
VALUES = {
    "phone": ("+73433443420", "8 (343) 344-34-20"),
    "email": ("ada@mail.example", "Ada@Mail.example"),
    "telegram": ("700001", "700001"),
    "vk": ("700002", " 700002 "),
    "max": ("700003", "700003"),
    "whatsapp": ("79123456789", "+7 912 345-67-89"),
    "wa_bsuid": ("RU.1234567890", "RU.1234567890"),
    "viber": ("01234567890A=", "01234567890A="),
    "messenger": ("6000000001", "6000000001"),
    "instagram": ("6000000002", "6000000002"),
    "line": ("U0123456789abcdef", "U0123456789abcdef"),
    "slack": ("U012AB3CD", "U012AB3CD"),
    "crm_id": ("42:7", "42:7"),
    "loyalty": ("0042", "0042"),
    "device": ("a1b2-c3d4", "a1b2-c3d4"),
}
SCOPED = [kind for kind in VALUES if kind not in ("phone", "email", "telegram", "vk", "max", "whatsapp")]


LATELY = {"occurred_at": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}


@pytest.fixture
def api(committed: None) -> Api:
    shop()
    shop("second")
    return everything()


def ids(api: Api, path: str = "customers", **params: Any) -> list[str]:
    return [card["id"] for card in api.ok(path, params)["results"]]


@pytest.mark.parametrize("kind", list(VALUES))
def test_every_kind_is_a_parameter_and_an_identifier(api: Api, kind: str) -> None:
    value, spelling = VALUES[kind]
    (receipt,) = push_and_drain(api, event(identifier(kind, value)))
    wanted = [receipt["customer"]]
    assert ids(api, **{kind: value}) == ids(api, **{kind: spelling}) == wanted
    assert ids(api, identifier=f"{kind}:{value}") == wanted
    looked = api.ok("lookup", {kind: value})["results"]
    assert [one["customer"]["id"] for one in looked] == wanted
    assert [one["id"] for one in looked[0]["timeline"]["results"]] == [receipt["interaction"]]
    assert set(looked[0]["timeline"]) == {"results", "next", "previous", "changes"}


@pytest.mark.parametrize("kind", SCOPED)
def test_a_scoped_kind_without_scope_looks_in_all(api: Api, kind: str) -> None:
    value = VALUES[kind][0]
    one, other = push_and_drain(api, event(identifier(kind, value)), event(identifier(kind, value), source="second"))
    both = {one["customer"], other["customer"]}
    assert set(ids(api, **{kind: value})) == set(ids(api, identifier=f"{kind}:{value}")) == both
    assert ids(api, identifier=f"{kind}:shop:{value}") == [one["customer"]]
    assert ids(api, identifier=f"{kind}:second:{value}") == [other["customer"]]
    assert ids(api, identifier=f"{kind}:third:{value}") == []


def test_other_kinds_are_found_by_identifier_only(api: Api) -> None:
    (receipt,) = push_and_drain(api, event(identifier("tax-number", "12:34:56")))
    assert ids(api, identifier="tax-number:12:34:56") == [receipt["customer"]]
    assert ids(api, identifier="tax-number:shop:12:34:56") == [receipt["customer"]]
    assert api.refused("customers", {"tax-number": "1"}) == (400, "invalid_value", "tax-number")


def test_several_handles_in_one_request(api: Api) -> None:
    one, other = push_and_drain(
        api, event(identifier("phone", "+73433443420")), event(identifier("email", "ada@mail.example"))
    )
    found = ids(api, phone=["+73433443420", "+79120000000"], email="ada@mail.example")
    assert sorted(found) == sorted([one["customer"], other["customer"]])


def test_one_customer_once(api: Api) -> None:
    push_and_drain(api, event(identifier("phone", "+73433443420"), identifier("email", "ada@mail.example")))
    assert len(ids(api, phone="+73433443420", email="ada@mail.example")) == 1


@pytest.mark.parametrize(
    "params",
    [
        {"phone": "+79129999999"},
        {"phone": "anonymous"},
        {"phone": "not a number"},
        {"email": "nobody@mail.example"},
        {"email": "no at sign"},
        {"telegram": "900"},
        {"telegram": "@ivan"},
        {"viber": "x"},
        {"identifier": "crm_id:shop:nothing"},
        {"identifier": "card:x"},
        {"identifier": "anonymous:x"},
        {"identifier": "Not A Kind:x"},
        {"q": "Непомнящий"},
    ],
)
def test_nobody_is_an_empty_list(api: Api, params: dict[str, str]) -> None:
    assert api.ok("customers", params) == {"results": [], "incomplete": False}
    if "q" not in params:
        assert api.ok("lookup", params) == {"results": []}


@pytest.mark.parametrize("path", ["customers", "lookup"])
@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "missing_field"),
        ({"phone": ""}, "invalid_value"),
        ({"identifier": "phone"}, "invalid_value"),
        ({"identifier": ":x"}, "invalid_value"),
        ({"identifier": "phone:"}, "invalid_value"),
        ({"fax": "1"}, "invalid_value"),
        ({"phone": "\x00"}, "invalid_value"),
        ({"phone": "1" * 5000}, "invalid_value"),
    ],
)
def test_bad_look_ups_are_400(api: Api, path: str, params: dict[str, str], code: str) -> None:
    assert api.refused(path, params)[:2] == (400, code)


def test_q_belongs_to_customers_alone(api: Api) -> None:
    assert api.refused("lookup", {"q": "Ada"})[:2] == (400, "invalid_value")
    assert api.refused("customers", {"q": " "})[:2] == (400, "invalid_value")


PEOPLE = {
    "Щербакова Юлия Семёновна": ("+73433443420", "shcherbakova@mail.example"),
    "Andrius Jonaitis": ("+37061234567", "andrius.j@pastas.example"),
    "Пётр Королёв": ("+79123456789", "korolev@mail.example"),
    "Ona Žukauskienė": ("+37069876543", "ona@pastas.example"),
}


@pytest.mark.parametrize(
    ("q", "name"),
    [
        ("Щербакова", "Щербакова Юлия Семёновна"),
        ("щербакова юлия", "Щербакова Юлия Семёновна"),
        ("Щербокова", "Щербакова Юлия Семёновна"),
        ("Щербаква", "Щербакова Юлия Семёновна"),
        ("Shcherbakova", "Щербакова Юлия Семёновна"),
        ("Scherbakova", "Щербакова Юлия Семёновна"),
        ("Семеновна", "Щербакова Юлия Семёновна"),
        ("Королев", "Пётр Королёв"),
        ("Королёв", "Пётр Королёв"),
        ("Korolyov", "Пётр Королёв"),
        ("Petr Korolev", "Пётр Королёв"),
        ("Jonaitis", "Andrius Jonaitis"),
        ("Йонайтис", "Andrius Jonaitis"),
        ("jonaits", "Andrius Jonaitis"),
        ("Zukauskiene", "Ona Žukauskienė"),
        ("Жукаускене", "Ona Žukauskienė"),
        ("344-34-20", "Щербакова Юлия Семёновна"),
        ("3443420", "Щербакова Юлия Семёновна"),
        ("8 (343) 344-34-20", "Щербакова Юлия Семёновна"),
        ("+7 343 344", "Щербакова Юлия Семёновна"),
        ("6123", "Andrius Jonaitis"),
        ("andrius.j", "Andrius Jonaitis"),
        ("ANDRIUS.J@PASTAS", "Andrius Jonaitis"),
        ("shcherbakova@mail.example", "Щербакова Юлия Семёновна"),
    ],
)
def test_half_remembered(api: Api, q: str, name: str) -> None:
    push_and_drain(
        api,
        *(event(identifier("phone", one), identifier("email", two), name=who) for who, (one, two) in PEOPLE.items()),
    )
    found = api.ok("customers", {"q": q})["results"]
    assert found, q
    assert found[0]["name"] == name


@pytest.mark.parametrize(
    "q", ["%", "_", "\\", "100%", "'", "a'--", "*", "(", "a & | !", ":*", "🙂", "я" * 4000, "  x  "]
)
def test_words_are_only_words(api: Api, q: str) -> None:
    push_and_drain(api, event(identifier("phone", "+73433443420"), name="Юлия"))
    assert api.ok("customers", {"q": q})["results"] == [], "no wildcard finds everybody"
    assert api.get("search", {"q": q}).status_code in (200, 400)


def test_the_timeline_of_a_look_up_is_bounded(api: Api) -> None:
    push_and_drain(api, *(event(identifier("phone", "+73433443420"), occurred_at=at(n)) for n in range(60)))
    for asked, given in (({}, 50), ({"timeline": "3"}, 3), ({"timeline": "200"}, 60)):
        (found,) = api.ok("lookup", {"phone": "+73433443420", **asked})["results"]
        assert len(found["timeline"]["results"]) == given
    (found,) = api.ok("lookup", {"phone": "+73433443420", "timeline": "3"})["results"]
    path = f"customers/{found['customer']['id']}/timeline"
    rest = api.ok(path, {"cursor": found["timeline"]["next"], "limit": 200})
    assert len(rest["results"]) == 57
    for bad in ("0", "201", "x"):
        assert api.refused("lookup", {"phone": "+73433443420", "timeline": bad}) == (400, "invalid_value", "timeline")


def test_the_brief_of_the_only_one_found_comes_along(api: Api) -> None:
    number = "+73433443420"
    (told,) = push_and_drain(api, event(identifier("phone", number), name="Vera", text="Where is it?", **LATELY))
    answer = api.get("lookup", {"phone": number}, Accept_Language="ru").json()["results"][0]["brief"]
    alone = api.get(f"customers/{told['customer']}/brief", Accept_Language="ru").json()
    assert answer["lines"] == alone["lines"]
    assert answer["customer"] == told["customer"]
    assert "Ждёт ответа" in str(answer["lines"])
    assert api.ok("lookup", {"phone": number, "brief": "0"})["results"][0]["brief"] is None
    assert api.refused("lookup", {"phone": number, "brief": "maybe"}) == (400, "invalid_value", "brief")
    push_and_drain(api, event(identifier("phone", "+73433443421"), name="Ada"))
    both = api.ok("lookup", {"phone": [number, "+73433443421"]})["results"]
    assert [one["brief"] for one in both] == [None, None], "whose it should be is still to be seen"


def test_the_brief_of_a_lookup_hides_numbers_of_whoever_may_not_see_them(api: Api) -> None:
    push_and_drain(api, event(identifier("phone", "+73433443420"), text="Ring me at +7 912 555 66 77 please", **LATELY))
    assert "555 66" in str(api.ok("lookup", {"phone": "+73433443420"})["results"][0]["brief"])
    masked = Api("read:masked").ok("lookup", {"phone": "+73433443420"})["results"][0]["brief"]
    assert masked["lines"]
    assert "555 66" not in str(masked)


def test_reading_needs_a_key_that_may(api: Api) -> None:
    for path in ("customers?phone=1", "lookup?phone=1", "search?q=x"):
        answer = api.client.get(f"/api/v1/{path}", headers={"Authorization": "Bearer nobody"})
        assert problem_of(answer)[:2] == (401, "unauthenticated")
        assert problem_of(Api("ingest").get(path))[:2] == (403, "forbidden")
