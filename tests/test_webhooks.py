"""The door for webhooks: what each caller hears, and what is stored of what he sent."""

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import pytest
from django.db import OperationalError
from django.test import Client
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from channels import accepting, draining, webhooks
from channels.models import Delivery, DeliveryBody, Source
from channels.provider import Answer, Received, SourceInfo
from channels.providers.telegram import Telegram
from customers.models import Customer, Identity, Interaction

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]  # of collected static files
UPDATE = json.dumps({"update_id": 1, "message": {"message_id": 1, "text": "labas"}}).encode()
TOKEN = "12345678901234567890123456789012"
FORM = {"MessageSid": "SM1", "From": "+37061234567", "To": "+37052000001", "Body": "Ačiū"}


@pytest.fixture
def bot() -> Source:
    return Source.objects.create(provider="telegram", slug="bot", secrets={"secret_token": "top-secret"})


@pytest.fixture
def number() -> Source:
    return Source.objects.create(provider="twilio_sms", slug="number", secrets={"auth_token": TOKEN})


def post(source: Source, body: bytes = UPDATE, kind: str = "application/json", *, client: Client | None = None) -> Any:
    """A POST as Telegram makes it."""
    headers = {"X-Telegram-Bot-Api-Secret-Token": "top-secret"}
    return (client or Client()).post(path_of(source), body, content_type=kind, headers=headers)


def path_of(source: Source) -> str:
    return f"/hooks/{source.provider}/{source.key}"


def test_a_delivery_is_stored_before_it_is_answered(bot: Source) -> None:
    answer = post(bot)
    assert (answer.status_code, answer.content) == (200, b""), "Telegram would execute a body"
    delivery = Delivery.objects.get(pk=UUID(answer.headers["Cxhub-Receipt"]))
    body = DeliveryBody.objects.get(delivery_id=delivery.pk)
    assert bytes(body.body) == UPDATE
    assert body.headers == {"content-type": "application/json"}, "no secret is stored"
    assert (delivery.source, delivery.size, delivery.state) == (bot, len(UPDATE), Delivery.ACCEPTED)


def test_twilio_hears_empty_twiml(number: Source) -> None:
    signature = RequestValidator(TOKEN).compute_signature(number.hook_url + "?a=1", FORM)
    answer = Client(HTTP_HOST="127.0.0.1", headers={"X-Forwarded-Host": "evil.lt", "X-Forwarded-Proto": "https"}).post(
        path_of(number) + "?a=1",
        urlencode(FORM),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature, "I-Twilio-Idempotency-Token": "t-1"},
    )
    assert (answer.status_code, answer.content) == (200, b"<Response/>")
    assert answer.headers["Content-Type"].startswith("text/xml")
    stored = DeliveryBody.objects.get(delivery_id=answer.headers["Cxhub-Receipt"])
    assert stored.headers["i-twilio-idempotency-token"] == "t-1"
    assert "x-twilio-signature" not in stored.headers


def test_a_wrong_secret_is_refused_and_counted(bot: Source, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        answer = Client().post(
            path_of(bot), UPDATE, content_type="application/json", headers={"X-Telegram-Bot-Api-Secret-Token": "guess"}
        )
        assert answer.status_code == HTTPStatus.FORBIDDEN
    bot.refresh_from_db()
    assert bot.refused == 2
    assert not Delivery.objects.exists()
    assert "bot" in caplog.text
    assert not {"guess", "top-secret", bot.key} & set(caplog.text.split())


def test_a_source_without_its_secret_says_so(bot: Source) -> None:
    Source.objects.update(secrets={})
    answer = Client().post(path_of(bot), UPDATE, content_type="application/json")
    assert (answer.status_code, answer.content) == (403, b"Refused: the source has no secret_token.\n")


@pytest.mark.parametrize(
    "path", ["/hooks/telegram/nobody", "/hooks/pigeon/x", "/hooks/telegram/a%00b", "/hooks/telegram/ž"]
)
def test_an_unknown_source_is_not_found(path: str) -> None:
    assert Client().post(path, UPDATE, content_type="application/json").status_code == HTTPStatus.NOT_FOUND


def test_a_key_belongs_to_its_provider(bot: Source) -> None:
    answer = Client().post(f"/hooks/twilio_sms/{bot.key}", UPDATE, content_type="application/json")
    assert answer.status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "options", "patch"])
def test_only_posts_are_taken(bot: Source, method: str) -> None:
    answer = getattr(Client(), method)(path_of(bot))
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_a_handshake_is_answered_and_not_stored(bot: Source) -> None:
    def greet(_: Telegram, received: Received, source: SourceInfo) -> Answer:
        return Answer(200, f"{received.query} {source.slug}".encode())

    with patch.object(Telegram, "greet", greet):
        answer = Client().get(path_of(bot) + "?hub.challenge=7")
    assert answer.content == b"hub.challenge=7 bot"
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("body", [b"", b"\x00\xff", b"[" * 5_000, b'{"update_id": 1}', b"--x\r\n"])
def test_what_cannot_be_read_is_stored_all_the_same(bot: Source, body: bytes) -> None:
    for kind in ("application/json", "multipart/form-data; boundary=x", "nonsense"):
        answer = post(bot, body, kind)
        assert answer.status_code == HTTPStatus.OK
        stored = DeliveryBody.objects.get(delivery_id=answer.headers["Cxhub-Receipt"])
        assert bytes(stored.body) == body


def test_a_large_body_is_stored_and_a_huge_one_refused(bot: Source) -> None:
    def send(size: int) -> int:
        return int(post(bot, b"x" * size, "text/plain").status_code)

    assert send(8 * 1024 * 1024) == HTTPStatus.OK, "over Django's own limit"
    with patch.object(webhooks, "MAX_BODY", 100):
        assert send(101) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def test_our_own_trouble_is_a_503(bot: Source, caplog: pytest.LogCaptureFixture) -> None:
    with patch.object(accepting, "accept", side_effect=OperationalError("connection to +37061234567 failed")):
        answer = post(bot)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Cxhub-Receipt" not in answer.headers
    assert "+37061234567" not in caplog.text


def test_no_cookie_and_no_csrf_token_is_needed(bot: Source) -> None:
    answer = post(bot, client=Client(enforce_csrf_checks=True))
    assert answer.status_code == HTTPStatus.OK
    assert not answer.cookies


@pytest.mark.django_db(transaction=True)
def test_a_call_whose_recording_comes_first_is_one_line() -> None:
    voice = Source.objects.create(
        provider="twilio_voice", slug="voice", region="LT", addresses=["+37052000001"], secrets={"auth_token": TOKEN}
    )
    order = ["recording__completed", "leg__agent_completed", "status__inbound_completed", "status__inbound_ringing"]
    for name in [*order, "leg__agent_answered", *order]:
        body = (Path(__file__).parent / "payloads" / "twilio_voice" / f"{name}.txt").read_bytes()
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
        headers = {"X-Twilio-Signature": RequestValidator(TOKEN).compute_signature(voice.hook_url, fields)}
        kind = "application/x-www-form-urlencoded"
        assert Client().post(path_of(voice), body, content_type=kind, headers=headers).status_code == HTTPStatus.OK
    draining.drain_all(seconds=20)
    line = Interaction.objects.get(source="voice")
    assert (line.kind, line.direction, line.details["call"]["status"]) == ("call", "inbound", "completed")
    assert line.details["call"]["recording"]["duration_s"] == 83
    assert Identity.objects.get(pk=line.identity_id).value == "+37061234567"
    assert set(Delivery.objects.values_list("state", flat=True)) == {Delivery.RECORDED, Delivery.DUPLICATE}


@pytest.mark.django_db(transaction=True)
def test_a_shared_contact_brings_the_phone(bot: Source) -> None:
    for name in ("message__own_contact", "message__foreign_contact", "edited_message__text", "message__text"):
        body = (Path(__file__).parent / "payloads" / "telegram" / f"{name}.json").read_bytes()
        assert post(bot, body).status_code == HTTPStatus.OK
    draining.drain_all(seconds=20)
    assert set(Identity.objects.values_list("kind", "value")) == {("telegram", "5512345678"), ("phone", "+37061234567")}
    assert Customer.objects.count() == 1
    edited = Interaction.objects.get(text="Ar dar turite durpių maišais?")
    assert edited.edits[0]["text"].startswith("Ar dar turite durpių? ")
