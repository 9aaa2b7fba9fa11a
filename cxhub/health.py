"""Whether the web process serves (`/healthz`), and whether all of cxhub is well (`/readyz`)."""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from threading import Lock
from typing import Any, Final

import orjson
import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from customers import replica
from customers.patience import patience
from customers.sql import Cursor, cursor
from cxhub.heartbeats import AGES, FORGOTTEN, LATE, OPTIONAL

DATABASE_SECONDS = 0.7
BROKER_SECONDS = 0.15
FRESH = 1.0
"""An answer is kept for a second: whoever asks often does not ask the database."""
BACKLOG_SECONDS = 60.0
"""What is stored is in its timeline within a second as a rule; older than this, something is wrong."""

BACKLOG = """
SELECT extract(epoch FROM clock_timestamp() - received_at) FROM channels_delivery
 WHERE state = 'accepted' AND NOT failed AND replays = 0 ORDER BY due_at, id LIMIT 1
"""
APPLIED = "SELECT app, name FROM django_migrations WHERE app = ANY(%s)"
Check = dict[str, Any]


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while this process answers; it asks neither PostgreSQL nor Valkey."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """503 only without a database; `degraded` still takes and shows everything, but somebody should look."""
    found = latest()
    answer = HttpResponse(
        orjson.dumps(found) + b"\n",
        status=503 if found["status"] == "down" else 200,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
    if answer.status_code == 503:
        answer["Retry-After"] = "5"
    return answer


_lock, _kept = Lock(), {"at": 0.0, "found": {}}


def latest() -> dict[str, Any]:
    """What was found within the last second, by one thread for all that ask; at most about a second's wait."""
    with _lock:
        if time.monotonic() - _kept["at"] > FRESH:  # type: ignore[operator]
            _kept.update(found=look(), at=time.monotonic())
        return _kept["found"]  # type: ignore[return-value]


def look() -> dict[str, Any]:
    checks: dict[str, Check] = {"broker": broker()}
    try:
        with patience(DATABASE_SECONDS, tells=False), cursor() as sql:
            checks["database"] = {"status": "ok"}
            for check in CHECKS:
                checks |= check(sql)
    except (DatabaseError, InterfaceError):
        checks["database"] = {"status": "failing"}
        return {"status": "down", "checks": checks}
    well = all(check["status"] == "ok" for check in checks.values())
    return {"status": "ready" if well else "degraded", "checks": checks}


def broker() -> Check:
    """Whether Valkey answers: without it, `sweep` does all the work a little later."""
    with suppress(redis.RedisError, OSError, ValueError), asking() as broker:
        broker.ping()
        return {"status": "ok"}
    return {"status": "failing"}


def asking() -> redis.Redis:
    """A connection that waits for nobody."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=BROKER_SECONDS, socket_timeout=BROKER_SECONDS, retry=None
    )


def schema(sql: Cursor) -> dict[str, Check]:
    """Whether `migrate` ran for what is installed."""
    wanted = migrations()
    sql.execute(APPLIED, (sorted({app for app, _ in wanted}),))
    missing = len(wanted - set(sql.fetchall()))
    return {"schema": {"status": "failing", "missing": missing} if missing else {"status": "ok"}}


@lru_cache(maxsize=1)
def migrations() -> frozenset[tuple[str, str]]:
    loader = MigrationLoader(None)
    return frozenset(loader.graph.leaf_nodes())


def processes(sql: Cursor) -> dict[str, Check]:
    """Who has not got his work done for too long."""
    sql.execute(AGES.encode())
    ages = {process: float(age) for process, age in sql.fetchall()}
    found = {}
    for process, late in LATE.items():
        age = ages.get(process)
        if process in OPTIONAL and (age is None or age > FORGOTTEN):
            continue
        told = {} if age is None else {"age_seconds": round(age, 1)}
        found[process] = {"status": "ok" if age is not None and age < late else "late", **told}
    return found


def backlog(sql: Cursor) -> dict[str, Check]:
    """How long the oldest delivery that never failed has waited to be recorded."""
    sql.execute(BACKLOG.encode())
    row = sql.fetchone()
    age = max(float(row[0]), 0.0) if row else 0.0
    return {"backlog": {"status": "ok" if age < BACKLOG_SECONDS else "late", "age_seconds": round(age, 1)}}


def far(sql: Cursor) -> dict[str, Check]:
    """Whether the replica answers and is hardly behind; reads go to the primary meanwhile."""
    if not replica.configured():
        return {}
    replica.WATCH.begin()
    replica.WATCH.looked.wait(0.1)
    status = replica.WATCH.status()
    told = {} if status.lag is None else {"lag_seconds": round(status.lag, 1)}
    return {"replica": {"status": "ok" if status.good else "late", **told}}


CHECKS: Final[tuple[Callable[[Cursor], dict[str, Check]], ...]] = (schema, processes, backlog, far)
"""Each is asked within the same 0.7 seconds, and only `database` may make the whole `down`."""
