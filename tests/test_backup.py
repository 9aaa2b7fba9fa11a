"""A backup by the scripts of docs/operations, a disaster, and a restore to the moment before it."""

import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from psycopg.conninfo import conninfo_to_dict

from channels.verifying import compare
from customers.models import Erasure
from customers.verifying import verify
from cxhub import embedded
from cxhub.postgres import installed
from tests.support import Api, at, event, everything, identifier, phone, push_and_drain, shop

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:No directory at")]
OPERATIONS = Path(__file__).resolve().parent.parent / "docs" / "operations"


def script(name: str, *arguments: object, **environment: str) -> str:
    """Run one of them with the programs of the embedded PostgreSQL; its output."""
    done = subprocess.run(
        ["sh", str(OPERATIONS / name), *map(str, arguments)],
        env={**os.environ, "PATH": f"{installed('psql').parent}:{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextmanager
def serving(var: Path) -> Iterator[embedded.Servers]:
    """The server below this folder, and Django talking to it instead of the test database."""
    kept = {alias: dict(connections[alias].settings_dict) for alias in connections}
    servers = embedded.start(var)
    here = conninfo_to_dict(servers.database_url)
    try:
        for alias in connections:
            connections[alias].close()
            connections[alias].settings_dict |= {
                "NAME": here["dbname"],
                "USER": here["user"],
                "PASSWORD": here.get("password") or "",
                "HOST": here["host"],
                "PORT": here.get("port") or "",
            }
        yield servers
    finally:
        for alias, before in kept.items():
            connections[alias].close()
            connections[alias].settings_dict |= before
        servers.stop()


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, django_db_setup: None, django_db_blocker: Any) -> Iterator[Path]:
    top = Path(tempfile.mkdtemp(prefix="cxb"))
    top.chmod(0o755)
    for name in ("wal", "base"):
        (top / name).mkdir()
        (top / name).chmod(0o777)  # PostgreSQL may run as somebody else here.
    archive = f"sh {shlex.quote(str(OPERATIONS / 'archive-wal.sh'))} %p {top}/wal/%f"
    monkeypatch.setenv("CXHUB_PG_OPTIONS", f'-c archive_mode=on -c "archive_command={archive}"')
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setattr(settings, "CXHUB_ERASURE_JOURNAL", str(top / "journal" / "erasures.jsonl"))
    with django_db_blocker.unblock():
        yield top
    shutil.rmtree(top, ignore_errors=True)


def ask(servers: embedded.Servers, statement: str) -> Any:
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        return (connection.execute(statement.encode()).fetchone() or (None,))[0]


def archived(servers: embedded.Servers) -> None:
    """All that was written until now is in the archive."""
    ask(servers, "SELECT pg_logical_emit_message(true, 'test', 'so that there is something to archive')")
    last = ask(servers, "SELECT pg_walfile_name(pg_switch_wal())")
    deadline = time.monotonic() + 60
    while (ask(servers, "SELECT last_archived_wal FROM pg_stat_archiver") or "") < last:
        assert time.monotonic() < deadline, ask(servers, "SELECT last_failed_wal FROM pg_stat_archiver")
        time.sleep(0.05)


def told(api: Api, number: str, **more: Any) -> Any:
    (receipt,) = push_and_drain(api, event(identifier("phone", number), **more))
    assert receipt["status"] == "recorded", receipt
    return receipt


def texts(api: Api, number: str) -> list[str]:
    return [entry["text"] for entry in api.timeline("phone", number)]


def test_a_disaster_is_undone_to_the_second(folder: Path) -> None:
    ada, bea, late = phone(), phone(), event(identifier("phone", phone()), text="after the moment")
    with serving(folder / "one") as servers:
        call_command("migrate", verbosity=0)
        shop()
        api = everything()
        told(api, ada, text="before the backup", occurred_at=at(1))
        told(api, bea, text="before the backup", occurred_at=at(1))
        base = script("base-backup.sh", folder, "-h", folder / "one" / "run", "-U", "cxhub")
        told(api, bea, text="after the backup", occurred_at=at(2))
        gone = api.card("phone", ada)["id"]
        moment = ask(servers, "SELECT clock_timestamp()::text")
        # From here on all is lost, but for the journal: it lies elsewhere.
        assert api.post(f"customers/{gone}/erase", {"reason": "by letter"}).status_code == 200
        push_and_drain(api, late)
        with psycopg.connect(servers.database_url, autocommit=True) as connection:
            connection.execute("DROP TABLE customers_interaction CASCADE")
        archived(servers)
    script("restore.sh", base, folder / "wal", folder / "two" / "postgres", moment)
    with serving(folder / "two") as servers:
        recovered(servers)
        assert texts(api, ada) == ["before the backup"], "the restored database knows of no erasure yet"
        call_command("migrate", verbosity=0)
        assert api.get(f"customers/{gone}").status_code == 410
        assert api.ok("customers", {"phone": ada})["results"] == []
        assert set(Erasure.objects.values_list("reason", flat=True)) == {"journal"}
        assert texts(api, bea) == ["after the backup", "before the backup"]
        assert (verify().total, compare().total) == (0, 0)
        (receipt,) = push_and_drain(api, late)
        assert receipt["status"] == "recorded", "whoever comes again is heard"
        assert (verify().total, compare().total) == (0, 0)


def recovered(servers: embedded.Servers) -> None:
    deadline = time.monotonic() + 60
    while ask(servers, "SELECT pg_is_in_recovery()"):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.long
def test_without_a_moment_nothing_archived_is_lost(folder: Path) -> None:
    """Of a database, too, that was restored to a moment before: what was meant then must not be meant again."""
    number = phone()
    with serving(folder / "one") as servers:
        call_command("migrate", verbosity=0)
        shop()
        api = everything()
        first = script("base-backup.sh", folder, "-h", folder / "one" / "run", "-U", "cxhub")
        moment = ask(servers, "SELECT clock_timestamp()::text")
        archived(servers)
    script("restore.sh", first, folder / "wal", folder / "two" / "postgres", moment)
    with serving(folder / "two") as servers:
        recovered(servers)
        base = script("base-backup.sh", folder, "-h", folder / "two" / "run", "-U", "cxhub")
        told(api, number, text="the last one")
        archived(servers)
    script("restore.sh", base, folder / "wal", folder / "three" / "postgres")
    with serving(folder / "three") as servers:
        recovered(servers)
        assert texts(api, number) == ["the last one"]


@pytest.mark.long
def test_old_backups_go_with_the_log_that_only_they_need(folder: Path) -> None:
    with serving(folder / "one") as servers:
        made = []
        for _ in range(3):
            made.append(script("base-backup.sh", folder, "-h", folder / "one" / "run", "-U", "cxhub", KEEP="2"))
            made[-1] = made[-1].splitlines()[0]
            archived(servers)
            time.sleep(1)
    assert [str(path) for path in sorted((folder / "base").iterdir())] == made[1:]
    script("restore.sh", made[1], folder / "wal", folder / "two" / "postgres")
    with serving(folder / "two") as servers:
        recovered(servers)


def test_a_restore_overwrites_nothing(folder: Path) -> None:
    (folder / "there").mkdir()
    (folder / "there" / "PG_VERSION").write_text("18")
    refused = subprocess.run(
        ["sh", str(OPERATIONS / "restore.sh"), "base", "wal", str(folder / "there")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (refused.returncode, "is not empty" in refused.stderr) == (1, True)


def test_the_archive_takes_a_file_once(folder: Path) -> None:
    segment, kept = folder / "segment", folder / "wal" / "000000010000000000000001"
    segment.write_text("log")
    script("archive-wal.sh", segment, kept)
    script("archive-wal.sh", segment, kept)
    segment.write_text("another")
    with pytest.raises(AssertionError, match="other content"):
        script("archive-wal.sh", segment, kept)
    assert kept.read_text() == "log"
    assert sorted(path.name for path in kept.parent.iterdir()) == [kept.name]
