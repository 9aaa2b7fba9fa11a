"""Two PostgreSQL servers: reads come from the replica, and nobody misses what he wrote himself."""

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.db import DatabaseError
from django.test import Client

from customers import replica
from customers.models import ApiKey, CardView
from customers.sql import cursor, is_far
from tests.second_server import Second, second_server
from tests.support import COMMITTED, Api, at, event, everything, identifier, phone, push_and_drain, shop

pytestmark = [
    *COMMITTED,
    pytest.mark.skipif(not Path(os.environ["CXHUB_VAR"], "postgres").exists(), reason="a given server is not copied"),
]
HERE = "SELECT pg_is_in_recovery()"


@pytest.fixture(scope="module")
def server(django_db_setup: None, django_db_blocker: Any) -> Iterator[Second]:
    with django_db_blocker.unblock(), second_server() as second:
        yield second


@pytest.fixture
def second(server: Second, committed: None, settings: Any) -> Iterator[Second]:
    settings.CXHUB_REPLICA_LAG = 3600
    yield server
    server.resume()


@pytest.fixture
def api(second: Second) -> Api:
    shop()
    return everything()


def known(api: Api, second: Second) -> tuple[str, str]:
    """A number with one line, and the path of its timeline, known to both servers; and then replay stops."""
    number = phone()
    push_and_drain(api, event(identifier("phone", number), text="the first", occurred_at=at(1)))
    path = f"customers/{api.card('phone', number)['id']}/timeline"
    second.caught_up()
    second.pause()
    return number, path


def texts(api: Api, path: str) -> list[str]:
    return [entry["text"] for entry in api.ok(path)["results"]]


def test_reads_come_from_the_replica_and_views_are_logged_on_the_primary(api: Api, second: Second) -> None:
    other = Api("read")
    number, path = known(api, second)
    second.resume()
    second.caught_up()
    second.pause()
    push_and_drain(api, event(identifier("phone", number), text="the second", occurred_at=at(2)))
    assert texts(other, path) == ["the first"]
    assert CardView.objects.filter(viewer=f"key:{other.key.pk}", path__endswith="timeline").count() == 1
    second.resume()
    second.caught_up()
    assert texts(other, path) == ["the second", "the first"]


def test_a_key_finds_what_was_written_with_it(api: Api, second: Second) -> None:
    other = Api("read")
    second.caught_up()
    _, path = known(api, second)
    answer = api.post(path.replace("timeline", "notes"), {"text": "call back"})
    assert answer.status_code == 201
    assert texts(api, path) == ["call back", "the first"]
    assert texts(other, path) == ["the first"]
    assert ApiKey.objects.get(pk=api.key.pk).wrote > ApiKey.objects.get(pk=other.key.pk).wrote == 0


def test_whoever_read_that_it_is_recorded_finds_it(api: Api, second: Second) -> None:
    number, path = known(api, second)
    (receipt,) = push_and_drain(api, event(identifier("phone", number), text="the second", occurred_at=at(2)))
    assert receipt["status"] == "recorded"
    assert receipt["customer"]
    assert texts(api, path) == ["the second", "the first"]


def test_an_agent_finds_his_own_note_and_others_a_moment_later(api: Api, second: Second) -> None:
    clients = []
    for name in ("anna", "boris"):
        user = User.objects.create_user(name)
        user.groups.add(Group.objects.get_or_create(name="agent")[0])
        client = Client()
        client.force_login(user)
        clients.append(client)
    anna, boris = clients
    _, path = known(api, second)
    page = "/" + path.replace("/timeline", "")
    where = anna.get(page, follow=True).request["PATH_INFO"]
    second.resume()
    boris.get(where)  # What is derived of the customer is derived now, and known to both servers.
    second.caught_up()
    second.pause()
    said = anna.post(where.rstrip("/") + "/notes", {"text": "asked for Monday", "key": str(uuid4())})
    assert said.status_code < 400, said.status_code
    assert "asked for Monday" in anna.get(where).content.decode()
    assert "asked for Monday" not in boris.get(where).content.decode()
    assert anna.cookies["cxhub_wrote"]["httponly"]
    anna.cookies["cxhub_wrote"] = "1:forged"
    assert "asked for Monday" not in anna.get(where).content.decode()
    second.resume()
    second.caught_up()
    assert "asked for Monday" in boris.get(where).content.decode()


def test_a_revoked_key_opens_nothing_however_far_behind_the_replica_is(api: Api, second: Second) -> None:
    other = Api("read")
    second.caught_up()
    _, path = known(api, second)
    ApiKey.objects.filter(pk=other.key.pk).update(revoked_at="2026-01-01T00:00:00Z")
    assert other.get(path).status_code == 401


def test_a_replica_too_far_behind_is_not_read_from(api: Api, second: Second, settings: Any) -> None:
    other = Api("read")
    second.caught_up()
    number, path = known(api, second)
    push_and_drain(api, event(identifier("phone", number), text="the second", occurred_at=at(2)))
    place = replica.position()
    second.until(lambda: replica.WATCH.written[-1][1] >= place)
    settings.CXHUB_REPLICA_LAG = 0
    status = replica.status()
    assert status is not None
    assert status.behind
    assert not status.good
    assert texts(other, path) == ["the second", "the first"]


def test_a_token_of_the_feed_from_the_primary_is_no_reset_on_the_replica(api: Api, second: Second) -> None:
    other = Api("read")
    second.caught_up()
    number, path = known(api, second)
    push_and_drain(api, event(identifier("phone", number), text="the second", occurred_at=at(2)))
    new = api.ok(path.replace("timeline", "changes"), {"since": "1.0"})["next"]
    push_and_drain(api, event(identifier("phone", number), text="the third", occurred_at=at(3)))
    told = other.ok(path.replace("timeline", "changes"), {"since": new})
    assert not told["reset"]
    assert [entry["text"] for entry in told["changed"]] == ["the third"]


def test_what_a_replica_cannot_do_the_primary_does(second: Second) -> None:
    second.caught_up()
    with replica.reader(), cursor("reading") as sql:
        assert is_far(sql)
        sql.execute(HERE)
        assert sql.fetchone() == (True,)
        sql.execute("SELECT id FROM customers_apikey FOR UPDATE")
        assert not is_far(sql)
        sql.execute(HERE)
        assert (sql.rowcount, sql.fetchall()) == (1, [(False,)])
        with pytest.raises(DatabaseError), cursor("reading") as near:
            near.execute("SELECT nothing_like_it")
    with cursor("reading") as sql:  # outside of requests
        assert not is_far(sql)


def test_a_transaction_that_writes_reads_from_the_primary(second: Second) -> None:
    second.caught_up()
    with replica.reader():
        with cursor() as sql:
            sql.execute(HERE)
        with cursor("reading") as sql:
            assert not is_far(sql)


def test_killed_it_is_missed_by_nobody_and_serves_again(api: Api, second: Second) -> None:
    other = Api("read")
    second.caught_up()
    number, path = known(api, second)
    second.resume()
    second.kill()
    push_and_drain(api, event(identifier("phone", number), text="the second", occurred_at=at(2)))
    assert texts(other, path) == ["the second", "the first"]
    second.until(lambda: replica.status() == replica.Status(None, None))
    assert texts(other, path) == ["the second", "the first"]
    second.back()
    second.caught_up()
    with replica.reader(), cursor("reading") as sql:
        sql.execute(HERE)
        assert sql.fetchone() == (True,)
    assert texts(other, path) == ["the second", "the first"]


def test_frozen_it_keeps_nobody_waiting(api: Api, second: Second) -> None:
    other = Api("read")
    second.caught_up()
    _, path = known(api, second)
    second.resume()
    assert texts(other, path) == ["the first"]
    with second.frozen():
        assert texts(other, path) == ["the first"]
        assert not replica.WATCH.answers()
    second.until(replica.WATCH.answers)


def test_a_statement_under_way_is_cut_off_when_it_falls_silent(second: Second) -> None:
    second.caught_up()
    with replica.reader(), cursor("reading") as sql:
        timer = Timer(0.5, second.kill)
        timer.start()
        sql.execute("SELECT pg_is_in_recovery(), pg_sleep(CASE WHEN pg_is_in_recovery() THEN 20 ELSE 0 END)")
        row = sql.fetchone()
        assert row is not None
        assert row[0] is False
        timer.join()
    second.back()
