"""The rules of issue 4, one by one, from the push to the card: what links, what is refused, and what is kept of it."""

from typing import Any

import pytest

from customers.models import Candidate, Identity, Link
from tests.identity_support import came, card, mail, reasons
from tests.support import COMMITTED, Api, everything, identifier, phone, shop

pytestmark = COMMITTED


@pytest.fixture
def api(committed: None, settings: Any) -> Api:
    settings.CXHUB_RULES = True
    shop()
    shop("form", trust="claimed")
    return everything()


def known(api: Api) -> tuple[Any, Any, str, str]:
    """Two customers whom nothing connects: by a phone, and by an address."""
    number, address = phone(), mail()
    return came(api, ("phone", number)), came(api, ("email", address)), number, address


def test_two_customers_are_joined_by_asserted_evidence_and_the_older_stands(api: Api) -> None:
    one, other, number, address = known(api)
    joined = came(api, ("email", address), ("phone", number))
    assert joined["refused"] == []
    assert card(api, other)["id"] == card(api, one)["id"] == one["customer"]
    assert card(api, one)["ids"] == [one["customer"], other["customer"]]


def test_a_claimed_handle_only_opens_a_candidate(api: Api) -> None:
    one, other, number, address = known(api)
    assert reasons(came(api, ("phone", number), ("email", address), source="form")) == ["claimed"]
    assert card(api, other)["id"] != card(api, one)["id"]
    (found,) = card(api, one)["candidates"]
    assert (found["value"], found["reason"]) == (address, "claimed")


def test_two_ids_of_one_crm_are_two_persons(api: Api) -> None:
    number = phone()
    came(api, ("crm_id", "c-1"), ("phone", number))
    assert reasons(came(api, ("crm_id", "c-2"), ("phone", number))) == ["unique_conflict"]


@pytest.mark.parametrize(
    ("mine", "yours", "refused"),
    [
        ({"name": "Иван Петров"}, {"name": "Мария Петрова"}, ["contradiction"]),
        ({"name": "Иван Петров"}, {"name": "Ivan Petrov"}, []),
        ({"name": "Саша Ким"}, {"name": "Александра Ким"}, []),
        ({"name": "Иван"}, {}, []),
    ],
)
def test_names_contradict_where_both_are_known_and_differ(api: Api, mine: Any, yours: Any, refused: list[str]) -> None:
    number, address = phone(), mail()
    came(api, ("phone", number), **mine)
    came(api, ("email", address), **yours)
    assert reasons(came(api, ("phone", number), ("email", address))) == refused


@pytest.mark.parametrize(
    ("mine", "yours", "refused"),
    [
        ("1990-05-17", "1991-05-17", ["contradiction"]),
        ("1990-05-17", "17.05.1990", []),
        ("1990-05-17", "not said", []),
        ("1990-05-17", "1900-01-01", []),
    ],
)
def test_birthdays_contradict_where_both_are_dates(api: Api, mine: str, yours: str, refused: list[str]) -> None:
    number, address = phone(), mail()
    for (kind, value), said in ((("phone", number), mine), (("email", address), yours)):
        customer = {"identifiers": [identifier(kind, value)], "attributes": {"birthday": said}}
        came(api, customer=customer)
    assert reasons(came(api, ("phone", number), ("email", address))) == refused


def test_a_person_has_ten_phones_and_not_eleven(api: Api) -> None:
    address = mail()
    for _ in range(10):
        assert came(api, ("email", address), ("phone", phone()))["refused"] == []
    assert reasons(came(api, ("email", address), ("phone", phone()))) == ["cap"]


def test_what_was_undone_is_not_joined_again(api: Api) -> None:
    one, other, number, address = known(api)
    came(api, ("email", address), ("phone", number))
    link = Link.objects.get(undone_at=None)
    assert api.post(f"links/{link.pk}/undo", {"reason": "brothers"}).status_code == 200
    assert card(api, other)["id"] == other["customer"] != one["customer"]
    assert reasons(came(api, ("email", address), ("phone", number))) == ["keep_apart"]


def test_a_link_says_by_which_rules_it_was_made(api: Api) -> None:
    came(api, ("email", mail()), ("phone", phone()))
    link = Link.objects.get()
    assert (link.cause, link.created_by, link.rules_version >= 2) == ("event", "rules", True)
    assert set(link.evidence) == {"line", "source"}


def test_the_rules_can_be_switched_off(api: Api, settings: Any) -> None:
    settings.CXHUB_RULES = False
    _, _, number, address = known(api)
    assert reasons(came(api, ("email", address), ("phone", number))) == ["other_customer"]


def test_a_handle_of_three_persons_turns_shared_and_what_rests_on_it_is_reviewed(api: Api) -> None:
    number = phone()
    for crm in ("c-1", "c-2", "c-3"):
        came(api, ("crm_id", crm), ("phone", number))
    assert Identity.objects.get(kind="phone").shared
    review = Candidate.objects.get(reason="shared")
    assert (review.kind, review.value, review.identity.value) == ("phone", number, "c-1")
    assert Link.objects.filter(undone_at=None).count() == 1, "nothing is undone silently"
    assert reasons(came(api, ("crm_id", "c-4"), ("phone", number))) == ["shared"]
    assert reasons(came(api, ("phone", number), ("email", mail()))) == ["shared"]


def test_the_same_contradiction_again_and_again_is_one(api: Api) -> None:
    number = phone()
    came(api, ("crm_id", "c-1"), ("phone", number))
    for _ in range(3):
        came(api, ("crm_id", "c-2"), ("phone", number))
    assert not Identity.objects.get(kind="phone").shared
    assert Candidate.objects.get().times == 3
