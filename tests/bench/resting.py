"""Figure 10: how long a start takes, and what everything weighs while nothing happens."""

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil

from cxhub.ports import free_port
from tests.bench.figures import Figure

PATIENCE = 120
REST = 10
GIVEN = re.compile(r"^(CXHUB_|DATABASE_URL|REDIS_URL|DJANGO_)")


def measure(root: Path, *, rounds: int) -> list[Figure]:
    """`make serve` in a folder that exists already, as after a restart of the machine; servers included."""
    start = Figure("(10) from nothing to the first answer, PostgreSQL and Valkey included", "s", digits=1)
    memory = Figure("(10) memory of all processes at rest (shared pages counted once)", "MiB")
    processor = Figure("(10) the same: processor time of a minute at rest", "s", digits=1)
    with tempfile.TemporaryDirectory(prefix="cxhub-rest-") as folder:
        for round_ in range(rounds + 1):
            took, weight, worked = once(root, Path(folder), rest=REST if round_ else 0)
            if round_:  # the first makes the database
                start.ours.append(took)
                memory.ours.append(weight)
                processor.ours.append(worked)
    return [start, memory, processor]


def once(root: Path, var: Path, *, rest: float) -> tuple[float, float, float]:
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not GIVEN.match(name)}
    environment |= {"CXHUB_VAR": str(var), "CXHUB_PORT": str(port), "CXHUB_SMTP_PORT": "0", "CXHUB_LMTP_PORT": "0"}
    begun = time.perf_counter()
    with (var / "out").open("ab") as out:
        launcher = subprocess.Popen(
            [sys.executable, "-m", "cxhub.launcher", "serve"], cwd=root, env=environment, stdout=out, stderr=out
        )
    try:
        while not healthy(port):
            assert launcher.poll() is None, (var / "out").read_text()
            assert time.perf_counter() - begun < PATIENCE, "it does not start"
            time.sleep(0.02)
        took = time.perf_counter() - begun
        time.sleep(rest)
        tree = [psutil.Process(launcher.pid), *psutil.Process(launcher.pid).children(recursive=True)]
        before = spent(tree)
        time.sleep(rest)
        worked = (spent(tree) - before) * 60 / rest if rest else 0
        return took, sum(one.memory_full_info().pss for one in tree if one.is_running()) / 2**20, worked
    finally:
        launcher.terminate()
        launcher.wait(30)


def spent(tree: list[psutil.Process]) -> float:
    return float(sum(sum(one.cpu_times()[:2]) for one in tree if one.is_running()))


def healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
