"""Migrations beside a cxhub that works: none keeps writers out of a big table for longer than a moment."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.utils import OperationalError

from customers.management.commands import migrate
from tests.support import database_url, other_connection

pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.slow]

SMALL = {
    "channels_source",
    "channels_subscription",
    "customers_agentprofile",
    "customers_apikey",
    "customers_businesshours",
    "customers_following",
    "customers_seenregion",
}
"""Every other table of ours is taken for one with a billion rows."""

# No table had rows when these ran for the first time. Whatever comes after the first release has no excuse.
BEFORE_THE_FIRST_RELEASE = {
    "customers.0003_search_index": "builds the index over all lines",
    "customers.0007_decisions": "gives identities a column and looks at all of them",
    "customers.0009_experience": "builds an index over the change feed",
    "customers.0011_link_indexes": "builds indexes over links",
    "customers.0014_scores_and_feedback": "builds indexes over attributes and scores",
    "customers.0015_requests": "builds an index over requests",
    "customers.0016_promises": "builds indexes over promises",
    "customers.0017_looks_by_day": "builds an index over the log of views",
    "customers.0018_touches": "builds an index over touches",
    "customers.0022_promise_outcome": "builds an index over promises",
}


def watched() -> dict[str, Any]:
    """What each migration held and read, on a database of its own."""
    name = "cxhub_migrations"
    with psycopg.connect(database_url(), dbname="postgres", autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name}".encode())
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        try:
            done = subprocess.run(
                [sys.executable, "-W", "ignore", "-m", "tests.migration_locks"],
                cwd=settings.BASE_DIR,
                env={**os.environ, "DATABASE_URL": psycopg.conninfo.make_conninfo(database_url(), dbname=name)},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            found: dict[str, Any] = json.loads(done.stdout)
            return found
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="module")
def found(django_db_setup: None) -> dict[str, Any]:
    return watched()


def big(table: str) -> bool:
    return table.startswith(("channels_", "customers_")) and table not in SMALL


def troubles(said: dict[str, Any]) -> list[str]:
    locked = sorted(filter(big, said["locked"]))
    read = sorted(filter(big, said["read"]))
    anew = [f"{table} is written anew" for table in said["written_anew"] if big(table)]
    return anew + ([f"{', '.join(read)} read while {', '.join(locked)} is locked"] if locked and read else [])


@pytest.mark.long
def test_no_migration_keeps_writers_out_of_a_big_table(found: dict[str, Any]) -> None:
    bad = {name: said for name in found if (said := troubles(found[name]))}
    new = {name: said for name, said in bad.items() if name not in BEFORE_THE_FIRST_RELEASE}
    assert not new, (
        "build indexes concurrently, add constraints NOT VALID and validate them in a migration of their own"
    )
    assert set(BEFORE_THE_FIRST_RELEASE) <= set(bad), "what does no harm needs no excuse"


@pytest.mark.parametrize(
    ("statement", "harm"),
    [
        ("CREATE INDEX x ON customers_interaction (source)", True),
        ("ALTER TABLE customers_interaction ADD COLUMN x text DEFAULT gen_random_uuid()::text", True),
        ("ALTER TABLE customers_interaction ADD CONSTRAINT x CHECK (rank >= 0)", True),
        ("ALTER TABLE customers_interaction ADD COLUMN x int; UPDATE customers_interaction SET x = 1", True),
        ("ALTER TABLE customers_interaction ALTER origin SET NOT NULL", True),
        ("ALTER TABLE customers_interaction ADD COLUMN x int NOT NULL DEFAULT 0", False),
        ("ALTER TABLE customers_interaction ADD CONSTRAINT x CHECK (rank >= 0) NOT VALID", False),
        ("UPDATE customers_interaction SET rank = 1", False),
        ("CREATE INDEX x ON customers_apikey (name)", False),
    ],
)
def test_what_does_harm_is_seen(statement: str, harm: bool) -> None:
    from tests.migration_locks import Watch

    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO customers_seenregion VALUES ('RU')")
        watch = Watch(connection)
        cursor.execute("BEGIN")
        try:
            with connection.execute_wrapper(watch):
                cursor.execute(statement)
        finally:
            cursor.execute("ROLLBACK")
    assert bool(troubles(watch.found())) is harm, watch.found()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(migrate, "LOCK", "50ms")
    monkeypatch.setattr(migrate, "PAUSE", 0.05)
    yield
    call_command("migrate", verbosity=0, interactive=False)


def test_migrate_waits_shortly_for_locks_and_tries_again(impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    call_command("migrate", "customers", "0020", verbosity=0, interactive=False)
    with other_connection() as other:
        other.execute("LOCK customers_apikey IN ACCESS SHARE MODE")
        monkeypatch.setattr(migrate, "TRIES", 2)
        with pytest.raises(OperationalError):
            call_command("migrate", verbosity=0, interactive=False, stderr=StringIO())
        monkeypatch.setattr(migrate, "TRIES", 200)
        timer = threading.Timer(0.5, other.rollback)
        timer.start()
        call_command("migrate", verbosity=0, interactive=False, stderr=StringIO())
        timer.join()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM information_schema.columns WHERE column_name = 'wrote'")
        assert cursor.fetchone() == (1,)
        cursor.execute("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
        assert cursor.fetchone() == ("0", "30s")
