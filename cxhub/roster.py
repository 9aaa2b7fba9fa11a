"""Where a run lives (folder, address) and which processes it consists of.

`python -m cxhub.roster web` becomes that process: containers and units of systemd start them by this.
"""

import http.client
import os
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from cxhub.ports import free_port

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Place:
    """One run: its data folder, its address, and who started it."""

    var: Path
    host: str
    port: int
    public_url: str
    smtp_port: int = 0
    lmtp_port: int = 0
    root: Path = ROOT
    # Under make, make is our terminal: when it is killed, nobody else would tell us.
    parent: int | None = field(default_factory=lambda: os.getppid() if os.environ.get("MAKELEVEL") else None)

    @property
    def reachable_host(self) -> str:
        return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self.host, self.host)  # nosec B104 # noqa: S104

    @property
    def url(self) -> str:
        return _url(self.reachable_host, self.port)

    @property
    def state_file(self) -> Path:
        return self.var / "demo.json"

    @property
    def manage(self) -> list[str]:
        """The start of a command line that works from any folder."""
        return ["/usr/bin/env", f"CXHUB_VAR={self.var}", sys.executable, str(self.root / "manage.py")]

    def orphaned(self) -> bool:
        return self.parent is not None and os.getppid() != self.parent

    def claim_port(self, patience: float = 0) -> None:
        """Fails with one line before anything is started."""
        deadline = time.monotonic() + patience
        while (error := self._cannot_listen()) is not None:
            if time.monotonic() > deadline:
                why = f"cannot listen on {self.host} port {self.port}: {error.strerror}"
                raise ValueError(f"{why}; CXHUB_PORT chooses another")
            time.sleep(0.1)

    def _cannot_listen(self) -> OSError | None:
        with socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
                probe.listen(1)
            except OSError as error:
                return error
        return None

    def takes_mail(self) -> bool:
        try:
            for port in (self.smtp_port, self.lmtp_port):
                socket.create_connection((self.reachable_host, port), timeout=5).close()
        except OSError:
            return False
        return True

    def serves(self) -> bool:
        connection = http.client.HTTPConnection(self.reachable_host, self.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _number(name: str, default: int) -> int:
    given = os.environ.get(name) or str(default)
    if not given.isascii() or not given.isdigit() or int(given) > 65535:
        raise ValueError(f"{name} must be a number from 0 to 65535, not {given!r}")
    return int(given)


def place_from_environment() -> Place:
    """CXHUB_VAR, _HOST, _PORT, _SMTP_PORT, _LMTP_PORT (0 takes a free one), _PUBLIC_URL; also for what is started."""
    var = Path(os.environ.get("CXHUB_VAR") or ROOT / "var").resolve()
    host = os.environ.get("CXHUB_HOST") or "127.0.0.1"
    port = _number("CXHUB_PORT", 8000) or free_port(host)
    place = Place(var, host, port, "")
    public_url = (os.environ.get("CXHUB_PUBLIC_URL") or place.url).rstrip("/")
    os.environ |= {"CXHUB_VAR": str(var), "CXHUB_PORT": str(port), "CXHUB_PUBLIC_URL": public_url}
    smtp_port = _number("CXHUB_SMTP_PORT", 0) or free_port(host)
    lmtp_port = _number("CXHUB_LMTP_PORT", 0) or free_port(host)
    return Place(var, host, port, public_url, smtp_port, lmtp_port)


def processes(place: Place) -> dict[str, list[str]]:
    """Name → argv of everything that runs beside the servers; a name is also that of its log and of its pid's entry.

    The doors come first.
    """
    python = sys.executable
    manage = [python, str(place.root / "manage.py")]
    celery = [python, "-m", "celery", "-A", "cxhub", "--quiet"]
    concurrency = str(_number("CXHUB_WORKER_CONCURRENCY", 2))
    worker = ["worker", "--loglevel=INFO", "--without-gossip", "--without-mingle", f"--concurrency={concurrency}"]
    web = [python, "-m", "granian", "--interface", "wsgi", "--host", place.host, "--port", str(place.port)]
    web += [
        "--workers",
        str(_number("CXHUB_WEB_WORKERS", 2)),
        "--respawn-failed-workers",
        "--workers-kill-timeout",
        "3",
        "--blocking-threads",  # Each holds two connections to PostgreSQL.
        str(_number("CXHUB_WEB_THREADS", 8)),
        "--blocking-threads-idle-timeout",
        "600",
    ]
    if os.environ.get("CXHUB_LOG") == "json":
        web += ["--log-config", str(place.root / "cxhub" / "granian.json")]
    mail = ["--smtp-port", str(place.smtp_port), "--lmtp-port", str(place.lmtp_port)]
    return {
        "web": [*web, "cxhub.wsgi:application"],
        "smtpd": [*manage, "smtpd", "--host", place.host, *mail],
        "worker": [*celery, *worker],
        "beat": [*celery, "beat", "--loglevel=INFO", f"--schedule={place.var / 'beat-schedule'}", "--pidfile="],
        "sweep": [*manage, "sweep"],
    }


def in_production() -> Place:
    """What is set counts: no port is taken because it is free, and mail doors with port 0 stay shut."""
    var = Path(os.environ.get("CXHUB_VAR") or ROOT / "var").resolve()
    host, port = os.environ.get("CXHUB_HOST") or "127.0.0.1", _number("CXHUB_PORT", 8000)
    return Place(var, host, port, "", _number("CXHUB_SMTP_PORT", 2525), _number("CXHUB_LMTP_PORT", 2424))


def main(argv: list[str]) -> NoReturn:
    table = processes(in_production())
    if len(argv) != 1 or argv[0] not in table:
        sys.exit(f"usage: python -m cxhub.roster {'|'.join(table)}")
    os.chdir(ROOT)
    os.execv(table[argv[0]][0], table[argv[0]])  # noqa: S606 - no shell, and every word is ours


if __name__ == "__main__":
    main(sys.argv[1:])
