"""Behind a PgBouncer in transaction mode, where each transaction may run in another session than the one before."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from django.db import connection

from customers.models import Interaction
from cxhub.databases import database
from cxhub.processes import Child, Guard, end, last_line, launch
from cxhub.unprivileged import account_for
from tests.support import COMMITTED, Api, Racer, at, event, identifier, phone, push_and_drain, racers
from tests.test_linking_races import consistent, race

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
pytestmark = [
    *COMMITTED,
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="SKIPPED: pgbouncer is not installed (apt-get install pgbouncer)"),
]
WORKERS = 4
PID = "SELECT pg_backend_pid()"
# Fewer sessions than workers have connections: each transaction takes whichever is free.
INI = """
[databases]
* = host={host} port={port} user={user} password={password}
[pgbouncer]
unix_socket_dir = {sockets}
listen_port = 6432
listen_addr =
pool_mode = transaction
default_pool_size = 3
auth_type = any
server_reset_query_always = 0
"""


@pytest.fixture(scope="module")
def pooler(django_db_setup: None) -> Iterator[str]:
    """The address of the test database through a pooler."""
    assert PROGRAM is not None
    var = Path(tempfile.mkdtemp(prefix="cxhub-pool-"))
    given = connection.settings_dict
    ini = var / "pgbouncer.ini"
    names = {"host": given["HOST"], "port": given["PORT"], "user": given["USER"], "password": given["PASSWORD"] or "-"}
    ini.write_text(INI.format(**names, sockets=var))
    account, guard = account_for(Path(PROGRAM), var), Guard()
    account.give(var)
    log = var.with_suffix(".log")

    def spawn() -> Any:
        argv = [*account.prefix, str(PROGRAM), str(ini)]
        return launch(argv, log, var, dict(os.environ), account.user_to_become, account.group_to_become)

    child = Child("pgbouncer", spawn)
    url = f"postgresql://{given['USER']}@/{given['NAME']}?host={quote(str(var), safe='/')}&port=6432"
    try:
        child.start()
        guard.watch([child])
        deadline = time.monotonic() + 20
        while True:
            try:
                psycopg.connect(url, connect_timeout=5).close()
                break
            except psycopg.OperationalError:
                assert child.running, last_line(log)
                assert time.monotonic() < deadline, last_line(log)
                time.sleep(0.05)
        yield url
    finally:
        end([child], 4)
        guard.dismiss()
        shutil.rmtree(var, ignore_errors=True)
        log.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def fleet(pooler: str, django_db_blocker: Any) -> Iterator[list[Racer]]:
    with django_db_blocker.unblock(), racers(WORKERS, DATABASE_URL=pooler, CXHUB_PGBOUNCER="1") as (fleet, _):
        yield fleet


def test_without_the_setting_it_is_refused(pooler: str) -> None:
    """What the others show is no accident: a plain connection does not get through."""
    plain = database(pooler)["OPTIONS"]
    assert "statement_timeout" in plain["options"]
    with pytest.raises(psycopg.OperationalError, match="options"):
        psycopg.connect(pooler, options=plain["options"])


def test_sessions_change_between_transactions_and_know_no_statements_of_others(pooler: str) -> None:
    """The pool is small enough for that; a test of poolers in which it does not happen shows nothing."""

    def in_turn(prepare_after: int | None) -> set[Any]:
        seen: set[Any] = set()
        with psycopg.connect(pooler, autocommit=True) as one, psycopg.connect(pooler, autocommit=True) as other:
            one.prepare_threshold = other.prepare_threshold = prepare_after
            for _ in range(20):
                seen |= {one.execute(PID).fetchone()}  # The session that was free last …
                with other.transaction():
                    other.execute(PID)  # … is now taken by somebody else …
                    seen |= {one.execute(PID).fetchone()}  # … so there is another one.
        return seen

    assert len(in_turn(None)) > 1
    with pytest.raises(psycopg.errors.InvalidSqlStatementName):
        in_turn(2)


def test_a_race_of_pushes_drains_and_links(api: Api, fleet: list[Racer]) -> None:
    people = [(f"+791238800{n:02}", f"pool{n}@mail.example") for n in range(10)]

    def contacts(worker: int) -> list[Any]:
        return [
            event(
                identifier("phone", number),
                identifier("email", address),
                id=f"{worker}-{n}",
                text=f"{worker} {n}",
                occurred_at=at(worker * 10 + n),
            )
            for n, (number, address) in enumerate(people)
        ]

    said = race(fleet, "push_and_drain", *({"key": api.plain, "events": contacts(n)} for n in range(WORKERS)))
    assert all(statuses == ["accepted"] * len(people) for statuses in said)
    race(fleet, "drain", *({"seconds": 20} for _ in range(WORKERS)))
    consistent(WORKERS * len(people))
    assert {api.card("phone", number)["id"] == api.card("email", address)["id"] for number, address in people} == {True}


def test_reads_searches_and_exports(api: Api, fleet: list[Racer]) -> None:
    number = phone()
    who = {"identifiers": [identifier("phone", number)], "name": "Кузнецова Ирина"}
    events = [event(customer=who, text=f"line {n}", occurred_at=at(n)) for n in range(450)]
    push_and_drain(api, *events)
    card = api.card("phone", number)["id"]
    # Often enough that a statement prepared after five times would be asked of a session that does not know it.
    for path in (f"customers/{card}/timeline?limit=5", "customers?q=Кузницова", f"customers/{card}/brief"):
        for _ in range(8):
            answers = race(fleet, "get", *({"key": api.plain, "path": path} for _ in range(WORKERS)))
            assert {status for status, _ in answers} == {200}, answers
    found = json.loads(race(fleet, "get", *({"key": api.plain, "path": "customers?q=Кузницова"},) * WORKERS)[0][1])
    assert [one["id"] for one in found["results"]] == [card]
    exports = race(fleet, "get", *({"key": api.plain, "path": f"customers/{card}/export?format=json"},) * WORKERS)
    for status, text in exports:
        assert status == 200
        assert len(json.loads(text)["results"]) == 450
    assert Interaction.objects.count() == 450
