"""PostgreSQL and Valkey for the default run: started below one folder, shared by every command that names it."""

import contextlib
import fcntl
import json
import os
import secrets
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from cxhub.ports import free_port, is_free
from cxhub.postgres import Postgres, PostgresFailed
from cxhub.processes import Child, Guard, Seen, end, end_stranger
from cxhub.unprivileged import NoAccount
from cxhub.valkey import Valkey, ValkeyFailed

STOP_SECONDS = 4.0
IN_USE_SECONDS = 15.0
Server = Postgres | Valkey


class ServersUnavailable(Exception):
    """One line that says why there are no servers."""


@dataclass
class Servers:
    """Where the servers are; `children` are those that this process started and must stop."""

    environment: dict[str, str]
    pids: dict[str, int] = field(default_factory=dict)
    var: Path | None = None
    children: list[Child] = field(default_factory=list)
    guard: Guard | None = None
    attached: IO[str] | None = None

    @property
    def database_url(self) -> str:
        return self.environment["DATABASE_URL"]

    @property
    def redis_url(self) -> str:
        return self.environment["REDIS_URL"]

    def export(self) -> None:
        """For settings and for every process started from here on; what the caller set himself stays."""
        for name, value in self.environment.items():
            if not os.environ.get(name):
                os.environ[name] = value

    def revive(self) -> list[str]:
        """Start again what died, at the same address; the names of what has a new pid (and may not answer yet)."""
        revived = [child.name for child in self.children if child.revive()]
        if revived:
            self._record()
        return revived

    def stop(self, *, wait_for_others: bool = False) -> None:
        """Stop what this process started; with `wait_for_others` not before the commands attached to it are through."""
        if self.attached is not None:
            self.attached.close()
            self.attached = None
        if self.var is None or self.guard is None:
            return
        while True:
            with _locked(self.var):
                if not wait_for_others or _unused(self.var):
                    end(self.children, STOP_SECONDS)
                    (self.var / "servers.json").unlink(missing_ok=True)
                    break
            time.sleep(0.2)
        self.guard.dismiss()
        self.guard, self.children, self.pids = None, [], {}

    def _record(self) -> None:
        if self.var is None:
            return
        self.pids = {child.name: child.pid for child in self.children if child.pid is not None}
        if self.guard is not None:
            self.guard.watch(self.children)
        seen = {name: Seen.of(pid).__dict__ for name, pid in self.pids.items()}
        state = {"owner": Seen.of(os.getpid()).__dict__, "servers": seen, "environment": self.environment}
        write_private(self.var / "servers.json", json.dumps(state))


def external() -> dict[str, str]:
    """The addresses that the environment already gives."""
    found = {}
    for name in ("DATABASE_URL", "REDIS_URL"):
        path = os.environ.get(f"{name}_FILE")
        if value := Path(path).read_text().strip() if path else os.environ.get(name):
            found[name] = value
    return found


def start(var: Path, *, own: bool = False, share: dict[str, str] | None = None) -> Servers:
    """Attach to the servers of `var`, else start them.

    `own` insists on starting (whoever supervises must own them); `share` is handed to every command that attaches.
    """
    given = external()
    if len(given) == 2 and not own:
        return Servers(given)
    var = var.resolve()
    deadline = time.monotonic() + IN_USE_SECONDS
    try:
        var.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            with _locked(var):
                state = _state(var)
                owner = _seen(state.get("owner"))
                if owner is None or not owner.alive():
                    return _start(var, state, given, share or {})
                if not own and all(server.answers() for server in _servers(var, given, state)):
                    return _attach(var, state, given)
            if time.monotonic() > deadline:
                raise ServersUnavailable(f"the servers of {var} belong to process {owner.pid} and cannot be used now")
            time.sleep(0.2)
    except (PostgresFailed, ValkeyFailed, NoAccount, OSError) as error:
        raise ServersUnavailable(str(error)) from error


def secret_key(var: Path) -> None:
    """Make the key that signs sessions, once; settings read it from the file."""
    var.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = var / "secret_key"
    if not path.exists() and not os.environ.get("CXHUB_SECRET_KEY") and not os.environ.get("CXHUB_SECRET_KEY_FILE"):
        write_private(path, secrets.token_urlsafe(48) + "\n")


def write_private(path: Path, text: str) -> None:
    """Whole or not at all, and nobody else's to read at any moment."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def _servers(var: Path, given: dict[str, str], state: dict[str, Any]) -> list[Server]:
    """Those of the running servers that this process would use."""
    postgres, valkey = _addresses(var, fresh=False)
    servers: list[Server] = []
    if "DATABASE_URL" not in given and "postgres" in state["servers"]:
        servers.append(postgres)
    if "REDIS_URL" not in given and "valkey" in state["servers"]:
        servers.append(valkey)
    return servers


def _attach(var: Path, state: dict[str, Any], given: dict[str, str]) -> Servers:
    attached = (var / "servers.users").open("a")
    fcntl.flock(attached, fcntl.LOCK_SH)
    pids = {name: int(seen["pid"]) for name, seen in state["servers"].items()}
    return Servers({**state["environment"], **given}, pids, var, attached=attached)


def _start(var: Path, state: dict[str, Any], given: dict[str, str], share: dict[str, str]) -> Servers:
    for name, entry in state.get("servers", {}).items():
        seen = _seen(entry)
        if seen is not None:
            end_stranger(seen, signal.SIGINT if name == "postgres" else signal.SIGTERM, STOP_SECONDS)
    postgres, valkey = _addresses(var, fresh=True)
    addresses = {"DATABASE_URL": postgres.url(), "REDIS_URL": valkey.url}
    guard = Guard()
    servers = Servers({**addresses, **given, **share}, var=var, guard=guard)
    wanted: list[Server] = [] if "DATABASE_URL" in given else [postgres]
    wanted += [] if "REDIS_URL" in given else [valkey]
    try:
        for server in wanted:
            child = server.child()
            servers.children.append(child)
            child.start()
            servers._record()
        for server, child in zip(wanted, servers.children, strict=True):
            server.wait(child)
        servers._record()
    except BaseException:
        end(servers.children, STOP_SECONDS)
        (var / "servers.json").unlink(missing_ok=True)
        guard.dismiss()
        raise
    return servers


def _addresses(var: Path, *, fresh: bool) -> tuple[Postgres, Valkey]:
    """The ports and passwords of this folder, the same at every start unless somebody else took a port meanwhile."""
    path = var / "addresses.json"
    try:
        known = json.loads(path.read_text())
    except (OSError, ValueError):
        known = {}
    before = dict(known)
    for name in ("postgres", "valkey"):
        known.setdefault(f"{name}_password", secrets.token_urlsafe(24))
        port = known.setdefault(f"{name}_port", 0)
        if port == 0 or (fresh and not is_free(port)):
            known[f"{name}_port"] = free_port()
    if known != before:
        write_private(path, json.dumps(known))
    return (
        Postgres(var, known["postgres_port"], known["postgres_password"]),
        Valkey(var, known["valkey_port"], known["valkey_password"]),
    )


def _state(var: Path) -> dict[str, Any]:
    try:
        state = json.loads((var / "servers.json").read_text())
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _seen(entry: dict[str, Any] | None) -> Seen | None:
    return Seen(int(entry["pid"]), float(entry["started"])) if entry else None


@contextlib.contextmanager
def _locked(var: Path) -> Iterator[None]:
    """One process at a time starts, attaches or stops; the kernel drops the lock of one that dies."""
    with (var / "servers.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _unused(var: Path) -> bool:
    with (var / "servers.users").open("a") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True
