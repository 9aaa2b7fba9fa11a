"""Child processes: started, told apart from strangers, restarted when they die and ended for certain."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

Popen = subprocess.Popen[bytes]

# A guard outlives its master by one job: it ends the processes the master can no longer end. Its standard input is a
# pipe whose other end only the master holds, so the end of file is the master's death, SIGKILL included.
GUARD = """
trap '' INT TERM HUP QUIT
while read -r line; do watched=$line; done
for entry in $watched; do kill -s "${entry%%:*}" "${entry#*:}" 2>/dev/null; done
for second in 1 2 3 4 5; do
  left=
  for entry in $watched; do kill -0 "${entry#*:}" 2>/dev/null && left=1; done
  [ -z "$left" ] && break
  sleep 1
done
for entry in $watched; do kill -s KILL -- "-${entry#*:}" 2>/dev/null; done
exit 0
"""
LOG_LIMIT = 20 * 1024 * 1024


@dataclass(frozen=True)
class Seen:
    """A process as it was seen: a pid alone may belong to a stranger by now."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "Seen":
        return cls(pid, psutil.Process(pid).create_time())

    def alive(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            # The kernel's start time shifts by up to a second when the clock is set.
            same = abs(process.create_time() - self.started) < 2
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False


def launch(
    argv: Sequence[str], log: Path, cwd: Path, env: Mapping[str, str], user: int | None = None, group: int | None = None
) -> Popen:
    """Start argv in a session of its own, so that the Ctrl-C of a terminal reaches only whoever ends it in order."""
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_name(log.name + ".1"))
    with log.open("ab") as out:
        log.chmod(0o600)
        return subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=dict(env),
            user=user,
            group=group,
            extra_groups=None if user is None else [],
            start_new_session=True,
        )


def last_line(log: Path) -> str:
    """The last thing a process said, for the one line that explains why it died."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


@dataclass
class Child:
    """One process that ought to run, whatever happens to it."""

    name: str
    spawn: Callable[[], Popen]
    stop_signal: signal.Signals = signal.SIGTERM
    process: Popen | None = None
    deaths: int = 0
    born: float = 0.0
    retry_at: float = field(default=0.0, repr=False)

    @property
    def pid(self) -> int | None:
        return None if self.process is None else self.process.pid

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        with _uninterrupted():
            self.process = self.spawn()
        self.born = time.monotonic()

    def revive(self) -> bool:
        """Start it again when it died, later and later when it dies at once; True when there is a new pid."""
        now = time.monotonic()
        if self.running:
            return False
        if self.process is not None:
            _kill_group(self.process.pid)
            self.deaths = 1 if now - self.born > 30 else self.deaths + 1
            self.retry_at = now + min(0.25 * 2 ** (self.deaths - 1), 10)
            self.process = None
        if now < self.retry_at:
            return False
        self.start()
        return True


def end(children: Iterable[Child], seconds: float) -> None:
    """Ask all of them to stop at once, and kill what is still there when the time is up."""
    running = [child for child in children if child.process is not None]
    for child in running:
        if child.process is not None and child.running:
            child.process.send_signal(child.stop_signal)
    deadline = time.monotonic() + seconds
    for child in running:
        if child.process is None:
            continue
        try:
            child.process.wait(max(deadline - time.monotonic(), 0.01))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
        _kill_group(child.process.pid)
        child.process = None


def end_stranger(seen: Seen, stop_signal: signal.Signals, seconds: float) -> None:
    """End a process that an earlier run left behind (not our child, so there is nothing to wait on but its absence)."""
    if not seen.alive():
        return
    os.kill(seen.pid, stop_signal)
    deadline = time.monotonic() + seconds
    while seen.alive():
        if time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.kill(seen.pid, signal.SIGKILL)
        time.sleep(0.05)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """A signal that comes while a process is made is delivered when we know its pid, or nobody could end it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _frame: came.append(number))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if callable(signal.getsignal(number))
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for late in dict.fromkeys(came):
            signal.raise_signal(late)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


class Guard:
    """A shell that waits for our death and then ends what we had started."""

    def __init__(self) -> None:
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", GUARD],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )

    def watch(self, children: Iterable[Child]) -> None:
        """From now on these, and only these, are ended when we are gone."""
        entries = [f"{child.stop_signal.name[3:]}:{child.pid}" for child in children if child.pid is not None]
        if self._shell.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._shell.stdin.write((" ".join(entries) + "\n").encode())
                self._shell.stdin.flush()

    def dismiss(self) -> None:
        self.watch([])
        if self._shell.stdin is not None:
            self._shell.stdin.close()
        self._shell.wait(10)
