"""Links that are doubted afterwards: tightened rules and corrected parsers ask a person, and undo nothing."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import call_command

from channels.provider import StoredDelivery
from channels.providers import PROVIDERS
from channels.providers.push import Push
from customers import blocklist, rules
from customers.incoming import ChannelEvent, Handle
from customers.models import Candidate, Identity, KeepApart, Link
from customers.verifying import verify
from tests.identity_support import came, card, did, identity, mail
from tests.support import COMMITTED, Api, at, drained, everything, phone, shop

pytestmark = COMMITTED


@pytest.fixture
def api(committed: None, settings: Any) -> Api:
    settings.CXHUB_RULES = True
    blocklist.forget()
    shop()
    return everything()


def queue(api: Api, **params: Any) -> list[Any]:
    found: list[Any] = api.ok("candidates", params)["results"]
    return found


def told(capsys: pytest.CaptureFixture[str], **options: Any) -> list[str]:
    call_command("reevaluate", **options)
    return capsys.readouterr().out.splitlines()


def older(api: Api) -> Any:
    """Two linked by rules that knew no names: only a later contact said who they are."""
    number, address = phone(), mail()
    one = came(api, ("phone", number), name="Иван")
    came(api, ("phone", number), ("email", address))
    Link.objects.update(rules_version=rules.RULES_VERSION - 1)
    came(api, ("email", address), name="Мария", occurred_at=at(60))
    return one


def test_a_link_that_the_rules_would_refuse_today_is_asked_about(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    one = older(api)
    listed = told(capsys, dry_run=True)
    assert listed[0].endswith(f"rules {rules.RULES_VERSION - 1}: contradiction")
    assert queue(api) == [], "a dry run only lists"
    assert told(capsys)[0] == listed[0]
    (asked,) = queue(api, reason="review:contradiction")
    assert [who["id"] for who in asked["customers"]] == [one["customer"]] * 2
    assert len(card(api, one)["identities"]) == 2, "nothing is undone silently"
    assert len(told(capsys)) == 2
    assert Candidate.objects.count() == 1, "asked once"
    done = did(api, f"candidates/{asked['id']}/reject", {"reason": "a couple"})
    assert (len(done["undone"]), len(done["customers"])) == (1, 2)
    assert KeepApart.objects.filter(lifted_at=None).count() == 1
    assert told(capsys) == [f"rules {rules.RULES_VERSION}: 0 put up for review"]
    assert verify().total == 0


def test_two_owners_of_one_number_are_one_question(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    """One and the same address was linked to both, as contacts before and after the release said."""
    number, address = phone(), mail()
    one = came(api, ("email", address), ("phone", number), occurred_at=at(0))
    did(api, f"identities/{identity(api, one, 'phone')}/release", {"at": at(30)})
    came(api, ("email", address), ("phone", number), occurred_at=at(60))
    assert Link.objects.count() == 2
    blocklist.block("email", address, why="role", note="", by="test")
    assert len(told(capsys, all=True)) == 3
    assert len(queue(api)) == 1


def test_what_a_person_confirmed_is_not_asked_again(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    one = older(api)
    told(capsys)
    (asked,) = queue(api)
    assert did(api, f"candidates/{asked['id']}/accept", {"reason": "Maria is his alias"})["undone"] == []
    told(capsys)
    assert queue(api) == []
    assert len(card(api, one)["identities"]) == 2


def test_a_longer_list_of_blocked_handles_is_a_tighter_rule(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    one = came(api, ("phone", phone()), ("email", mail()))
    came(api, ("phone", phone()), ("email", mail()))
    did(api, f"identities/{identity(api, one, 'phone')}/block", {"why": "role"})
    assert len(told(capsys)) == 1, "today's version made it"
    assert told(capsys, all=True)[0].endswith("not_linkable")
    assert [asked["reason"] for asked in queue(api)] == ["review:not_linkable"]


def test_what_people_and_good_evidence_linked_is_left_alone(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = came(api, ("phone", phone()), name="Иван"), came(api, ("email", mail()), name="Мария")
    did(api, f"customers/{one['customer']}/merge", {"with": other["customer"]}, 201)
    came(api, ("phone", phone()), ("email", mail()), name="Ада")
    Link.objects.update(rules_version=0)
    assert told(capsys, all=True) == [f"rules {rules.RULES_VERSION}: 0 put up for review"]


class Fixed(Push):
    """A later version of the parser."""

    def __init__(self, **fix: Any) -> None:
        self.fix = fix

    def parse(self, delivery: StoredDelivery) -> Iterator[ChannelEvent]:
        yield from (replace(said, **self.fix) for said in super().parse(delivery))


def replayed(api: Api, receipt: Any, monkeypatch: pytest.MonkeyPatch, **fix: Any) -> Any:
    monkeypatch.setitem(PROVIDERS, "push", Fixed(**fix))
    assert api.post(f"deliveries/{receipt['receipt']}/replay").status_code == 202
    drained()
    return api.ok(f"receipts/{receipt['receipt']}")


def test_a_link_that_a_replay_no_longer_says_is_asked_about(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    number, wrong, right = phone(), mail(), mail()
    other = came(api, ("email", wrong), text="hers")
    misread = came(api, ("phone", number), ("email", wrong), text="his", occurred_at=at(5))
    assert misread["customer"] == other["customer"]
    replayed(api, misread, monkeypatch, handles=(Handle("phone", number), Handle("email", right)))
    (asked,) = queue(api, reason="review:replayed")
    assert {asked["identity"]["value"], asked["handle"]["value"]} == {number, wrong}
    assert len(card(api, misread)["identities"]) == 3
    did(api, f"candidates/{asked['id']}/reject", {"reason": "misread"})
    assert {one["value"] for one in card(api, other)["identities"]} == {wrong}
    assert {one["value"] for one in api.card("phone", number)["identities"]} == {number, right}
    assert verify().total == 0


def test_a_replay_that_says_the_same_asks_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    one = came(api, ("phone", phone()), ("email", mail()), name="Ada")
    replayed(api, one, monkeypatch)
    assert queue(api) == []
    assert card(api, one)["name"] == "Ada"


def test_a_line_that_a_replay_withdraws_leaves_its_link_in_doubt(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    one = came(api, ("phone", phone()), ("email", mail()), name="Ada")
    replayed(api, one, monkeypatch, key="another", handles=(Handle("telegram", "7100000012"),))
    assert [asked["reason"] for asked in queue(api)] == ["review:replayed"]
    assert card(api, one)["name"] is None


def test_a_replay_takes_back_what_it_no_longer_claims(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    number, right = phone(), phone()
    customer = {"identifiers": [{"kind": "phone", "value": number}], "name": "Bob", "attributes": {"city": "Perm"}}
    one = came(api, customer=customer, occurred_at=at(5))
    came(api, ("phone", number), name="Ada", occurred_at=at(9))
    replayed(api, one, monkeypatch, handles=(Handle("phone", right),), attributes={})
    assert (card(api, one)["name"], card(api, one)["attributes"]) == ("Ada", {}), "what a later contact said stays"
    assert (api.card("phone", right)["name"], api.card("phone", right)["attributes"]) == ("Bob", {})


def test_what_another_contact_of_that_moment_said_stays(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    number = phone()
    one = came(api, ("phone", number), occurred_at=at(5))
    came(api, ("phone", number), name="Ada", occurred_at=at(5))
    replayed(api, one, monkeypatch, handles=(Handle("phone", phone()),))
    assert card(api, api.card("phone", number)["id"])["name"] == "Ada"
    assert Identity.objects.count() == 2
