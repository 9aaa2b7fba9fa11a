"""An integration that pushes without pause, tries again what was not acknowledged, and keeps a ledger of what was."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

PATIENCE = 30
"""Seconds after which a request that hangs is given up (and counts as late)."""


@dataclass
class Sender:
    """Pushes batches for as long as the block lasts; `slowest` is the longest time until any answer, in seconds."""

    url: str
    key: str
    name: str
    people: int = 50
    batch: int = 10
    pause: float = 0.02
    ledger: dict[str, str] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    slowest: float = 0
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ended = threading.Event()
        self.numbers = count()
        self.threads: list[threading.Thread] = []

    def __enter__(self) -> "Sender":
        self.threads = [threading.Thread(target=self.work, name=f"{self.name}-{n}", daemon=True) for n in range(2)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join(PATIENCE * 3)
            assert not thread.is_alive(), "a request hangs"

    def work(self) -> None:
        while not self.ended.is_set():
            events = [self.event(next(self.numbers)) for _ in range(self.batch)]
            tried = 0
            while not self.push(events):
                tried += 1
                time.sleep(0.2)
                if self.ended.is_set() and tried > 200:
                    self.wrong.append(f"{events[0]['id']} was not taken after {tried} attempts")
                    return
            time.sleep(self.pause)

    def event(self, number: int) -> dict[str, Any]:
        person = number % self.people
        return {
            "id": f"{self.name}-{number}",
            "channel": "sms",
            "kind": "message",
            "direction": "inbound",
            "occurred_at": datetime.now(UTC).isoformat(),
            "customer": {"identifiers": [{"kind": "phone", "value": f"+7912{person:07}"}]},
            "text": f"{self.name} says {number}",
        }

    def push(self, events: list[dict[str, Any]]) -> bool:
        """Whether all were acknowledged; only 202, 503 and no answer at all are right."""
        begun = time.monotonic()
        status, body = post(self.url, self.key, events)
        took = time.monotonic() - begun
        self.answers[str(status or "none")] += 1
        if status:
            self.slowest = max(self.slowest, took)
        if status == 202:
            for event, receipt in zip(events, body["receipts"], strict=True):
                if receipt["status"] not in ("accepted", "duplicate"):
                    self.wrong.append(f"{event['id']}: {receipt}")
                else:
                    self.ledger[event["id"]] = receipt["receipt"]
            return True
        if status not in (0, 503):
            self.wrong.append(f"answered {status}: {body}")
        return False


def post(url: str, key: str, events: list[dict[str, Any]]) -> tuple[int, Any]:
    """(status, JSON); status 0 where the connection was refused or broke off."""
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{url}/api/v1/events",
        json.dumps(events).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.read()[:300]
    except (OSError, ValueError, urllib.error.URLError):
        return 0, None
