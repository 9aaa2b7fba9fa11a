"""Lines of the log for people or for machines, each with the id of its request or task; nobody's data in any.

Of an exception only its kind and place are written: what it says may quote a row of the database, and with it a
customer. Of a request only the pattern of its address: the address itself may hold a key.
"""

import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from traceback import walk_tb
from typing import Any

import orjson
from django.core.exceptions import ImproperlyConfigured

from customers.tracing import REQUEST
from cxhub.environment import env_bool

__all__ = ["CXHUB_LOG", "CXHUB_LOG_REQUESTS", "LOGGING"]

CXHUB_LOG = os.environ.get("CXHUB_LOG") or "plain"
"""`json`: one object a line, for machines; `plain`: for people."""

CXHUB_LOG_REQUESTS = env_bool("CXHUB_LOG_REQUESTS", default=False)
"""Whether each request gets a line; slow ones (1 s) and failures of ours always do."""

if CXHUB_LOG not in ("json", "plain"):
    raise ImproperlyConfigured(f"CXHUB_LOG must be json or plain, not {CXHUB_LOG!r}")

FRAMES = 12
ROOT = Path(__file__).resolve().parent.parent


class Plain(logging.Formatter):
    """`2026-11-22 19:40:01,204 WARNING cxhub.requests … [a1b2c3d4e5f60718]`"""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{self.formatTime(record)} {record.levelname} {record.name} {words(record)}"
        if id_ := task() or REQUEST.get():
            line += f" [{id_}]"
        return "\n".join([line, *(f"  {step}" for step in trouble(record))])


class Json(logging.Formatter):
    """`{"at":…,"level":…,"logger":…,"message":…,"request_id":…}`"""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": words(record),
            "pid": record.process,
        }
        if id_ := REQUEST.get():
            line["request_id"] = id_
        if id_ := task():
            line["task_id"] = id_
        line |= getattr(record, "told", {})
        if steps := list(trouble(record)):
            line["trouble"] = steps
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def words(record: logging.LogRecord) -> str:
    request = getattr(record, "request", None)
    if record.name.startswith("django.") and request is not None:
        from cxhub.observing import route_of

        return f"{getattr(record, 'status_code', '')} {request.method} {route_of(request)}".strip()
    if record.name.startswith("celery.") and record.exc_info:
        return f"task {getattr(record, 'data', {}).get('name', '')} failed"
    return record.getMessage()


def trouble(record: logging.LogRecord) -> Iterator[str]:
    """The kind of an exception and of what caused it, and where: the innermost steps."""
    error = record.exc_info[1] if record.exc_info else None
    while error is not None:
        yield f"{type(error).__module__}.{type(error).__qualname__}"
        for frame, number in list(walk_tb(error.__traceback__))[-FRAMES:]:
            yield f"{place(frame.f_code.co_filename)}:{number} in {frame.f_code.co_name}"
        error = error.__cause__


def place(path: str) -> str:
    """Below the repository or below site-packages; where they lie is nobody's business."""
    for top in ("site-packages/", f"{ROOT}/"):
        if top in path:
            return path.rpartition(top)[2]
    return path


def task() -> str:
    """The id of the Celery task that is being worked on."""
    from celery import current_task

    request = getattr(current_task, "request", None)  # A proxy, of nothing outside of tasks.
    return str(request.id or "") if request is not None else ""


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"()": "cxhub.logs.Plain"}, "json": {"()": "cxhub.logs.Json"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": CXHUB_LOG}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("CXHUB_LOG_LEVEL") or "INFO"},
    "loggers": {
        # Django would add handlers of its own.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        "axes": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        # Nudges expire by the hundred, and beat has something due every ten seconds.
        "celery.worker.request": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
    },
}
