"""Our own processes are killed, paused for longer than their lease, and asked to stop."""

import os
import random
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from tests.faults.sender import Sender
from tests.faults.settling import settled
from tests.faults.stack import OURS, Stack, alive

pytestmark = [pytest.mark.timeout(600), pytest.mark.enable_socket]
LEASE = 20
LEASED = "SELECT count(*) FROM channels_delivery WHERE state = 'accepted' AND lease_until > now()"
RANDOM = random.Random(20261122)


@pytest.mark.parametrize("name", ["worker", "web", "beat", "sweep"])
def test_killed(stack: Stack, sender: Sender, tmp_path: Path, name: str) -> None:
    with sender:
        for _ in range(3):
            time.sleep(RANDOM.uniform(0.3, 1.0))
            stack.back(name, stack.kill(name))
        time.sleep(0.5)
    settled(stack, sender, tmp_path, late=name == "web")


def test_all_killed_at_once(stack: Stack, sender: Sender, tmp_path: Path) -> None:
    with sender:
        time.sleep(0.5)
        killed = {name: stack.kill(name) for name in OURS}
        for name, pid in killed.items():
            stack.back(name, pid)
        stack.wait_until(stack.place.serves, "web does not serve")
        time.sleep(1)
    settled(stack, sender, tmp_path, late=True)


@pytest.mark.parametrize(("name", "other"), [("worker", "sweep"), ("sweep", "worker")])
def test_paused_beyond_the_lease(stack: Stack, sender: Sender, tmp_path: Path, name: str, other: str) -> None:
    """It is paused with deliveries in hand; the other takes them over, and it finds itself fenced when it wakes."""
    with stack.frozen(other, "beat"):
        with sender:
            in_the_act(stack, name)
            try:
                stack.resume(other)
                time.sleep(2)
            except BaseException:
                stack.resume(name)
                raise
        stack.wait_until(lambda: stack.ask(LEASED) == 0, "nobody takes over what was leased", LEASE * 3)
        stack.resume(name)
    settled(stack, sender, tmp_path)


def in_the_act(stack: Stack, name: str) -> None:
    """Pause it while it holds leases."""

    def caught() -> bool:
        stack.pause(name)
        time.sleep(0.05)  # What it had sent is done.
        if stack.ask(LEASED):
            return True
        stack.resume(name)
        return False

    stack.wait_until(caught, f"{name} never has anything in hand", 30)


def test_web_paused(stack: Stack, sender: Sender, tmp_path: Path) -> None:
    with sender:
        time.sleep(0.5)
        with stack.frozen("web"):
            time.sleep(4)
        time.sleep(0.5)
    settled(stack, sender, tmp_path, late=True)


def test_asked_to_stop_under_load(stack: Stack, sender: Sender, tmp_path: Path) -> None:
    """SIGTERM: they end what they have in hand, within ten seconds; what follows is taken by the next."""
    with sender:
        for name in OURS:
            time.sleep(0.7)
            pid, begun = stack.pid(name), time.monotonic()
            os.kill(pid, signal.SIGTERM)  # The process itself and none of its children, as a service manager does.
            stack.wait_until(partial(dead, pid), f"{name} does not end", 12)
            assert time.monotonic() - begun < 10, name
            stack.back(name, pid)
            stack.wait_until(stack.place.serves, "web does not serve")
    settled(stack, sender, tmp_path, late=True)


def dead(pid: int) -> bool:
    return not alive(pid)
