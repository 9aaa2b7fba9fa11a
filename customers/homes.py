"""Where lines live when they are spread over several servers: a narrow ledger on one of them.

There no index over all lines keeps an id unique, and no row lock reaches all servers: the ledger does both. Nothing is
written to it while all lines are in one place (`CXHUB_DISTRIBUTED`, `manage.py distribute`).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings

from customers.sql import Cursor, Rows

HOMES = Rows("customers_linehome", id="uuid", identity_id="bigint")
HOLD = "SELECT id, identity_id FROM customers_linehome WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"


def apart() -> bool:
    """Whether lines are keyed by their identity, so that they can be spread."""
    return bool(settings.CXHUB_DISTRIBUTED)


def table() -> str:
    """What to ask where a line lives."""
    return "customers_linehome" if apart() else "customers_interaction"


def locate(sql: Cursor, ids: Sequence[UUID]) -> dict[UUID, int]:
    """Where lines live: {line: identity}. The one place that knows how to ask this."""
    if not ids:
        return {}
    sql.execute(f"SELECT id, identity_id FROM {table()} WHERE id = ANY(%s)", (list(ids),))
    return dict(sql.fetchall())


def found(sql: Cursor, rows: Sequence[Mapping[str, Any]]) -> set[UUID]:
    """The ids of the lines that are new; they live where their rows say."""
    homes = [{"id": row["id"], "identity_id": row["identity_id"]} for row in rows]
    return {row[0] for row in HOMES.insert(sql, homes, "ON CONFLICT (id) DO NOTHING RETURNING id")}


def hold(sql: Cursor, ids: Sequence[UUID]) -> dict[UUID, int]:
    """{line: identity} of those that stand, locked in the order of their ids."""
    sql.execute(HOLD, (list(ids),))
    return dict(sql.fetchall())


def move(sql: Cursor, to: Mapping[UUID, int]) -> dict[UUID, int]:
    """They live there from now on; returns where each lived before."""
    before = hold(sql, sorted(to))
    moved = [{"id": id_, "identity_id": to[id_]} for id_, home in sorted(before.items()) if home != to[id_]]
    HOMES.update(sql, moved, "t.id = x.id")
    return before


def forget(sql: Cursor, ids: Collection[UUID]) -> None:
    sql.execute("DELETE FROM customers_linehome WHERE id = ANY(%s)", (list(ids),))
