"""A streaming replica of the embedded PostgreSQL that the tests run on, as a server of its own."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
from django.db import connection, connections

from customers import replica
from cxhub.databases import database
from cxhub.ports import free_port
from cxhub.postgres import Postgres, installed
from cxhub.processes import Child, Guard, end
from tests.support import database_url


class Second:
    """The server, and what tests do to it."""

    def __init__(self, server: Postgres, child: Child) -> None:
        self.server, self.child = server, child

    @property
    def url(self) -> str:
        return self.server.url(connection.settings_dict["NAME"])

    def ask(self, statement: str) -> Any:
        with psycopg.connect(self.url, autocommit=True) as other:
            return (other.execute(statement.encode()).fetchone() or (None,))[0]

    def pause(self) -> None:
        """It goes on receiving, and shows nothing of it."""
        self.ask("SELECT pg_wal_replay_pause()")
        self.until(lambda: self.ask("SELECT pg_get_wal_replay_pause_state()") == "paused")

    def resume(self) -> None:
        self.ask("SELECT pg_wal_replay_resume()")

    def caught_up(self) -> None:
        """It has replayed all that was written until now, and this process knows."""
        place = replica.position()
        self.until(lambda: replica.WATCH.serves(place))

    def kill(self) -> None:
        assert self.child.process is not None
        os.killpg(self.child.process.pid, signal.SIGKILL)
        self.child.process.wait()

    def back(self) -> None:
        self.until(self.child.revive)
        self.server.wait(self.child)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Its processes stand still: connections open, nothing is answered."""
        assert self.child.process is not None
        family = [self.child.process.pid, *children(self.child.process.pid)]
        for pid in family:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in family:
                os.kill(pid, signal.SIGCONT)

    @staticmethod
    def until(true: Any, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, "it takes too long"
            time.sleep(0.05)


def children(pid: int) -> list[int]:
    return [one.pid for one in psutil.Process(pid).children(recursive=True)]


@contextmanager
def second_server() -> Iterator[Second]:
    """Copied from the first while that works, and known to Django as `replica`."""
    var = Path(tempfile.mkdtemp(prefix="cxhub-second-"))
    server, guard = Postgres(var, free_port(), connection.settings_dict["PASSWORD"]), Guard()
    child: Child | None = None
    try:
        copy = [str(installed("pg_basebackup")), "--dbname", database_url(), "--pgdata", str(server.data)]
        how = ["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"]
        subprocess.run([*copy, *how], check=True, capture_output=True)
        child = server.child()
        child.start()
        guard.watch([child])
        server.wait(child)
        second = Second(server, child)
        settings = database(second.url, connect_timeout=2)
        connections.settings["replica"] = connections.configure_settings(
            {"default": dict(connections.settings["default"]), "replica": settings}
        )["replica"]
        replica.WATCH = replica.Watch()
        yield second
    finally:
        connections["replica"].close()
        connections.settings.pop("replica", None)
        if child is not None:
            end([child], 4)
        guard.dismiss()
        shutil.rmtree(var, ignore_errors=True)
