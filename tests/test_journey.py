"""The whole way, door to timeline: what the README promises, and one customer over four channels in any order."""

import asyncio
import json
import random
import re
import shutil
import smtplib
import subprocess
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from channels.media import fetch_due
from channels.models import Source
from channels.smtp import Doors
from channels.sources import make_source
from tests.support import COMMITTED, Api, drained, everything, shop

pytestmark = COMMITTED

TOKEN = "00112233445566778899aabbccddeeff"
CALLER, OURS = "+73433443420", "+73433000000"


@pytest.fixture
def api(committed: None) -> Api:
    shop("demo")
    return everything("demo")


@pytest.fixture
def mailbox(committed: None) -> Source:
    secrets = {"authserv_id": "mx.demo.example"}
    return make_source("email", "mail", addresses=["support@demo.example"], secrets=secrets)


@pytest.fixture
def smtp_port(mailbox: Source) -> Iterator[int]:
    started = threading.Event()
    running: dict[str, Any] = {}

    async def serve() -> None:
        doors = Doors("mx.demo.example")
        running.update(
            port=await doors.listen("127.0.0.1", 0, lmtp=False), doors=doors, loop=asyncio.get_running_loop()
        )
        started.set()
        await doors.run()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert started.wait(60)
    yield running["port"]
    running["loop"].call_soon_threadsafe(running["doors"].stopping.set)
    thread.join(20)


def hook(source: Source, body: str, kind: str, **headers: str) -> None:
    path = "/hooks/" + source.hook_url.rpartition("/hooks/")[2]
    answer = Client().post(path, body.encode(), content_type=kind, headers=headers)
    assert answer.status_code == 200, answer.content
    assert answer.headers["Cxhub-Receipt"]


def twilio(source: Source, fields: dict[str, str]) -> None:
    signature = RequestValidator(TOKEN).compute_signature(source.hook_url, fields)
    hook(source, urlencode(fields), "application/x-www-form-urlencoded", X_Twilio_Signature=signature)


def callback(status: str, second: str, **more: str) -> dict[str, str]:
    """Of an inbound call that Twilio took at once, and a colleague nine seconds later."""
    said = {"CallSid": "CAparent", "CallStatus": status, "From": CALLER, "To": OURS, "Direction": "inbound"}
    return said | {"Timestamp": f"Mon, 02 Nov 2026 10:00:{second} +0000"} | more


CALLBACKS = [
    callback("ringing", "00"),
    callback("in-progress", "02"),
    callback("completed", "58", CallDuration="58"),
    callback("completed", "58", CallSid="CAleg", ParentCallSid="CAparent", To="client:anna", CallDuration="47")
    | {"Direction": "outbound-dial"},
]
RECORDING = {
    "CallSid": "CAparent",
    "RecordingSid": "RE1",
    "RecordingStatus": "completed",
    "RecordingDuration": "47",
    "RecordingUrl": "https://recordings.demo.example/RE1",
    "RecordingSource": "DialVerb",
}
TOGETHER = {
    "id": "order-1",
    "channel": "store",
    "kind": "purchase",
    "direction": "inbound",
    "occurred_at": "2026-11-01T12:00:00+05:00",
    "customer": {
        "name": "Юлия Щербакова",
        "identifiers": [
            {"kind": "phone", "value": "8 (343) 344-34-20"},
            {"kind": "email", "value": "yulia@pochta.example"},
            {"kind": "crm_id", "value": "C-1001"},
        ],
    },
    "details": {"order": {"number": "AB-20417", "total": "38990", "currency": "RUB"}},
}
UPDATE = {
    "update_id": 1,
    "message": {
        "message_id": 5,
        "date": 1793613000,  # 2026-11-02 09:50 UTC
        "from": {"id": 7100000012, "is_bot": False, "first_name": "Юлия"},
        "chat": {"id": 7100000012, "type": "private", "first_name": "Юлия"},
        "contact": {"phone_number": "73433443420", "first_name": "Юлия", "user_id": 7100000012},
    },
}
MAIL_FROM = ["--from", "yulia@pochta.example", "--to", "support@demo.example"]
AUTHENTIC = "mx.demo.example; dmarc=pass header.from=pochta.example"


def by_swaks(port: int, picture: Path) -> None:
    headers = ["--header", f"Authentication-Results: {AUTHENTIC}", "--header", "Message-ID: <swaks@pochta.example>"]
    headers += ["--header", "Subject: The picture", "--header", "Date: Tue, 03 Nov 2026 09:00:00 +0000"]
    argv = ["swaks", "--server", f"127.0.0.1:{port}", *MAIL_FROM, *headers, "--body", "As promised on the phone."]
    done = subprocess.run([*argv, "--attach", f"@{picture}"], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"250 2\.0\.0 stored [0-9a-f-]{36}", done.stdout)


def by_smtplib(port: int, picture: Path) -> None:
    mail = EmailMessage()
    mail["Authentication-Results"] = AUTHENTIC
    mail["From"], mail["To"], mail["Message-ID"] = "yulia@pochta.example", "support@demo.example", "<s@pochta.example>"
    mail["Subject"], mail["Date"] = "The picture", "Tue, 03 Nov 2026 09:00:00 +0000"
    mail.set_content("As promised on the phone.")
    mail.add_attachment(picture.read_bytes(), maintype="image", subtype="png", filename=picture.name)
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        client.send_message(mail)


@pytest.mark.parametrize("seed", range(4))
def test_one_customer_over_four_channels(api: Api, mailbox: Source, smtp_port: int, tmp_path: Path, seed: int) -> None:
    """Push, own contact, a call whose recording comes first and whose callbacks come shuffled, mail with a file."""
    bot = make_source("telegram", "bot")
    voice = make_source("twilio_voice", "voice", addresses=[OURS], secrets={"auth_token": TOKEN})
    picture = tmp_path / "machine.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))

    api.push(TOGETHER)
    drained()
    secret = bot.secrets["secret_token"]
    hook(bot, json.dumps(UPDATE), "application/json", X_Telegram_Bot_Api_Secret_Token=secret)
    twilio(voice, RECORDING)
    drained(waiting=True)
    for fields in random.Random(seed).sample(CALLBACKS, len(CALLBACKS)):
        twilio(voice, fields)
        if seed % 2:
            drained(waiting=True)
    (by_swaks if seed == 0 and shutil.which("swaks") else by_smtplib)(smtp_port, picture)
    drained()
    fetch_due()

    (found,) = api.ok("lookup", {"phone": "8 (343) 344-34-20", "timeline": 50})["results"]
    card = found["customer"]
    assert {(one["kind"], one["value"]) for one in card["identities"]} == {
        ("phone", CALLER),
        ("email", "yulia@pochta.example"),
        ("crm_id", "C-1001"),
        ("telegram", "7100000012"),
    }
    mail, call, contact, order = found["timeline"]["results"]
    assert [one["channel"] for one in (mail, call, contact, order)] == ["email", "phone", "telegram", "store"]
    assert (call["state"], call["direction"]) == ("completed", "inbound")
    assert (call["details"]["call"]["status"], call["details"]["call"]["talk_s"]) == ("completed", 47)
    assert call["details"]["call"]["recording"]["duration_s"] == 47
    assert call["occurred_at"].startswith("2026-11-02T10:00:00")
    assert [file["name"] for file in mail["attachments"]] == ["machine.png"]
    stored = api.client.get(f"/api/v1/attachments/{mail['attachments'][0]['id']}")
    assert b"".join(stored.streaming_content) == picture.read_bytes()  # type: ignore[attr-defined]
    assert card["counts"] == {"email": 1, "phone": 1, "store": 1, "telegram": 1}
    for kind, value in (("email", "Yulia@Pochta.example"), ("telegram", "7100000012"), ("crm_id", "C-1001")):
        assert api.card(kind, value)["id"] == card["id"]


def batch_of_the_readme(root: Path) -> list[dict[str, Any]]:
    """What stands between `cat >batch.json <<'END'` and END."""
    text = (root / "README.md").read_text()
    match = re.search(r"<<'END'\n(.*?)\nEND\n", text, re.DOTALL)
    assert match
    events: list[dict[str, Any]] = json.loads(match[1])
    return events


def test_the_batch_of_the_readme_is_one_timeline(api: Api, root: Path) -> None:
    """One client phones, writes an e-mail and a messenger message; asked for by any spelling of the number."""
    events = batch_of_the_readme(root)
    assert {receipt["status"] for receipt in api.push(*events)} == {"accepted"}
    assert {receipt["status"] for receipt in api.push(*events)} == {"duplicate"}
    drained()
    for spelling in ("8 (343) 344-34-20", "+7 343 344-34-20", " 7 343 344-34-20", "73433443420"):
        (found,) = api.ok("lookup", {"phone": spelling, "timeline": 50})["results"]
        told = [(one["channel"], one["kind"]) for one in found["timeline"]["results"]]
        assert told == [("whatsapp", "message"), ("email", "email"), ("phone", "call")]
        assert all(one["text"] for one in found["timeline"]["results"])
    assert len({api.card(kind, value)["id"] for kind, value in HANDLES}) == 1


HANDLES = [("phone", "+73433443420"), ("email", "yulia@mail.example"), ("whatsapp", "73433443420")]
