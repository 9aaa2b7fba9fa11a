"""Whose is it: issue 2, «Identity, first part», rule by rule, from the push to the card."""

from typing import Any

import pytest

from customers.models import Customer, Identity, Link
from tests.support import (
    COMMITTED,
    Api,
    Event,
    at,
    event,
    identifier,
    phone,
    push_and_drain,
    shop,
    unique,
)

pytestmark = COMMITTED


def mail() -> str:
    return f"{unique('ada')}@mail.example"


def customer(api: Api, kind: str, value: str) -> Any:
    """The id of who has this handle, None when nobody has."""
    found = api.ok("customers", {kind: value})["results"]
    assert len(found) <= 1
    return found[0]["id"] if found else None


def only(api: Api, *events: Event) -> Any:
    (receipt,) = push_and_drain(api, *events)
    assert receipt["status"] == "recorded", receipt
    return receipt


SPELLINGS = ("8 (343) 344-34-20", "+7 343 344-34-20", "73433443420", "+73433443420", "83433443420", "3433443420")


@pytest.mark.parametrize("spelling", [*SPELLINGS, " 73433443420", "007 343 344 34 20", "tel:+7-343-344-34-20"])
def test_a_phone_is_one_in_every_spelling(api: Api, spelling: str) -> None:
    known = only(api, event(identifier("phone", "+73433443420")))
    assert only(api, event(identifier("phone", spelling)))["customer"] == known["customer"]
    assert customer(api, "phone", spelling) == known["customer"]


def test_a_phone_is_read_by_the_region_of_its_source(api: Api) -> None:
    shop("vilnius", region="LT")
    ours = only(api, event(identifier("phone", "8 612 34567"), source="vilnius"))
    assert [one["value"] for one in api.card("phone", "+37061234567")["identities"]] == ["+37061234567"]
    for spelling in ("+370 612 34567", "8 612 34567", "(8-612) 34567", "0037061234567", " 37061234567"):
        assert customer(api, "phone", spelling) == ours["customer"], spelling
    assert customer(api, "phone", "8 (343) 344-34-20") is None


def test_an_address_is_one_in_every_case_and_script(api: Api) -> None:
    known = only(api, event(identifier("email", "Ada@MÜNCHEN.example")))
    for spelling in ("ada@münchen.example", "ADA@xn--mnchen-3ya.example", " ada@München.example "):
        assert customer(api, "email", spelling) == known["customer"], spelling
        assert only(api, event(identifier("email", spelling)))["customer"] == known["customer"]


def test_whatsapp_also_yields_the_phone(api: Api) -> None:
    known = only(api, event(identifier("whatsapp", "79123456701"), channel="whatsapp"))
    assert customer(api, "phone", "+79123456701") == known["customer"]
    assert only(api, event(identifier("phone", "8 912 345-67-01")))["customer"] == known["customer"]


@pytest.mark.parametrize("kind", ["telegram", "vk", "max"])
def test_global_kinds_meet_across_sources(api: Api, kind: str) -> None:
    shop("second")
    one = only(api, event(identifier(kind, "5551234")))
    other = only(api, event(identifier(kind, "5551234"), source="second"))
    assert one["customer"] == other["customer"]


SCOPED = ("wa_bsuid", "viber", "messenger", "instagram", "line", "slack", "crm_id", "loyalty", "device", "own-kind")


@pytest.mark.parametrize("kind", SCOPED)
def test_scoped_kinds_do_not_meet_across_scopes(api: Api, kind: str) -> None:
    shop("second")
    one = only(api, event(identifier(kind, "u-5551234")))
    other = only(api, event(identifier(kind, "u-5551234"), source="second"))
    assert one["customer"] != other["customer"], "the default scope is the source's slug"
    again = only(api, event(identifier(kind, "u-5551234", scope="shop"), source="second"))
    assert again["customer"] == one["customer"]


def test_the_first_identifier_carries_the_line(api: Api) -> None:
    number, address = phone(), mail()
    only(api, event(identifier("email", address), identifier("phone", number)))
    (entry,) = api.timeline("phone", number)
    assert entry["identity"] == {"kind": "email", "value": address}


def test_a_blocked_first_identifier_is_passed_over(api: Api) -> None:
    number = phone()
    receipt = only(api, event(identifier("phone", "anonymous"), identifier("phone", number)))
    assert [one["reason"] for one in receipt["refused"]] == ["blocked"]
    assert api.timeline("phone", number)[0]["identity"] == {"kind": "phone", "value": number}


@pytest.mark.parametrize("hidden", [[], ["anonymous"], ["null", "unknown"], ["0000000000"], ["Скрыт"]])
def test_the_anonymous_are_kept_and_never_meet(api: Api, hidden: list[str]) -> None:
    things = [event(*(identifier("phone", value) for value in hidden), channel="phone", kind="call") for _ in range(3)]
    shown = push_and_drain(api, *things)
    assert {one["status"] for one in shown} == {"recorded"}
    assert len({one["customer"] for one in shown}) == 3
    for one in shown:
        assert [entry["id"] for entry in api.ok(f"customers/{one['customer']}/timeline")["results"]] == [
            one["interaction"]
        ]
        assert len(one["refused"]) == len(hidden)


def test_an_anonymous_line_is_found_again_by_its_id(api: Api) -> None:
    thing = event(channel="phone", kind="call", text="ringing", revision=1)
    (first,) = push_and_drain(api, thing)
    (second,) = push_and_drain(api, {**thing, "text": "over", "revision": 2})
    assert (second["customer"], second["interaction"]) == (first["customer"], first["interaction"])
    assert Customer.objects.count() == 1


def test_unknown_identifiers_join_the_carrier(api: Api) -> None:
    number, address = phone(), mail()
    receipt = only(
        api,
        event(identifier("phone", number), identifier("email", address), identifier("telegram", "7001")),
    )
    assert receipt["refused"] == []
    assert customer(api, "email", address) == customer(api, "telegram", "7001") == receipt["customer"]
    assert Customer.objects.count() == 1
    assert Link.objects.filter(undone_at=None).count() == 2


def test_a_new_carrier_joins_the_first_known_other(api: Api) -> None:
    number, address = phone(), mail()
    known = only(api, event(identifier("email", address)))
    receipt = only(
        api, event(identifier("phone", number), identifier("telegram", "7002"), identifier("email", address))
    )
    assert receipt["customer"] == known["customer"]
    assert receipt["lines"][0]["matched_by"] == "email"
    assert customer(api, "telegram", "7002") == known["customer"]
    assert Customer.objects.count() == 1, "nobody new was founded"


def test_a_new_carrier_makes_one_of_the_two_it_comes_with(api: Api) -> None:
    first, second = mail(), mail()
    one = only(api, event(identifier("email", first)))
    other = only(api, event(identifier("email", second)))
    receipt = only(api, event(identifier("phone", phone()), identifier("email", second), identifier("email", first)))
    assert receipt["refused"] == []
    assert receipt["lines"][0]["matched_by"] == "email"
    assert customer(api, "email", first) == customer(api, "email", second) == one["customer"], "the older one stands"
    assert api.ok(f"customers/{other['customer']}")["id"] == one["customer"]


def test_two_known_customers_are_one_from_the_contact_that_has_both(api: Api) -> None:
    number, address = phone(), mail()
    one = only(api, event(identifier("phone", number)))
    only(api, event(identifier("email", address)))
    receipt = only(api, event(identifier("phone", number), identifier("email", address)))
    assert (receipt["customer"], receipt["refused"]) == (one["customer"], [])
    assert customer(api, "email", address) == one["customer"]
    assert Link.objects.get().undone_at is None


def test_without_the_rules_the_first_link_stands(api: Api, settings: Any) -> None:
    settings.CXHUB_RULES = False
    first, second = mail(), mail()
    one = only(api, event(identifier("email", first)))
    other = only(api, event(identifier("email", second)))
    receipt = only(api, event(identifier("phone", phone()), identifier("email", second), identifier("email", first)))
    assert receipt["customer"] == other["customer"]
    assert receipt["refused"] == [{"identifier": f"email:{first}", "reason": "other_customer"}]
    assert customer(api, "email", first) == one["customer"]


@pytest.mark.parametrize("claim", [{"verified": False}, {}])
def test_a_claimed_identifier_is_evidence_and_links_nobody(api: Api, claim: dict[str, Any]) -> None:
    number, address = phone(), mail()
    how = {} if claim else {"kind": "form", "channel": "web"}
    receipt = only(api, event(identifier("phone", number, **claim), identifier("email", address, **claim), **how))
    assert receipt["refused"] == [{"identifier": f"email:{address}", "reason": "claimed"}]
    assert customer(api, "email", address) is None
    card = api.card("phone", number)
    assert [one["value"] for one in card["candidates"]] == [address], "kept as evidence"
    assert [one["trust"] for one in card["identities"]] == ["claimed"]
    assert only(api, event(identifier("email", address)))["customer"] != receipt["customer"]


def test_a_claimed_carrier_joins_nobody(api: Api) -> None:
    number, address = phone(), mail()
    known = only(api, event(identifier("email", address)))
    receipt = only(api, event(identifier("phone", number, verified=False), identifier("email", address)))
    assert receipt["customer"] != known["customer"]
    assert [one["reason"] for one in receipt["refused"]] == ["claimed"]


@pytest.mark.parametrize(
    ("trust", "verified", "shown"),
    [
        ("asserted", None, "asserted"),
        ("asserted", True, "asserted"),
        ("asserted", False, "claimed"),
        ("verified", None, "asserted"),
        ("verified", True, "verified"),
        ("verified", False, "claimed"),
        ("claimed", None, "claimed"),
        ("claimed", True, "claimed"),
    ],
)
def test_a_source_says_no_more_than_it_may(api: Api, trust: str, verified: bool | None, shown: str) -> None:
    shop("other", trust=trust)
    number = phone()
    said = {} if verified is None else {"verified": verified}
    only(api, event(identifier("phone", number, **said), source="other"))
    assert [one["trust"] for one in api.card("phone", number)["identities"]] == [shown]


@pytest.mark.parametrize(
    ("allowed", "said", "shown"),
    [
        ("verified", "verified", "verified"),
        ("verified", "asserted", "asserted"),
        ("verified", "claimed", "claimed"),
        ("asserted", "verified", "asserted"),
        ("claimed", "verified", "claimed"),
    ],
)
def test_an_identifier_says_its_own_trust(api: Api, allowed: str, said: str, shown: str) -> None:
    shop("other", trust=allowed)
    number, address = phone(), mail()
    handles = (identifier("phone", number, trust=said), identifier("email", address, trust="claimed"))
    only(api, event(*handles, source="other"))
    assert [one["trust"] for one in api.card("phone", number)["identities"]] == [shown]
    assert customer(api, "email", address) is None


@pytest.mark.parametrize("said", [{"trust": "sure"}, {"trust": "verified", "verified": True}])
def test_a_trust_is_said_once_and_by_its_name(api: Api, said: dict[str, Any]) -> None:
    (receipt,) = api.push(event(identifier("phone", phone(), **said)))
    assert receipt["status"] == "rejected"
    assert receipt["problem"]["field"].startswith("customer.identifiers.0")


def test_the_best_trust_is_kept(api: Api) -> None:
    shop("bank", trust="verified")
    number = phone()
    for said in (False, True, None, False):
        more = {} if said is None else {"verified": said}
        only(api, event(identifier("phone", number, **more), source="bank"))
    assert [one["trust"] for one in api.card("phone", number)["identities"]] == ["verified"]


def test_an_asserted_word_links_what_was_only_claimed(api: Api) -> None:
    number, address = phone(), mail()
    only(api, event(identifier("phone", number), identifier("email", address, verified=False)))
    assert customer(api, "email", address) is None
    receipt = only(api, event(identifier("phone", number), identifier("email", address)))
    assert customer(api, "email", address) == receipt["customer"]


def test_a_role_address_carries_but_links_nobody(api: Api) -> None:
    one = only(api, event(identifier("email", "info@firm.example"), identifier("phone", phone())))
    assert [refused["reason"] for refused in one["refused"]] == ["not_linkable"]
    assert one["customer"]


def test_the_name_is_the_customers(api: Api) -> None:
    number = phone()
    only(api, event(identifier("phone", number), name="Юлия", occurred_at=at(1)))
    only(api, event(identifier("phone", number), name="Юля", occurred_at=at(0)))
    assert api.card("phone", number)["name"] == "Юлия", "the later word, though it came first"


def test_attributes_show_who_said_them(api: Api) -> None:
    shop("crm")
    number = phone()
    who = {"identifiers": [identifier("phone", number)], "attributes": {"vip": True, "city": "Vilnius"}}
    only(api, event(customer=who, source="crm"))
    attributes = api.card("phone", number)["attributes"]
    assert attributes["vip"]["value"] is True
    assert (attributes["city"]["value"], attributes["city"]["source"]) == ("Vilnius", "crm")


def test_the_same_handle_twice_in_one_event(api: Api) -> None:
    number = phone()
    only(api, event(identifier("phone", number), identifier("phone", number.replace("+7", "8 "))))
    assert Identity.objects.count() == 1


def test_an_event_of_fifty_identifiers(api: Api) -> None:
    receipt = only(api, event(*(identifier("device", f"d-{n}") for n in range(50))))
    assert Identity.objects.filter(customer__public_id=receipt["customer"]).count() == 50


def test_an_event_of_more_identifiers_than_a_person_has(api: Api) -> None:
    receipt = only(api, event(*(identifier("email", mail()) for _ in range(12))))
    assert [one["reason"] for one in receipt["refused"]] == ["cap", "cap"]
    receipt = only(api, event(*(identifier("crm_id", f"c-{n}") for n in range(3))))
    assert [one["reason"] for one in receipt["refused"]] == ["unique_conflict", "unique_conflict"]


def test_identity_is_a_pure_function_of_the_event(api: Api) -> None:
    """Whatever came before, the line hangs on the same handle."""
    number, address = phone(), mail()
    thing = event(identifier("email", address), identifier("phone", number))
    only(api, event(identifier("phone", number)))
    only(api, thing)
    assert {entry["identity"]["kind"] for entry in api.timeline("email", address)} == {"phone", "email"}
