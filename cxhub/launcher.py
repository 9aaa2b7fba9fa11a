"""The whole of cxhub in one foreground process: `python -m cxhub.launcher demo|serve` (make demo, make serve)."""

import contextlib
import fcntl
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from cxhub import preparation
from cxhub.embedded import Servers, ServersUnavailable, secret_key, start
from cxhub.processes import Child, Guard, end, last_line, launch
from cxhub.roster import Place, place_from_environment, processes

READY_SECONDS = 120
STOP_SECONDS = 4.5
STARTING_DEATHS = 4
# What a killed launcher had started is being ended by its guard.
LEFTOVER_SECONDS = 8


class CannotStart(Exception):
    """One line that says why."""


class Stop(BaseException):
    """Somebody asked us to stop."""


class Launcher:
    """Starts everything in order, keeps it running, stops it in the opposite order."""

    def __init__(self, place: Place, *, demo: bool) -> None:
        self.place = place
        self.demo = demo
        self.children: list[Child] = []
        self.servers = Servers({})
        self.guard: Guard | None = None
        self.state: dict[str, Any] = {}
        self.published = False

    @property
    def pids(self) -> dict[str, int | None]:
        mine: dict[str, int | None] = {child.name: child.pid for child in self.children}
        return {**mine, "postgres": self.servers.pids.get("postgres"), "valkey": self.servers.pids.get("valkey")}

    def run(self) -> None:
        self.place.state_file.unlink(missing_ok=True)
        self.guard = Guard()
        share = {"CXHUB_PORT": str(self.place.port), "CXHUB_PUBLIC_URL": self.place.public_url}
        self.servers = start(self.place.var, own=True, share=share)
        self.servers.export()
        secret_key(self.place.var)
        self.state = preparation.prepare(self.place, self.servers, demo=self.demo)
        web, mail, *others = processes(self.place).items()
        self._start(*web)
        self._start(*mail)
        # The doors first: on a small machine all processes at once take three times as long.
        self._wait_until(self.place.serves, f"{self.place.url}/healthz does not answer")
        self._wait_until(self.place.takes_mail, "the doors for mail do not open")
        for name, argv in others:
            self._start(name, argv)
        if self.demo:
            self._push()
        self.state["pids"] = self.pids
        preparation.announce(self.place, self.state)
        self._publish()
        while True:
            self._supervise()
            time.sleep(0.2)

    def stop(self) -> None:
        self.published = False
        if self.demo:
            self.place.state_file.unlink(missing_ok=True)
        end(self.children, STOP_SECONDS)
        self.servers.stop()
        if self.guard is not None:
            self.guard.dismiss()

    def _start(self, name: str, argv: list[str]) -> None:
        log = self.place.var / "log" / f"{name}.log"
        child = Child(name, lambda: launch(argv, log, self.place.root, os.environ))
        self.children.append(child)
        child.start()
        if self.guard is not None:
            self.guard.watch(self.children)

    def _supervise(self) -> None:
        """Whatever died comes back: the servers at the same address, everything with a growing pause."""
        if self.place.orphaned():
            raise Stop
        revived = self.servers.revive() + [child.name for child in self.children if child.revive()]
        for name in revived:
            print(f"cxhub: {name} died and was started again ({self.place.var / 'log' / name}.log)", flush=True)
        if revived:
            if self.guard is not None:
                self.guard.watch(self.children)
            self.state["pids"] = self.pids
            if self.published:
                self._publish()

    def _wait_until(self, ready: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not ready():
            self._supervise()
            for child in self.children:
                if child.deaths >= STARTING_DEATHS:
                    raise CannotStart(
                        f"{child.name} does not start: {last_line(self._log(child))} ({self._log(child)})"
                    )
            if time.monotonic() > deadline:
                raise CannotStart(f"{otherwise} ({self.place.var / 'log'})")
            time.sleep(0.05)

    def _log(self, child: Child) -> Path:
        return self.place.var / "log" / f"{child.name}.log"

    def _push(self) -> None:
        """In a thread, so that what dies meanwhile is noticed."""
        failure: list[BaseException] = []

        def work() -> None:
            try:
                preparation.push_history(self.place, self.state)
            except Exception as error:
                failure.append(error)

        thread = threading.Thread(target=work, name="demo history", daemon=True)
        thread.start()
        while thread.is_alive():
            self._supervise()
            thread.join(0.2)
        if failure:
            raise CannotStart(f"the demo history could not be pushed: {failure[0]!r}") from failure[0]

    def _publish(self) -> None:
        if self.demo:
            preparation.publish(self.place, self.state)
        self.published = True


@contextlib.contextmanager
def only_one(var: Path) -> Iterator[bool]:
    """One launcher a folder, and whether the last one was killed (the kernel frees its lock, its pid stays written)."""
    var.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (var / "launcher.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            pid = lock.read().strip()
            raise CannotStart(f"already running in {var} (process {pid}): stop it, or set CXHUB_VAR") from None
        lock.seek(0)
        was_killed = bool(lock.read())
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        try:
            yield was_killed
        finally:
            lock.truncate(0)


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Stop


def _listen_to_signals() -> None:
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    # nohup: whoever ignores the hangup of his terminal means it.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _stop)


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def main(arguments: list[str]) -> int:
    if arguments not in (["demo"], ["serve"]):
        print("usage: python -m cxhub.launcher demo|serve", file=sys.stderr)
        return 2
    _listen_to_signals()
    try:
        place = place_from_environment()
        with only_one(place.var) as after_a_kill:
            place.claim_port(LEFTOVER_SECONDS if after_a_kill else 0)
            launcher = Launcher(place, demo=arguments == ["demo"])
            try:
                launcher.run()
            finally:
                _ignore_signals()
                launcher.stop()
    except Stop:
        print("cxhub: stopped", flush=True)
        return 0
    except (CannotStart, ServersUnavailable, ValueError, OSError, preparation.NotPrepared) as error:
        print(f"cxhub: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
