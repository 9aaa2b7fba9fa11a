"""Own servers in a throw-away folder, and the real processes over them, started by the launcher's own code."""

import http.client
import os
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg

from cxhub.embedded import Servers, secret_key, start
from cxhub.ports import free_port
from cxhub.preparation import UNUSED
from cxhub.processes import Child, Guard, end, last_line, launch
from cxhub.roster import Place, processes

Database = psycopg.Connection[tuple[Any, ...]]
STOP_SECONDS = 10
READY_SECONDS = 60
IDLE_SECONDS = 60
BUSY = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'"
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


class Bench:
    """Everything that a run of the benchmarks started; leaving it ends all of that."""

    def __init__(self) -> None:
        for name in ("DATABASE_URL", "REDIS_URL", "DATABASE_URL_FILE", "REDIS_URL_FILE", "CXHUB_PG_OPTIONS"):
            os.environ.pop(name, None)
        self.var = Path(tempfile.mkdtemp(prefix="cxhub-bench-"))
        port = free_port()
        self.place = Place(self.var, "127.0.0.1", port, f"http://127.0.0.1:{port}", parent=None)
        os.environ |= {
            "CXHUB_VAR": str(self.var),
            "CXHUB_PORT": str(port),
            "CXHUB_PUBLIC_URL": self.place.public_url,
            "CXHUB_LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "cxhub.settings",
        }
        self.children: dict[str, Child] = {}
        self.guard = Guard()
        self.servers = Servers({})

    def __enter__(self) -> "Bench":
        try:
            self.servers = start(self.var, own=True)
            self.servers.export()
            secret_key(self.var)
            prepare()
            with self.connect() as db:
                for name, value in DURABLE.items():
                    assert db.execute(f"SHOW {name}".encode()).fetchone() == (value,), f"{name} is not {value}"
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        end(self.children.values(), STOP_SECONDS)
        self.servers.stop()
        self.guard.dismiss()
        shutil.rmtree(self.var, ignore_errors=True)

    def connect(self) -> Database:
        return psycopg.connect(self.servers.database_url, autocommit=True)

    def count(self, statement: str) -> int:
        with self.connect() as db:
            row = db.execute(statement.encode()).fetchone()
        assert row is not None
        return int(row[0])

    def idle(self) -> None:
        """Wait until no autovacuum works: it would slow down whoever is measured next to it."""
        deadline = time.monotonic() + IDLE_SECONDS
        while self.count(BUSY) and time.monotonic() < deadline:
            time.sleep(0.1)

    def start(self, *names: str) -> None:
        """Some of the launcher's processes."""
        for name in names:
            (self.var / "log" / f"{name}.log").unlink(missing_ok=True)
            # The worker says in its log that it is ready.
            said = {"CXHUB_LOG_LEVEL": "INFO"} if name == "worker" else {}
            self._launch(name, processes(self.place)[name], said)
        if "web" in names:
            self._wait("web", self.place.port)
        if "worker" in names:
            self._wait_for_worker()

    def start_bare(self) -> int:
        """The bare view on a web server with the same options; returns its port."""
        place = replace(self.place, port=free_port())
        argv = [*processes(place)["web"][:-1], "tests.bench.bare_wsgi:application"]
        self._launch("bare", argv, {"DJANGO_SETTINGS_MODULE": "tests.bench.bare_settings"})
        self._wait("bare", place.port)
        return place.port

    def follow(self) -> None:
        """A process that folds behind the timeline, without draining."""
        self._launch("follower", [sys.executable, "-m", "tests.bench.follower"], {})

    def run(self, name: str, argv: list[str], environment: dict[str, str]) -> None:
        """Somebody else's process, with this environment alone."""
        log = self.var / "log" / f"{name}.log"
        self.children[name] = child = Child(name, lambda: launch(argv, log, self.place.root, environment))
        child.start()
        self.guard.watch(self.children.values())

    def stop(self, *names: str) -> None:
        end([self.children.pop(name) for name in names], STOP_SECONDS)

    def restart_cold(self) -> None:
        """PostgreSQL anew, and none of its files in the kernel's memory."""
        from django.db import connections

        connections.close_all()
        (child,) = (one for one in self.servers.children if one.name == "postgres")
        end([child], STOP_SECONDS * 6)
        evict(self.var / "postgres")
        child.start()
        deadline = time.monotonic() + READY_SECONDS
        while not self._connects():
            assert time.monotonic() < deadline, "PostgreSQL does not start"
            time.sleep(0.1)

    def _connects(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def alive(self) -> None:
        """Raises AssertionError when one of the processes has died."""
        for name, child in self.children.items():
            assert child.running, f"{name} died: {self._last_line(name)}"

    def _launch(self, name: str, argv: list[str], more: dict[str, str]) -> None:
        log = self.var / "log" / f"{name}.log"
        child = Child(name, lambda: launch(argv, log, self.place.root, {**os.environ, **more}))
        self.children[name] = child
        child.start()
        self.guard.watch(self.children.values())

    def _last_line(self, name: str) -> str:
        return last_line(self.var / "log" / f"{name}.log")

    def _wait(self, name: str, port: int) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not answers(port):
            assert time.monotonic() < deadline, f"{name} does not serve: {self._last_line(name)}"
            time.sleep(0.05)

    def _wait_for_worker(self) -> None:
        log = self.var / "log" / "worker.log"
        deadline = time.monotonic() + READY_SECONDS
        while "ready." not in log.read_text(errors="replace"):
            assert time.monotonic() < deadline, f"the worker does not start: {self._last_line('worker')}"
            time.sleep(0.05)


def evict(folder: Path) -> None:
    """Write these files out and drop what the kernel keeps of them."""
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def prepare() -> None:
    """Set Django up, migrate, and collect the static files as a run does."""
    import django
    from django.core.management import call_command
    from django.db import connections

    (Path(os.environ["CXHUB_VAR"]) / "static").mkdir(exist_ok=True)
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=UNUSED)
    connections.close_all()


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
