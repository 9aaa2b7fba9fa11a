"""Every acknowledged event is in one timeline once, whatever is killed, paused, emptied or cut off meanwhile."""

import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
import redis

from tests.faults.sender import Sender, post
from tests.faults.stack import Stack, tree

pytestmark = [pytest.mark.timeout(600), pytest.mark.enable_socket]
HEAL = 60
"""Seconds within which all is well again after a fault."""
QUICK = 2.0 * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
"""Seconds within which a push is answered; longer where other work takes the processors."""
LEASE = 20
CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
RANDOM = random.Random(20261122)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack() as stack:
        stack.manage("source", "add", "push", "till")
        yield stack


@pytest.fixture(scope="module")
def key(stack: Stack) -> str:
    return stack.manage("key", "add", "till", "--scope", "ingest", "--source", "till").strip()


@pytest.fixture
def sender(stack: Stack, key: str, request: pytest.FixtureRequest) -> Sender:
    stack.wait_until(stack.place.serves, "web does not serve")
    return Sender(stack.place.url, key, request.node.name.removeprefix("test_"))


def settled(stack: Stack, sender: Sender, tmp_path: Path, *, late: bool = False) -> None:
    """All is recorded within a minute, each acknowledged event in one timeline once; answers were right and quick."""
    open_ = "SELECT count(*) FROM channels_delivery WHERE state IN ('accepted', 'waiting')"
    stack.wait_until(lambda: stack.count(open_) == 0, "events wait after a minute", HEAL)
    assert sender.wrong == []
    assert len(sender.ledger) >= 50, sender.answers
    lines = f"FROM customers_interaction WHERE text LIKE '{sender.name} says %'"
    assert stack.count(f"SELECT count(*) {lines}") == len(sender.ledger)
    assert stack.count(f"SELECT count(DISTINCT text) {lines}") == len(sender.ledger)
    file = tmp_path / "ledger"
    file.write_text(
        "".join(json.dumps({"id": id_, "receipt": receipt}) + "\n" for id_, receipt in sender.ledger.items())
    )
    assert "each is in one timeline, once" in stack.manage("verify_history", "--ledger", str(file))
    assert late or sender.slowest < QUICK, f"an answer took {sender.slowest:.1f} s: {sender.answers}"


@contextmanager
def frozen(stack: Stack, name: str) -> Iterator[None]:
    stack.pause(name)
    try:
        yield
    finally:
        stack.resume(name)


@pytest.mark.parametrize("name", ["worker", "web", "beat", "sweep"])
def test_killed(stack: Stack, sender: Sender, tmp_path: Path, name: str) -> None:
    with sender:
        for _ in range(3):
            time.sleep(RANDOM.uniform(0.3, 1.0))
            stack.kill(name)
            stack.wait_until(lambda: stack.pid(name) > 0, f"{name} does not come back")
        time.sleep(0.5)
    settled(stack, sender, tmp_path, late=name == "web")  # Whoever was just being served hears nothing.


def test_workers_paused_beyond_their_lease(stack: Stack, sender: Sender, tmp_path: Path) -> None:
    with sender:
        time.sleep(0.5)
        with frozen(stack, "worker"), frozen(stack, "sweep"):
            time.sleep(2)
            stack.resume("sweep")
            time.sleep(LEASE + 2)
        time.sleep(0.5)
    settled(stack, sender, tmp_path)


def test_valkey_killed(stack: Stack, sender: Sender, tmp_path: Path) -> None:
    with sender:
        for _ in range(2):
            time.sleep(0.5)
            stack.kill("valkey")
            time.sleep(1)
    settled(stack, sender, tmp_path)


def test_valkey_emptied(stack: Stack, sender: Sender, tmp_path: Path) -> None:
    with sender:
        for _ in range(5):
            time.sleep(0.3)
            with suppress(redis.RedisError):
                stack.redis().flushall()
    settled(stack, sender, tmp_path)


def test_valkey_frozen(stack: Stack, sender: Sender, tmp_path: Path) -> None:
    with sender:
        time.sleep(0.3)
        with frozen(stack, "valkey"):
            time.sleep(6)
    settled(stack, sender, tmp_path)


def test_valkey_full(stack: Stack, sender: Sender, tmp_path: Path) -> None:
    valkey = stack.redis()
    with sender:
        time.sleep(0.3)
        valkey.config_set("maxmemory", "1")
        try:
            time.sleep(4)
        finally:
            valkey.config_set("maxmemory", "0")
    settled(stack, sender, tmp_path)


@pytest.mark.parametrize("how", ["restarted", "killed"])
def test_postgres(stack: Stack, sender: Sender, tmp_path: Path, how: str) -> None:
    with sender:
        for _ in range(2):
            time.sleep(1)
            if how == "killed":
                stack.kill("postgres")
            else:
                tree(stack.pid("postgres"), signal.SIGINT)
            stack.wait_until(lambda: stack.count("SELECT 1") == 1, "PostgreSQL does not come back")
    settled(stack, sender, tmp_path)
    assert sender.answers["503"] + sender.answers["none"] > 0, "nobody noticed"


def test_connections_cut(stack: Stack, sender: Sender, tmp_path: Path) -> None:
    """Again and again, at any moment: in the middle of statements and of COMMIT."""
    with sender, stack.connect() as db:
        for _ in range(60):
            time.sleep(RANDOM.uniform(0, 0.2))
            db.execute(CUT)
    settled(stack, sender, tmp_path)


def test_too_many_connections(stack: Stack, sender: Sender, tmp_path: Path) -> None:
    held: list[psycopg.Connection[tuple[object, ...]]] = []
    with sender:
        time.sleep(0.3)
        with suppress(psycopg.OperationalError):
            while len(held) < 1000:
                held.append(stack.connect())
        # Whoever has a connection keeps it: only when it is cut he notices that there is none for him.
        with suppress(psycopg.OperationalError):
            held[0].execute(CUT + " AND state = 'idle' AND backend_start < now() - interval '2 s'")
        time.sleep(3)
        for connection in held:
            connection.close()
    settled(stack, sender, tmp_path)


def test_the_same_event_thrice_in_parallel(stack: Stack, key: str, sender: Sender, tmp_path: Path) -> None:
    batches = [[sender.event(number) for number in range(start, start + 10)] for start in range(0, 100, 10)]
    barrier = threading.Barrier(3)

    def push() -> None:
        for batch in batches:
            barrier.wait(30)
            status, body = post(stack.place.url, key, batch)
            assert status == 202
            for event, receipt in zip(batch, body["receipts"], strict=True):
                sender.ledger.setdefault(event["id"], receipt["receipt"])
                if sender.ledger[event["id"]] != receipt["receipt"]:
                    sender.wrong.append(f"two receipts for {event['id']}")

    threads = [threading.Thread(target=push) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    settled(stack, sender, tmp_path)


def test_parts_of_one_call_over_two_workers(stack: Stack, key: str, sender: Sender, tmp_path: Path) -> None:
    calls = []
    for number in range(60):
        call = sender.event(number)
        main = {**call, "channel": "phone", "kind": "call"}
        rest = {name: value for name, value in main.items() if name not in ("customer", "text")}
        parts = [
            {**rest, "part": part, "details": {"call": {"status": "completed"}}}
            for part in ("recording:1", "ended", "leg:2")
        ]
        calls += [main, *parts]
    RANDOM.shuffle(calls)
    halves = [calls[::2], calls[1::2]]

    def push(half: list[dict[str, object]]) -> None:
        for event in half:
            status, body = post(stack.place.url, key, [event])
            assert status == 202, body
            if "part" not in event:
                sender.ledger[str(event["id"])] = body["receipts"][0]["receipt"]

    threads = [threading.Thread(target=push, args=(half,)) for half in halves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    settled(stack, sender, tmp_path)
    grown = "SELECT count(*) FROM (SELECT line_id FROM customers_interactionpart GROUP BY 1 HAVING count(*) = 4) x"
    assert stack.count(grown) == 60


def test_asked_to_stop_under_load(stack: Stack, sender: Sender, tmp_path: Path) -> None:
    """SIGTERM: web and worker end what they have in hand, within ten seconds; what follows is taken by the next."""
    with sender:
        for name in ("worker", "web", "sweep"):
            time.sleep(0.7)
            pid, begun = stack.pid(name), time.monotonic()
            tree_root(pid)
            stack.wait_until(lambda name=name, pid=pid: stack.pid(name) != pid, f"{name} does not end", 12)
            assert time.monotonic() - begun < 10, name
            stack.wait_until(stack.place.serves, "web does not serve")
    settled(stack, sender, tmp_path, late=True)


def tree_root(pid: int) -> None:
    """Only the process itself, as a service manager does."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
