"""Rows to and from PostgreSQL in few round trips: prepared statements, and many rows as one JSON parameter."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import orjson
import psycopg
from django.db import OperationalError, connections
from psycopg import _queries, errors
from psycopg.abc import Buffer
from psycopg.adapt import Loader

from customers import replica

Cursor = psycopg.Cursor[Any]
JSON, JSONB = 114, 3802
_queries.MAX_CACHED_STATEMENT_LENGTH = 16_384
"""Up to this length psycopg remembers how it reads a statement; the longest of ours is asked for with each card."""
SMALL = 100
"""Rows."""
OPENED = threading.local()
"""After how many falls of the replica this thread's connection to it was opened."""
REFUSED = (errors.ReadOnlySqlTransaction, errors.ObjectNotInPrerequisiteState, errors.SerializationFailure)
"""What a replica does not do, and what it breaks off because the primary's writes come first."""


class Parsed(Loader):
    """Columns are jsonb: they come as values."""

    def load(self, data: Buffer) -> Any:
        return orjson.loads(data)


class Written(Loader):
    """What a statement writes for an answer is json: it stays the bytes that are sent."""

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


@contextmanager
def cursor(using: str = "default") -> Iterator[Cursor]:
    """A cursor of psycopg's own on Django's connection: it prepares statements on the server, Django's does not.

    `default` is for work and joins the transaction that Django has open; whoever asks then reads what he wrote.
    `reading` is for what a request shows: from the replica where that is new enough (`customers.replica`), else from
    the primary. `noting` is for what a read notes: the primary, where a crash may cost the last second.
    Raises what Django raises (`django.db.Error`).
    """
    if using == "default":
        replica.stay_on_primary()
    elif using == "reading" and replica.serves():
        with on_replica() as far:
            if far is not None:
                yield far
                return
    connection = connections["default" if using == "default" else "reading"]
    connection.ensure_connection()
    with connection.wrap_database_errors, lent(connection.connection) as sql:
        yield sql


@contextmanager
def lent(connection: Any) -> Iterator[Cursor]:
    """A cursor of before, which has learnt how values are read; a new one costs a tenth of a read of the timeline."""
    spare = connection.__dict__.setdefault("spare", [])
    sql = spare.pop() if spare else prepared(psycopg.Cursor(connection))
    yield sql  # One that failed is left alone.
    if sql.rowcount <= SMALL:  # It keeps its last answer until it is asked again.
        spare.append(sql)


@contextmanager
def noting(sql: Cursor) -> Iterator[Cursor]:
    """Where a read may note something: the cursor itself, or one on the primary when it reads from the replica."""
    if isinstance(sql, FarCursor):
        with cursor("noting") as near:
            yield near
    else:
        yield sql


def is_far(sql: Cursor) -> bool:
    """Whether the next statement is asked of the replica, which notes nothing and may be a moment behind."""
    return isinstance(sql, FarCursor) and sql.near is None


def prepared(raw: Cursor) -> Cursor:
    raw.adapters.register_loader(JSONB, Parsed)
    raw.adapters.register_loader(JSON, Written)
    return raw


@contextmanager
def on_replica() -> Iterator["FarCursor | None"]:
    """A cursor on the replica; None where there is no getting at it."""
    connection = connections[replica.ALIAS]
    if OPENED.__dict__.get("falls") != replica.WATCH.falls:  # What was open before it fell is of no use.
        connection.close()
        OPENED.falls = replica.WATCH.falls
    try:
        connection.ensure_connection()
    except OperationalError:
        replica.WATCH.failed()
        connection.close()
        yield None
        return
    with ExitStack() as stack:
        stack.enter_context(connection.wrap_database_errors)
        far = FarCursor(connection.connection)
        prepared(far)
        stack.callback(far.leave)
        yield far


class FarCursor(psycopg.Cursor[Any]):
    """Reads from the replica; what that cannot do, or does not answer in time, the primary does instead.

    Each statement stands by itself there, so that one which failed can be repeated.
    """

    near: Cursor | None = None
    stack: ExitStack | None = None

    def execute(self, query: Any, params: Any = None, **how: Any) -> "FarCursor":
        if self.near is None and not replica.serves():  # Something was written since, or it fell behind.
            self.go_near()
        if self.near is None:
            try:
                with replica.WATCH.using(self.connection):
                    super().execute(query, params, **how)
            except REFUSED:
                self.go_near()
            except errors.QueryCanceled:
                raise
            except psycopg.OperationalError:
                replica.WATCH.failed()
                self.go_near()
            else:
                return self
        assert self.near is not None
        self.near.execute(query, params, **how)
        return self

    def go_near(self) -> None:
        """From here on it is a cursor on the primary, for the rest of the request."""
        replica.stay_on_primary()
        self.stack = ExitStack()
        self.near = self.stack.enter_context(cursor("reading"))

    def leave(self) -> None:
        if self.stack is not None:
            self.stack.close()
        if self.connection.closed or self.connection.broken:
            connections[replica.ALIAS].close()
        self.close()

    def fetchone(self) -> Any:
        return super().fetchone() if self.near is None else self.near.fetchone()

    def fetchmany(self, size: int = 0) -> list[Any]:
        return super().fetchmany(size) if self.near is None else self.near.fetchmany(size)

    def fetchall(self) -> list[Any]:
        return super().fetchall() if self.near is None else self.near.fetchall()

    def nextset(self) -> bool | None:
        return super().nextset() if self.near is None else self.near.nextset()

    def __next__(self) -> Any:
        return super().__next__() if self.near is None else next(self.near)

    @property
    def description(self) -> list[psycopg.Column] | None:
        return super().description if self.near is None else self.near.description

    @property
    def rowcount(self) -> int:
        return super().rowcount if self.near is None else self.near.rowcount


def as_json(value: object) -> str:
    """JSON for a parameter; dates in UTC with microseconds, UUIDs as text."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS).decode()


class Rows:
    """A table's columns with their PostgreSQL types, so that many rows travel as one JSON array."""

    def __init__(self, table: str, **columns: str) -> None:
        self.table = table
        self.names = ", ".join(columns)
        self.typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        self.set = ", ".join(f"{name} = x.{name}" for name in columns if name != "id")

    @property
    def source(self) -> str:
        """`x`, the rows of the parameter, for a FROM clause."""
        return f"json_to_recordset(%s::json) AS x({self.typed})"

    def insert(self, cursor: Cursor, rows: Sequence[Mapping[str, object]], rest: str = "") -> list[tuple[Any, ...]]:
        """Insert in the order given (sort it: concurrent writers then never wait in a circle)."""
        if not rows:
            return []
        statement = f"INSERT INTO {self.table} ({self.names}) SELECT {self.names} FROM {self.source} {rest}"
        cursor.execute(statement.encode(), (as_json(rows),))
        return cursor.fetchall() if cursor.description else []

    def update(self, cursor: Cursor, rows: Sequence[Mapping[str, object]], where: str) -> list[tuple[Any, ...]]:
        if not rows:
            return []
        cursor.execute(
            f"UPDATE {self.table} AS t SET {self.set} FROM {self.source} WHERE {where}".encode(), (as_json(rows),)
        )
        return cursor.fetchall() if cursor.description else []
