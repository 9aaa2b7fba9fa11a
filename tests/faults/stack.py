"""The whole of cxhub on servers of its own, kept running by the launcher's own code while tests break it."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
DRAINING = ("worker", "sweep")
OURS = ("web", "worker", "beat", "sweep", "smtpd")
SERVERS = ("postgres", "valkey")


@dataclass
class Stack:
    """Servers, web, worker, beat and sweep; whatever dies is started again, as under `make serve`.

    `ours` and `theirs` are variables for our processes and for the servers; `disk` is the size of a file system of
    its own for all that they write, in megabytes (root may mount one).
    """

    ours: dict[str, str] = field(default_factory=dict)
    theirs: dict[str, str] = field(default_factory=dict)
    disk: int = 0

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
        self.given: dict[str, str | None] = {}
        self.mounted = False

    @property
    def environment(self) -> dict[str, str]:
        mine = ("CXHUB_", "DATABASE_", "REDIS_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
        return {
            **{name: value for name, value in kept.items() if name not in self.theirs},
            **self.servers.environment,
            "CXHUB_VAR": str(self.var),
            "CXHUB_PORT": str(self.place.port),
            "CXHUB_PUBLIC_URL": self.place.public_url,
            "CXHUB_LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "cxhub.settings",
            **self.ours,
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
        others = {"DATABASE_URL": "", "REDIS_URL": "", "CXHUB_PG_OPTIONS": "-c max_wal_size=256MB", **self.theirs}
        self.given = {name: os.environ.get(name) for name in others}
        os.environ |= others
        if self.disk:
            self.var.chmod(0o700)
            subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={self.disk}m,mode=0711", "tmpfs", str(self.var)], check=True
            )
            self.mounted = True
        self.servers = start(self.var, own=True)
        secret_key(self.var)
        self.manage("migrate", "--noinput")
        for name, argv in processes(self.place).items():
            log = self.var / "log" / f"{name}.log"
            run = [sys.executable, "-m", "tests.faults.poison", *argv[1:]] if name in DRAINING else argv
            child = Child(name, lambda run=run, log=log: launch(run, log, ROOT, self.environment))  # type: ignore[misc]
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
        for name, value in self.given.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        if self.mounted:
            subprocess.run(["umount", "--lazy", str(self.var)], check=True)
        shutil.rmtree(self.var, ignore_errors=True)

    def supervise(self) -> None:
        while not self.ended.wait(0.2):
            try:
                if self.servers.revive() + [child.name for child in self.children if child.revive()]:
                    self.guard.watch(self.children)
            except OSError:  # No room for a log: as soon as there is.
                continue

    def manage(self, *argv: str, check: bool = True) -> str:
        """The output of a management command; raises CalledProcessError."""
        return subprocess.run(
            [sys.executable, "manage.py", *argv],
            cwd=ROOT,
            env=self.environment,
            check=check,
            stdout=subprocess.PIPE,
            text=True,
            timeout=600,
        ).stdout

    def pid(self, name: str) -> int:
        """Of a process of ours or of a server, as soon as it runs."""
        end_at = time.monotonic() + READY
        while time.monotonic() < end_at:
            found = self.servers.pids.get(name) or next((one.pid for one in self.children if one.name == name), None)
            if found and alive(found):
                return found
            time.sleep(0.05)
        raise AssertionError(f"{name} does not run: {last_line(self.var / 'log' / f'{name}.log')}")

    def back(self, name: str, before: int) -> None:
        """Wait until there is another process of this name than `before`."""
        self.wait_until(lambda: self.pid(name) != before, f"{name} does not come back")

    def kill(self, name: str) -> int:
        """SIGKILL to the process and all its children; its pid."""
        pid = self.pid(name)
        tree(pid, signal.SIGKILL)
        return pid

    def pause(self, name: str) -> None:
        tree(self.pid(name), signal.SIGSTOP)

    def resume(self, name: str) -> None:
        tree(self.pid(name), signal.SIGCONT)

    @contextmanager
    def frozen(self, *names: str) -> Iterator[None]:
        for name in names:
            self.pause(name)
        try:
            yield
        finally:
            for name in names:
                self.resume(name)

    def connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg.connect(self.servers.database_url, autocommit=True, connect_timeout=5)

    def redis(self) -> "redis.Redis":
        return redis.Redis.from_url(self.servers.redis_url, socket_timeout=5)

    def ask(self, statement: str) -> Any:
        """The first value of the first row."""
        with self.connect() as db:
            row = db.execute(statement.encode()).fetchone()
        return row[0] if row else None

    def diagnosis(self) -> str:
        """What waits, and what each process said last."""
        with self.connect() as db:
            waits = db.execute(
                "SELECT state, attempts, failed, count(*), min(due_at - now()), max(lease_until - now()), min(reason)"
                " FROM channels_delivery WHERE state IN ('accepted', 'waiting') GROUP BY 1, 2, 3"
            ).fetchall()
        logs = sorted((self.var / "log").glob("*.log"))
        said = [f"{log.name}: " + "\n    ".join(log.read_text(errors="replace").splitlines()[-8:]) for log in logs]
        return "\n".join([*map(str, waits), *said])

    def wait_until(self, ready: Callable[[], Any], otherwise: str, seconds: float = READY) -> None:
        end_at = time.monotonic() + seconds
        while True:
            try:
                if ready():
                    return
            except (psycopg.Error, redis.RedisError, OSError):
                pass
            assert time.monotonic() < end_at, otherwise
            time.sleep(0.1)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


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
