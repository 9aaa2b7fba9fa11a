"""Random faults in random order under load, and after each the question whether all is well again within a minute."""

import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from subprocess import CalledProcessError
from uuid import UUID

import redis

from tests.faults.breaking import (
    COMMITTING,
    CUT,
    FAKETIME,
    JUMPS,
    MOUNTS,
    Clock,
    clocks,
    commits_hang,
    full_disk,
    jump,
    no_connection_left,
)
from tests.faults.sender import Sender
from tests.faults.settling import HEAL, settled
from tests.faults.stack import OURS, SERVERS, Stack, tree

OPEN = "SELECT array_agg(id) FROM channels_delivery WHERE state IN ('accepted', 'waiting')"
NOBODY = UUID(int=0)
BASE, A_MINUTE = 1_500, 200
"""Megabytes of the small disk."""
Tell = Callable[[str], object]


class Breaker:
    """What may happen to one stack; each fault is over when its method returns."""

    def __init__(self, stack: Stack, chance: random.Random, two: tuple[Clock, Clock]) -> None:
        self.stack, self.chance, self.two = stack, chance, two

    def some_seconds(self, most: float) -> None:
        time.sleep(self.chance.uniform(0.2, most))

    def kill(self) -> None:
        for name in self.chance.sample([*OURS, *SERVERS], self.chance.randint(1, 3)):
            self.stack.back(name, self.stack.kill(name))

    def ask_to_stop(self) -> None:
        name = self.chance.choice(OURS)
        pid = self.stack.pid(name)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        self.stack.back(name, pid)

    def pause(self) -> None:
        """One or two of ours, now and then beyond their lease."""
        with self.stack.frozen(*self.chance.sample(OURS, self.chance.randint(1, 2))):
            self.some_seconds(self.chance.choice((3, 3, 30)))

    def freeze_a_server(self) -> None:
        with self.stack.frozen(self.chance.choice(SERVERS)):
            self.some_seconds(8)

    def empty_valkey(self) -> None:
        with suppress(redis.RedisError):
            self.stack.redis().flushall()

    def lose_what_valkey_kept(self) -> None:
        killed = self.stack.kill("valkey")
        shutil.rmtree(self.stack.var / "valkey" / "appendonlydir", ignore_errors=True)
        self.stack.back("valkey", killed)

    def fill_valkey(self) -> None:
        valkey = self.stack.redis()
        valkey.config_set("maxmemory", "1")
        self.some_seconds(5)
        valkey.config_set("maxmemory", "0")

    def restart_postgres(self) -> None:
        before = self.stack.pid("postgres")
        tree(before, signal.SIGINT)
        self.stack.back("postgres", before)

    def cut_connections(self) -> None:
        with self.stack.connect() as db:
            for _ in range(self.chance.randint(1, 20)):
                db.execute(CUT)
                self.some_seconds(0.5)

    def cut_commits(self) -> None:
        for _ in range(self.chance.randint(1, 5)):
            with commits_hang(self.stack) as db:
                self.some_seconds(0.5)
                db.execute(COMMITTING)

    def hang_commits(self) -> None:
        with commits_hang(self.stack):
            self.some_seconds(8)

    def take_all_connections(self) -> None:
        with no_connection_left(self.stack):
            self.some_seconds(5)

    def fill_the_disk(self) -> None:
        with full_disk(self.stack):
            self.some_seconds(15)

    def jump_the_clock(self) -> None:
        chosen = self.chance.choice((self.two[:1], self.two[1:], self.two))
        jump(chosen, self.chance.choice(JUMPS))
        self.some_seconds(5)
        jump(chosen, "+0")


FAULTS: list[Callable[[Breaker], None]] = [
    *[Breaker.kill] * 3,
    Breaker.ask_to_stop,
    *[Breaker.pause] * 2,
    Breaker.freeze_a_server,
    Breaker.empty_valkey,
    Breaker.lose_what_valkey_kept,
    Breaker.fill_valkey,
    Breaker.restart_postgres,
    Breaker.cut_connections,
    Breaker.cut_commits,
    Breaker.hang_commits,
    Breaker.take_all_connections,
    *([Breaker.fill_the_disk] if MOUNTS else []),
    *([Breaker.jump_the_clock] if FAKETIME else []),
]
DEAF = {Breaker.kill, Breaker.ask_to_stop, Breaker.pause}
"""What web itself may suffer from: nobody can answer then."""


def break_for(minutes: float, *, seed: str, tell: Tell) -> list[str]:
    """What was wrong; empty when all was well after each fault and at the end."""
    folder = Path(tempfile.mkdtemp(prefix="cxhub-soak-faults-"))
    two = clocks(folder)
    disk = BASE + int(A_MINUTE * minutes) if MOUNTS else 0
    for missing, what in ((not MOUNTS, "no full disk: only root may mount one"), (not FAKETIME, "no libfaketime")):
        if missing:
            tell(f"SKIPPED: {what}")
    try:
        with Stack(two[0].environment, two[1].environment, disk=disk) as stack:
            return under_load(stack, Breaker(stack, random.Random(seed), two), minutes, folder, tell)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def under_load(stack: Stack, breaker: Breaker, minutes: float, folder: Path, tell: Tell) -> list[str]:
    stack.manage("source", "add", "push", "till")
    key = stack.manage("key", "add", "till", "--scope", "ingest", "--source", "till").strip()
    sender = Sender(stack.place.url, key, "soak", people=500, pause=0.1, folder=stack.var)
    wrong: list[str] = []
    end_at = time.monotonic() + minutes * 60
    try:
        with sender:
            while time.monotonic() < end_at and not wrong:
                wrong += one_fault(stack, sender, breaker, tell)
        settled(stack, sender, folder, late=True)
        stack.manage("verify_history")
        stack.manage("verify_identity")
    except (AssertionError, CalledProcessError) as error:
        wrong.append(f"{error}\n{getattr(error, 'stdout', '') or ''}")
    if wrong:
        tell(stack.diagnosis())
    return wrong


def one_fault(stack: Stack, sender: Sender, breaker: Breaker, tell: Tell) -> list[str]:
    breaker.some_seconds(3)
    fault = breaker.chance.choice(FAULTS)
    fault(breaker)
    begun, before = time.monotonic(), sender.answers["202"]
    stack.wait_until(lambda: sender.answers["202"] > before + 4, f"nothing is taken after {fault.__name__}", HEAL)
    stack.wait_until(lambda: stack.ask("SELECT 1"), "PostgreSQL does not come back", HEAL)
    ids = ", ".join(f"'{one}'" for one in [NOBODY, *(stack.ask(OPEN) or [])])
    left = f"SELECT count(*) FROM channels_delivery WHERE id IN ({ids}) AND state IN ('accepted', 'waiting')"
    stack.wait_until(lambda: stack.ask(left) == 0, f"events wait a minute after {fault.__name__}", HEAL)
    tell(
        f"{fault.__name__:>22}: well after {time.monotonic() - begun:4.1f} s;"
        f" {len(sender.ledger)} events, {dict(sorted(sender.answers.items()))}"
    )
    late, sender.late = sender.late, []
    return [f"{fault.__name__}: (seconds, allowed) {late}"] if late and fault not in DEAF else sender.wrong[:5]
