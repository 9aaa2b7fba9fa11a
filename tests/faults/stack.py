"""The whole of cxhub on servers of its own, kept running by the launcher's own code while tests break it."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil
import psycopg
import redis

from cxhub.embedded import Servers, secret_key, start
from cxhub.ports import free_port
from cxhub.processes import Child, Guard, end, last_line, launch
from cxhub.roster import ROOT, Place, processes

READY = 90
DOORS = ("web", "smtpd")


@dataclass
class Stack:
    """Servers, web, worker, beat and sweep; whatever dies is started again, as under `make serve`."""

    more: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.var = Path(tempfile.mkdtemp(prefix="cxhub-faults-"))
        ports = [free_port() for _ in range(3)]
        self.place = Place(
            self.var, "127.0.0.1", ports[0], f"http://127.0.0.1:{ports[0]}", ports[1], ports[2], parent=None
        )
        self.children: list[Child] = []
        self.servers = Servers({})
        self.guard = Guard()
        self.ended = threading.Event()
        self.given: dict[str, str] = {}

    @property
    def environment(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("CXHUB_", "DATABASE_", "REDIS_"))
        }
        return {
            **kept,
            **self.servers.environment,
            "CXHUB_VAR": str(self.var),
            "CXHUB_PORT": str(self.place.port),
            "CXHUB_PUBLIC_URL": self.place.public_url,
            "CXHUB_LOG_LEVEL": "WARNING",
            "CXHUB_WEB_WORKERS": "1",
            "CXHUB_WORKER_CONCURRENCY": "2",
            "DJANGO_SETTINGS_MODULE": "cxhub.settings",
            **self.more,
        }

    def __enter__(self) -> "Stack":
        try:
            self.begin()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def begin(self) -> None:
        # Not the servers of the other tests, and not as careless as those: what was committed is on disk.
        others = ("DATABASE_URL", "REDIS_URL", "CXHUB_PG_OPTIONS")
        self.given = {name: os.environ.pop(name) for name in others if name in os.environ}
        self.servers = start(self.var, own=True)
        secret_key(self.var)
        self.manage("migrate", "--noinput")
        for name, argv in processes(self.place).items():
            log = self.var / "log" / f"{name}.log"
            child = Child(name, lambda argv=argv, log=log: launch(argv, log, ROOT, self.environment))  # type: ignore[misc]
            self.children.append(child)
            child.start()
        self.guard.watch(self.children)
        threading.Thread(target=self.supervise, name="supervisor", daemon=True).start()
        self.wait_until(self.place.serves, "web does not serve")

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.ended.set()
        for child in self.children:
            if child.pid:
                tree(child.pid, signal.SIGCONT)
        for pid in self.servers.pids.values():
            tree(pid, signal.SIGCONT)
        time.sleep(0.3)
        end(self.children, 10)
        self.servers.stop()
        self.guard.dismiss()
        os.environ |= self.given
        shutil.rmtree(self.var, ignore_errors=True)

    def supervise(self) -> None:
        while not self.ended.wait(0.2):
            if self.servers.revive() + [child.name for child in self.children if child.revive()]:
                self.guard.watch(self.children)

    def manage(self, *argv: str) -> str:
        """The output of a management command; raises CalledProcessError."""
        return subprocess.run(
            [sys.executable, "manage.py", *argv],
            cwd=ROOT,
            env=self.environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=300,
        ).stdout

    def pid(self, name: str) -> int:
        """Of a process of ours or of a server, as soon as it runs."""
        end_at = time.monotonic() + READY
        while time.monotonic() < end_at:
            found = self.servers.pids.get(name) or next((one.pid for one in self.children if one.name == name), None)
            if found and psutil.pid_exists(found):
                return found
            time.sleep(0.05)
        raise AssertionError(f"{name} does not run: {last_line(self.var / 'log' / f'{name}.log')}")

    def kill(self, name: str) -> None:
        """SIGKILL to the process and all its children."""
        tree(self.pid(name), signal.SIGKILL)

    def pause(self, name: str) -> None:
        tree(self.pid(name), signal.SIGSTOP)

    def resume(self, name: str) -> None:
        tree(self.pid(name), signal.SIGCONT)

    def connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg.connect(self.servers.database_url, autocommit=True, connect_timeout=5)

    def redis(self) -> "redis.Redis":
        return redis.Redis.from_url(self.servers.redis_url, socket_timeout=5)

    def count(self, statement: str) -> int:
        with self.connect() as db:
            (found,) = db.execute(statement.encode()).fetchone() or (0,)
        return int(found)

    def wait_until(self, ready: Any, otherwise: str, seconds: float = READY) -> None:
        end_at = time.monotonic() + seconds
        while True:
            try:
                if ready():
                    return
            except (psycopg.Error, redis.RedisError, OSError):
                pass
            assert time.monotonic() < end_at, otherwise
            time.sleep(0.1)


def tree(pid: int, number: int) -> None:
    """Signal a process and all that it started; a server runs below a process that only dropped its rights."""
    try:
        process = psutil.Process(pid)
        everybody = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for one in everybody:
        try:
            one.send_signal(number)
        except psutil.NoSuchProcess:
            continue
