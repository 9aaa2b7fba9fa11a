"""Lines of the log: the id of the request in each, nobody's data in any; the same id in the answer and in problems."""

import io
import json
import logging
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import shared_task
from django.db import IntegrityError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import path

from customers import figures, tracing
from cxhub.logs import Json, Plain
from cxhub.observing import ObservingMiddleware
from tests.support import COMMITTED, everything

pytestmark = COMMITTED
PLANTED = "+79120009999"


def planted(request: HttpRequest, number: str) -> HttpResponse:
    """Fails as a writer does: what PostgreSQL says quotes the row."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE said (number text PRIMARY KEY) ON COMMIT DROP")
        for _ in range(2):
            cursor.execute("INSERT INTO said VALUES (%s)", [PLANTED])
    return HttpResponse()


urlpatterns = [path("planted/<number>", planted)]


@pytest.fixture(params=[Json, Plain])
def written(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What goes to the log."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(request.param())
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize("given", ["a-sane-token.17", "f" * 64])
def test_a_sane_id_is_kept(committed: None, given: str) -> None:
    assert Client().get("/healthz", headers={"X-Request-Id": given})["X-Request-Id"] == given


@pytest.mark.parametrize(
    "given", ["", "short", "f" * 65, "two words and", "line\nbreak-17", "юникод-юникод", '"quoted"id']
)
def test_any_other_id_is_replaced(committed: None, given: str) -> None:
    answer = ObservingMiddleware(lambda _: HttpResponse())(
        RequestFactory().get("/healthz", headers={"X-Request-Id": given})
    )
    assert re.fullmatch("[0-9a-f]{16}", answer["X-Request-Id"])


def test_a_problem_names_the_request(committed: None) -> None:
    answer = everything().get("customers/nobody", X_Request_Id="request-of-a-test")
    assert answer.json()["request_id"] == answer["X-Request-Id"] == "request-of-a-test"


def test_a_failure_is_told_without_what_it_says(committed: None, settings: Any, written: io.StringIO) -> None:
    settings.ROOT_URLCONF = __name__
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
    client = Client(raise_request_exception=False)
    try:
        answer = client.get(f"/planted/{PLANTED}", headers={"X-Request-Id": "request-of-a-test"})
    finally:
        connection.close()
    said = written.getvalue()
    assert answer.status_code == 500
    assert "UniqueViolation" in said
    assert "planted/<number>" in said
    assert "tests/test_logs.py" in said
    assert "request-of-a-test" in said
    assert PLANTED not in said
    assert str(Path(__file__).parent.parent) not in said


def test_each_line_is_one_object(committed: None) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Json())
    logger = logging.getLogger("test of lines")
    logger.addHandler(handler)
    logger.propagate = False
    tracing.begin("request-of-a-test")
    try:
        raise IntegrityError(PLANTED) from ValueError(PLANTED)
    except IntegrityError:
        logger.exception("two\nlines of %s", "Юлия")
    (line,) = stream.getvalue().splitlines()
    found = json.loads(line)
    assert found["message"] == "two\nlines of Юлия"
    assert (found["level"], found["logger"], found["request_id"]) == ("ERROR", "test of lines", "request-of-a-test")
    assert [step for step in found["trouble"] if "Error" in step] == [
        "django.db.utils.IntegrityError",
        "builtins.ValueError",
    ]
    assert PLANTED not in line


def test_requests_are_told_when_wanted_and_slow_ones_always(
    committed: None, settings: Any, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    Client().get("/healthz")
    assert "healthz" not in written.getvalue()
    settings.CXHUB_LOG_REQUESTS = True
    Client().get("/hooks/telegram/a-key-that-is-a-secret")
    assert "hooks/<provider>/<key>" in written.getvalue()
    assert "a-key-that-is-a-secret" not in written.getvalue()
    settings.CXHUB_LOG_REQUESTS = False
    monkeypatch.setattr("cxhub.observing.SLOW", 0)
    Client().get("/readyz")
    assert "readyz" in written.getvalue()


@pytest.mark.parametrize(
    ("address", "route", "outcome"),
    [
        ("/healthz", "healthz", "2xx"),
        ("/hooks/telegram/unknown", "hooks/<provider>/<key>", "4xx"),
        ("/api/v1/customers/+79120009999", "api/v1/customers/<str:customer>", "4xx"),
        ("/no/such/+79120009999", "unknown", "4xx"),
        ("/static/no/such/file", "static", "4xx"),
    ],
)
def test_latency_is_counted_by_route(committed: None, address: str, route: str, outcome: str) -> None:
    figures.gathered.take()
    Client().get(address)
    counted = figures.gathered.take()
    assert counted["requests", route, "GET", outcome, "sum"] > 0
    assert not [series for series in counted if PLANTED in "".join(series)]


def test_a_bad_format_fails_at_the_start(root: Path) -> None:
    code = "import os; os.environ['CXHUB_LOG'] = 'xml'; import cxhub.logs"
    failed = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert "CXHUB_LOG must be json or plain" in failed.stderr


def test_what_a_task_logs_has_its_id(written: io.StringIO) -> None:
    done = say_something.apply(task_id="task-of-a-test")
    assert done.successful()
    assert "task-of-a-test" in written.getvalue()


def test_what_a_failed_task_says_is_left_out(written: io.StringIO) -> None:
    assert fail.apply(task_id="task-of-a-test").failed()
    assert "ValueError" in written.getvalue()
    assert "task tests.fail failed" in written.getvalue()
    assert PLANTED not in written.getvalue()


@shared_task(name="tests.say_something")
def say_something() -> None:
    logging.getLogger("test of tasks").warning("something")


@shared_task(name="tests.fail")
def fail() -> None:
    raise ValueError(PLANTED)


@pytest.mark.long
def test_what_was_counted_is_added_again_and_again(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "EVERY", 0.05)
    stop = threading.Event()
    figures.keep_flushing(stop)
    try:
        for number in (1, 2):
            figures.add("accepts", "push", "accepted")
            deadline = time.monotonic() + 30
            while figures.read().get(("accepts", "push", "accepted")) != number:
                assert time.monotonic() < deadline
                time.sleep(0.02)
    finally:
        stop.set()
        next(thread for thread in threading.enumerate() if thread.name == "figures").join(30)
