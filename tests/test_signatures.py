"""Signatures, made by the providers' own libraries where there is one."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from channels import signatures
from channels.provider import Received, Rejected, SourceInfo
from channels.providers import PROVIDERS

URL = "https://crm.example.lt/hooks/twilio_voice/abc"
TOKEN = "12345678901234567890123456789012"
FORM = [
    ("CallSid", "CA1"),
    ("From", "+37061234567"),
    ("ToZip", ""),
    ("Body", "Ačiū & labas +1"),
    ("CallStatus", "ringing"),
]
URLENCODED = "application/x-www-form-urlencoded; charset=UTF-8"


def source(url: str = URL, **secrets: str) -> SourceInfo:
    return SourceInfo(7, "front", "twilio_voice", hook_url=url, secrets=secrets or {"auth_token": TOKEN})


def received(body: bytes, headers: dict[str, str], query: str = "") -> Received:
    return Received(body, headers, datetime(2026, 11, 20, tzinfo=UTC), query)


def signed(url: str, form: list[tuple[str, str]], query: str = "", key: str = TOKEN) -> Received:
    """As Twilio's own library signs it; of a repeated field it takes the list of values."""
    lists = Lists(form)
    signature = RequestValidator(key).compute_signature(url + (f"?{query}" if query else ""), lists)
    return received(urlencode(form).encode(), {"x-twilio-signature": signature, "content-type": URLENCODED}, query)


class Lists(dict[str, str]):
    """The multi-dict that Twilio's library expects."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        super().__init__(fields)
        self.fields = fields

    def getlist(self, name: str) -> list[str]:
        return [value for field, value in self.fields if field == name]


def test_twilio_signs_a_form() -> None:
    signatures.twilio(signed(URL, FORM), source())


def test_twilio_signs_the_query() -> None:
    signatures.twilio(signed(URL, FORM, "a=1&b=%20x"), source())
    moved = signed(URL, FORM, "a=1")
    with pytest.raises(Rejected):
        signatures.twilio(Received(moved.body, moved.headers, moved.received_at, "a=2"), source())


def test_twilio_signs_repeated_fields_once_a_value() -> None:
    signatures.twilio(signed(URL, [("A", "2"), ("A", "1"), ("A", "2"), *FORM]), source())


@pytest.mark.parametrize(
    ("printed", "used"),
    [
        (URL, URL.replace(".lt/", ".lt:443/")),
        (URL.replace(".lt/", ".lt:443/"), URL),
        (URL.replace(".lt/", ".lt:8443/"), URL),
        (URL.replace("https", "http"), URL.replace("https", "http").replace(".lt/", ".lt:80/")),
    ],
)
def test_twilio_may_spell_the_port_or_not(printed: str, used: str) -> None:
    signatures.twilio(signed(used, FORM), source(printed))


@pytest.mark.parametrize("used", [URL.replace("https", "http"), URL.replace("crm.", "evil."), URL + "/", URL.upper()])
def test_another_url_is_refused(used: str) -> None:
    with pytest.raises(Rejected, match="wrong signature"):
        signatures.twilio(signed(used, FORM), source())


def test_twilio_signs_json_by_its_hash() -> None:
    body = json.dumps({"a": "ž"}).encode()
    query = f"bodySHA256={sha256(body).hexdigest()}"
    signature = RequestValidator(TOKEN).compute_signature(f"{URL}?{query}", {})
    headers = {"x-twilio-signature": signature, "content-type": "application/json"}
    signatures.twilio(received(body, headers, query), source())
    with pytest.raises(Rejected, match="not the signed one"):
        signatures.twilio(received(body + b" ", headers, query), source())


def test_a_body_outside_the_signature_is_refused() -> None:
    signature = RequestValidator(TOKEN).compute_signature(URL, {})
    headers = {"x-twilio-signature": signature, "content-type": "application/json"}
    with pytest.raises(Rejected, match="not signed"):
        signatures.twilio(received(b"{}", headers), source())


def test_twilio_with_a_shared_key() -> None:
    key = "shared-key-secret"
    signature = RequestValidator(key).compute_signature(URL, dict(FORM), "HMAC_SHA256")
    headers = {
        "x-twilio-signature": signature,
        "x-twilio-webhooks-signature-settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256",
        "content-type": URLENCODED,
    }
    one = received(urlencode(FORM).encode(), headers)
    signatures.twilio(one, source(auth_token=TOKEN, shared_key=key))
    with pytest.raises(Rejected, match="has no shared_key"):
        signatures.twilio(one, source())
    headers["x-twilio-webhooks-signature-settings"] = "key=1,algorithm=ROT13"
    with pytest.raises(Rejected, match="algorithm"):
        signatures.twilio(one, source(auth_token=TOKEN, shared_key=key))


@pytest.mark.parametrize("wrong", ["", "x", "žodis", "\udcff"])
def test_twilio_without_its_signature_is_refused(wrong: str) -> None:
    headers = {"x-twilio-signature": wrong, "content-type": URLENCODED}
    with pytest.raises(Rejected):
        signatures.twilio(received(urlencode(FORM).encode(), headers), source())


def test_a_flood_of_fields_is_refused() -> None:
    with pytest.raises(Rejected, match="too many fields"):
        signatures.twilio(signed(URL, [(f"f{n}", "") for n in range(3_000)]), source())


@pytest.mark.parametrize("given", ["", "secre", "secret2", "SECRET", "\udcff"])
def test_telegram_compares_the_whole_token(given: str) -> None:
    telegram = PROVIDERS["telegram"]
    bot = source(secret_token="secret")
    telegram.verify(received(b"{}", {"x-telegram-bot-api-secret-token": "secret"}), bot)
    with pytest.raises(Rejected):
        telegram.verify(received(b"{}", {"x-telegram-bot-api-secret-token": given}), bot)


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_a_source_without_its_secret_refuses_everything(name: str) -> None:
    headers = {"x-telegram-bot-api-secret-token": "", "x-twilio-signature": "", "content-type": URLENCODED}
    for given in (headers, headers | {"x-twilio-signature": "x", "x-telegram-bot-api-secret-token": "x"}):
        with pytest.raises(Rejected):
            PROVIDERS[name].verify(received(b"", given), SourceInfo(7, "front", name, hook_url=URL))


def test_the_password_goes_to_twilio_alone() -> None:
    account = source(auth_token=TOKEN, account_sid="AC1")
    ours = "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1"
    assert signatures.twilio_credentials(account, ours)["Authorization"].startswith("Basic ")
    for other in (
        "http://api.twilio.com/x",
        "https://api.twilio.com.evil.lt/",
        "https://eviltwilio.com/",
        "https://evil.lt/?.twilio.com",
    ):
        assert signatures.twilio_credentials(account, other) == {}
    assert "AC1" not in repr(PROVIDERS["twilio_sms"].media(account, "", ours)).replace(ours, "")


def test_telegram_files_come_through_the_bot() -> None:
    request = PROVIDERS["telegram"].media(source(bot_token="1:AB"), "telegram:AgAC/../x?y", "")
    assert request is not None
    assert request.url == "https://api.telegram.org/bot1:AB/getFile?file_id=AgAC%2F..%2Fx%3Fy"
    assert request.then == "https://api.telegram.org/file/bot1:AB/"
    assert request.json_path == ("result", "file_path")
    assert PROVIDERS["telegram"].media(source(secret_token="x"), "telegram:AgAC", "") is None
