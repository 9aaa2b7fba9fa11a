"""Runs a function over hostile bytes in a child process that gets little time and memory.

A child by `subprocess`, not `multiprocessing`: a Celery worker is daemonic and may have no multiprocessing
children. The child inherits no environment, so no secrets, and it need not know Django: only bytes cross.
"""

import importlib
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

CPU_SECONDS = 10
WALL_SECONDS = 15
"""Less than the 20 s lease of a delivery: the drain that parses it must still own it afterwards."""
MEMORY = 512 * 1024 * 1024

REFUSED, NO_MEMORY = 3, 4
ROOT = Path(__file__).resolve().parent.parent


class Refused(ValueError):
    """The function itself says no; its message is the reason, in this process or in the child."""


class OutOfBounds(Exception):
    """The child crashed or used up what it was given; the message says which."""


def bounded(function: Callable[..., bytes], body: bytes, *arguments: str) -> bytes:
    """What `function(body, *arguments)` returns, computed in a child; raises Refused or OutOfBounds."""
    name = f"{function.__module__}:{function.__qualname__}"
    command = [sys.executable, "-E", "-s", "-m", "channels.bounded", name, *arguments]
    try:
        done = subprocess.run(
            command,
            input=body,
            capture_output=True,
            timeout=WALL_SECONDS,
            cwd=ROOT,
            env={"LC_ALL": "C.UTF-8"},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise OutOfBounds(f"took longer than {WALL_SECONDS} s") from error
    if done.returncode == 0:
        return done.stdout
    if done.returncode == REFUSED:
        raise Refused(done.stdout.decode("utf-8", "replace"))
    raise OutOfBounds(what_happened(done.returncode, done.stderr))


def what_happened(code: int, stderr: bytes) -> str:
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"needed more than {CPU_SECONDS} s of processor time"
    if code == NO_MEMORY:
        return f"needed more than {MEMORY // 1024 // 1024} MB of memory"
    last = stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    # Only the kind of the error: its message may quote the mail.
    return f"crashed ({last.partition(':')[0][:80] or code})"


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def child(name: str, arguments: list[str]) -> int:
    module, _, function = name.partition(":")
    work: Callable[..., bytes] = getattr(importlib.import_module(module), function)
    try:
        limit()
        result = work(sys.stdin.buffer.read(), *arguments)
    except MemoryError:
        return NO_MEMORY
    except ValueError as error:
        # The child runs as __main__, its own Refused is another class than the one the function raised.
        if type(error).__name__ != "Refused":
            raise
        sys.stdout.buffer.write(str(error).encode("utf-8", "replace"))
        return REFUSED
    sys.stdout.buffer.write(result)
    return 0


if __name__ == "__main__":
    sys.exit(child(sys.argv[1], sys.argv[2:]))
