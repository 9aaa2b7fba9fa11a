"""The machine itself: its clock jumps, its disk is full."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.breaking import FAKETIME, JUMPS, MOUNTS, Clock, clocks, full_disk, jump
from tests.faults.conftest import sender_of
from tests.faults.sender import Sender
from tests.faults.settling import settled
from tests.faults.stack import Stack

pytestmark = [pytest.mark.timeout(600), pytest.mark.enable_socket]
DISK = 1_500
"""Megabytes."""


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Clock, Clock]:
    return clocks(tmp_path_factory.mktemp("clocks"))


@pytest.fixture(scope="module")
def machine(two: tuple[Clock, Clock]) -> Iterator[Stack]:
    ours, theirs = two
    with Stack(ours.environment, theirs.environment, disk=DISK if MOUNTS else 0) as stack:
        stack.manage("source", "add", "push", "till")
        yield stack


@pytest.fixture
def pushing(machine: Stack, request: pytest.FixtureRequest) -> Sender:
    key = machine.manage("key", "add", request.node.name, "--scope", "ingest", "--source", "till").strip()
    return sender_of(machine, key, request)


@pytest.mark.skipif(not FAKETIME, reason="SKIPPED: there is no libfaketime (Debian: faketime)")
@pytest.mark.parametrize("whose", ["ours", "of_the_servers", "all"])
def test_clock_jumps(machine: Stack, pushing: Sender, two: tuple[Clock, Clock], tmp_path: Path, whose: str) -> None:
    """Forward and back, by hours and by a month; nobody is started again."""
    chosen = {"ours": two[:1], "of_the_servers": two[1:], "all": two}[whose]
    with pushing:
        for offset in (*JUMPS, "+0"):
            jump(chosen, offset)
            time.sleep(1.5)
    settled(machine, pushing, tmp_path)


@pytest.mark.skipif(not MOUNTS, reason="SKIPPED: only root may mount the small disk that is to be full")
def test_disk_full(machine: Stack, pushing: Sender, tmp_path: Path) -> None:
    """Everything is on it: the database, its log, Valkey's file, our logs. 503 until there is room again."""
    with pushing:
        time.sleep(1)
        with full_disk(machine):
            machine.wait_until(lambda: pushing.answers["503"] > 0, "a full disk goes unnoticed", 30)
            time.sleep(8)
        before = pushing.answers["202"]
        machine.wait_until(lambda: pushing.answers["202"] > before + 5, "there is room, and nothing is taken", 60)
    settled(machine, pushing, tmp_path)
