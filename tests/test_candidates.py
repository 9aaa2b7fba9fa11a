"""The queue of suggestions: listed, accepted, rejected, never closed over a third."""

from typing import Any

import pytest

from customers.models import Candidate, Identity, KeepApart, Link
from tests.identity_support import came, card, did, identity, mail, reasons
from tests.support import COMMITTED, Api, everything, phone, shop

pytestmark = COMMITTED


@pytest.fixture
def api(committed: None, settings: Any) -> Api:
    settings.CXHUB_RULES = True
    shop()
    shop("form", trust="claimed")
    return everything()


def queue(api: Api, **params: Any) -> list[Any]:
    found: list[Any] = api.ok("candidates", params)["results"]
    return found


def claimed(api: Api) -> tuple[Any, Any, Any]:
    """Two customers and the candidate that says they are one."""
    number, address = phone(), mail()
    one = came(api, ("phone", number), name="Иван Петров")
    other = came(api, ("email", address))
    came(api, ("phone", number), ("email", address), source="form", text="my address is …")
    (candidate,) = queue(api)
    return one, other, candidate


def test_a_candidate_shows_both_cards_and_the_contact(api: Api) -> None:
    one, other, candidate = claimed(api)
    assert candidate["customers"] == [
        {"id": one["customer"], "name": "Иван Петров"},
        {"id": other["customer"], "name": None},
    ]
    assert (candidate["reason"], candidate["trust"], candidate["times"]) == ("claimed", "claimed", 1)
    assert candidate["interaction"]["text"] == "my address is …"
    assert candidate["identity"]["id"] == identity(api, one, "phone")
    assert candidate["handle"]["id"] == identity(api, other, "email")


def test_the_queue_is_paged_and_filtered(api: Api) -> None:
    number = phone()
    for _ in range(5):
        came(api, ("phone", number), ("email", mail()), source="form")
    seen, token = [], None
    while True:
        page = api.ok("candidates", {"limit": 2, **({"cursor": token} if token else {})})
        seen += [int(one["id"]) for one in page["results"]]
        token = page["next"]
        if token is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 5
    assert queue(api, reason="contradiction") == []
    assert queue(api, state="rejected") == []
    assert api.refused("candidates", {"state": "asleep"}) == (400, "invalid_value", "state")
    assert api.refused("candidates", {"cursor": "x"}) == (400, "invalid_value", "cursor")


def test_accepting_links_the_two_and_can_be_undone(api: Api) -> None:
    one, other, candidate = claimed(api)
    done = did(api, f"candidates/{candidate['id']}/accept", {"reason": "he said so"})
    assert done["customers"] == [one["customer"]]
    assert did(api, f"candidates/{candidate['id']}/accept")["link"] is None
    assert card(api, other)["id"] == one["customer"]
    link = Link.objects.get(pk=done["link"])
    assert {str(link.a_id), str(link.b_id)} == {candidate["identity"]["id"], candidate["handle"]["id"]}
    assert (link.cause, link.evidence["candidate"]) == ("agent", candidate["id"])
    assert queue(api) == []
    (decided,) = queue(api, state="accepted")
    assert (decided["decision"], decided["decided_by"][:4]) == ("he said so", "key:")
    did(api, f"links/{done['link']}/undo", {"reason": "no"})
    assert card(api, other)["id"] == other["customer"]


def test_accepting_a_handle_that_was_nobodys_makes_it_his(api: Api) -> None:
    number, address = phone(), mail()
    one = came(api, ("phone", number), ("email", address), source="form")
    assert api.ok("customers", {"email": address})["results"] == []
    (candidate,) = queue(api)
    assert candidate["customers"][1] is None
    done = did(api, f"candidates/{candidate['id']}/accept")
    assert done["link"]
    assert card(api, one)["id"] == api.card("email", address)["id"]
    assert came(api, ("email", address))["customer"] == one["customer"]


def test_rejecting_keeps_the_two_apart(api: Api) -> None:
    one, other, candidate = claimed(api)
    done = did(api, f"candidates/{candidate['id']}/reject", {"reason": "his brother"})
    assert done == did(api, f"candidates/{candidate['id']}/reject", {"reason": "his brother"})
    assert KeepApart.objects.get(lifted_at=None).reason == "his brother"
    number, address = (candidate["identity"]["value"], candidate["handle"]["value"])
    assert reasons(came(api, ("phone", number), ("email", address))) == ["rejected"]
    assert card(api, one)["id"] != card(api, other)["id"]
    assert queue(api) == [], "seen again it is counted, not opened"
    (again,) = queue(api, state="rejected")
    assert (again["times_since_rejected"], again["reason"]) == (1, "claimed")


def test_a_rejected_handle_that_was_nobodys_is_never_his(api: Api) -> None:
    number, address = phone(), mail()
    one = came(api, ("phone", number), ("email", address), source="form")
    (candidate,) = queue(api)
    did(api, f"candidates/{candidate['id']}/reject")
    receipt = came(api, ("email", address), ("phone", number))
    assert reasons(receipt) == ["rejected"]
    assert receipt["customer"] != one["customer"]
    merged = did(api, f"customers/{one['customer']}/merge", {"with": receipt["customer"]}, 201)
    assert merged["customer"] == one["customer"], "a person may still say so"


def test_accepting_two_pairs_says_nothing_of_a_third(api: Api) -> None:
    numbers = [phone() for _ in range(3)]
    addresses = [mail() for _ in range(3)]
    ones = [came(api, ("phone", number)) for number in numbers]
    for number, address in zip(numbers, addresses, strict=True):
        came(api, ("phone", number), ("email", address), source="form")
    first, *_ = queue(api)
    did(api, f"candidates/{first['id']}/accept")
    assert len(queue(api)) == 2
    assert len({card(api, one)["id"] for one in ones}) == 3


def test_what_became_one_by_other_evidence_is_no_question_any_more(api: Api) -> None:
    _, _, candidate = claimed(api)
    came(api, ("phone", candidate["identity"]["value"]), ("email", candidate["handle"]["value"]))
    assert queue(api) == []
    assert Candidate.objects.get().state == "open"
    assert Identity.objects.values("customer_id").distinct().count() == 1


@pytest.mark.parametrize("id_", ["0", "999999999", "x", "²", "9" * 30])
def test_a_candidate_that_never_was(api: Api, id_: str) -> None:
    for action in ("accept", "reject"):
        assert api.post(f"candidates/{id_}/{action}", {}).status_code == 404
