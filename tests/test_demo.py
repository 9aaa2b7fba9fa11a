"""What `make demo` needs is made once; its history goes through the doors, and goes in once."""

import io
import json
import sys
from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connections
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from channels.accepting import accept
from channels.models import Delivery, Source, Subscription
from customers.access import ROLES, principal_of_key
from customers.experience import segments
from customers.experience.calendar import calendars
from customers.experience.following import follow
from customers.models import (
    ApiKey,
    Consent,
    Expectation,
    Feedback,
    Hold,
    Interaction,
    Promise,
    Request,
    Score,
    Segment,
    StageChange,
    Touch,
)
from customers.sql import cursor
from cxhub import demo
from cxhub.demo import cast
from cxhub.demo.administered import administer
from cxhub.demo.doors import Web
from cxhub.demo.letters import Letter
from cxhub.demo.screenplay import contacts, person
from tests.support import COMMITTED, Api, drained, everything

pytestmark = COMMITTED


def ensure(monkeypatch: pytest.MonkeyPatch, before: str = "") -> dict[str, Any]:
    monkeypatch.setattr(sys, "stdin", io.StringIO(before))
    answer = io.StringIO()
    call_command("ensure_demo", json=True, stdout=answer)
    made: dict[str, Any] = json.loads(answer.getvalue())
    return made


def test_a_second_time_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ensure(monkeypatch)
    assert ensure(monkeypatch, json.dumps(first)) == first
    assert ApiKey.objects.count() == len(first["keys"]) == 4


def test_hours_can_be_read_and_segments_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    ensure(monkeypatch)
    assert set(calendars().by_source) == {"", "vilnius"}
    with cursor() as sql:
        assert [segments.count(sql, one.filter) for one in Segment.objects.all()] == [0, 0, 0]
    Segment.objects.all()[0].delete()
    ensure(monkeypatch)
    assert Segment.objects.count() == 2, "what was taken away stays away"


def test_keys_and_users_may_what_they_are_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made = ensure(monkeypatch)
    ingest = principal_of_key(made["keys"]["ingest"])
    assert ingest is not None
    assert (ingest.source, ingest.may("ingest"), ingest.may("read")) == ("demo", True, False)
    assert ingest.may_push_for("telegram")
    for name in ("read", "write", "admin"):
        principal = principal_of_key(made["keys"][name])
        assert principal is not None
        assert principal.may(name)
    assert set(made["users"]) == set(ROLES)
    for role, user in made["users"].items():
        account = get_user_model().objects.get(username=user["username"])
        assert account.check_password(user["password"])
        assert account.is_superuser == account.is_staff == (role == "admin")


def test_what_nobody_knows_any_more_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ensure(monkeypatch)
    second = ensure(monkeypatch, "")
    assert principal_of_key(first["keys"]["admin"]) is None
    assert principal_of_key(second["keys"]["admin"]) is not None
    assert not get_user_model().objects.get(username="agent").check_password(first["users"]["agent"]["password"])
    assert first["sources"] == second["sources"]


def test_sources_say_what_is_needed_to_send_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = ensure(monkeypatch)["sources"]
    assert (sources["demo"]["slug"], Source.objects.get(slug="demo").region) == ("demo", "RU")
    assert Source.objects.get(slug="vilnius").region == "LT"
    assert sources["telegram"]["secret_token"]
    assert sources["voice"]["auth_token"] != sources["sms"]["auth_token"]
    assert all("/hooks/" in source["hook_url"] for source in sources.values())


class InProcess(Web):
    """The same requests, without a server."""

    asked: list[tuple[str, str]] = []

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, bytes]:
        kind = headers.get("Content-Type", "application/json")
        answer = Client().generic(method, path, body, content_type=kind, headers=headers)
        self.asked.append((method, path))
        return answer.status_code, answer.content

    def close(self) -> None:
        connections.close_all()


def mail(_host: str, _port: int, letters: list[Letter]) -> None:
    source = Source.objects.get(slug="mail")
    for letter in letters:
        headers = {"mail-from": letter.sender, "rcpt-to": letter.recipient}
        accept(source, body=letter.body, headers=headers, received_at=timezone.now())
    connections.close_all()


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """As the launcher hands it over, with doors in this process."""
    monkeypatch.setattr(demo, "Web", InProcess)
    monkeypatch.setattr(demo, "mail", mail)
    monkeypatch.setattr(demo, "open_smtp", lambda *_: True)
    monkeypatch.setattr(demo, "settle", lambda *_: drained())
    monkeypatch.setattr(InProcess, "asked", [])
    made = ensure(monkeypatch)
    keys = {f"{name}_key": plain for name, plain in made["keys"].items()}
    return {"users": made["users"], "sources": made["sources"], "smtp_port": 2525, **keys}


def telling(api: Api, kind: str, value: str) -> list[str]:
    return [entry["text"] for entry in api.timeline(kind, value, limit=200)]


def every_part_of_the_experience() -> None:
    """The demo shows each: what a manager, a colleague and a newcomer want to see is there."""
    while follow(60):
        pass

    def told(model: type[Model], name: str) -> set[Any]:
        return set(model._default_manager.values_list(name, flat=True))

    assert told(Promise, "state") >= {"kept", "broken"}
    assert told(Promise, "origin") >= {"event", "score"}
    assert told(Request, "state") >= {"solved", "abandoned"}
    for name in ("handovers", "switches", "repeated"):
        assert Request.objects.filter(**{f"{name}__gt": 0}).exists(), name
    assert told(Expectation, "outcome") >= {"", "missed", "met", "exceeded"}
    assert told(Expectation, "lasting") == {True, False}
    assert told(Score, "metric") >= {"nps", "csat", "ces"}
    assert told(Feedback, "state") >= {"new", "answered", "solved", "told"}
    assert told(StageChange, "stage") == {"before", "purchase", "after", "again", "left"}
    assert Touch.objects.filter(exits__gt=0).exists()
    assert Touch.objects.filter(emotion_sum__lt=0).exists()


def test_the_history_goes_in_once(state: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    demo.push(settings.CXHUB_PUBLIC_URL, state)
    assert "50 customers" in capsys.readouterr().out
    lines = Interaction.objects.count()
    assert 400 <= lines <= 800
    assert set(Delivery.objects.values_list("state", flat=True)) == {"recorded"}
    assert not Interaction.objects.filter(occurred_at__gt=timezone.now()).exists()
    channels = set(Interaction.objects.values_list("channel", flat=True))
    assert channels >= {"phone", "email", "sms", "telegram", "whatsapp", "viber", "vk", "max", "web", "store"}

    api = everything()
    colleagues = ("vlasova@veter.example", "tarasov@veter.example", "petrenko@veter.example")
    assert len({api.card("email", one)["id"] for one in colleagues} | {api.card("phone", "+73433001000")["id"]}) == 4
    assert api.card("loyalty", "L-2005")["id"] != api.card("loyalty", "L-2006")["id"], "a mother and her son"
    assert sum(api.card("crm_id", "C-1900")["counts"].values()) > 300
    assert api.ok("customers", {"email": "director@zavod.example"})["results"] == []
    assert any("Mailbox full" in str(entry["details"]) for entry in api.timeline("crm_id", "C-1009"))
    assert any(len(text) > 1000 for text in telling(api, "crm_id", "C-1002"))

    states = {(one.channel, one.state) for one in Consent.objects.all()}
    assert states >= {("email", "given"), ("email", "withdrawn"), ("sms", "given"), ("*", "withdrawn")}
    assert Hold.objects.get().lifted_at is None
    assert [one.enabled for one in Subscription.objects.all()] == [False]
    administer(InProcess(settings.CXHUB_PUBLIC_URL), state)
    assert (Hold.objects.count(), Subscription.objects.count()) == (1, 1), "a start that broke off adds nothing"

    every_part_of_the_experience()

    InProcess.asked.clear()
    demo.push(settings.CXHUB_PUBLIC_URL, state)
    assert [method for method, _ in InProcess.asked] == ["GET"]


def test_a_push_that_broke_off_is_completed(state: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one finds out from which day the first counted, however late it comes."""
    yesterday = timezone.now().date() - timedelta(days=1)
    half = [parcel for parcel in cast.parcels(yesterday) if parcel.door == "push"][::2]
    monkeypatch.setattr(cast, "parcels", lambda _: half[:100])
    demo.push(settings.CXHUB_PUBLIC_URL, state)
    monkeypatch.undo()
    assert demo.anchor(InProcess(settings.CXHUB_PUBLIC_URL), state) == yesterday


def test_a_story_says_everything_in_a_line() -> None:
    someone = person("C-1", "Ada", "phone:+79990001012", "2 10:02 call< {3:05 anna all as=phone} Rang ¶ back\n  twice")
    (one,) = contacts(someone, date(2026, 11, 22))
    assert one.at.isoformat() == "2026-11-20T10:02:01+05:00"
    assert (one.verb, one.direction, one.agent, one.seconds) == ("call", "outbound", "anna", 185)
    assert (one.text, one.values) == ("Rang\n\nback twice", {"as": "phone"})
    assert "all" in one.words


def test_a_line_that_is_none_is_said() -> None:
    with pytest.raises(ValueError, match="yesterday he rang"):
        contacts(person("C-1", "Ada", "", "yesterday he rang"), date(2026, 11, 22))


def test_the_same_day_gives_the_same_bytes() -> None:
    day = date(2026, 11, 22)
    assert cast.parcels(day) == cast.parcels(day)
    assert {parcel.phase for parcel in cast.parcels(day)} == {1, 2, 3}
