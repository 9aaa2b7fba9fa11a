"""The tables of the experience: rows of a fold replace those of the fold before it, and nothing else is touched."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db.models import Field, Model

from customers.experience.contacts import moment
from customers.experience.engine import Row
from customers.models import Expectation, Experience, Feedback, Promise, Request, Score, StageChange, Touch
from customers.sql import Cursor, as_json

Rows = Mapping[int, tuple[Mapping[Any, Row], datetime]]
"""{customer: (rows by key, since when they replace what stands)}"""

TYPES = {
    "UUIDField": "uuid",
    "BigIntegerField": "bigint",
    "IntegerField": "int",
    "SmallIntegerField": "smallint",
    "DateTimeField": "timestamptz",
    "DateField": "date",
    "TextField": "text",
    "FloatField": "float8",
    "BooleanField": "bool",
    "JSONField": "jsonb",
}


OTHERS = frozenset({"noted"})
"""Columns that are no fold's: who notes an outcome on the timeline says so there."""


def type_of(field: "Field[Any, Any]") -> str:
    """The PostgreSQL type of a column."""
    base = getattr(field, "base_field", None)
    return type_of(base) + "[]" if base is not None else TYPES[field.get_internal_type()]


class Table:
    """One model's columns; rows carry microseconds where a column has a time."""

    def __init__(self, model: type[Model], name: str, key: Sequence[str], order: str) -> None:
        self.name, self.key, self.order = name, tuple(key), order
        self.table = model._meta.db_table
        fields = [field for field in model._meta.concrete_fields if field.get_internal_type() != "BigAutoField"]
        self.columns = {field.attname: type_of(field) for field in fields}
        self.defaults = {field.attname: field.get_default() for field in fields if field.attname not in self.key}
        self.times = [name for name, kind in self.columns.items() if kind == "timestamptz"]
        typed = ", ".join(f"{name} {kind}" for name, kind in self.columns.items())
        self.source = f"json_to_recordset(%s::json) AS x({typed})"
        names = ", ".join(self.columns)
        others = [name for name in self.columns if name not in self.key and name not in OTHERS]
        self.upsert = (
            f"INSERT INTO {self.table} AS t ({names}) SELECT {names} FROM {self.source}"
            f" ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {', '.join(f'{n} = excluded.{n}' for n in others)}"
            f" WHERE ({', '.join('t.' + n for n in others)})"
            f" IS DISTINCT FROM ({', '.join('excluded.' + n for n in others)})"
        )
        keys = ", ".join(f"{name} {self.columns[name]}" for name in dict.fromkeys(("customer_id", *self.key)))
        self.clear = (
            f"DELETE FROM {self.table} t USING json_to_recordset(%s::json) AS s(customer_id bigint, since timestamptz)"
            f" WHERE t.customer_id = s.customer_id AND {order} AND NOT EXISTS (SELECT 1 FROM"
            f" json_to_recordset(%s::json) AS k({keys}) WHERE {' AND '.join(f'k.{n} = t.{n}' for n in self.key)})"
        )

    def row(self, said: Row) -> dict[str, Any]:
        row = {**self.defaults, **said}
        for name in self.times:
            if isinstance(row[name], int):
                row[name] = moment(row[name])
        return {name: row[name] for name in self.columns}

    def replace(self, sql: Cursor, made: Rows) -> None:
        """The rows of these customers from `since` on are these; unchanged ones are not written."""
        rows = [
            self.row({**row, **self.keyed(key), "customer_id": customer})
            for customer, (found, _) in made.items()
            for key, row in found.items()
        ]
        rows.sort(key=lambda row: tuple(str(row[name]) for name in self.key))
        spans = [{"customer_id": customer, "since": since} for customer, (_, since) in sorted(made.items())]
        keys = [{name: row[name] for name in dict.fromkeys(("customer_id", *self.key))} for row in rows]
        sql.execute(self.clear.encode(), (as_json(spans), as_json(keys)))
        if rows:
            sql.execute(self.upsert.encode(), (as_json(rows),))

    def keyed(self, key: Any) -> Row:
        return {"id": key} if self.key == ("id",) else dict(zip(self.key[1:], key, strict=True))

    def update(self, sql: Cursor, rows: Sequence[Row], but: str = "") -> None:
        """Rows that are there; the column `but` stays as it is."""
        if rows:
            names = [name for name in self.columns if name not in (*self.key, *OTHERS, but)]
            statement = (
                f"UPDATE {self.table} t SET {', '.join(f'{name} = x.{name}' for name in names)} FROM {self.source}"
                f" WHERE {' AND '.join(f't.{name} = x.{name}' for name in self.key)}"
            )
            sql.execute(statement.encode(), (as_json([self.row(row) for row in rows]),))


def derived(model: type[Model], name: str) -> Table:
    return Table(model, name, ("id",), "t.at > s.since")


DERIVED: Final = (
    derived(Promise, "promises"),
    derived(Request, "requests"),
    derived(Expectation, "expectations"),
    derived(Score, "scores"),
    derived(Feedback, "feedback"),
    derived(StageChange, "stages"),
)
TOUCHES: Final = Table(
    Touch, "touches", ("customer_id", "month", "stage", "channel"), "t.month >= date_trunc('month', s.since)::date"
)
EXPERIENCE: Final = Table(Experience, "summary", ("customer_id",), "true")
