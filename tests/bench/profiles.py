"""`python -m tests.bench profile`: where each microsecond of a page, of a push and of the drain goes."""

import io
from collections.abc import Callable, Sequence
from typing import Any
from unittest.mock import patch

import orjson
import psycopg
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections

from channels import accepting
from channels.draining import drain_all
from customers import timeline
from customers.sql import cursor
from tests.bench.access import Access
from tests.bench.clocks import Work, by_function, by_processor, by_statement
from tests.bench.history import History
from tests.bench.reading import choices
from tests.bench.servers import Bench
from tests.bench.stream import Stream

BATCH = 500


class Caller:
    """Calls the application in this process, the way the server does."""

    def __init__(self, key: str) -> None:
        self.application = WSGIHandler()
        self.key = key

    def __call__(self, method: str, path: str, *, query: str = "", body: bytes = b"", status: str = "200") -> bytes:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_AUTHORIZATION": f"Bearer {self.key}",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
        }
        given: list[str] = []

        def start(line: str, headers: object, failure: object = None, /) -> Callable[[bytes], object]:
            given.append(line)
            return lambda _: None

        answer = b"".join(self.application(environ, start))
        assert given[0].startswith(status), (given, answer[:300])
        return answer


def show(bench: Bench, history: History, access: Access, batches: int) -> None:
    """Print all of it; nobody else works on these servers meanwhile."""
    # Whoever nudges a worker that is not there costs time that is not asked for.
    with patch.object(accepting, "nudge", lambda: None):
        for text in (*pages(history, access), *events(history, access, batches), plan(bench, history)):
            print(f"\n{text}", flush=True)
    connections.close_all()


def pages(history: History, access: Access) -> list[str]:
    call = Caller(access.read)
    people = choices(history)["traffic-weighted"]

    def work() -> int:
        for person in people:
            call("GET", f"/api/v1/customers/{person.public_id}/timeline")
        return len(people)

    def nothing() -> int:
        for _ in people:
            call("GET", "/healthz")
        return len(people)

    work()
    return [
        by_statement("GET timeline", work),
        by_processor("GET timeline", work, backend("reading")),
        by_statement("the same middleware around a view that does nothing", nothing),
        by_function("GET timeline", work),
    ]


def events(history: History, access: Access, batches: int) -> list[str]:
    call, stream = Caller(access.ingest), Stream(history)

    def pushing(count: int, size: int) -> Work:
        said = [event.said for event in stream.events(count * size)]
        bodies = [orjson.dumps(said[place : place + size]) for place in range(0, len(said), size)]

        def work() -> int:
            for body in bodies:
                call("POST", "/api/v1/events", body=body, status="202")
            return count * size

        return work

    def drain() -> int:
        return drain_all(seconds=600)

    pushing(batches, BATCH)()
    drain()
    found = [by_statement("single pushes", pushing(50 * batches, 1))]
    found += [by_processor("single pushes", pushing(50 * batches, 1), backend("default"))]
    found += [by_statement("events pushed in batches", pushing(batches, BATCH)), by_statement("events drained", drain)]
    found += [by_processor("events pushed in batches", pushing(batches, BATCH), backend("default"))]
    found += [by_processor("events drained", drain, backend("default"))]
    found += [by_function("events pushed in batches", pushing(batches, BATCH)), by_function("events drained", drain)]
    return found


def backend(using: str) -> int:
    """The server's process for our connection."""
    with cursor(using) as sql:
        sql.execute("SELECT pg_backend_pid()")
        (pid,) = sql.fetchone() or (0,)
    return int(pid)


def plan(bench: Bench, history: History) -> str:
    statement, params = timeline.page_sql(timeline.Filters(), None, "desc")
    person = history.people[0].public_id
    params |= {"public_id": person, "customer": None, "limit": 51, "viewer": "nobody", "path": ""}
    with bench.connect() as db:
        rows: Sequence[tuple[str]] = (
            psycopg.ClientCursor(db).execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement}".encode(), params).fetchall()
        )
    return "\n".join(["a page of the heaviest customer:", *(row[0] for row in rows)])
