"""The embedded servers: found, shared, revived after a kill, and gone afterwards."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from cxhub import embedded
from cxhub.postgres import Postgres
from cxhub.processes import Seen


@pytest.fixture
def var(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short path (pytest's own are too long for a socket), no servers given, and durable ones when started."""
    monkeypatch.delenv("CXHUB_PG_OPTIONS", raising=False)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    folder = Path(tempfile.mkdtemp(prefix="cx h"))
    yield folder
    shutil.rmtree(folder)


def wait_until_gone(pids: list[int], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids):
        assert time.monotonic() < deadline, "still running"
        time.sleep(0.05)


def test_servers_start_know_cyrillic_and_leave_nothing(var: Path) -> None:
    servers = embedded.start(var)
    try:
        with psycopg.connect(servers.database_url) as connection:
            row = connection.execute(
                "SELECT lower('Щ'), show_trgm('яма'), unaccent('Ėglė'), current_setting('fsync')"
            ).fetchone()
        assert row is not None
        assert row[0] == "щ"
        assert row[1]
        assert row[2] == "Egle"
        assert {path.name for path in var.iterdir() if path.stat().st_mode & 0o077} <= {"servers.lock"}
        pids = list(servers.pids.values())
        assert len(pids) == 2
    finally:
        servers.stop()
    wait_until_gone(pids)
    assert not (var / "servers.json").exists()


def test_a_second_process_attaches_and_leaves_them_running(var: Path) -> None:
    servers = embedded.start(var)
    try:
        attached = embedded.start(var)
        assert attached.database_url == servers.database_url
        assert attached.redis_url == servers.redis_url
        assert attached.pids == servers.pids
        attached.stop()
        with psycopg.connect(servers.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        servers.stop()


def test_a_killed_server_comes_back_at_the_same_address_with_its_data(var: Path) -> None:
    servers = embedded.start(var)
    try:
        with psycopg.connect(servers.database_url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        before = dict(servers.pids)
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 20
        revived: set[str] = set()
        while time.monotonic() < deadline:
            revived |= set(servers.revive())
            try:
                with psycopg.connect(servers.database_url, connect_timeout=2) as connection:
                    assert connection.execute("SELECT number FROM kept").fetchone() == (7,)
                if revived == {"postgres", "valkey"}:
                    break
            except psycopg.OperationalError:
                time.sleep(0.05)
        assert revived == {"postgres", "valkey"}
        assert not set(before.values()) & set(servers.pids.values())
    finally:
        servers.stop()


def test_servers_die_with_a_killed_owner_and_the_next_start_is_clean(var: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from cxhub.embedded import start;"
        "print(*start(Path(sys.argv[1])).pids.values(), flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", script, str(var)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pids = [int(pid) for pid in owner.stdout.readline().split()]
    owner.stdout.close()
    owner.kill()
    owner.wait()
    servers = embedded.start(var)
    try:
        assert not set(pids) & set(servers.pids.values())
    finally:
        servers.stop()
    wait_until_gone(pids)


def test_two_simultaneous_starts_share_one_pair(var: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from cxhub.embedded import start;"
        "servers = start(Path(sys.argv[1])); print(servers.pids['postgres'], flush=True); sys.stdin.read();"
        "servers.stop(wait_for_others=True)"
    )
    argv = [sys.executable, "-c", script, str(var)]
    both = [subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    seen = {process.stdout.readline() for process in both if process.stdout is not None}
    for process in both:
        if process.stdin is not None:
            process.stdin.close()
    for process in both:
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()
    assert len(seen) == 1
    assert not seen & {""}


def test_given_addresses_start_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/cxhub")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere/0")
    servers = embedded.start(tmp_path / "var")
    assert (servers.database_url, servers.redis_url) == ("postgresql://elsewhere/cxhub", "redis://elsewhere/0")
    assert not (tmp_path / "var").exists()


def test_a_path_too_long_for_a_socket_means_loopback_with_a_password(var: Path) -> None:
    deep = var / ("f" * 90)
    servers = embedded.start(deep)
    try:
        assert "@127.0.0.1:" in servers.database_url
        with psycopg.connect(servers.database_url) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("cxhub",)
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(servers.database_url.replace(":" + servers.database_url.split(":")[2], ":wrong@127.0.0.1"))
    finally:
        servers.stop()


def test_a_stale_pid_file_that_names_a_stranger_is_no_obstacle(var: Path) -> None:
    embedded.start(var).stop()
    (var / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{var / 'postgres'}\n0\n5432\n\n\n\nready\n")
    servers = embedded.start(var)
    servers.stop()
    assert servers.database_url


def test_data_of_another_version_is_one_clear_line(var: Path) -> None:
    embedded.start(var).stop()
    (var / "postgres" / "PG_VERSION").write_text("12\n")
    with pytest.raises(embedded.ServersUnavailable, match="PostgreSQL 12"):
        embedded.start(var)


def test_a_pid_alone_is_not_taken_for_the_process() -> None:
    now = Seen.of(os.getpid())
    assert now.alive()
    assert not Seen(now.pid, now.started - 60).alive()


def test_state_is_private_and_whole(tmp_path: Path) -> None:
    embedded.write_private(tmp_path / "state.json", json.dumps({"a": 1}))
    assert (tmp_path / "state.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_spaces_in_the_path_survive_the_address() -> None:
    url = Postgres(Path("/tmp/a b"), 0, "").url()  # noqa: S108
    assert psycopg.conninfo.conninfo_to_dict(url)["host"] == "/tmp/a b/run"  # noqa: S108
