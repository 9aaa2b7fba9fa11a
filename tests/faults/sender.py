"""An integration that pushes without pause, tries again what was not acknowledged, and keeps a ledger of what was."""

import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

PATIENCE = 30
"""Seconds after which a request that hangs is given up (and counts as late)."""
ENOUGH = 50
"""Events that a case is worth something with."""
QUICK = 2.0
"""Seconds within which a push is answered."""
WORK = 0.5
"""Of those what is work and not waiting, which no load prolongs (`customers.patience`)."""
LUMP = bytes(4_000_000)
PULSE = 0.2


class Stillness:
    """When the machine itself stood still: an alarm rang late, or a few bytes took long to be on the disk."""

    def __init__(self) -> None:
        self.spans: list[tuple[float, float]] = []

    def between(self, begun: float, ended: float) -> float:
        """Seconds of that time; what stood still together counts once."""
        found, last = 0.0, begun
        for start, end in sorted(self.spans.copy()):
            start, end = max(start, last), min(end, ended)
            if end > start:
                found, last = found + end - start, end
        return found

    @contextmanager
    def during(self, usual: float = 0.0) -> Iterator[None]:
        """All that the block takes beyond what is usual."""
        begun = time.monotonic()
        yield
        if (now := time.monotonic()) > begun + usual:
            self.spans.append((begun + usual, now))


@dataclass
class Sender:
    """Pushes batches for as long as the block lasts; `late` are answers that came too late, as (seconds, allowed)."""

    url: str
    key: str
    name: str
    people: int = 50
    batch: int = 10
    pause: float = 0.02
    threads: int = 2
    folder: Path | None = None
    ledger: dict[str, str] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    late: list[tuple[float, float]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ended = threading.Event()
        self.numbers = count()
        self.running: list[threading.Thread] = []
        self.pulses: list[tuple[float, float]] = []
        self.stillness = Stillness()
        self.slowest = 0.0

    def __enter__(self) -> "Sender":
        targets = [self.work] * self.threads + [self.pulse]
        self.running = [threading.Thread(target=target, daemon=True) for target in targets]
        for thread in self.running:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        end_at = time.monotonic() + PATIENCE * 2
        while kind is None and len(self.ledger) < ENOUGH and time.monotonic() < end_at:
            time.sleep(0.1)  # On a busy machine few are taken while the fault lasts.
        self.ended.set()
        for thread in self.running:
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
            self.measure(begun, took)
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

    def measure(self, begun: float, took: float) -> None:
        """The promise holds on a machine of its own that goes on: the pulse says how far it was one."""
        self.slowest = max(self.slowest, took)
        if took > QUICK:
            beside = [slower for at, slower in self.pulses.copy() if begun - 0.5 <= at <= begun + took]
            allowed = QUICK + WORK * (max(beside, default=1.0) - 1) + self.stillness.between(begun, begun + took)
            if took > allowed:
                self.late.append((round(took, 2), round(allowed, 2)))

    def pulse(self) -> None:
        """The same work again and again: how many times longer it took than it would on a machine of its own."""
        while not self.ended.is_set():
            with self.stillness.during(PULSE):
                self.ended.wait(PULSE)
            if self.folder:
                with self.stillness.during(), suppress(OSError):  # It may be full.
                    write_through(self.folder / f"pulse-{id(self)}")
            begun, busy = time.monotonic(), time.thread_time()
            sha256(LUMP)
            self.pulses.append((begun, (time.monotonic() - begun) / max(time.thread_time() - busy, 1e-6)))


def write_through(file: Path) -> None:
    """A few bytes, as a COMMIT writes them."""
    with file.open("wb", buffering=0) as written:
        written.write(b"pulse")
        os.fsync(written.fileno())


def post(url: str, key: str, events: list[dict[str, Any]]) -> tuple[int, Any]:
    """(status, JSON); status 0 where the connection was refused or broke off."""
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{url}/api/v1/events",
        json.dumps(events).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    return answered(request)


def get(url: str, key: str, path: str) -> tuple[int, Any]:
    """(status, JSON) of a read."""
    return answered(urllib.request.Request(f"{url}/api/v1/{path}", headers={"Authorization": f"Bearer {key}"}))  # noqa: S310


@contextmanager
def reading(url: str, key: str, path: str, threads: int) -> Iterator[Counter[str]]:
    """So many who read without pause, from when each was answered once; yields what they hear."""
    heard: Counter[str] = Counter()
    ended, begun = threading.Event(), threading.Barrier(threads + 1)

    def read() -> None:
        get(url, key, path)
        begun.wait(PATIENCE * 3)
        while not ended.is_set():
            heard[str(get(url, key, path)[0] or "none")] += 1

    running = [threading.Thread(target=read, daemon=True) for _ in range(threads)]
    for thread in running:
        thread.start()
    try:
        begun.wait(PATIENCE * 3)
        yield heard
    finally:
        ended.set()
        for thread in running:
            thread.join(PATIENCE * 3)


def answered(request: urllib.request.Request) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.read()[:300]
    except (OSError, ValueError, urllib.error.URLError):
        return 0, None
