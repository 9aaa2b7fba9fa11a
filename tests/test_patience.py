"""A request that is answered in time, whatever the database does: locked, hanging, or deaf."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import OperationalError, close_old_connections
from django.db import connection as database
from django.test import Client

from channels.models import Delivery
from customers import patience as patiences
from customers.patience import DOORS, LEFT, SHORT, patience
from customers.sql import cursor
from cxhub.patient.base import SILENT, PatientConnection, PrimaryConnection
from cxhub.patient.crowd import PRIMARY, Crowd
from tests.support import COMMITTED, Api, drained, event, everything, identifier, other_connection, phone, shop
from tests.test_console import agent

pytestmark = COMMITTED


GIVEN_UP = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'active'
"""


@pytest.fixture(autouse=True)
def fresh(committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if the database had always answered; what was given up ends with the test."""
    monkeypatch.setattr(patiences, "silent_at", -1e9)
    yield
    close_old_connections()
    with cursor() as sql:
        sql.execute(GIVEN_UP)


@contextmanager
def locked(table: str) -> Iterator[None]:
    with other_connection() as other, other.transaction():
        other.execute(f"LOCK TABLE {table}".encode())
        yield


def left() -> float:
    found = LEFT.get()
    assert found is not None
    return found.left


def test_a_statement_that_hangs_is_given_up() -> None:
    with pytest.raises(OperationalError, match=SILENT), patience(0.2), cursor() as sql:
        sql.execute("SELECT pg_sleep(60)")
    close_old_connections()
    with cursor() as sql:
        assert sql.execute("SELECT 1").fetchone() == (1,)


def test_all_waits_of_a_request_share_its_patience() -> None:
    with patience(5):
        with cursor() as sql:
            sql.execute("SELECT pg_sleep(0.2)")
        assert left() < 4.9
    assert LEFT.get() is None
    with cursor() as sql:
        assert sql.execute("SELECT 1").fetchone() == (1,)


def test_a_server_that_takes_connections_and_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf, patience(0.2):
        port = deaf.getsockname()[1]
        with pytest.raises(psycopg.OperationalError, match=SILENT):
            PatientConnection.connect(host="127.0.0.1", port=port, user="x", connect_timeout=60)


def test_who_comes_after_a_silence_waits_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patiences, "AFTERWARDS", 3600.0)
    with patience():
        assert left() == DOORS
    with pytest.raises(OperationalError), patience(0.2), cursor() as sql:
        sql.execute("SELECT pg_sleep(60)")
    close_old_connections()
    with patience():
        assert left() == SHORT
    before = patiences.silent_at
    with pytest.raises(OperationalError), patience(), cursor() as sql:
        sql.execute("SELECT pg_sleep(60)")
    assert patiences.silent_at == before, "it proves nothing, or nobody would ever wait in full again"
    close_old_connections()


def test_a_long_question_to_a_living_server_goes_on_in_a_crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PRIMARY, "many", 1)
    monkeypatch.setattr("cxhub.patient.base.ANSWER", 30.0)  # It lives, however busy the machine is.
    with patience(60, tells=False), cursor() as sql:
        assert sql.execute("SELECT pg_sleep(1.5), 7").fetchall() == [("", 7)]
        assert sql.execute("SELECT x FROM generate_series(1, 100000) x").fetchall()[-1] == (100000,)
    assert patiences.silent_at < 0
    assert PRIMARY.size == 0


def test_nobody_waits_for_a_silent_server_in_a_crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the doors know of it; alone a reader would go on waiting."""
    monkeypatch.setattr(PRIMARY, "many", 1)
    monkeypatch.setattr(PRIMARY, "silent_at", -1e9)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        database.ensure_connection()
        port = deaf.getsockname()[1]
        monkeypatch.setattr(database.connection, "params", {"host": "127.0.0.1", "port": port, "user": "x"})
        with pytest.raises(OperationalError, match=SILENT), patience(60, tells=False), cursor() as sql:
            sql.execute("SELECT pg_sleep(60)")
        found = patiences.silent_at
        assert found > 0
        close_old_connections()
        monkeypatch.setattr(PRIMARY, "silent_at", -1e9)
        with patience(60, 60, tells=False), pytest.raises(psycopg.OperationalError, match=SILENT):
            PrimaryConnection.connect(host="127.0.0.1", port=port, user="x", connect_timeout=60)
        assert patiences.silent_at > found
    assert PRIMARY.size == 0


def test_one_asks_for_the_whole_crowd() -> None:
    crowd, asked = Crowd(2, tells=False), []

    def silent() -> bool:
        asked.append(crowd.size)
        return False

    with crowd.joined():
        assert not crowd.hopeless(silent)
        with crowd.joined():
            assert crowd.hopeless(silent)
            assert crowd.hopeless(silent)
    assert asked == [2]
    assert patiences.silent_at < 0, "of a replica"


def test_the_doors_say_503_and_the_sender_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    shop()
    api: Api = everything()
    sent = event(identifier("phone", phone()))
    with locked("channels_delivery"):
        answer = api.post("events", [sent])
        assert answer.status_code == 503
        assert answer.json()["code"] == "unavailable"
        assert answer["Retry-After"]
    close_old_connections()
    monkeypatch.setattr(patiences, "silent_at", -1e9)  # He comes when a second is over.
    (receipt,) = api.push(sent)
    assert receipt["status"] in ("accepted", "duplicate")
    drained()
    assert Delivery.objects.count() == 1


def test_a_provider_hears_503(client: Client) -> None:
    source = shop()
    with locked("channels_source"):
        answer = client.post(f"/hooks/telegram/{source.key}", b"{}", "application/json")
    assert answer.status_code == 503
    close_old_connections()


@contextmanager
def hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody waits five seconds for these tests; and before and after, nobody on a slow machine is given up."""
    with monkeypatch.context() as patched:
        patched.setattr(patiences, "READS", 0.3)
        yield


def test_a_read_is_answered_503_and_tells_nobody_that_the_database_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    api = everything()
    asked = {"phone": phone()}
    assert api.get("lookup", asked).status_code in (200, 404)
    with locked("customers_identity"), hasty(monkeypatch):
        answer = api.get("lookup", asked)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Retry-After"]
    assert patiences.silent_at < 0, "it may just have been a slow question"
    close_old_connections()
    assert api.get("lookup", asked).status_code in (200, 404)


@pytest.mark.parametrize("table", ["customers_identity", "customers_session"])
def test_a_page_says_503_in_its_own_design_and_language(monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    """Where a view fails, and where not even the session can be read."""
    client, page = agent(language="lt"), "/?q=%2B79123456789"
    assert client.get(page).status_code == 200
    client.raise_request_exception = False
    with locked(table), hasty(monkeypatch):
        answer = client.get(page, headers={"accept-language": "lt"})
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert "no-store" in answer["Cache-Control"]
    assert '<html lang="lt">' in answer.content.decode()
    close_old_connections()
    assert client.get(page).status_code == 200


def test_a_connection_that_was_ended_meanwhile_fails_nobody() -> None:
    with cursor() as sql:
        sql.execute("SELECT pg_backend_pid()")
        (pid,) = sql.fetchone() or (0,)
    with other_connection() as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    close_old_connections()
    with cursor() as sql:
        assert sql.execute("SELECT 1").fetchone() == (1,)
