"""What the launcher promises about ports, locks, deaths and orphans, and one whole start."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from cxhub import launcher, roster
from cxhub.processes import Child, Guard, Popen, end, launch


@pytest.fixture
def var() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="cx h"))
    yield folder
    shutil.rmtree(folder)


def environment(var: Path, port: int) -> dict[str, str]:
    """That of somebody who has set nothing but where and on which port."""
    unwanted = ("DATABASE_URL", "REDIS_URL", "CXHUB_", "LANG", "LC_", "DJANGO_", "MAKE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    return kept | {"CXHUB_VAR": str(var), "CXHUB_PORT": str(port)}


def run(root: Path, var: Path, port: int, mode: str = "demo") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cxhub.launcher", mode],
        cwd=root,
        env=environment(var, port),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def sleeper(log: Path, seconds: float = 60) -> Popen:
    return launch(["sleep", str(seconds)], log, log.parent, os.environ)


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_taken_port_is_one_line_before_anything_is_started(root: Path, var: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        answer = run(root, var, taken.getsockname()[1])
    assert answer.returncode == 1
    assert "Address already in use" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert not (var / "postgres").exists()


def test_a_bad_port_is_one_line(root: Path, var: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "cxhub.launcher", "serve"],
        cwd=root,
        env=environment(var, 0) | {"CXHUB_PORT": "eight"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == "cxhub: CXHUB_PORT must be a number from 0 to 65535, not 'eight'\n"


def test_one_launcher_a_folder(var: Path) -> None:
    with (
        launcher.only_one(var) as after_a_kill,
        pytest.raises(launcher.CannotStart, match=f"process {os.getpid()}"),
        launcher.only_one(var),
    ):
        pass
    assert not after_a_kill
    (var / "launcher.lock").write_text("4711\n")
    with launcher.only_one(var) as after_a_kill:
        assert after_a_kill


def test_what_dies_at_once_is_started_later_and_later(var: Path) -> None:
    child = Child("short", lambda: sleeper(var / "short.log", 0))
    child.start()
    pauses = []
    for _ in range(3):
        assert child.process is not None
        child.process.wait()
        died = time.monotonic()
        while not child.revive():
            time.sleep(0.01)
        pauses.append(time.monotonic() - died)
    end([child], 5)
    assert child.deaths == 3
    assert all(pause >= 0.25 * 2**before for before, pause in enumerate(pauses))


def test_what_does_not_listen_is_killed_with_its_children(var: Path) -> None:
    script = 'trap "" TERM; sleep 60 & echo $! >child; while :; do wait; done'
    child = Child("deaf", lambda: launch(["/bin/sh", "-c", script], var / "deaf.log", var, os.environ))
    child.start()
    while not (var / "child").exists() or not (var / "child").read_text().strip():
        time.sleep(0.01)
    grandchild = int((var / "child").read_text())
    end([child], 0.3)
    deadline = time.monotonic() + 60
    while not gone(grandchild):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_signal_while_a_process_is_made_comes_after_its_pid_is_known(var: Path) -> None:
    class Stop(Exception):
        pass

    def stop(_number: int, _frame: object) -> None:
        raise Stop

    def spawn() -> Popen:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.05)
        return sleeper(var / "log")

    before = signal.signal(signal.SIGTERM, stop)
    child = Child("interrupted", spawn)
    try:
        with pytest.raises(Stop):
            child.start()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert child.running
    end([child], 5)


def test_the_guard_ends_what_its_dead_master_watched(var: Path) -> None:
    child = Child("watched", lambda: sleeper(var / "log"))
    child.start()
    guard = Guard()
    guard.watch([child])
    assert guard._shell.stdin is not None
    guard._shell.stdin.close()
    assert child.process is not None
    assert child.process.wait(60) == -signal.SIGTERM
    guard._shell.wait(60)


def test_a_dismissed_guard_ends_nothing(var: Path) -> None:
    child = Child("watched", lambda: sleeper(var / "log"))
    child.start()
    guard = Guard()
    guard.watch([child])
    guard.dismiss()
    assert child.running
    end([child], 5)


def test_addresses_of_every_host() -> None:
    assert roster.Place(Path("/v"), "0.0.0.0", 80, "").url == "http://127.0.0.1:80"  # noqa: S104
    assert roster.Place(Path("/v"), "::1", 80, "").url == "http://[::1]:80"


def test_every_process_has_its_own_argv() -> None:
    table = roster.processes(roster.Place(Path("/a b/var"), "127.0.0.1", 8000, ""))
    assert {"web", "worker", "beat", "sweep"} <= set(table)
    assert all(argv[0] == sys.executable for argv in table.values())


@pytest.mark.long
def test_a_whole_start_outlives_deaths_and_ends_clean(root: Path, var: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "cxhub.launcher", "demo"],
        cwd=root,
        env=environment(var, 0),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        state = wait_for_state(process, var, {})
        assert (var / "demo.json").stat().st_mode & 0o777 == 0o600
        for name in ("web", "valkey", "postgres"):
            os.kill(state["pids"][name], signal.SIGKILL)
        again = wait_for_state(process, var, {name: state["pids"][name] for name in ("web", "valkey", "postgres")})
        for fixed in ("url", "database_url", "redis_url", "read_key"):
            assert again[fixed] == state[fixed]
        attached = subprocess.run(
            [*again["manage"], "migrate", "--check"], cwd="/", env=environment(Path("/nowhere"), 1), check=False
        )
        assert attached.returncode == 0
    finally:
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out.decode()
    assert not (var / "demo.json").exists()
    assert all(gone(pid) for pid in again["pids"].values())


def wait_for_state(process: subprocess.Popen[bytes], var: Path, old: dict[str, int]) -> dict[str, Any]:
    """Until demo.json is there, names new pids for the old ones, and the web answers."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[0].decode()
        if (var / "demo.json").exists():
            state: dict[str, Any] = json.loads((var / "demo.json").read_text())
            if all(state["pids"][name] not in (None, pid) for name, pid in old.items()) and answers(state["url"]):
                return state
        time.sleep(0.05)
    raise AssertionError("not ready in time")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=5) as response:  # noqa: S310
            return bool(response.status == 200)
    except OSError:
        return False
