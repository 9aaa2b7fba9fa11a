"""What is pushed is itself the trouble: thrice at once, in pieces, deadly, or far too much."""

import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.faults.poison import WORD
from tests.faults.sender import Sender, get, post
from tests.faults.settling import HEAL, OPEN, settled
from tests.faults.stack import DRAINING, Stack

pytestmark = [pytest.mark.timeout(1800), pytest.mark.enable_socket]
RANDOM = random.Random(20261122)
BACKLOG = int(os.environ.get("CXHUB_TEST_LONG") or 20_000)
MOST_IN_A_PUSH = 2_500
GROWTH = 40
"""Megabytes that the second half of a backlog may take beyond the first."""


def together(*works: Callable[[], None]) -> None:
    failed: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600)
    if failed:
        raise failed[0]


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

    together(push, push, push)
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

    def push(half: list[dict[str, Any]]) -> None:
        for event in half:
            status, body = post(stack.place.url, key, [event])
            assert status == 202, body
            if "part" not in event:
                sender.ledger[str(event["id"])] = body["receipts"][0]["receipt"]

    together(lambda: push(calls[::2]), lambda: push(calls[1::2]))
    settled(stack, sender, tmp_path)
    grown = "SELECT count(*) FROM (SELECT line_id FROM customers_interactionpart GROUP BY 1 HAVING count(*) = 4) x"
    assert stack.ask(grown) == 60


def test_a_body_that_kills_whoever_parses_it(stack: Stack, key: str, sender: Sender, tmp_path: Path) -> None:
    """Those that were claimed with it are recorded within a minute; it ends in quarantine, and says why."""
    mine = f"channels_delivery WHERE external_id = '{WORD}'"
    with sender:
        time.sleep(0.5)
        assert post(stack.place.url, key, [{**sender.event(0), "id": WORD, "text": WORD}])[0] == 202

        def buried() -> bool:
            """Each lease runs out after 20 s; nobody wants to wait for six of them."""
            stack.ask(f"UPDATE channels_delivery SET lease_until = now() WHERE external_id = '{WORD}' RETURNING 1")
            time.sleep(0.5)
            return bool(stack.ask(f"SELECT state FROM {mine}") == "quarantined")

        stack.wait_until(buried, "a deadly event is not quarantined", HEAL * 3)
    assert stack.ask(f"SELECT reason FROM {mine}") == "the process that parsed it died each time"
    settled(stack, sender, tmp_path)


def test_a_backlog(stack: Stack, key: str, sender: Sender, tmp_path: Path) -> None:
    """It is worked off in flat memory, while reads and new pushes go on."""
    sender.people = 2_000
    later = Sender(stack.place.url, key, sender.name + "-later", pause=0.2, threads=1)
    with stack.frozen(*DRAINING):
        starts = range(0, BACKLOG, MOST_IN_A_PUSH)
        many = [[sender.event(number) for number in range(start, start + MOST_IN_A_PUSH)] for start in starts]
        together(lambda: push_all(sender, many[::2]), lambda: push_all(sender, many[1::2]))
    assert len(sender.ledger) == len(many) * MOST_IN_A_PUSH, sender.answers
    sizes: list[tuple[int, float]] = []
    reads: list[float] = []
    begun = time.monotonic()
    with later:
        while (left := stack.ask(OPEN)) > later.batch * 4:
            sizes.append((left, megabytes(stack)))
            asked = time.monotonic()
            status, _ = get(stack.place.url, key, f"lookup?phone=%2B7912{RANDOM.randrange(2000):07}&timeline=50")
            reads.append(time.monotonic() - asked)
            assert status == 200
            assert time.monotonic() - begun < BACKLOG / 200, f"{left} wait"
            time.sleep(0.1)
    took = time.monotonic() - begun
    first = [size for left, size in sizes if left > BACKLOG / 2]
    second = [size for left, size in sizes if left <= BACKLOG / 2]
    print(
        f"{BACKLOG} in {took:.0f} s ({BACKLOG / took:.0f}/s); up to {max(first):.0f}, then {max(second):.0f} MB; "
        f"{len(reads)} reads, slowest {max(reads):.2f} s; {len(later.ledger)} pushed meanwhile"
    )
    assert max(second) < max(first) + GROWTH
    settled(stack, later, tmp_path)
    settled(stack, sender, tmp_path)


def push_all(sender: Sender, batches: list[list[dict[str, Any]]]) -> None:
    for events in batches:
        assert any(sender.push(events) for _ in range(20)), sender.answers


def megabytes(stack: Stack) -> float:
    """What the processes that drain have in memory of their own."""
    total = 0
    for name in DRAINING:
        process = psutil.Process(stack.pid(name))
        for one in [process, *process.children(recursive=True)]:
            total += one.memory_full_info().uss
    return total / 1e6
