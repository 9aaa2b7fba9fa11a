"""Rows to and from PostgreSQL in few round trips: prepared statements, and many rows as one JSON parameter."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
import psycopg
from django.db import connections
from psycopg.abc import Buffer
from psycopg.adapt import Loader

Cursor = psycopg.Cursor[Any]
JSON, JSONB = 114, 3802


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

    Raises what Django raises (`django.db.Error`), and joins the transaction that Django has open.
    """
    connection = connections[using]
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as raw:
        raw.adapters.register_loader(JSONB, Parsed)
        raw.adapters.register_loader(JSON, Written)
        yield raw


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
