"""The ways to break things that need more than a signal: a database that hangs, clocks, a full disk."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from tests.faults.stack import Stack

Database = psycopg.Connection[tuple[Any, ...]]

CUT = b"""
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
COMMITTING = CUT + b" AND wait_event = 'SyncRep'"
IDLE = CUT + b" AND state = 'idle' AND backend_start < now() - interval '2 s'"

LIBRARIES = ("usr/lib/*/faketime/libfaketimeMT.so.1", "usr/lib*/faketime/libfaketimeMT.so.1")
FAKETIME = next((str(path) for pattern in LIBRARIES for path in Path("/").glob(pattern)), "")
SLEEPING = Path(__file__).parent / "asleep"
"""Where the `sitecustomize` of processes under libfaketime is."""
JUMPS = ("+1h", "+0", "-1h", "+30d", "-2h")
NOTICED = 0.9
"""Of a second: who looks at his clock in a new second reads its file again, so all do shortly after this."""


def may_mount() -> bool:
    """Root in a container often may not."""
    if os.geteuid() or not shutil.which("mount") or not shutil.which("unshare"):
        return False
    try_it = ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(try_it, check=False, capture_output=True).returncode == 0


MOUNTS = may_mount()


@contextmanager
def commits_hang(stack: Stack) -> Iterator[Database]:
    """A standby that does not exist must confirm: each COMMIT is on disk here, and waits."""
    with stack.connect() as db:
        db.execute("SET synchronous_commit = off")
        confirmed_by(db, "nobody")
        try:
            yield db
        finally:
            confirmed_by(db, "")


def confirmed_by(db: Database, standby: str) -> None:
    db.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{standby}'".encode())
    db.execute("SELECT pg_reload_conf()")


@contextmanager
def no_connection_left(stack: Stack) -> Iterator[None]:
    held: list[Database] = []
    try:
        with suppress(psycopg.OperationalError):
            while len(held) < 1000:
                held.append(stack.connect())
        # Whoever has a connection keeps it: only when it is cut he notices that there is none for him.
        with suppress(psycopg.OperationalError):
            held[0].execute(IDLE)
        yield
    finally:
        for connection in held:
            connection.close()


@contextmanager
def full_disk(stack: Stack) -> Iterator[None]:
    """Nothing is left on the disk of the stack, which must be one of its own."""
    assert stack.mounted
    filler = stack.var / "filler"
    try:
        with filler.open("wb", buffering=0) as file:
            for size in (10_000_000, 100_000, 4_096):
                with suppress(OSError):
                    while file.write(bytes(size)):
                        pass
        yield
    finally:
        filler.unlink()


class Clock:
    """A clock of all the processes that are told of its file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.set("+0")

    def set(self, offset: str) -> None:
        """As libfaketime writes it: `+30d`, `-1h`; the file is replaced whole, and all notice within a second."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(offset + "\n")
        fresh.chmod(0o644)
        fresh.replace(self.file)

    @property
    def environment(self) -> dict[str, str]:
        if not FAKETIME:
            return {}
        return {
            "LD_PRELOAD": FAKETIME,
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_CACHE_DURATION": "0",  # Read in each new second: at each look is eight times as slow.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "PYTHONPATH": str(SLEEPING),
        }


def jump(chosen: Iterable[Clock], offset: str) -> None:
    """All clocks of a host at once, as far as may be: shortly before the second in which they are read again."""
    time.sleep((NOTICED - time.time()) % 1)
    for clock in chosen:
        clock.set(offset)


def clocks(folder: Path) -> tuple[Clock, Clock]:
    """Of our processes, and of the servers, as on two hosts; PostgreSQL is another user, who must reach the file."""
    for above in (folder, *folder.parents):
        if above.stat().st_uid == os.geteuid():
            above.chmod(above.stat().st_mode | 0o011)
    return Clock(folder / "ours"), Clock(folder / "theirs")
