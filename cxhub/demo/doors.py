"""The doors of a running cxhub as its callers see them: HTTP with keys and signatures, and SMTP."""

import base64
import hashlib
import hmac
import http.client
import json
import smtplib
import time
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from cxhub.demo.letters import Letter

PATIENCE = 10
"""Seconds for which a door may be closed (503, no connection) before we give up."""


class DemoFailed(Exception):
    """The history could not be pushed, and why."""


class Web:
    """One connection to the web process; every request is repeated while the answer is 503."""

    def __init__(self, url: str) -> None:
        self.url = urlsplit(url)
        self.connection = http.client.HTTPConnection(self.url.hostname or "", self.url.port, timeout=30)

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, bytes]:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self.connection.request(method, path, body or None, headers)
                answer = self.connection.getresponse()
                said = answer.read()
                if answer.status != 503:
                    return answer.status, said
                trouble = "503"
            except (OSError, http.client.HTTPException) as error:
                self.connection.close()
                trouble = repr(error)
            if time.monotonic() > end:
                raise DemoFailed(f"{method} {path}: {trouble}")
            time.sleep(0.2)

    def get(self, path: str, key: str) -> dict[str, Any]:
        status, said = self.request("GET", path, {"Authorization": f"Bearer {key}"})
        if status != 200:
            raise DemoFailed(f"GET {path}: {status} {said[:200]!r}")
        found: dict[str, Any] = json.loads(said)
        return found

    def post(self, path: str, key: str, body: dict[str, Any]) -> None:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        status, said = self.request("POST", path, headers, json.dumps(body).encode())
        if status not in (200, 201):
            raise DemoFailed(f"POST {path}: {status} {said[:200]!r}")

    def push(self, events: Sequence[dict[str, Any]], key: str) -> None:
        """One batch; an event that is rejected is a mistake of the demo's."""
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        status, said = self.request("POST", "/api/v1/events", headers, json.dumps(list(events)).encode())
        if status != 202:
            raise DemoFailed(f"POST /api/v1/events: {status} {said[:200]!r}")
        for receipt in json.loads(said)["receipts"]:
            if receipt["status"] == "rejected":
                raise DemoFailed(f"event {receipt['id']}: {receipt['problem']}")

    def hook(self, source: dict[str, Any], body: bytes, headers: dict[str, str]) -> None:
        """The path of the printed address, on this machine."""
        path = "/hooks/" + source["hook_url"].rpartition("/hooks/")[2]
        status, said = self.request("POST", path, headers, body)
        if status != 200:
            raise DemoFailed(f"POST /hooks/…: {status} {said[:200]!r}")

    def update(self, source: dict[str, Any], update: dict[str, Any]) -> None:
        headers = {"Content-Type": "application/json"}
        headers["X-Telegram-Bot-Api-Secret-Token"] = source["secret_token"]
        self.hook(source, json.dumps(update).encode(), headers)

    def form(self, source: dict[str, Any], form: dict[str, str]) -> None:
        """Signed as Twilio does: the printed address, then the sorted fields."""
        text = source["hook_url"] + "".join(name + value for name, value in sorted(form.items()))
        signature = hmac.new(source["auth_token"].encode(), text.encode(), hashlib.sha1).digest()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        headers["X-Twilio-Signature"] = base64.b64encode(signature).decode()
        self.hook(source, urlencode(form).encode(), headers)

    def close(self) -> None:
        self.connection.close()


def mail(host: str, port: int, letters: Iterable[Letter]) -> None:
    """Hand them in, one after the other on one connection."""
    with smtplib.SMTP(host, port, local_hostname="relay.example", timeout=30) as client:
        for letter in letters:
            client.sendmail(letter.sender, [letter.recipient], letter.body)


def open_smtp(host: str, port: int) -> bool:
    """Whether somebody listens there, or will within a few seconds."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            smtplib.SMTP(host, port, timeout=5).close()
        except (OSError, smtplib.SMTPException):
            time.sleep(0.2)
        else:
            return True
    return False
