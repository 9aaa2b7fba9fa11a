"""Rules of retention: what fits them goes, is counted off and refused when it comes again; all else stays."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from channels.models import DeliveryBody
from customers import retention
from customers.experience.following import follow
from customers.models import Attachment, Change, ContactCount, Interaction, InteractionPart, Promise, RetentionRule
from customers.verifying import verify
from tests.support import COMMITTED, Api, event, everything, identifier, phone, push_and_drain, shop
from tests.test_console import agent

pytestmark = COMMITTED


@pytest.fixture
def api(committed: None) -> Api:
    shop()
    shop("other")
    return everything()


def old(days: float = 100) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


def said(number: str, **fields: Any) -> Any:
    return event(identifier("phone", number), **{"occurred_at": old(), "text": "old words", **fields})


def rule(days: int = 90, goes: str = "contents", **fields: Any) -> RetentionRule:
    return RetentionRule.objects.create(days=days, goes=goes, **{"enabled": True, **fields})


def applied(**how: Any) -> dict[int, int]:
    done = retention.apply(retention.rules(), **how)
    assert done.ended
    return done.lines


def texts(api: Api, number: str) -> list[str]:
    return [one["text"] for one in api.timeline("phone", number)]


def test_contents_go_and_the_contact_stays(api: Api) -> None:
    number = phone()
    first = said(number, subject="of old", details={"call": {"status": "completed"}, "more": "words"})
    push_and_drain(api, first)
    push_and_drain(api, {**first, "revision": 5, "text": "old words, edited"})
    push_and_drain(api, said(number, text="new words", occurred_at=old(10)))
    counts = list(ContactCount.objects.values_list("month", "channel", "count"))
    one = rule()
    assert applied() == {one.pk: 1}
    new, kept = api.timeline("phone", number)
    assert (new["text"], kept["text"], kept["subject"], kept["edits"]) == ("new words", "", None, [])
    assert kept["details"] == {"call": {"status": "completed"}}
    assert "old words" not in str(list(InteractionPart.objects.values()))
    assert sorted(counts) == sorted(ContactCount.objects.values_list("month", "channel", "count"))
    assert Change.objects.filter(what="changed", line_id=kept["id"]).exists()
    assert not any(b"old words" in bytes(body.body) for body in DeliveryBody.objects.all())
    assert applied() == {}
    push_and_drain(api, {**first, "revision": 5, "text": "old words, edited"})
    assert texts(api, number) == ["new words", ""]
    assert verify().total == 0, verify().troubles


def test_whole_contacts_go_and_do_not_come_back(api: Api) -> None:
    number = phone()
    first = said(number)
    first["attachments"] = [{"name": "photo.png", "content_type": "image/png", "url": "https://files.example/1"}]
    push_and_drain(api, first, said(number, text="new words", occurred_at=old(10)))
    one = rule(goes="line")
    assert applied() == {one.pk: 1}
    assert texts(api, number) == ["new words"]
    assert sum(ContactCount.objects.values_list("count", flat=True)) == 1
    assert not Attachment.objects.exists()
    gone = Change.objects.get(what="gone")
    assert gone.line_id is not None
    (again,) = push_and_drain(api, {**first, "revision": 9, "text": "old words, edited"})
    assert again["status"] == "erased"
    assert texts(api, number) == ["new words"]
    assert verify().total == 0, verify().troubles


def test_a_promise_goes_with_the_contact_in_which_it_was_made(api: Api) -> None:
    number = phone()
    promised = {"promises": [{"id": "p", "what": "call back", "within_minutes": 30}]}
    push_and_drain(api, said(number, details=promised), said(number, text="new", occurred_at=old(1)))
    follow(10)
    assert Promise.objects.count() == 1
    rule(goes="line")
    applied()
    follow(10)
    assert Promise.objects.count() == 0
    assert "new" in texts(api, number)


def test_each_rule_takes_only_what_it_names(api: Api) -> None:
    numbers = [phone() for _ in range(4)]
    fields = [{}, {"channel": "email", "kind": "email"}, {"channel": "phone", "kind": "call"}]
    push_and_drain(api, *(said(number, **more) for number, more in zip(numbers, fields, strict=False)))
    push_and_drain(Api("ingest", "read", source="other"), said(numbers[3]))
    mail, call = rule(channel="email"), rule(kind="call", goes="line")
    other, long = rule(source="other"), rule(days=1000)
    rule(enabled=False)
    assert applied() == {mail.pk: 1, call.pk: 1, other.pk: 1}
    assert long.pk not in applied()
    assert texts(api, numbers[0]) == ["old words"]
    assert [texts(api, number) for number in numbers[1:]] == [[""], [], [""]]


def test_of_two_rules_the_one_that_takes_more_counts(api: Api) -> None:
    push_and_drain(api, said(phone()))
    rule()
    whole = rule(days=95, goes="line")
    assert applied() == {whole.pk: 1}
    assert not Interaction.objects.exists()


def test_notes_and_whoever_is_held_stay(api: Api) -> None:
    held, other = phone(), phone()
    receipts = push_and_drain(api, said(held), said(other))
    for receipt in receipts:
        assert api.post(f"customers/{receipt['customer']}/notes", {"text": "a note"}).status_code == 201
    Interaction.objects.update(sorted_at=old(2000))
    assert api.post(f"customers/{receipts[0]['customer']}/hold", {"held": True, "reason": "x"}).status_code == 200
    rule(goes="line")
    applied()
    assert sorted(texts(api, held)) == ["a note", "old words"]
    assert texts(api, other) == ["a note"]
    api.post(f"customers/{receipts[0]['customer']}/hold", {"held": False})
    applied()
    assert texts(api, held) == ["a note"]


def test_a_dry_run_counts_and_takes_nothing(api: Api) -> None:
    number = phone()
    push_and_drain(api, said(number), said(number))
    rule(channel="sms", enabled=False)
    rule(goes="line", channel="email")
    out = StringIO()
    call_command("retain", "--dry-run", stdout=out)
    assert out.getvalue().splitlines() == [
        "* sms * > 90 d: contents (not enabled): 2 contacts would go",
        "* email * > 90 d: line: 0 contacts would go",
    ]
    assert texts(api, number) == ["old words"] * 2
    RetentionRule.objects.update(enabled=True)
    out = StringIO()
    call_command("retain", stdout=out)
    assert "2 contacts done" in out.getvalue()
    assert texts(api, number) == ["", ""]


def test_a_night_goes_on_where_its_last_turn_stopped(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 1)
    numbers = [phone() for _ in range(3)]
    push_and_drain(api, *(said(number) for number in numbers))
    rule()
    today = datetime.now(UTC).date()
    turns = 0
    while not (done := retention.nightly(seconds=1e-9, today=today)).ended:
        turns += 1
        assert turns < 50
        if not done.lines and turns == 1:
            retention.nightly(seconds=5, today=today)
    assert [texts(api, number) for number in numbers] == [[""]] * 3
    Interaction.objects.update(text="again")
    assert retention.nightly(today=today).lines == {}
    assert sum(retention.nightly(today=today + timedelta(days=1)).lines.values()) == 3


def test_the_administration_counts_before_a_rule_is_enabled(api: Api) -> None:
    client = agent("admin", name="root")
    User.objects.filter(username="root").update(is_staff=True, is_superuser=True)
    push_and_drain(api, said(phone()))
    path = "/admin/customers/retentionrule/"
    assert client.post(f"{path}add/", {"days": "90", "goes": "line"}).status_code == 302
    one = RetentionRule.objects.get()
    assert not one.enabled
    counted = client.post(path, {"action": "count", "_selected_action": [str(one.pk)]}, follow=True)
    assert "1 contacts" in counted.content.decode()
    assert Interaction.objects.count() == 1
