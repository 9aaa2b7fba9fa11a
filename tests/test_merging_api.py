"""Merge, undo and split over the API: previews that come true, answers that repeat, cards that come back."""

from typing import Any

import pytest

from customers import merging, verifying
from customers.models import Interaction, KeepApart
from customers.verifying import verify
from tests.identity_support import came, card, did, identity, mail, reasons, texts
from tests.support import COMMITTED, Api, everything, phone, problem_of, shop

pytestmark = COMMITTED


@pytest.fixture
def api(committed: None, settings: Any) -> Api:
    settings.CXHUB_RULES = True
    shop()
    return everything()


def two(api: Api) -> tuple[str, str, str, str]:
    number, address = phone(), mail()
    one = came(api, ("phone", number), name="Иван Петров", text="mine")["customer"]
    other = came(api, ("email", address), name="Мария Петрова", text="yours")["customer"]
    return one, other, number, address


def test_a_preview_says_what_the_merge_then_does(api: Api) -> None:
    one, other, number, address = two(api)
    assert reasons(came(api, ("phone", number), ("email", address), text="both")) == ["contradiction"]
    shown = api.ok(f"customers/{other}/merge-preview", {"with": one})
    assert shown == api.ok(f"customers/{one}/merge-preview", {"with": other}), "whichever is in the path"
    assert (shown["stands"], shown["goes"]) == (one, other)
    assert [i["value"] for i in shown["moves"]["identities"]] == [address]
    assert (shown["moves"]["contacts"], shown["moves"]["notes"]) == (1, 0)
    assert shown["clashes"] == [{"key": "name", "values": ["Иван Петров", "Мария Петрова"], "wins": "Иван Петров"}]
    assert [one["refused"] for one in shown["for"]] == ["contradiction"]
    assert shown["against"] == [{"reason": "contradiction"}]
    did(api, f"customers/{other}/merge", {"with": one, "reason": "she married"}, 201)
    merged = card(api, other)
    assert (merged["id"], merged["name"]) == (shown["stands"], shown["clashes"][0]["wins"])


def test_a_merge_is_repeated_without_harm(api: Api) -> None:
    one, other, *_ = two(api)
    first = did(api, f"customers/{other}/merge", {"with": one}, 201, Idempotency_Key="k-1")
    assert did(api, f"customers/{other}/merge", {"with": one}, 201, Idempotency_Key="k-1") == first
    again = did(api, f"customers/{one}/merge", {"with": other}, 200)
    assert (again["link"], again["customer"]) == (None, one)
    assert problem_of(api.post(f"customers/{one}/merge", {"with": one}))[:2] == (400, "invalid_value")


def test_so_many_merges_as_a_person_has_and_not_one_more(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "JOINS", 3)
    monkeypatch.setattr(verifying, "JOINS", 3)
    first, *others = [came(api, ("phone", phone()))["customer"] for _ in range(5)]
    for other in others[:3]:
        did(api, f"customers/{first}/merge", {"with": other}, 201)
    assert len(card(api, first)["ids"]) == 4
    did(api, f"customers/{first}/merge", {"with": others[3]}, 409)
    assert verify().total == 0


def test_a_merge_of_cards_that_changed_is_refused_with_both(api: Api) -> None:
    one, other, number, _ = two(api)
    versions = {id_: card(api, id_)["version"] for id_ in (one, other)}
    came(api, ("phone", number), ("telegram", "5551234"))
    answer = api.post(f"customers/{one}/merge", {"with": other, "versions": versions})
    assert answer.status_code == 409
    assert {shown["id"] for shown in answer.json()["customers"]} == {one, other}
    versions[one] = card(api, one)["version"]
    did(api, f"customers/{one}/merge", {"with": other, "versions": versions}, 201)


def test_ten_more_contacts_and_an_undo_gives_everything_back(api: Api) -> None:
    one, other, number, address = two(api)
    before = [card(api, id_) for id_ in (one, other)]
    link = did(api, f"customers/{one}/merge", {"with": other}, 201)["link"]
    for n in range(10):
        came(api, ("phone", number) if n % 2 else ("email", address), text=f"more {n}")
    fresh = mail("later")
    came(api, ("email", address), ("email", fresh))
    lines = Interaction.objects.count()
    dry = did(api, f"links/{link}/undo?dry_run=1")
    assert card(api, other)["id"] == one, "a dry run changes nothing"
    undone = did(api, f"links/{link}/undo", {"reason": "two after all"})
    assert undone["customers"] == dry["customers"]
    assert did(api, f"links/{link}/undo") == undone
    assert Interaction.objects.count() == lines
    assert texts(api, one) == sorted(["mine", *(f"more {n}" for n in range(1, 10, 2))])
    assert texts(api, other) == sorted(["yours", "", *(f"more {n}" for n in range(0, 10, 2))])
    after = [card(api, id_) for id_ in (one, other)]
    for old, new in zip(before, after, strict=True):
        assert [old[key] for key in ("id", "ids", "name")] == [new[key] for key in ("id", "ids", "name")]
    assert [i["value"] for i in after[1]["identities"]] == [address, fresh], "born later, it goes with its anchor"
    assert verify().total == 0


def test_an_undo_says_what_still_connects_the_two(api: Api) -> None:
    number, address = phone(), mail()
    one, other = came(api, ("phone", number))["customer"], came(api, ("email", address))["customer"]
    first = did(api, f"customers/{one}/merge", {"with": other}, 201)["link"]
    came(api, ("phone", number), ("telegram", "5551234"))
    came(api, ("email", address), ("telegram", "5551234"))
    other_links = [link["id"] for link in api.ok(f"customers/{one}/links")["results"] if link["id"] != first]
    undone = did(api, f"links/{first}/undo", {"reason": "?"})
    assert len(undone["customers"]) == 1
    assert set(undone["still_connected_by"]) == set(other_links)
    assert KeepApart.objects.count() == 0


def test_links_are_undone_in_any_order(api: Api) -> None:
    ids = [came(api, ("phone", phone()))["customer"] for _ in range(4)]
    links = [did(api, f"customers/{ids[0]}/merge", {"with": other}, 201)["link"] for other in ids[1:]]
    for link in (links[1], links[0], links[2]):
        did(api, f"links/{link}/undo")
    assert [card(api, id_)["id"] for id_ in ids] == ids


def test_an_agents_merge_lifts_what_kept_them_apart_and_says_so(api: Api) -> None:
    one, other, *_ = two(api)
    link = did(api, f"customers/{one}/merge", {"with": other}, 201)["link"]
    did(api, f"links/{link}/undo")
    again = did(api, f"customers/{one}/merge", {"with": other}, 201)
    assert len(again["lifted"]) == 1


def test_a_split_makes_a_new_customer_or_fills_another(api: Api) -> None:
    number, address = phone(), mail()
    one = came(api, ("phone", number), ("email", address))["customer"]
    other = came(api, ("telegram", "5551234"))["customer"]
    id_ = identity(api, one, "email")
    parted = did(api, f"customers/{one}/split", {"identities": [id_], "reason": "her address"})
    (new,) = {group["id"] for group in parted["customers"]} - {one}
    assert [i["value"] for i in card(api, new)["identities"]] == [address]
    assert reasons(came(api, ("phone", number), ("email", address))) == ["keep_apart"]
    came(api, ("email", address), ("email", mail()))
    did(api, f"customers/{new}/split", {"identities": [id_], "to": other, "reason": "his"})
    assert address in [i["value"] for i in card(api, other)["identities"]]
    assert verify().total == 0


@pytest.mark.parametrize("wanted", [[], ["0"], ["all"], ["²"]])
def test_a_split_names_some_and_not_all(api: Api, wanted: list[str]) -> None:
    one = came(api, ("phone", phone()), ("email", mail()))["customer"]
    everyone = [i["id"] for i in card(api, one)["identities"]]
    answer = api.post(f"customers/{one}/split", {"identities": everyone if wanted == ["all"] else wanted})
    assert problem_of(answer)[::2] == (400, "identities")


@pytest.mark.parametrize("id_", ["0", "x", "999999999", "²"])
def test_a_link_that_never_was(api: Api, id_: str) -> None:
    assert problem_of(api.post(f"links/{id_}/undo", {}))[:2] == (404, "not_found")
