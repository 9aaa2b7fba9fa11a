"""`/readyz` tells what is wrong, in time, and says 503 only without a database; heartbeats tell who is stuck."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from channels import tasks
from channels.models import Delivery
from customers import figures
from cxhub import health, heartbeats
from tests.support import COMMITTED, database_away, database_url, event, everything, identifier, phone, shop

pytestmark = COMMITTED


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    health._kept["at"] = 0.0
    figures.said_alive.clear()


def asked() -> tuple[int, str, dict[str, Any]]:
    health._kept["at"] = 0.0
    answer = Client().get("/readyz")
    body = answer.json()
    return answer.status_code, body["status"], body["checks"]


def at_work() -> None:
    """Each required process did what it does."""
    call_command("sweep", once=True)
    tasks.drain()
    tasks.heartbeat()


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_healthz_asks_nobody(committed: None) -> None:
    with database_away():
        assert Client().get("/healthz").status_code == 200


def test_ready_when_all_did_their_work(committed: None) -> None:
    at_work()
    status, said, checks = asked()
    assert (status, said) == (200, "ready"), checks
    assert set(checks) == {"database", "schema", "broker", "sweep", "worker", "beat", "backlog"}


@pytest.mark.parametrize("process", ["sweep", "worker", "beat"])
def test_who_is_late_or_was_never_there_degrades(committed: None, process: str) -> None:
    at_work()
    late = heartbeats.LATE[process] + 5
    sql(f"UPDATE customers_figure SET value = value - {late} WHERE series LIKE '%\"{process}\"%'")
    status, said, checks = asked()
    assert (status, said, checks[process]["status"]) == (200, "degraded", "late")
    assert late <= checks[process]["age_seconds"] < late + 60
    sql(f"DELETE FROM customers_figure WHERE series LIKE '%\"{process}\"%'")
    assert asked()[2][process] == {"status": "late"}


def test_the_mail_door_is_missed_only_if_it_was_there_today(committed: None) -> None:
    at_work()
    figures.alive("smtpd")
    assert asked()[2]["smtpd"]["status"] == "ok"
    sql("UPDATE customers_figure SET value = value - 100 WHERE series LIKE '%smtpd%'")
    assert asked()[1:][0] == "degraded"
    sql("UPDATE customers_figure SET value = value - 86400 WHERE series LIKE '%smtpd%'")
    assert "smtpd" not in asked()[2]


def test_a_backlog_degrades_and_what_failed_before_does_not(committed: None) -> None:
    shop()
    everything().push(event(identifier("phone", phone())))
    at_work()
    assert asked()[1] == "ready"
    sql("UPDATE channels_delivery SET state = 'accepted', received_at = now() - interval '90 seconds'")
    status, said, checks = asked()
    assert (status, said, checks["backlog"]["status"]) == (200, "degraded", "late")
    assert checks["backlog"]["age_seconds"] >= 90
    Delivery.objects.update(failed=True)
    assert asked()[1] == "ready"


def test_a_schema_behind_the_code_degrades(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    at_work()
    monkeypatch.setattr(health, "migrations", lambda: frozenset({("customers", "9999_of_tomorrow")}))
    _, said, checks = asked()
    assert (said, checks["schema"]) == ("degraded", {"status": "failing", "missing": 1})


@contextmanager
def silent_port() -> Iterator[int]:
    """Takes connections and says nothing, as what is frozen does."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(20)
        yield deaf.getsockname()[1]


def test_a_frozen_broker_degrades_at_once(committed: None, settings: Any) -> None:
    at_work()
    with silent_port() as port:
        settings.REDIS_URL = f"redis://127.0.0.1:{port}/0"
        begun = time.monotonic()
        status, said, checks = asked()
        took = time.monotonic() - begun
    assert (status, said, checks["broker"]) == (200, "degraded", {"status": "failing"})
    assert took < 5, "the limits do not hold"


def test_without_a_database_it_is_down(committed: None) -> None:
    with database_away():
        status, said, checks = asked()
    assert (status, said, checks["database"]) == (503, "down", {"status": "failing"})


def test_a_database_that_says_nothing_is_down_in_time(committed: None) -> None:
    with silent_port() as port, database_away():
        for alias in ("default", "reading"):
            from django.db import connections

            connections[alias].settings_dict["PORT"] = str(port)
        begun = time.monotonic()
        assert asked()[:2] == (503, "down")
        assert time.monotonic() - begun < 5, "the limits do not hold"


def test_an_answer_is_kept_for_a_moment(committed: None) -> None:
    at_work()
    first = health.latest()
    assert health.latest() is first
    health._kept["at"] = time.monotonic() - health.FRESH - 0.1
    assert health.latest() is not first


def test_containers_ask_by_exit_code(
    committed: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url())
    monkeypatch.delenv("DATABASE_URL_FILE", raising=False)
    assert heartbeats.main(["sweep"]) == 1
    figures.alive("sweep")
    assert heartbeats.main(["sweep"]) == 0
    sql("UPDATE customers_figure SET value = value - 100")
    assert heartbeats.main(["sweep"]) == 1
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/x")
    assert heartbeats.main(["sweep"]) == 0, "a new start does not help where the database is away"
    assert heartbeats.main(["sleep"]) == heartbeats.main([]) == 2
    assert "usage" in capsys.readouterr().err
