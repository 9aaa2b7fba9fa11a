"""Other systems are told of changes: signed, in order, again until taken, and nobody waits for somebody else."""

import base64
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from channels.models import Attempt, Message, Subscription
from channels.outgoing import delivering, running, subscribing
from channels.outgoing.sending import Wire, send
from channels.outgoing.signing import new_secret, signed
from channels.outgoing.spreading import spread_all
from customers import erasure
from customers.models import Customer
from tests.receiver import Receiver, receiving
from tests.support import (
    COMMITTED,
    Api,
    at,
    database_url,
    event,
    everything,
    identifier,
    other_connection,
    phone,
    push_and_drain,
    shop,
)

pytestmark = COMMITTED


@pytest.fixture
def api(committed: None, settings: Settings, tmp_path: Any) -> Api:
    settings.CXHUB_FETCH_ALLOW_LOOPBACK = True
    settings.CXHUB_ERASURE_JOURNAL = str(tmp_path / "erasures.jsonl")
    shop()
    return everything()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def subscribed(url: str, **fields: Any) -> Subscription:
    return subscribing.begin(Subscription(url=url, **fields), "test")


def due_again() -> None:
    """As if all pauses were over."""
    with connection.cursor() as sql:
        sql.execute("UPDATE channels_message SET due_at = now() WHERE state = 'pending'")
        sql.execute("UPDATE channels_subscription SET paused_until = NULL, lease_until = NULL")


def said(api: Api, number: str, **fields: Any) -> Any:
    (receipt,) = push_and_drain(api, event(identifier("phone", number), **fields))
    return receipt


def test_a_signature_is_what_the_specification_says() -> None:
    secret, body = new_secret(), b'{"a": "\xd1\x89"}'
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    now = int(timezone.now().timestamp())
    headers = signed([secret], "msg_1", now, body)
    assert Webhook(secret).verify(body, headers) == {"a": "щ"}
    for other in ({**headers, "webhook-id": "msg_2"}, {**headers, "webhook-timestamp": str(now - 1)}):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, other)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", headers)


def test_a_contact_is_told_of_without_a_word_of_it(api: Api, receiver: Receiver) -> None:
    number = phone()
    said(api, phone(), text="of before anybody listened")
    one = subscribed(receiver.url)
    receipt = said(api, number, text="a secret word", name="Somebody")
    assert running.tell_all() == 1
    (told,) = receiver.told
    data = told.verified(one.secret)
    assert data["type"] == "interaction.recorded"
    assert data["data"]["interaction"] == receipt["interaction"]
    assert data["data"]["customer"] == receipt["customer"]
    assert {name: data["data"][name] for name in ("channel", "kind", "direction", "source")} == {
        "channel": "sms",
        "kind": "message",
        "direction": "inbound",
        "source": "shop",
    }
    assert number[1:].encode() not in told.body
    assert b"secret word" not in told.body
    assert b"Somebody" not in told.body
    assert told.headers["Content-Type"] == "application/json"
    message = Message.objects.get()
    assert (message.state, message.webhook_id) == ("delivered", told.headers["webhook-id"])
    assert Attempt.objects.get().status == 204
    assert running.tell_all() == 0


def test_all_that_happens_to_a_person_is_told_in_order(api: Api, receiver: Receiver) -> None:
    one = subscribed(receiver.url)
    first = said(api, phone())
    spread_all()
    second = said(api, phone())
    spread_all()
    merged = api.post(f"customers/{first['customer']}/merge", {"with": second["customer"], "reason": "one"})
    assert merged.status_code == 201
    spread_all()
    api.post(f"customers/{first['customer']}/notes", {"text": "kind"})
    spread_all()
    erasure.erase(Customer.objects.get(public_id=first["customer"]).pk, by="test")
    running.tell_all()
    told = [told.verified(one.secret) for told in receiver.told]
    assert [one["type"] for one in told] == [
        "interaction.recorded",
        "interaction.recorded",
        "customer.moved",
        "interaction.recorded",
        "customer.erased",
    ]
    assert (told[2]["data"]["from"], told[2]["data"]["customer"]) == (second["customer"], first["customer"])
    assert sorted(told[4]["data"]["ids"]) == sorted([first["customer"], second["customer"]])


def test_only_what_was_asked_for_is_told(api: Api, receiver: Receiver) -> None:
    shop("other")
    some = subscribed(receiver.url, types=["interaction.changed", "interaction.gone"])
    subscribed(receiver.url, sources=["other"], enabled=False)
    elsewhere = subscribed(receiver.url + "/other", sources=["other"])
    here = event(identifier("phone", phone()), text="one")
    push_and_drain(api, here)
    spread_all()
    push_and_drain(api, {**here, "revision": 2, "text": "two"})
    push_and_drain(Api("ingest", "read", source="other"), event(identifier("phone", phone())))
    running.tell_all()
    assert list(Message.objects.filter(subscription=some).values_list("type", flat=True)) == ["interaction.changed"]
    assert list(Message.objects.filter(subscription=elsewhere).values_list("type", flat=True)) == [
        "interaction.recorded"
    ]
    assert len(receiver.told) == 2


def test_a_change_of_a_transaction_that_still_runs_is_not_skipped(api: Api, receiver: Receiver) -> None:
    one = subscribed(receiver.url)
    with other_connection() as other:
        other.execute("INSERT INTO customers_change (what, identity_id) VALUES ('card', 0)")
        said(api, phone())
        assert running.tell_all() == 0
        other.commit()
    assert running.tell_all() == 2
    assert receiver.types(one.secret) == ["customer.changed", "interaction.recorded"]


def test_what_fails_is_tried_again_by_the_schedule_until_it_is_given_up(api: Api, receiver: Receiver) -> None:
    one = subscribed(receiver.url)
    said(api, phone())
    receiver.answers = [(500, {}, b"<b>not\x00 now</b>")] * 20
    for number, wait in enumerate(delivering.SCHEDULE, start=1):
        assert running.tell_all() == 1
        message = Message.objects.get()
        assert (message.state, message.attempts) == ("pending", number)
        left = (message.due_at - timezone.now()).total_seconds()
        assert wait * 0.85 - 2 < left <= wait * 1.1
        assert running.tell_all() == 0, "before its time"
        due_again()
    running.tell_all()
    assert Message.objects.get().state == "failed"
    one.refresh_from_db()
    assert one.failures == len(delivering.SCHEDULE) + 1
    assert set(Attempt.objects.values_list("status", "said")) == {(500, "<b>not  now</b>")}
    assert len({told.headers["webhook-id"] for told in receiver.told}) == 1
    due_again()
    assert running.tell_all() == 0


def test_a_receiver_that_is_back_gets_all_in_order(api: Api, receiver: Receiver) -> None:
    one = subscribed(receiver.url)
    lines = []
    for _ in range(4):
        lines.append(said(api, phone())["interaction"])
        spread_all()
    receiver.answers = [(503, {}, b"")] * 3
    for _ in range(3):
        running.tell_all()
        Subscription.objects.update(paused_until=None)
    receiver.told.clear()
    running.tell_all()  # The fourth message is due; taken, it calls for the three that wait for minutes.
    assert sorted(told.verified(one.secret)["data"]["interaction"] for told in receiver.told) == sorted(lines)
    waited = [told.verified(one.secret)["data"]["interaction"] for told in receiver.told][1:]
    assert waited == lines[:3]
    assert not Message.objects.filter(state="pending").exists()


def test_retry_after_is_honoured(api: Api, receiver: Receiver) -> None:
    one = subscribed(receiver.url)
    said(api, phone())
    receiver.answers = [(429, {"Retry-After": "7200"}, b"")]
    running.tell_all()
    one.refresh_from_db()
    assert one.paused_until is not None
    for waits in (one.paused_until, Message.objects.get().due_at):
        assert timedelta(minutes=115) < waits - timezone.now() <= timedelta(hours=2)


def test_410_ends_it_visibly_and_enabling_goes_on_where_it_stopped(api: Api, receiver: Receiver) -> None:
    one = subscribed(receiver.url)
    said(api, phone())
    receiver.answers = [(410, {}, b"gone")]
    running.tell_all()
    one.refresh_from_db()
    assert (one.enabled, one.disabled_why) == (False, "gone")
    said(api, phone())
    due_again()
    assert running.tell_all() == 0
    subscribing.enable(one)
    running.tell_all()
    assert len(receiver.told) == 3
    assert not Message.objects.exclude(state="delivered").exists()


def test_who_takes_nothing_for_days_is_told_nothing_any_more(api: Api, receiver: Receiver) -> None:
    one = subscribed(receiver.url)
    said(api, phone())
    receiver.answers = [(500, {}, b"")] * 3
    running.tell_all()
    one.refresh_from_db()
    assert one.enabled
    Subscription.objects.update(failing_since=timezone.now() - delivering.PATIENCE)
    due_again()
    running.tell_all()
    one.refresh_from_db()
    assert (one.enabled, one.disabled_why) == (False, "failing")


def test_a_receiver_that_hangs_holds_up_nobody_else(api: Api, receiver: Receiver) -> None:
    with receiving() as slow:
        slow.hold = threading.Event()
        subscribed(slow.url)
        good = subscribed(receiver.url)
        said(api, phone())
        stop = threading.Event()
        thread = threading.Thread(target=running.keep_telling, args=(stop,), daemon=True)
        thread.start()
        assert slow.reached.wait(20)
        assert receiver.reached.wait(20)
        slow.hold.set()
        stop.set()
        thread.join(20)
    for place in range(200):
        if not Subscription.objects.filter(lease__isnull=False).exists():
            break
        assert place < 199
        threading.Event().wait(0.05)
    assert receiver.types(good.secret) == ["interaction.recorded"]


CHILD = """
import django; django.setup()
from channels.outgoing.running import tell_all
tell_all()
"""


def test_a_sender_that_is_killed_in_the_middle_loses_nothing(api: Api, receiver: Receiver) -> None:
    one = subscribed(receiver.url)
    lines = []
    for _ in range(3):
        lines.append(said(api, phone())["interaction"])
        spread_all()
    receiver.hold = threading.Event()
    environment = {**os.environ, "DATABASE_URL": database_url(), "CXHUB_FETCH_ALLOW_LOOPBACK": "1"}
    child = subprocess.Popen([sys.executable, "-W", "ignore", "-c", CHILD], env=environment, cwd=settings.BASE_DIR)
    try:
        assert receiver.reached.wait(60)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    receiver.hold.set()
    assert running.tell_all() == 0, "the lease of the one who died still stands"
    due_again()
    assert running.tell_all() == 3
    told = [told.verified(one.secret)["data"]["interaction"] for told in receiver.told]
    assert told == [lines[0], *lines]
    ids = [told.headers["webhook-id"] for told in receiver.told]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_a_lease_that_was_lost_ends_the_turn(api: Api, receiver: Receiver) -> None:
    subscribed(receiver.url)
    for _ in range(2):
        said(api, phone())
        spread_all()
    taken = delivering.take()
    assert taken is not None
    Subscription.objects.update(lease="00000000-0000-0000-0000-000000000001")
    assert delivering.serve(taken) == 1
    assert delivering.take() is None


def test_a_new_secret_and_the_one_before_both_fit_for_a_while(api: Api, receiver: Receiver) -> None:
    one = subscribed(receiver.url)
    before = one.secret
    subscribing.rotate(one)
    said(api, phone())
    running.tell_all()
    (told,) = receiver.told
    assert told.verified(before) == told.verified(one.secret)
    Subscription.objects.update(previous_until=timezone.now() - timedelta(seconds=1))
    said(api, phone())
    running.tell_all()
    receiver.told[1].verified(one.secret)
    with pytest.raises(WebhookVerificationError):
        receiver.told[1].verified(before)


def test_messages_are_sent_again_under_their_own_ids(api: Api, receiver: Receiver) -> None:
    one = subscribed(receiver.url)
    for _ in range(3):
        said(api, phone())
        spread_all()
    middle = timezone.now()
    said(api, phone())
    running.tell_all()
    ids = [told.headers["webhook-id"] for told in receiver.told]
    receiver.told.clear()
    assert subscribing.again(subscribing.since(one, middle), one) == 1
    running.tell_all()
    assert [told.headers["webhook-id"] for told in receiver.told] == ids[3:]
    assert receiver.told[0].verified(one.secret)["type"] == "interaction.recorded"
    assert subscribing.again(subscribing.since(one, middle, "failed"), one) == 0


def test_a_trial_is_a_message_of_its_own(api: Api, receiver: Receiver) -> None:
    one = subscribed(receiver.url, enabled=False)
    receiver.answers = [(200, {}, "спасибо".encode())]
    attempt = subscribing.try_now(one)
    assert (attempt.status, attempt.said) == (200, "спасибо")
    assert receiver.types(one.secret) == ["cxhub.test"]


@pytest.mark.parametrize("status", [301, 302, 307])
def test_nobody_is_followed_elsewhere(api: Api, receiver: Receiver, status: int) -> None:
    with receiving() as other:
        receiver.answers = [(status, {"Location": other.url}, b"")]
        answer = send(receiver.url, {}, b"{}")
        assert (answer.status, answer.taken) == (status, False)
        assert other.told == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "[::ffff:7f00:1]"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_nobody_inside_is_told_anything(settings: Settings, scheme: str, host: str) -> None:
    settings.CXHUB_FETCH_ALLOW_LOOPBACK = False
    answer = send(f"{scheme}://{host}/", {}, b"{}")
    assert answer.status is None
    assert answer.said in ("not https", "the host is not public")


def test_a_host_of_the_company_may_be_named_but_no_metadata(
    receiver: Receiver, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CXHUB_FETCH_ALLOW_LOOPBACK = False
    settings.CXHUB_OUTGOING_INSIDE = frozenset({"crm.internal", "127.0.0.1"})
    assert send(receiver.url, {}, b"{}").taken
    infos = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: infos)
    assert send("http://crm.internal/", {}, b"{}").said == "not https"
    assert send("https://crm.internal/", {}, b"{}").said == "the host is not public"


def test_one_connection_carries_what_is_due(api: Api, receiver: Receiver) -> None:
    subscribed(receiver.url)
    for _ in range(5):
        said(api, phone())
        spread_all()
    receiver.answers = [(200, {}, b"ok"), (204, {}, b""), (200, {}, b"x" * 900), (204, {"Connection": "close"}, b"")]
    assert running.tell_all() == 5
    first, second, third, fourth, fifth = (one.wire for one in receiver.told)
    assert first == second == third
    assert len({third, fourth, fifth}) == 3, "an answer that nobody reads on, and a connection that shall end"


def test_a_receiver_that_hangs_up_is_called_again(api: Api, receiver: Receiver) -> None:
    subscribed(receiver.url)
    for _ in range(4):
        said(api, phone())
        spread_all()
    receiver.hangs_up = True
    assert running.tell_all() == 4
    assert len({one.wire for one in receiver.told}) == 4
    assert set(Attempt.objects.values_list("status", flat=True)) == {204}


@pytest.mark.parametrize("elsewhere", ["10.0.0.1", "169.254.169.254", "::1"])
def test_an_open_connection_is_no_way_around_the_checks(
    receiver: Receiver, settings: Settings, monkeypatch: pytest.MonkeyPatch, elsewhere: str
) -> None:
    settings.CXHUB_FETCH_ALLOW_LOOPBACK = True
    with closing(Wire()) as wire:
        assert send(receiver.url, {}, b"{}", wire).taken
        assert wire.open is not None
        infos = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (elsewhere, 80))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: infos)
        assert send(receiver.url, {}, b"{}", wire).status is None
    assert len(receiver.told) == 1


def test_the_log_ends_after_its_days(api: Api, receiver: Receiver) -> None:
    subscribed(receiver.url)
    for _ in range(2):
        said(api, phone())
        spread_all()
    running.tell_all()
    old = Message.objects.order_by("id").first()
    assert old is not None
    Message.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
    assert running.prune() == 1
    assert not Message.objects.filter(pk=old.pk).exists()
    assert Attempt.objects.count() == Message.objects.count() == 1


def test_a_full_queue_leaves_the_rest_in_the_feed(
    api: Api, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.outgoing.spreading.MOST", 2)
    one = subscribed(receiver.url)
    for _ in range(4):
        said(api, phone(), occurred_at=at(1))
        spread_all()
    assert Message.objects.count() == 2
    running.tell_all()
    running.tell_all()
    assert [orjson.loads(told.body)["type"] for told in receiver.told] == ["interaction.recorded"] * 4
    one.refresh_from_db()
    assert one.failures == 0
