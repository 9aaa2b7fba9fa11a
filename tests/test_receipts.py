"""What a receipt says: every status a delivery can come to, who may read it, and what a replay replaces."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client

from channels.models import Delivery, DeliveryBody, Source
from channels.provider import StoredDelivery
from channels.providers import PROVIDERS
from channels.providers.push import Push
from customers.incoming import ChannelEvent, Handle
from tests.support import (
    COMMITTED,
    Api,
    drained,
    due_again,
    event,
    identifier,
    phone,
    problem_of,
    push_and_drain,
    shop,
    unique,
)

pytestmark = COMMITTED


def follow_up(thing: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A further part of a line, which names nobody."""
    return event(id=thing["id"], channel=thing["channel"], kind=thing["kind"], part="recording", **fields)


def test_accepted_then_recorded(api: Api) -> None:
    (pushed,) = api.push(event(identifier("phone", phone()), id="call-1"))
    before = api.ok(f"receipts/{pushed['receipt']}")
    assert (before["status"], before["lines"], before["refused"]) == ("accepted", [], [])
    assert (before["interaction"], before["customer"], before["recorded_at"]) == (None, None, None)
    drained()
    after = api.ok(f"receipts/{pushed['receipt']}")
    assert set(after) == {
        *("receipt", "id", "source", "status", "interaction", "customer", "lines", "refused"),
        *("received_at", "recorded_at", "reason", "attempts"),
    }
    assert (after["receipt"], after["id"], after["source"]) == (pushed["receipt"], "call-1", "shop")
    assert (after["status"], after["reason"]) == ("recorded", None)
    (line,) = after["lines"]
    assert set(line) == {"interaction", "customer", "status", "matched_by"}
    assert (line["interaction"], line["customer"], line["status"]) == (
        after["interaction"],
        after["customer"],
        "recorded",
    )
    assert datetime.fromisoformat(after["received_at"]) < datetime.fromisoformat(after["recorded_at"])
    assert api.ok(f"customers/{after['customer']}/timeline")["results"][0]["id"] == after["interaction"]


def test_matched_by_says_how_a_customer_was_found(api: Api) -> None:
    number = phone()
    shown = [push_and_drain(api, event(identifier("phone", number)))[0]["lines"][0]["matched_by"] for _ in range(2)]
    assert shown == ["new", "phone"]
    assert push_and_drain(api, event())[0]["lines"][0]["matched_by"] == "anonymous"


def test_a_part_waits_for_its_line(api: Api) -> None:
    number = phone()
    call = event(identifier("phone", number), channel="phone", kind="call", text="call")
    recording = follow_up(call, details={"call": {"recording": {"url": "https://x.example/r.mp3", "duration_s": 5}}})
    (waiting,) = push_and_drain(api, recording, waiting=True)
    assert (waiting["status"], waiting["customer"], waiting["interaction"]) == ("waiting", None, None)
    assert waiting["recorded_at"] is None
    push_and_drain(api, call)
    (recorded,) = [api.ok(f"receipts/{waiting['receipt']}")]
    assert (recorded["status"], recorded["lines"][0]["matched_by"]) == ("recorded", "line")
    (entry,) = api.timeline("phone", number)
    assert entry["id"] == recorded["interaction"]
    assert entry["details"]["call"]["recording"] == {"url": "https://x.example/r.mp3", "duration_s": 5}


def test_a_part_that_comes_with_its_line_does_not_wait(api: Api) -> None:
    call = event(identifier("phone", phone()), channel="phone", kind="call")
    recording = follow_up(call)
    shown = push_and_drain(api, recording, call)
    assert [one["status"] for one in shown] == ["recorded", "recorded"]
    assert len({one["interaction"] for one in shown}) == 1


def test_a_part_whose_line_never_comes_is_quarantined(api: Api) -> None:
    (waiting,) = push_and_drain(api, follow_up(event()), waiting=True)
    long_ago = datetime.now(UTC) - timedelta(days=8)
    with connection.cursor() as cursor:
        for table, column in (("channels_deliverybody", "delivery_id"), ("channels_delivery", "id")):
            cursor.execute(f"UPDATE {table} SET received_at = %s WHERE {column} = %s", (long_ago, waiting["receipt"]))
    due_again()
    drained()
    receipt = api.ok(f"receipts/{waiting['receipt']}")
    assert receipt["status"] == "quarantined"
    assert "line" in receipt["reason"]


def test_duplicates_at_the_fold(api: Api) -> None:
    """The same word in another spelling of JSON passes the door, and adds nothing."""
    number = phone()
    thing = event(identifier("phone", number), text="once", occurred_at="2026-03-02T09:00:00Z")
    push_and_drain(api, thing)
    (again,) = push_and_drain(api, {**thing, "occurred_at": "2026-03-02T12:00:00+03:00"})
    assert again["status"] == "duplicate"
    assert again["customer"]
    assert len(api.timeline("phone", number)) == 1


def test_conflict_names_the_line_that_stands(api: Api) -> None:
    thing = event(identifier("phone", phone()), text="one")
    (first,) = push_and_drain(api, thing)
    (second,) = push_and_drain(api, {**thing, "text": "two"})
    assert (second["status"], second["interaction"]) == ("conflict", first["interaction"])
    listed = api.ok("deliveries", {"status": "conflict"})["results"]
    assert [one["receipt"] for one in listed] == [second["receipt"]], "kept and shown"


@pytest.fixture
def bot(api: Api) -> Source:
    return Source.objects.create(provider="telegram", slug="bot", secrets={"secret_token": "t0p"})


def hook(bot: Source, update: Any) -> str:
    body = update if isinstance(update, bytes) else json.dumps(update).encode()
    answer = Client().post(
        f"/hooks/telegram/{bot.key}",
        body,
        content_type="application/json",
        headers={"X-Telegram-Bot-Api-Secret-Token": "t0p"},
    )
    assert answer.status_code == 200
    drained()
    return str(Delivery.objects.latest("pk").pk)


@pytest.mark.parametrize(
    ("update", "status"),
    [
        ({"update_id": 1, "unheard_of": {"a": 1}}, {"unsupported", "ignored"}),
        (b"this is not JSON", {"quarantined"}),
        ([1, 2], {"quarantined"}),
    ],
)
def test_what_is_not_recorded_says_why(api: Api, bot: Source, update: Any, status: set[str]) -> None:
    receipt = api.ok(f"receipts/{hook(bot, update)}")
    assert receipt["status"] in status
    assert receipt["reason"]
    assert receipt["lines"] == []
    listed = api.ok("deliveries", {"status": receipt["status"], "source": "bot"})["results"]
    assert [one["receipt"] for one in listed] == [receipt["receipt"]]


def test_refused_handles_are_listed_with_their_reasons(api: Api) -> None:
    number, address, other = phone(), f"{unique('a')}@mail.example", phone()
    push_and_drain(api, event(identifier("phone", other)))
    (receipt,) = push_and_drain(
        api,
        event(
            identifier("phone", number),
            identifier("phone", other),
            identifier("email", address, verified=False),
            identifier("phone", "anonymous"),
            identifier("email", "no at sign"),
        ),
    )
    reasons = {one["identifier"]: one["reason"] for one in receipt["refused"]}
    assert reasons.pop("phone:anonymous") == "blocked"
    assert reasons.pop("email:no at sign") == "invalid"
    assert reasons.pop(f"email:{address}") == "claimed"
    assert reasons == {}


def test_who_may_read_a_receipt(api: Api) -> None:
    pushing, stranger, reader = Api("ingest", source="shop"), Api("ingest", source="shop"), Api("read")
    (pushed,) = pushing.push(event(identifier("phone", phone())))
    drained()
    path = f"receipts/{pushed['receipt']}"
    assert pushing.get(path).status_code == 200
    assert reader.get(path).status_code == 200
    assert problem_of(stranger.get(path))[:2] == (404, "not_found"), "whose it is, is not told either"
    assert problem_of(Client().get(f"/api/v1/{path}"))[:2] == (401, "unauthenticated")
    assert problem_of(reader.get(f"receipts/{uuid4()}"))[:2] == (404, "not_found")
    assert problem_of(reader.get("receipts/nonsense"))[:2] == (404, "not_found")
    assert "no-store" in reader.get(path).headers["Cache-Control"]


def test_deliveries_are_listed_to_admins_newest_first(api: Api) -> None:
    shop("second")
    pushed = [one["receipt"] for one in api.push(*(event() for _ in range(5)), event(source="second"))]
    drained()
    newest = sorted(pushed, reverse=True)
    first = api.ok("deliveries", {"limit": 4})
    assert [one["receipt"] for one in first["results"]] == newest[:4]
    rest = api.ok("deliveries", {"limit": 4, "cursor": first["next"]})
    assert ([one["receipt"] for one in rest["results"]], rest["next"]) == (newest[4:], None)
    assert [one["receipt"] for one in api.ok("deliveries", {"source": "second"})["results"]] == [pushed[5]]
    assert api.ok("deliveries", {"status": "quarantined"})["results"] == []
    assert api.refused("deliveries", {"status": "lost"}) == (400, "invalid_value", "status")
    assert api.refused("deliveries", {"source": "nowhere"})[:2] == (400, "unknown_source")
    for scope in ("read", "write", "ingest"):
        assert Api(scope).get("deliveries").status_code == 403
        assert Api(scope).post(f"deliveries/{pushed[0]}/replay").status_code == 403


def replayed(api: Api, receipt: str) -> Any:
    assert api.post(f"deliveries/{receipt}/replay").status_code == 202
    drained()
    return api.ok(f"receipts/{receipt}")


def test_a_replay_changes_nothing_when_the_parser_is_the_same(api: Api) -> None:
    number = phone()
    thing = event(identifier("phone", number), text="one", revision=1)
    shown = push_and_drain(api, thing, {**thing, "text": "two", "revision": 2}, event(identifier("phone", number)))
    before = api.timeline("phone", number)
    card = api.card("phone", number)
    for one in (shown[1], shown[0], shown[2], shown[0]):
        assert replayed(api, one["receipt"])["status"] in ("recorded", "duplicate")
    assert api.timeline("phone", number) == before
    assert api.card("phone", number) == card


def test_a_replay_is_of_known_final_deliveries(api: Api) -> None:
    (pushed,) = api.push(event())
    assert problem_of(api.post(f"deliveries/{pushed['receipt']}/replay"))[:2] == (409, "conflict")
    assert problem_of(api.post(f"deliveries/{uuid4()}/replay"))[:2] == (404, "not_found")
    assert problem_of(api.post("deliveries/none/replay"))[:2] == (404, "not_found")
    drained()
    DeliveryBody.objects.filter(delivery_id=pushed["receipt"]).delete()
    assert problem_of(api.post(f"deliveries/{pushed['receipt']}/replay"))[:2] == (409, "conflict")


class Fixed(Push):
    """A later version of the parser, as a fix would make it."""

    def __init__(self, *fixes: Any) -> None:
        self.fixes = fixes

    def parse(self, delivery: StoredDelivery) -> Iterator[ChannelEvent]:
        from dataclasses import replace

        for said in super().parse(delivery):
            for fix in self.fixes:
                yield replace(said, **fix)


def test_a_replay_replaces_what_the_delivery_wrote(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    number = phone()
    (shown,) = push_and_drain(api, event(identifier("phone", number), text="wrongly read", thread="t", name="Misread"))
    monkeypatch.setitem(PROVIDERS, "push", Fixed({"text": "rightly read", "state": "read", "name": "Юлия"}))
    receipt = replayed(api, shown["receipt"])
    assert (receipt["status"], receipt["interaction"]) == ("recorded", shown["interaction"])
    (entry,) = api.timeline("phone", number)
    assert (entry["text"], entry["state"], entry["edits"]) == ("rightly read", "read", [])
    card = api.card("phone", number)
    assert card["counts"] == {"sms": 1}
    assert card["name"] == "Юлия"


def test_a_replay_takes_back_the_lines_it_no_longer_says(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    number = phone()
    (shown,) = push_and_drain(api, event(identifier("phone", number), text="one"))
    monkeypatch.setitem(PROVIDERS, "push", Fixed({"key": "a"}, {"key": "b"}))
    receipt = replayed(api, shown["receipt"])
    assert len(receipt["lines"]) == 2
    assert {entry["id"] for entry in api.timeline("phone", number)} == {
        line["interaction"] for line in receipt["lines"]
    }
    assert shown["interaction"] not in {line["interaction"] for line in receipt["lines"]}
    card = api.card("phone", number)
    assert card["counts"] == {"sms": 2}
    assert {one["interaction"] for one in card["open_threads"]} <= {line["interaction"] for line in receipt["lines"]}


def test_a_replay_may_correct_whose_line_it_is(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong, right = phone(), phone()
    (shown,) = push_and_drain(api, event(identifier("phone", wrong), text="hello"))
    token = api.ok(f"customers/{shown['customer']}/changes")["next"]
    monkeypatch.setitem(PROVIDERS, "push", Fixed({"handles": (Handle("phone", right),)}))
    receipt = replayed(api, shown["receipt"])
    assert receipt["customer"] != shown["customer"]
    assert api.timeline("phone", wrong) == []
    assert [entry["text"] for entry in api.timeline("phone", right)] == ["hello"]
    old = api.card("phone", wrong)
    assert (old["counts"], old["open_threads"]) == ({}, []), "a line that left is not open there any more"
    changes = api.ok(f"customers/{shown['customer']}/changes", {"since": token})
    assert changes["gone"] == [shown["interaction"]]


def test_a_replay_keeps_what_other_deliveries_say(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    number = phone()
    call = event(identifier("phone", number), channel="phone", kind="call", text="call")
    first, _ = push_and_drain(api, call, follow_up(call, text="", state="completed"))
    monkeypatch.setitem(PROVIDERS, "push", Fixed({"text": "a call"}))
    replayed(api, first["receipt"])
    (entry,) = api.timeline("phone", number)
    assert (entry["text"], entry["state"]) == ("a call", "completed")


def test_what_was_quarantined_is_recorded_after_the_fix(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    number = phone()

    class Broken(Push):
        def parse(self, delivery: StoredDelivery) -> Iterator[ChannelEvent]:
            raise KeyError("not thought of")

    with monkeypatch.context() as broken:
        broken.setitem(PROVIDERS, "push", Broken())
        (receipt,) = push_and_drain(api, event(identifier("phone", number), text="kept"))
    assert receipt["status"] == "quarantined"
    assert "KeyError" in receipt["reason"]
    assert replayed(api, receipt["receipt"])["status"] == "recorded"
    assert [entry["text"] for entry in api.timeline("phone", number)] == ["kept"]


def test_the_bytes_are_kept_as_they_came(api: Api) -> None:
    thing = event(text="Ačiū", details={"own": [1, 2.5, None]})
    (pushed,) = api.push(thing)
    kept = DeliveryBody.objects.get(delivery_id=UUID(pushed["receipt"]))
    assert json.loads(bytes(kept.body)) == thing
