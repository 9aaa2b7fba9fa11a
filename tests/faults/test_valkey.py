"""The broker is killed, emptied, frozen and full: nudges are lost, events are not."""

import shutil
import time
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from tests.faults.sender import Sender
from tests.faults.settling import settled
from tests.faults.stack import Stack

pytestmark = [pytest.mark.timeout(600), pytest.mark.enable_socket]


def test_killed(stack: Stack, sender: Sender, tmp_path: Path) -> None:
    with sender:
        for _ in range(2):
            time.sleep(0.5)
            stack.back("valkey", stack.kill("valkey"))
            time.sleep(1)
    settled(stack, sender, tmp_path)


def test_emptied(stack: Stack, sender: Sender, tmp_path: Path) -> None:
    """By command, and by starting without the file it had kept."""
    with sender:
        for _ in range(5):
            time.sleep(0.3)
            with suppress(redis.RedisError):
                stack.redis().flushall()
        killed = stack.kill("valkey")
        shutil.rmtree(stack.var / "valkey" / "appendonlydir")
        stack.back("valkey", killed)
        time.sleep(1)
    settled(stack, sender, tmp_path)


def test_frozen(stack: Stack, sender: Sender, tmp_path: Path) -> None:
    with sender:
        time.sleep(0.3)
        with stack.frozen("valkey"):
            time.sleep(6)
    settled(stack, sender, tmp_path)


def test_full(stack: Stack, sender: Sender, tmp_path: Path) -> None:
    valkey = stack.redis()
    with sender:
        time.sleep(0.3)
        valkey.config_set("maxmemory", "1")
        try:
            time.sleep(4)
        finally:
            valkey.config_set("maxmemory", "0")
    settled(stack, sender, tmp_path)
