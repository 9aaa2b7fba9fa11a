"""Django's migrate, beside a cxhub that works: it waits shortly for locks, so that nobody waits long for it."""

import time
from collections.abc import Callable
from typing import Any

from django.core.management.commands.migrate import Command as Migrate
from django.db import connections
from django.db.utils import OperationalError
from psycopg.errors import LockNotAvailable

LOCK = "5s"
"""Whoever waits for a lock makes all wait that come after him."""
TRIES, PAUSE = 20, 3.0


class Command(Migrate):
    """A migration that did not get its locks in time is tried again, from the first that is not recorded."""

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        with connection.execute_wrapper(unhurried):
            for left in reversed(range(TRIES)):
                with connection.cursor() as cursor:  # An index on a big table takes longer than a request may.
                    cursor.execute(f"SET lock_timeout = '{LOCK}'; SET statement_timeout = 0")
                try:
                    super().handle(*args, **options)
                    break
                except OperationalError as error:
                    if not isinstance(error.__cause__, LockNotAvailable) or not left:
                        raise
                    self.stderr.write(f"A lock was not to be had in {LOCK}: once more.")
                    time.sleep(PAUSE)
                finally:
                    connection.close()  # The next one has the settings of a request again.


def unhurried(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """What is made concurrently waits for others and hinders nobody: broken off, it would leave a broken index."""
    if "CONCURRENTLY" not in str(sql).upper():
        return execute(sql, params, many, context)
    raw = context["connection"].connection
    raw.execute("SET lock_timeout = 0")
    try:
        return execute(sql, params, many, context)
    finally:
        raw.execute(f"SET lock_timeout = '{LOCK}'")
