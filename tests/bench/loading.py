"""A history into the real tables by COPY, with everything that the writer would have kept of it."""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import psycopg
from django.apps import apps
from django.db.models import AutoField

from customers import names
from customers.handles import NORMALISER_VERSION
from customers.incoming import line_id
from tests.bench.history import SCOPED, SOURCE, SOURCE_ID, History, Person
from tests.bench.servers import Database

TABLES = {
    "customers_customer": "id public_id founder_id created_at",
    "customers_identity": "id kind scope value generation raw match_key linkable normaliser_version trust customer_id"
    " created_at",
    "customers_link": "a_id b_id cause evidence trust rules_version created_at created_by undone_by undo_reason",
    "customers_attributeclaim": "identity_id key source value folded trust claimed_at",
    "customers_interaction": "id identity_id source_id source channel kind direction sorted_at rank occurred_at"
    " recorded_at thread subject text agent details attachments state edits part revision digest origin",
}
DERIVED = {
    "customers_contactcount (identity_id, channel, month, count)": """
        SELECT identity_id, channel, date_trunc('month', sorted_at AT TIME ZONE 'UTC')::date, count(*)
          FROM customers_interaction GROUP BY 1, 2, 3""",
    "customers_thread (identity_id, channel, thread, inbound_at, inbound_line, outbound_at)": """
        SELECT identity_id, channel, thread, max(sorted_at) FILTER (WHERE direction = 'inbound'),
               (array_agg(id ORDER BY sorted_at DESC) FILTER (WHERE direction = 'inbound'))[1],
               max(sorted_at) FILTER (WHERE direction = 'outbound' OR kind = 'call')
          FROM customers_interaction WHERE kind <> 'purchase' GROUP BY 1, 2, 3""",
    "customers_change (at, what, identity_id, line_id)": """
        SELECT recorded_at, 'recorded', identity_id, id FROM customers_interaction""",
    """channels_delivery (id, source_id, push, key_id, external_id, digest, size, received_at, due_at, state,
                          recorded_at, lines)""": """
        SELECT origin, source_id, true, 2, origin::text, decode(md5(origin::text), 'hex'), 700, recorded_at,
               recorded_at, 'recorded', recorded_at,
               jsonb_build_array(jsonb_build_object('status', 'recorded', 'matched_by', 'phone', 'interaction', id))
          FROM customers_interaction""",
}
SERIAL = ("customers_customer", "customers_identity", "customers_link", "customers_attributeclaim")
SEQUENCE = "SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
RARE_WORDS = "ALTER INDEX interaction_search ALTER COLUMN 2 SET STATISTICS 500"
SLOW_TO_KEEP = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname NOT LIKE '%%pkey'"


def load(db: Database, history: History) -> dict[str, int]:
    """Everything, and the counts that were found afterwards; raises AssertionError when a row is missing."""
    people = history.people
    identities = sum(len(person.handles) for person in people)
    wanted = {
        "customers_customer": len(people),
        "customers_identity": identities,
        "customers_link": identities - len(people),
        "customers_attributeclaim": len(people),
        "customers_interaction": history.scale,
        "customers_change": history.scale,
        "channels_delivery": history.scale,
    }
    with db.transaction():
        db.execute("SET CONSTRAINTS ALL DEFERRED")
        copy(db, "customers_customer", customers(history))
        copy(db, "customers_identity", (row for person in people for row in identity_rows(person, history)))
        copy(db, "customers_link", (row for person in people for row in links(person, history)))
        copy(db, "customers_attributeclaim", (claim(person, history) for person in people))
    with db.transaction():
        # Built at the end, in parallel: keeping them while rows come takes several times as long.
        indexes = db.execute(SLOW_TO_KEEP, ("customers_interaction",)).fetchall()
        for name, _ in indexes:
            db.execute(f"DROP INDEX {name}".encode())
        copy(db, "customers_interaction", lines(history))
        db.execute("SET LOCAL maintenance_work_mem = '512MB'")
        for _, definition in indexes:
            db.execute(definition.encode())
        db.execute(RARE_WORDS)  # An index's definition does not tell of its statistics.
    for into, select in DERIVED.items():
        derive(db, into, select)
    for table in SERIAL:
        db.execute(SEQUENCE.format(table=table).encode())
    db.execute("VACUUM (ANALYZE)")
    db.execute("CHECKPOINT")
    found = counts(db, *wanted)
    assert found == wanted, f"loaded {found}, wanted {wanted}"
    contacts = db.execute("SELECT sum(count) FROM customers_contactcount").fetchone()
    assert contacts == (history.scale,), f"{contacts} contacts counted, wanted {history.scale}"
    return found


def counts(db: Database, *tables: str) -> dict[str, int]:
    found = {}
    for table in tables:
        row = db.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
        assert row is not None
        found[table] = int(row[0])
    return found


def unsaid(table: str, given: list[str]) -> dict[str, Any]:
    """The other columns that must not be null, as the models fill them."""
    (model,) = (model for model in apps.get_models() if model._meta.db_table == table)
    fields = [field for field in model._meta.concrete_fields if not field.null and field.column not in given]
    plain = [field for field in fields if not field.has_db_default() and not isinstance(field, AutoField)]
    values = {str(field.column): field.get_default() for field in plain}
    return {
        name: orjson.dumps(value).decode() if isinstance(value, list | dict) else value
        for name, value in values.items()
    }


def derive(db: Database, into: str, select: str) -> None:
    """Insert what a query over the lines gives."""
    table, given = into.split(" ", 1)
    names = [name.strip() for name in given.strip("()\n ").split(",")]
    more = unsaid(table, names)
    constants = "".join(f", {name}" for name in more)
    values = "".join(f", %s AS {name}" for name in more)
    query = f"INSERT INTO {table} ({', '.join(names)}{constants}) SELECT found.*{values} FROM ({select}) found"
    psycopg.ClientCursor(db).execute(query.encode(), list(more.values()))


def copy(db: Database, table: str, rows: Iterator[tuple[Any, ...]]) -> None:
    names = TABLES[table].split()
    more = unsaid(table, names)
    constants = tuple(more.values())
    with db.cursor().copy(f"COPY {table} ({', '.join([*names, *more])}) FROM STDIN".encode()) as out:
        for row in rows:
            out.write_row(row + constants)


def customers(history: History) -> Iterator[tuple[Any, ...]]:
    start = history.end - timedelta(days=1200)
    for person in history.people:
        yield person.number, person.public_id, person.first_identity, start


def identity_rows(person: Person, history: History) -> Iterator[tuple[Any, ...]]:
    for place, (kind, value) in enumerate(person.handles):
        scope = SOURCE if kind in SCOPED else ""
        id_ = person.first_identity + place
        start = history.end - timedelta(days=1200)
        yield id_, kind, scope, value, 0, value, "", True, NORMALISER_VERSION, 2, person.number, start


def links(person: Person, history: History) -> Iterator[tuple[Any, ...]]:
    first = person.first_identity
    for place in range(1, len(person.handles)):
        yield first, first + place, "event", '{"source": "bench"}', 2, 1, history.end, "rules", "", ""


def claim(person: Person, history: History) -> tuple[Any, ...]:
    name = f"Клиент {person.number} Иванович"
    return person.first_identity, "name", SOURCE, f'"{name}"', names.fold(name), 2, history.end - timedelta(days=1100)


def lines(history: History) -> Iterator[tuple[Any, ...]]:
    rng = random.Random("ids")
    for person, which, at, said in history.lines():
        milliseconds = int(at.timestamp() * 1000)
        delivery = UUID(int=milliseconds << 80 | 7 << 76 | rng.getrandbits(12) << 64 | 2 << 62 | rng.getrandbits(62))
        yield (
            line_id(SOURCE_ID, str(delivery)),
            person.first_identity + which,
            SOURCE_ID,
            SOURCE,
            said["channel"],
            said["kind"],
            said["direction"],
            at,
            0,
            at,
            at + timedelta(seconds=1),
            said.get("thread", ""),
            said.get("subject", ""),
            said["text"],
            orjson.dumps(said["agent"]).decode() if "agent" in said else None,
            orjson.dumps(said.get("details", {})).decode(),
            "[]",
            said.get("state", ""),
            "[]",
            "main",
            0,
            f"{rng.getrandbits(64):016x}",
            delivery,
        )
