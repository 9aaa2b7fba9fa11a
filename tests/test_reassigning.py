"""Contacts and handles that were somebody else's: assigned, shared, blocked, released, and back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from customers import blocklist
from customers.incoming import Attachment, ChannelEvent, Handle
from customers.models import Assignment, BlockedHandle, Candidate, ContactCount, Identity, Interaction, InteractionPart
from customers.models import Attachment as Files
from customers.recording import record
from customers.verifying import verify
from tests.identity_support import came, card, did, identity, mail, reasons, texts
from tests.support import COMMITTED, Api, at, everything, phone, shop, unique

pytestmark = COMMITTED


@pytest.fixture
def api(committed: None, settings: Any) -> Api:
    settings.CXHUB_RULES = True
    blocklist.forget()
    shop()
    return everything()


def line_of(receipt: Any) -> str:
    return str(receipt["interaction"])


def test_one_contact_goes_to_another_customer_and_back(api: Api) -> None:
    mine, yours = came(api, ("phone", phone()), text="mine"), came(api, ("phone", phone()), text="yours")
    line = line_of(yours)
    since = api.ok(f"customers/{yours['customer']}/changes")["next"]
    done = did(api, f"interactions/{line}/assign", {"customer": mine["customer"], "reason": "his wife called"}, 201)
    assert (done["customer"], done["was"]) == (mine["customer"], yours["customer"])
    assert texts(api, mine) == ["mine", "yours"]
    assert texts(api, yours) == []
    assert card(api, yours)["counts"] == {}
    assert card(api, mine)["counts"] == {"sms": 2}
    assert line in api.ok(f"customers/{yours['customer']}/changes", {"since": since})["gone"]
    did(api, f"interactions/{line}/assign", {"customer": mine["customer"]}, 200)
    for _ in range(2):
        undone = did(api, f"interactions/{line}/assign/undo")
        assert undone["customer"] == yours["customer"]
    assert (texts(api, mine), texts(api, yours)) == (["mine"], ["yours"])
    assert sum(ContactCount.objects.values_list("count", flat=True)) == 2


def test_a_contact_assigned_twice_goes_back_to_where_it_came(api: Api) -> None:
    one, two, three = (came(api, ("phone", phone()), text=str(n)) for n in range(3))
    line = line_of(three)
    did(api, f"interactions/{line}/assign", {"customer": one["customer"]}, 201)
    did(api, f"interactions/{line}/assign", {"customer": two["customer"]}, 201)
    assert (texts(api, one), texts(api, two)) == (["0"], ["1", "2"])
    did(api, f"interactions/{line}/assign/undo")
    assert texts(api, three) == ["2"]
    assert Assignment.objects.filter(undone_at=None).count() == 0


def test_later_parts_stay_where_the_agent_put_the_call(api: Api) -> None:
    mine = came(api, ("phone", phone()), text="hello")
    part = ChannelEvent(
        source_id=77,
        source="pbx",
        key=unique("call"),
        part="status:ringing",
        received_at=datetime(2026, 3, 2, tzinfo=UTC),
        channel="phone",
        kind="call",
        direction="inbound",
        handles=(Handle("phone", phone()),),
        state="ringing",
    )
    record([[part]], lambda _, outcomes: None)
    did(api, f"interactions/{part.line}/assign", {"customer": mine["customer"]}, 201)
    for later in (
        replace(part, part="status:completed", revision=2, state="completed", text="sold"),
        replace(part, part="recording:1", handles=(), attachments=(Attachment("a.mp3", ref="r1"),), state=""),
        replace(part, revision=3, state="in-progress", replay=True),
    ):
        record([[later]], lambda _, outcomes: None)
    assert texts(api, mine) == ["hello", "sold"]
    line = Interaction.objects.get(id=part.line)
    assert {line.identity_id} == set(InteractionPart.objects.values_list("identity_id", flat=True))
    assert {line.identity_id} == set(Files.objects.values_list("identity_id", flat=True))
    assert api.timeline("phone", part.handles[0].value) == []


def test_an_assigned_contact_survives_a_merge_and_its_undo(api: Api) -> None:
    one, two, three = (came(api, ("phone", phone()), text=str(n)) for n in range(3))
    merged = did(api, f"customers/{one['customer']}/merge", {"with": two["customer"], "reason": "x"}, 201)
    did(api, f"interactions/{line_of(three)}/assign", {"customer": two["customer"]}, 201)
    did(api, f"links/{merged['link']}/undo", {"reason": "no"})
    assert (texts(api, one), texts(api, two), texts(api, three)) == (["0", "2"], ["1"], [])


def test_only_what_is_there_is_assigned(api: Api) -> None:
    mine = came(api, ("phone", phone()))
    nowhere = "00000000-0000-0000-0000-000000000001"
    assert api.post(f"interactions/{nowhere}/assign", {"customer": mine["customer"]}).status_code == 404
    assert api.post(f"interactions/{line_of(mine)}/assign", {"customer": nowhere}).status_code == 404
    assert api.post(f"interactions/{line_of(mine)}/assign", {}).status_code == 400
    assert api.post(f"interactions/{line_of(mine)}/assign/undo", {}).status_code == 404


def test_a_shared_handle_links_nobody_and_shows_what_rests_on_it(api: Api) -> None:
    number, address = phone(), mail()
    came(api, ("phone", number), ("email", address))
    one = came(api, ("phone", number))
    id_ = identity(api, one, "phone")
    shown = did(api, f"identities/{id_}/share")
    assert shown["identity"]["shared"] is True
    assert len(shown["links"]) == len(shown["candidates"]) == 1
    assert [group["contacts"] for group in shown["would_fall_apart_into"]] == [2, 0]
    assert did(api, f"identities/{id_}/share") == shown
    assert len(card(api, one)["identities"]) == 2, "nothing is undone silently"
    assert reasons(came(api, ("phone", number), ("email", mail()))) == ["shared"]
    assert did(api, f"identities/{id_}/unshare")["candidates"] == []
    assert reasons(came(api, ("phone", number), ("email", mail()))) == []


def test_rejecting_what_rests_on_a_shared_handle_parts_the_two(api: Api) -> None:
    number, address = phone(), mail()
    one = came(api, ("phone", number), ("email", address))
    (candidate,) = did(api, f"identities/{identity(api, one, 'phone')}/share")["candidates"]
    done = did(api, f"candidates/{candidate}/reject", {"reason": "the switchboard"})
    assert len(done["undone"]) == 1
    assert len(done["customers"]) == 2
    assert [i["kind"] for i in card(api, one)["identities"]] == ["phone"]


def test_a_blocked_handle_names_nobody(api: Api) -> None:
    number = phone()
    one = came(api, ("phone", number))
    id_ = identity(api, one, "phone")
    did(api, f"identities/{id_}/block", {"note": "our own fax"})
    later = [came(api, ("phone", number)) for _ in range(2)]
    assert [reasons(receipt) for receipt in later] == [["blocked"], ["blocked"]]
    assert len({one["customer"], *(receipt["customer"] for receipt in later)}) == 3
    did(api, f"identities/{id_}/unblock")
    assert came(api, ("phone", number))["customer"] == one["customer"]


def test_a_role_carries_contacts_and_links_nobody(api: Api) -> None:
    number = phone()
    one = came(api, ("phone", number))
    did(api, f"identities/{identity(api, one, 'phone')}/block", {"why": "role"})
    receipt = came(api, ("phone", number), ("email", mail()))
    assert (receipt["customer"], reasons(receipt)) == (one["customer"], ["not_linkable"])


def test_what_the_built_in_lists_refuse_can_be_allowed(api: Api) -> None:
    address = "info@mail.example"
    assert reasons(came(api, ("phone", phone()), ("email", address))) == ["not_linkable"]
    blocklist.block("email", address, why="allowed", note="his name is Info", by="test")
    assert reasons(came(api, ("phone", phone()), ("email", address))) == []
    assert reasons(came(api, ("phone", "+79000000000"))) == ["blocked"]
    blocklist.block("phone", "+79000000000", why="allowed", note="golden number", by="test")
    assert reasons(came(api, ("phone", "+79000000000"))) == []


def test_a_role_that_stood_links_once_it_is_allowed(api: Api) -> None:
    one = came(api, ("email", "info@mail.example"))
    id_ = identity(api, one, "email")
    did(api, f"identities/{id_}/block", {"why": "allowed"})
    assert reasons(came(api, ("email", "info@mail.example"), ("phone", phone()))) == []
    did(api, f"identities/{id_}/unblock")
    assert reasons(came(api, ("email", "info@mail.example"), ("phone", phone()))) == ["not_linkable"]


@pytest.fixture
def boss(api: Api) -> Iterator[Client]:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"), "customers.signin.users.Users")
    yield client
    LogEntry.objects.all().delete()


def test_the_list_is_edited_in_the_admin(api: Api, boss: Client) -> None:
    client = boss
    address = "/admin/customers/blockedhandle/"
    form = {"kind": "phone", "value": "8 (912) 777-66-55", "why": "blocked", "note": "the courier"}
    assert client.post(f"{address}add/", form).status_code == 302
    row = BlockedHandle.objects.get()
    assert (row.value, row.created_by[:5]) == ("+79127776655", "user:")
    assert reasons(came(api, ("phone", "+79127776655"))) == ["blocked"]
    assert client.post(f"{address}{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert reasons(came(api, ("phone", "+79127776655"))) == []
    shop("pbx", addresses=["+73433000000"])
    own = BlockedHandle.objects.get()
    assert client.post(f"{address}{own.pk}/change/", form).status_code == 403


def test_the_companys_own_numbers_are_no_customers(api: Api) -> None:
    source = shop("pbx", addresses=["8 (343) 300-00-00", "help@firm.example"])
    for handle in (("phone", "+73433000000"), ("email", "help@firm.example")):
        assert reasons(came(api, handle)) == ["blocked"]
    source.addresses = []
    source.save()
    assert reasons(came(api, ("phone", "+73433000000"))) == []


def test_a_released_number_is_somebody_elses_from_then_on(api: Api) -> None:
    number = phone()
    old = came(api, ("phone", number), text="before", occurred_at=at(0))
    came(api, ("phone", number), text="after", occurred_at=at(60))
    done = did(api, f"identities/{identity(api, old, 'phone')}/release", {"at": at(30)})
    assert (done["moved"], done["identity"]["customer"]) == (1, old["customer"])
    assert did(api, f"identities/{done['identity']['id']}/release", {"at": at(30)})["successor"] == done["successor"]
    late = came(api, ("phone", number), text="late", occurred_at=at(10))
    new = came(api, ("phone", number), text="new", occurred_at=at(90))
    assert (late["customer"], new["customer"]) == (old["customer"], done["successor"])
    assert texts(api, old) == ["before", "late"]
    assert texts(api, new) == ["after", "new"]
    assert [one["id"] for one in api.ok("customers", {"phone": number})["results"]] == [new["customer"]]
    assert sorted(Identity.objects.filter(kind="phone").values_list("generation", flat=True)) == [0, 1]


def test_a_released_number_without_later_contacts_waits_for_the_next_owner(api: Api) -> None:
    number = phone()
    old = came(api, ("phone", number), occurred_at=at(0))
    done = did(api, f"identities/{identity(api, old, 'phone')}/release", {"at": at(30)})
    assert (done["successor"], done["moved"]) == (None, 0)
    note = api.post(f"customers/{old['customer']}/notes", {"text": "still his card"})
    assert note.status_code == 201
    new = came(api, ("phone", number), occurred_at=at(90))
    assert new["customer"] != old["customer"]
    assert "still his card" in texts(api, old)


def test_a_contact_assigned_before_a_release_goes_back_to_whoever_had_the_number(api: Api) -> None:
    number = phone()
    old = came(api, ("phone", number), text="before", occurred_at=at(0))
    after = came(api, ("phone", number), text="after", occurred_at=at(60))
    other = came(api, ("phone", phone()), text="other")
    for receipt in (old, after):
        did(api, f"interactions/{line_of(receipt)}/assign", {"customer": other["customer"]}, 201)
    done = did(api, f"identities/{identity(api, old, 'phone')}/release", {"at": at(30)})
    assert done["moved"] == 0, "neither hangs on the number"
    back = did(api, f"interactions/{line_of(after)}/assign/undo")
    assert back["customer"] not in (old["customer"], other["customer"])
    assert did(api, f"interactions/{line_of(old)}/assign/undo")["customer"] == old["customer"]
    assert (texts(api, old), texts(api, back["customer"]), texts(api, other)) == (["before"], ["after"], ["other"])
    assert came(api, ("phone", number), occurred_at=at(90))["customer"] == back["customer"]
    assert verify().total == 0


def test_a_release_is_undone_and_done_again_exactly(api: Api) -> None:
    number = phone()
    old = came(api, ("phone", number), text="before", occurred_at=at(0))
    came(api, ("phone", number), text="after", occurred_at=at(60))
    id_ = identity(api, old, "phone")
    new = did(api, f"identities/{id_}/release", {"at": at(30)})["successor"]
    parted = card(api, old), card(api, new)
    done = did(api, f"identities/{id_}/release/undo", {"reason": "he had moved"})
    assert (done["customer"], did(api, f"identities/{id_}/release/undo")["link"]) == (old["customer"], None)
    assert texts(api, old) == ["after", "before"]
    assert card(api, new)["id"] == old["customer"]
    came(api, ("phone", number), text="newer", occurred_at=at(90))
    came(api, ("phone", number), text="older", occurred_at=at(10))
    assert texts(api, old) == ["after", "before", "newer", "older"]
    did(api, f"links/{done['link']}/undo", {"reason": "no, he had not"})
    assert (texts(api, old), texts(api, new)) == (["before", "older"], ["after", "newer"])
    assert [one["identities"] for one in parted] == [card(api, old)["identities"], card(api, new)["identities"]]
    assert verify().total == 0


def test_a_release_that_nobody_came_by_leaves_nothing_behind(api: Api) -> None:
    number = phone()
    old = came(api, ("phone", number), occurred_at=at(0))
    id_ = identity(api, old, "phone")
    did(api, f"identities/{id_}/release", {"at": at(30)})
    for _ in range(2):
        done = did(api, f"identities/{id_}/release/undo")
        assert (done["identity"]["valid_to"], done["link"], done["customer"]) == (None, None, old["customer"])
    assert came(api, ("phone", number), occurred_at=at(90))["customer"] == old["customer"]


def test_whoever_comes_with_a_shared_handle_is_one_question(api: Api) -> None:
    number = phone()
    one = came(api, ("phone", number))
    did(api, f"identities/{identity(api, one, 'phone')}/share")
    for _ in range(3):
        assert reasons(came(api, ("phone", number), ("email", mail()))) == ["shared"]
        assert reasons(came(api, ("email", mail()), ("phone", number))) == ["shared"]
    (question,) = api.ok("candidates", {"reason": "shared"})["results"]
    assert (question["times"], question["handle"]["value"]) == (6, number)
    assert [shown["value"] for shown in card(api, one)["candidates"]] == [number]
    did(api, f"candidates/{question['id']}/reject", {"reason": "the switchboard"})
    assert reasons(came(api, ("phone", number), ("email", mail()))) == ["shared"]
    assert api.ok("candidates", {"reason": "shared"})["results"] == []
    assert Candidate.objects.get().times == 7
    assert verify().total == 0


def test_who_was_hidden_answers_as_whoever_he_turned_out_to_be(api: Api) -> None:
    call = {"id": unique("call"), "channel": "phone", "kind": "call", "part": "ringing"}
    hidden = came(api, ("phone", "anonymous"), **call)
    assert card(api, hidden)["counts"] == {"phone": 1}
    known = came(api, ("phone", phone()), name="Ada")
    named = came(api, ("phone", known_number(known)), **{**call, "part": "completed"})
    assert named["customer"] == known["customer"]
    assert card(api, hidden)["name"] == "Ada", "the id that was given out answers"
    assert len(texts(api, hidden)) == 2
    other = came(api, ("phone", phone()))
    did(api, f"interactions/{line_of(named)}/assign", {"customer": other["customer"]}, 201)
    assert card(api, hidden)["id"] == other["customer"], "it goes where the call goes"
    did(api, f"interactions/{line_of(named)}/assign/undo")
    assert card(api, hidden)["id"] == known["customer"]


def test_a_hidden_caller_with_a_note_keeps_his_card(api: Api) -> None:
    call = {"id": unique("call"), "channel": "phone", "kind": "call", "part": "ringing"}
    hidden = came(api, ("phone", "anonymous"), **call)
    assert api.post(f"customers/{hidden['customer']}/notes", {"text": "cried"}).status_code == 201
    named = came(api, ("phone", phone()), **{**call, "part": "completed"})
    assert texts(api, hidden) == ["cried"]
    assert card(api, named)["id"] != card(api, hidden)["id"]
    did(api, f"customers/{named['customer']}/merge", {"with": hidden["customer"]}, 201)
    assert "cried" in texts(api, named)


def known_number(receipt: Any) -> str:
    value: str = Interaction.objects.values_list("identity__value", flat=True).get(id=line_of(receipt))
    return value


@pytest.mark.parametrize("action", ["share", "unshare", "block", "unblock", "release", "release/undo"])
@pytest.mark.parametrize("id_", ["999999999", "x", "²"])
def test_an_identity_that_never_was(api: Api, action: str, id_: str) -> None:
    assert api.refused(f"identities/{id_}/{action}")[0] in (404, 405)
    assert api.post(f"identities/{id_}/{action}", {}).status_code == 404


@pytest.mark.parametrize("path", ["identities/1/share", "candidates/1/accept", "links/1/undo"])
def test_reading_is_not_enough(api: Api, path: str) -> None:
    assert Api("read").post(path, {}).status_code == 403
