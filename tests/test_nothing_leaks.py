"""No log, no error and no figure tells who a customer is, what he said, or a secret: planted ones are looked for.

The real processes run on servers of their own; what they and the servers write is read to the last line.
"""

import http.client
import json
import smtplib
from collections.abc import Iterator
from contextlib import suppress
from email.message import EmailMessage
from typing import Any, LiteralString
from urllib.parse import quote, unquote, urlencode

import psycopg
import pytest

from tests.faults.stack import Stack

pytestmark = [pytest.mark.long, pytest.mark.timeout(300), pytest.mark.enable_socket]

PHONE, FORMATTED = "+79125557341", "8 (912) 555-73-41"
PLANTED = {
    "phone": ("9125557341", "555-73-41"),
    "e-mail": ("leaky.mailbox",),
    "name": ("Leakinson", "Утечкина"),
    "words": ("kumquat", "кумкват"),
    "user": ("leaky.agent",),
    "password": ("hunter2-hunter2",),
    "provider's secret": ("tok-9f2c-leaky", "111222:leaky-bot-token"),
    "metrics token": ("metrics-leaky-token",),
}
FORM = "application/x-www-form-urlencoded"
EVENT = {
    "id": "leak-1",
    "channel": "sms",
    "kind": "message",
    "direction": "inbound",
    "occurred_at": "2026-03-02T09:00:00Z",
    "customer": {
        "name": "Ada Leakinson",
        "identifiers": [{"kind": "phone", "value": PHONE}, {"kind": "email", "value": "leaky.mailbox@planted.example"}],
    },
    "text": "the kumquat, кумкват",
    "attachments": [{"name": "kumquat.png", "url": "https://nowhere.invalid/kumquat?token=tok-9f2c-leaky"}],
}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    more = {"CXHUB_LOG_LEVEL": "INFO", "CXHUB_LOG_REQUESTS": "1", "CXHUB_METRICS_TOKEN": "metrics-leaky-token"}
    with Stack(more) as stack:
        yield stack


class Caller:
    """Asks the real web process; keeps what refusals say."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.errors = stack, []  # type: ignore[var-annotated]
        self.key = ""

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.place.port, timeout=30)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, raw, {"Content-Type": "application/json", **named})
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        finally:
            connection.close()
        if answer.status >= 400:
            self.errors.append((path, text))
        return answer.status, text

    def api(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        return self.ask(method, f"/api/v1/{path}", body, Authorization=f"Bearer {self.key}")


def leaks(text: str, more: dict[str, tuple[str, ...]]) -> list[str]:
    folded = text.casefold()
    return [what for what, marks in {**PLANTED, **more}.items() if any(mark.casefold() in folded for mark in marks)]


def provoke(stack: Stack, caller: Caller, hook: str, twilio: str) -> None:
    """Everything that comes in by every door, and what goes wrong with it."""
    assert caller.api("POST", "events", [EVENT])[0] == 202
    changed = {**EVENT, "text": "кумкват \x00 \ud800", "occurred_at": "kumquat"}
    for sent in ([changed], {**EVENT, "kind": "kumquat", PHONE: 1}, [[PHONE]], {"id": "leaky.mailbox"}):
        caller.api("POST", "events", sent)
    caller.api("POST", "events", b'{"kumquat": "' + b"\xff" + FORMATTED.encode())
    caller.ask("POST", "/api/v1/events", EVENT, Authorization="Bearer cx_leaky-key-that-is-none")
    update = {"update_id": 1, "message": {"message_id": 1, "date": 1772442000, "text": "kumquat", "chat": {"id": 5}}}
    secret = {"X_Telegram_Bot_Api_Secret_Token": "tok-9f2c-leaky"}
    unreadable: tuple[Any, ...] = (update, {"update_id": "kumquat", "message": PHONE}, [FORMATTED], b"kumquat")
    for body in unreadable:
        caller.ask("POST", hook, body, **secret)
        caller.ask("POST", hook, body, X_Telegram_Bot_Api_Secret_Token="tok-9f2c-leaky-not")
    form = urlencode({"From": PHONE, "Body": "kumquat", "CallSid": "CA1", "CallStatus": "ringing"}).encode()
    caller.ask("POST", twilio, form, X_Twilio_Signature="tok-9f2c-leaky", Content_Type=FORM)
    for path in (
        f"customers?phone={quote(FORMATTED)}",
        f"customers?q={quote('Утечкина')}&limit={quote('кумкват')}",
        f"customers?{quote('kumquat')}=1&email=leaky.mailbox%40planted.example",
        f"lookup?phone={quote(PHONE)}&timeline=kumquat",
        "search?q=kumquat&cursor=leaky.mailbox",
        f"customers/{quote(FORMATTED)}",
        "attachments/kumquat",
        f"{quote(PHONE)}/nothing",
    ):
        caller.api("GET", path)
    for path in ("/login/", f"/?q={quote(PHONE)}", f"/customers/{quote(FORMATTED)}", f"/{quote('кумкват')}"):
        caller.ask("GET", path)
    said = urlencode({"username": "leaky.agent", "password": "hunter2-hunter2"}).encode()
    caller.ask("POST", "/login/", said, Content_Type=FORM)
    caller.ask("GET", "/metrics", Authorization="Bearer metrics-leaky-token-not")
    caller.ask("GET", f"/{'kumquat' * 2000}", Host="kumquat.example")
    mail(stack)


def mail(stack: Stack) -> None:
    message = EmailMessage()
    message["From"], message["Subject"] = "Ada Leakinson <leaky.mailbox@planted.example>", "kumquat"
    message["To"] = "help@shop.example"
    message.set_content("kumquat")
    with smtplib.SMTP("127.0.0.1", stack.place.smtp_port, timeout=30) as smtp:
        smtp.send_message(message)
        raw = b"Subject: kumquat\r\n\r\nkumquat"
        for wanted in ("leaky.mailbox@nobody.example", "кумкват@nobody.example"):
            with suppress(smtplib.SMTPException, UnicodeError):
                smtp.sendmail("leaky.mailbox@planted.example", [wanted], raw, ["SMTPUTF8"])
        for line in ("KUMQUAT leaky.mailbox", "RCPT TO:<leaky.mailbox", "AUTH PLAIN hunter2-hunter2"):
            smtp.docmd(line)


def troubled(stack: Stack) -> None:
    """A row that cannot be recorded, and a database that says why in its own log."""
    with stack.connect() as db:
        db.execute(
            "CREATE FUNCTION refused() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'no' USING DETAIL = 'row of ' || NEW.text; END $$"
        )
        lines = "BEFORE INSERT ON customers_interaction"
        db.execute(f"CREATE TRIGGER refused {lines} FOR EACH ROW EXECUTE FUNCTION refused()".encode())
        with suppress(psycopg.Error):
            db.execute("SELECT 'kumquat +79125557341'::text FROM no_such_table")
        with suppress(psycopg.Error):
            db.execute("INSERT INTO auth_user (username, password) VALUES ('leaky.agent', 'hunter2-hunter2')")


def counted(stack: Stack, statement: LiteralString) -> int:
    with stack.connect() as db:
        return int((db.execute(statement).fetchone() or (0,))[0])


def test_planted_words_are_nowhere(stack: Stack) -> None:
    stack.manage("source", "add", "push", "till")
    stack.manage("source", "add", "email", "post", "--address", "help@shop.example")
    secrets = ("--secret", "secret_token=tok-9f2c-leaky", "--secret", "bot_token=111222:leaky-bot-token")
    stack.manage("source", "add", "telegram", "bot", *secrets)
    stack.manage("source", "add", "twilio_voice", "line", "--secret", "auth_token=tok-9f2c-leaky")
    caller = Caller(stack)
    scopes = ("--scope", "ingest", "--scope", "admin")
    caller.key = stack.manage("key", "add", "Leakinson", *scopes, "--source", "till").strip()
    with stack.connect() as db:
        rows = db.execute("SELECT provider, key FROM channels_source").fetchall()
    keys = dict(rows)
    more = {"API key": (caller.key,), "sources' keys": (keys["telegram"], keys["twilio_voice"])}
    hook, twilio = f"/hooks/telegram/{keys['telegram']}", f"/hooks/twilio_voice/{keys['twilio_voice']}"
    provoke(stack, caller, hook, twilio)
    troubled(stack)
    assert caller.api("POST", "events", [{**EVENT, "id": "leak-2"}])[0] == 202
    failed = "SELECT count(*) FROM channels_delivery WHERE attempts > 0 AND state = 'accepted'"
    stack.wait_until(lambda: bool(counted(stack, failed)), "nothing failed", 60)
    stack.kill("postgres")
    with suppress(OSError):
        caller.api("POST", "events", [{**EVENT, "id": "leak-3"}])
        caller.api("GET", "search?q=kumquat")
    stack.wait_until(lambda: caller.api("GET", "candidates")[0] == 200, "the database does not come back", 60)
    status, figures = caller.ask("GET", "/metrics", Authorization="Bearer metrics-leaky-token")
    assert status == 200
    assert "cxhub_" in figures
    assert not leaks(figures, more)
    assert not leaks(caller.ask("GET", "/readyz")[1], more)
    logs = sorted((stack.var).rglob("*.log"))
    assert {"web.log", "worker.log", "sweep.log", "smtpd.log"} <= {one.name for one in logs}
    for log in logs:
        text = log.read_text(errors="replace")
        found = leaks(text, more)
        lines = [line for line in text.splitlines() if leaks(line, more)]
        assert not found, (log.name, found, lines[:5])
    assert "could not be recorded" in "".join(one.read_text(errors="replace") for one in logs)
    for path, text in caller.errors:
        # Whoever asked hears his own word again, nothing else.
        assert not set(leaks(text, more)) - set(leaks(unquote(path), more)), (path, text)
