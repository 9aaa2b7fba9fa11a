"""What the tests of the core share: keys that ask, events that are pushed, drains that leave nothing open."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import orjson
import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, connections, transaction
from django.test import Client
from django.test.client import ClientHandler
from psycopg.conninfo import make_conninfo

from channels.draining import drain_all
from channels.models import Delivery, Source
from channels.sources import make_source
from customers.access import Scope, issue_key
from cxhub.lean import ForPrograms, by_caller

COMMITTED = [
    pytest.mark.usefixtures("committed"),
    pytest.mark.filterwarnings("ignore:No directory at"),  # of collected static files
]
"""For tests that commit: the drain works with the clock of the database, which stands still in a transaction."""

LONG = bool(os.environ.get("CXHUB_TEST_LONG"))
"""Whether all is tried, as in .ci/run, or only so much of what is alike that a run takes minutes."""
JSON, NDJSON = "application/json", "application/x-ndjson"
Event = dict[str, Any]
NUMBERS = count(1)


def wipe() -> None:
    """All rows of ours, quicker than TRUNCATE for the few rows of a test."""
    tables = [
        model._meta.db_table for app in ("channels", "customers") for model in apps.get_app_config(app).get_models()
    ]
    tables += [
        "axes_accessattempt",
        "django_admin_log",
        "mfa_authenticator",
        "socialaccount_socialaccount",
        "auth_user_groups",
        "auth_user",
        "auth_group",
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("".join(f"DELETE FROM {table};" for table in tables))


def at(offset: float = 0) -> str:
    """A time in the past, `offset` minutes after the others."""
    return (datetime(2026, 3, 2, 9, 0, tzinfo=UTC) + timedelta(minutes=offset)).isoformat()


def unique(word: str = "thing") -> str:
    return f"{word}-{next(NUMBERS)}"


def phone(number: int | None = None) -> str:
    """A Russian mobile number that no other call gives."""
    return f"+7912{next(NUMBERS) if number is None else number:07}"


def identifier(kind: str, value: str, **more: Any) -> Event:
    return {"kind": kind, "value": value, **more}


def event(*identifiers: Event, name: str = "", **fields: Any) -> Event:
    """A valid event: an inbound message by SMS unless `fields` say otherwise."""
    customer = {"identifiers": list(identifiers), **({"name": name} if name else {})}
    return {
        "id": unique("event"),
        "channel": "sms",
        "kind": "message",
        "direction": "inbound",
        "occurred_at": at(),
        **({"customer": customer} if identifiers or name else {}),
        **fields,
    }


class ProgramsClientHandler(ForPrograms, ClientHandler):
    """What a program gets from the web server it gets in tests."""


class Api:
    """A client with a key of these scopes."""

    def __init__(
        self,
        *scopes: Scope,
        source: str = "",
        sources: Sequence[str] = (),
        expires_at: datetime | None = None,
        safe: bool = False,
    ) -> None:
        self.key, self.plain = issue_key("test", scopes, source=source, sources=sources, expires_at=expires_at)
        self.client = Client(headers={"Authorization": f"Bearer {self.plain}"}, raise_request_exception=not safe)
        self.client.handler = by_caller(self.client.handler, ProgramsClientHandler())  # type: ignore[assignment]

    def get(self, path: str, params: Any = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.get(f"/api/v1/{path}", params, headers=named)

    def ok(self, path: str, params: Any = None) -> Any:
        """The JSON of an answer that must be 200."""
        answer = self.get(path, params)
        assert answer.status_code == 200, (path, params, answer.content)
        return answer.json()

    def refused(self, path: str, params: Any = None) -> tuple[int, str, str]:
        return problem_of(self.get(path, params))

    def post(self, path: str, body: Any = None, kind: str = JSON, **headers: str) -> Any:
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        # Django's client leaves the type of an empty body out.
        return self.client.post(f"/api/v1/{path}", raw, content_type=kind, headers=named, CONTENT_TYPE=kind)

    def push(self, *events: Any) -> list[Any]:
        """Receipts of a push that must be answered 202."""
        answer = self.post("events", list(events))
        assert answer.status_code == 202, answer.content
        receipts: list[Any] = answer.json()["receipts"]
        assert len(receipts) == len(events)
        return receipts

    def card(self, kind: str, value: str) -> Any:
        """The card of the only customer with this handle."""
        (card,) = self.ok("customers", {kind: value})["results"]
        return card

    def timeline(self, kind: str, value: str, /, **params: Any) -> list[Any]:
        entries: list[Any] = self.ok(f"customers/{self.card(kind, value)['id']}/timeline", params)["results"]
        return entries


def problem_of(answer: Any) -> tuple[int, str, str]:
    """(status, code, field) of an answer that must be a problem as RFC 9457 has it."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.content
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["title"]
    assert body["detail"]
    assert body["type"].endswith(body["code"])
    return answer.status_code, body["code"], body.get("field", "")


def everything(source: str = "shop") -> Api:
    """A key that may do all, and push for `source` by default."""
    return Api("ingest", "read", "write", "admin", source=source, sources=["*"])


def shop(slug: str = "shop", **fields: Any) -> Source:
    """A source that pushes, of Russia unless `fields` say otherwise."""
    return make_source("push", slug, **{"region": "RU", **fields})


def drained(*, waiting: bool = False) -> None:
    """All that is due is worked off; nothing else stays open than what waits for its line."""
    drain_all(seconds=60)
    left = set(Delivery.objects.filter(state__in=Delivery.OPEN).values_list("state", flat=True))
    assert left <= ({Delivery.WAITING} if waiting else set()), left


def due_again() -> None:
    """As if the pauses were over: what waits or was put off is due, and every lease has run out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE channels_delivery SET due_at = now(), lease_until = now() - interval '1 second' "
            "WHERE state IN ('accepted', 'waiting')"
        )


def push_and_drain(api: Api, *events: Any, waiting: bool = False) -> list[Any]:
    """What became of each event: its receipt after the drain, or the rejection."""
    receipts = api.push(*events)
    drained(waiting=waiting)
    return [api.ok(f"receipts/{one['receipt']}") if one["receipt"] else one for one in receipts]


def pages(api: Api, path: str, params: Mapping[str, Any], way: str = "next") -> Iterator[list[Any]]:
    """Page after page, in the direction of `way`."""
    page = api.ok(path, params)
    yield page["results"]
    while page[way]:
        page = api.ok(path, {**params, "cursor": page[way]})
        yield page["results"]


def database_url() -> str:
    """The test database, for other processes and for connections of one's own."""
    known = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    mine = {ours: connection.settings_dict[theirs] for ours, theirs in known.items()}
    return make_conninfo("", **{name: value for name, value in mine.items() if value})


@contextmanager
def other_connection() -> Iterator[psycopg.Connection[Any]]:
    """Somebody else at the database."""
    with psycopg.connect(database_url()) as other:
        yield other


@contextmanager
def database_away() -> Iterator[None]:
    """Connections are refused, as when PostgreSQL is down."""
    kept = {alias: dict(settings.DATABASES[alias]) for alias in connections}
    for alias in connections:
        connections[alias].close()
        connections[alias].settings_dict |= {"HOST": "127.0.0.1", "PORT": "1"}
    try:
        yield
    finally:
        for alias in connections:
            connections[alias].close()
            connections[alias].settings_dict |= {"HOST": kept[alias]["HOST"], "PORT": kept[alias]["PORT"]}


class Racer:
    """Another process at the test database, which does what it is told."""

    def __init__(self, heard: int, said: int) -> None:
        self.commands, self.answers = os.fdopen(said, "w"), os.fdopen(heard)

    def tell(self, do: str, **how: Any) -> None:
        self.commands.write(orjson.dumps({"do": do, **how}).decode() + "\n")
        self.commands.flush()

    def answer(self) -> Any:
        return orjson.loads(self.answers.readline())


@contextmanager
def racers(count: int, **environment: str) -> Iterator[tuple[list[Racer], Callable[[], None]]]:
    """So many of them, ready, and what kills them all at once; `environment` for theirs."""
    ours, theirs = [], []
    for _ in range(count):
        (their_in, our_out), (our_in, their_out) = os.pipe(), os.pipe()
        ours.append(Racer(our_in, our_out))
        theirs.append((their_in, their_out))
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.racing", *(f"{heard},{said}" for heard, said in theirs)],
        stderr=subprocess.DEVNULL,
        pass_fds=[end for pair in theirs for end in pair],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": database_url(), **environment},
        start_new_session=True,
    )

    def kill() -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    try:
        for pair in theirs:
            for end in pair:
                os.close(end)
        assert [racer.answer() for racer in ours] == ["ready"] * count
        yield ours, kill
    finally:
        kill()
        for racer in ours:
            with suppress(BrokenPipeError):
                racer.commands.close()
            racer.answers.close()
