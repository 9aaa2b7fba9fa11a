"""Name, attributes and tags as claims: who wins, what an agent says, and that an undo gives every card back."""

from typing import Any

import orjson
import pytest

from customers import attributes
from tests.identity_support import came, card, did
from tests.support import COMMITTED, Api, at, everything, identifier, phone, problem_of, shop

pytestmark = COMMITTED


@pytest.fixture
def api(committed: None, settings: Any) -> Api:
    settings.CXHUB_RULES = True
    shop()
    shop("form", trust="claimed")
    return everything()


def said(api: Api, number: str, when: float, source: str = "shop", **attributes: Any) -> Any:
    customer = {"identifiers": [identifier("phone", number)], "attributes": attributes}
    return came(api, customer=customer, occurred_at=at(when), source=source)


def patch(api: Api, id_: str, body: Any, version: str | None = None) -> Any:
    shown = version if version is not None else card(api, id_)["version"]
    headers = {"If-Match": f'"{shown}"'} if shown else {}
    kind = "application/json"
    return api.client.patch(f"/api/v1/customers/{id_}", orjson.dumps(body), content_type=kind, headers=headers)


def values(shown: Any) -> dict[str, Any]:
    return {key: one["value"] for key, one in shown["attributes"].items()}


def test_the_best_trust_wins_then_the_latest(api: Api) -> None:
    number = phone()
    one = said(api, number, 0, city="Tagil", language="ru")
    said(api, number, 60, source="form", city="Paris", language="ru")
    assert values(card(api, one)) == {"city": "Tagil", "language": "ru"}
    said(api, number, 90, city="Perm")
    assert values(card(api, one))["city"] == "Perm"
    shown = api.ok(f"customers/{one['customer']}", {"claims": "1"})["claims"]
    assert [(c["value"], c["source"], c["trust"]) for c in shown if c["key"] == "city"] == [
        ("Perm", "shop", "asserted"),
        ("Paris", "form", "claimed"),
    ]
    assert "claims" not in card(api, one)


def test_an_agent_overrules_and_takes_away(api: Api) -> None:
    one = said(api, phone(), 0, city="Tagil", language="ru")["customer"]
    answer = patch(
        api, one, {"attributes": {"city": "Perm", "language": None}, "name": "Иван", "tags": {"add": ["vip"]}}
    )
    assert answer.status_code == 200, answer.content
    shown = answer.json()
    assert (values(shown), shown["name"], shown["tags"]) == ({"city": "Perm"}, "Иван", ["vip"])
    assert shown["attributes"]["city"]["source"] == "cxhub"
    assert answer.headers["ETag"] == f'"{card(api, one)["version"]}"'
    shown = patch(api, one, {"name": None, "tags": {"remove": ["vip"], "add": ["b2b"]}}).json()
    assert (shown["name"], shown["tags"]) == (None, ["b2b"])


def test_a_card_that_changed_is_not_overwritten(api: Api) -> None:
    number = phone()
    one = said(api, number, 0, city="Tagil")["customer"]
    version = card(api, one)["version"]
    said(api, number, 60, city="Perm")
    assert problem_of(patch(api, one, {"name": "x"}, version)) == (409, "conflict", "If-Match")
    assert problem_of(patch(api, one, {"name": "x"}, "")) == (400, "missing_field", "If-Match")
    assert card(api, one)["name"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "attributes"),
        ({"attributes": {"birthday": "31.02.1990"}}, "attributes.birthday"),
        ({"attributes": {"birthday": "2999-01-01"}}, "attributes.birthday"),
        ({"attributes": {"birthday": 5}}, "attributes.birthday"),
        ({"attributes": {"tag:vip": True}}, "attributes.tag:vip.[key]"),
        ({"attributes": {"name": "x"}}, "attributes.name"),
        ({"attributes": {"notes": "x" * 5000}}, "attributes.notes"),
        ({"tags": {"add": [""]}}, "tags.add.0"),
        ({"nickname": "x"}, "nickname"),
    ],
)
def test_what_cannot_be_an_attribute(api: Api, body: Any, field: str) -> None:
    one = came(api, ("phone", phone()))["customer"]
    status, _, at_fault = problem_of(patch(api, one, body))
    assert (status, at_fault) == (400, field)


def test_an_undo_gives_both_cards_back(api: Api) -> None:
    one, other = (said(api, phone(), when, city=city)["customer"] for when, city in ((0, "Tagil"), (5, "Perm")))
    for id_, name in ((one, "Иван"), (other, "Ваня")):
        assert patch(api, id_, {"name": name, "tags": {"add": [name]}}).status_code == 200
    before = [card(api, id_) for id_ in (one, other)]
    link = did(api, f"customers/{one}/merge", {"with": other}, 201)["link"]
    merged = card(api, other)
    assert (merged["name"], merged["tags"], values(merged)) == ("Ваня", ["Ваня", "Иван"], {"city": "Perm"})
    assert patch(api, other, {"tags": {"add": ["later"]}}).status_code == 200
    did(api, f"links/{link}/undo", {"reason": "no"})
    after = [card(api, id_) for id_ in (one, other)]
    assert after[1] == before[1]
    assert (after[0]["name"], after[0]["tags"]) == ("Иван", ["later", "Иван"]), "said of whoever stood then"


def test_an_agents_word_needs_the_scope(api: Api) -> None:
    one = came(api, ("phone", phone()))["customer"]
    assert patch(Api("read"), one, {"name": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("1990-05-17", "1990-05-17"),
        ("17.05.1990", "1990-05-17"),
        ("7.5.1990", "1990-05-07"),
        ("1990-05-17T00:00:00Z", "1990-05-17"),
        ("1990-02-31", ""),
        ("05/17/1990", ""),
        ("1900-01-01", ""),
        ("2999-01-01", ""),
        (19900517, ""),
        ("", ""),
    ],
)
def test_birthdays_are_dates(given: object, kept: str) -> None:
    assert attributes.birthday(given) == kept
