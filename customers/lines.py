"""The rows of lines and their parts: insert, lock, update, delete. `recording` alone writes through it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from customers import homes, references
from customers.folding import Data, Part, Version, fold, instant
from customers.identification import ANONYMOUS, CARD
from customers.sql import Cursor, Rows

LINES = Rows(
    "customers_interaction",
    id="uuid",
    identity_id="bigint",
    source_id="bigint",
    source="text",
    channel="text",
    kind="text",
    direction="text",
    sorted_at="timestamptz",
    rank="bigint",
    occurred_at="timestamptz",
    recorded_at="timestamptz",
    thread="text",
    subject="text",
    text="text",
    agent="jsonb",
    details="jsonb",
    attachments="jsonb",
    state="text",
    edits="jsonb",
    deleted_at="timestamptz",
    part="text",
    revision="bigint",
    digest="text",
    origin="uuid",
)
PARTS = Rows(
    "customers_interactionpart",
    line_id="uuid",
    identity_id="bigint",
    part="text",
    revision="bigint",
    data="jsonb",
    digest="text",
    origin="uuid",
    earlier="jsonb",
)
UPSERT_PART = """ON CONFLICT (line_id, part) DO UPDATE SET
identity_id = excluded.identity_id, revision = excluded.revision,
data = excluded.data, digest = excluded.digest, origin = excluded.origin, earlier = excluded.earlier"""

# The same with lines that are keyed by their identity: it never changes in place.
UPSERT_PART_THERE = """ON CONFLICT (identity_id, line_id, part) DO UPDATE SET revision = excluded.revision,
data = excluded.data, digest = excluded.digest, origin = excluded.origin, earlier = excluded.earlier"""
UPSERT_LINE_THERE = "ON CONFLICT (identity_id, id) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in LINES.names.split(", ") if name not in ("id", "identity_id")
)
THERE = f"SELECT {LINES.names} FROM customers_interaction WHERE identity_id = ANY(%s) AND id = ANY(%s) ORDER BY id"
KINDS = "SELECT id, kind FROM customers_identity WHERE id = ANY(%s)"

HOLD = f"""
SELECT {", ".join("t." + name for name in LINES.names.split(", "))}, coalesce(i.kind, '') = '{ANONYMOUS}',
       coalesce(i.kind, '') = '{CARD}'
  FROM customers_interaction t LEFT JOIN customers_identity i ON i.id = t.identity_id
 WHERE t.id = ANY(%s) ORDER BY t.id FOR NO KEY UPDATE OF t
"""
PARTS_OF = """
SELECT line_id, part, revision, digest, origin, data, earlier FROM customers_interactionpart WHERE line_id = ANY(%s)
"""
PARTS_GO = "DELETE FROM customers_interactionpart WHERE identity_id = ANY(%s) AND line_id = ANY(%s)"
LINES_GO = "DELETE FROM customers_interaction WHERE identity_id = ANY(%s) AND id = ANY(%s)"
VERSIONS_OF = """
SELECT id, part, revision, digest, identity_id FROM customers_interaction
 WHERE id = ANY(%(ids)s) AND part <> '' AND (%(homes)s::bigint[] IS NULL OR identity_id = ANY(%(homes)s))
UNION ALL
SELECT line_id, part, revision, digest, identity_id FROM customers_interactionpart
 WHERE line_id = ANY(%(ids)s) AND (%(homes)s::bigint[] IS NULL OR identity_id = ANY(%(homes)s))
UNION ALL
SELECT line_id, part, (e->>'revision')::bigint, e->>'digest', identity_id
  FROM customers_interactionpart, jsonb_array_elements(earlier) AS e
 WHERE line_id = ANY(%(ids)s) AND (%(homes)s::bigint[] IS NULL OR identity_id = ANY(%(homes)s))
"""


@dataclass(slots=False)
class Line:
    """A line with its parts; `columns` is what they fold into."""

    id: UUID
    identity_id: int
    source_id: int
    source: str
    parts: dict[str, Part]
    recorded_at: datetime | None = None
    anonymous: bool = field(default=False, compare=False)
    assigned: bool = field(default=False, compare=False)  # an agent put it on a card, where it stays

    @cached_property
    def columns(self) -> Data:
        return fold(self.parts.values())

    @property
    def single(self) -> tuple[str, Version] | None:
        """Its only part at its only revision: such a line needs no rows for its parts."""
        if len(self.parts) == 1:
            (part,) = self.parts.values()
            if len(part.versions) == 1 and "said_at" not in part.stands.data:
                return part.name, part.stands
        return None

    def row(self, recorded_at: datetime) -> dict[str, Any]:
        name, version = self.single or ("", Version(0, "", None, {}))
        return {
            **self.columns,
            "id": self.id,
            "identity_id": self.identity_id,
            "source_id": self.source_id,
            "source": self.source,
            "recorded_at": recorded_at,
            "part": name,
            "revision": version.revision,
            "digest": version.digest,
            "origin": version.origin,
        }

    def part_rows(self) -> list[dict[str, Any]]:
        if self.single:
            return []
        return [
            {
                "line_id": self.id,
                "identity_id": self.identity_id,
                "part": part.name,
                **version_row(part.stands),
                "earlier": [version_row(version) for version in part.versions[:-1]],
            }
            for _, part in sorted(self.parts.items())
        ]


def version_row(version: Version) -> dict[str, Any]:
    return {"revision": version.revision, "digest": version.digest, "origin": version.origin, "data": version.data}


def insert(sql: Cursor, lines: Sequence[Line], now: datetime) -> set[UUID]:
    """Insert what is new, in the order of the ids; returns the ids of the new ones."""
    rows = [line.row(now) for line in lines]
    if homes.apart():
        new = homes.found(sql, rows)
        LINES.insert(sql, [row for row in rows if row["id"] in new])
    else:
        new = {row[0] for row in LINES.insert(sql, rows, "ON CONFLICT (id) DO NOTHING RETURNING id")}
    write_parts(sql, [line for line in lines if line.id in new])
    return new


def write_parts(sql: Cursor, lines: Sequence[Line]) -> None:
    upsert = UPSERT_PART_THERE if homes.apart() else UPSERT_PART
    PARTS.insert(sql, [row for line in lines for row in line.part_rows()], upsert)


def hold(sql: Cursor, ids: Sequence[UUID]) -> list[Line]:
    """Lock lines that stand, in the order of their ids, and only then read their parts."""
    if not ids:
        return []
    names = LINES.names.split(", ")
    rows = [dict(zip((*names, "anonymous", "assigned"), row, strict=True)) for row in held(sql, ids)]
    sql.execute(PARTS_OF, ([row["id"] for row in rows],))
    parts: dict[UUID, dict[str, Part]] = {}
    for line_id, name, revision, digest, origin, data, earlier in sql.fetchall():
        versions = [Version(e["revision"], e["digest"], e["origin"], e["data"]) for e in earlier]
        stands = Version(revision, digest, str(origin) if origin else None, data)
        parts.setdefault(line_id, {})[name] = Part(name, (*versions, stands))
    return [
        Line(
            row["id"],
            row["identity_id"],
            row["source_id"],
            row["source"],
            parts.get(row["id"]) or only_part(row),
            row["recorded_at"],
            row["anonymous"],
            row["assigned"],
        )
        for row in rows
    ]


def held(sql: Cursor, ids: Sequence[UUID]) -> list[tuple[Any, ...]]:
    """The rows of locked lines, and whether each hangs on an anonymous identity, or on a card."""
    if not homes.apart():
        sql.execute(HOLD, (list(ids),))
        return sql.fetchall()
    where = homes.hold(sql, ids)  # The ledger is what is locked: no lock reaches all servers.
    sql.execute(THERE, (sorted(set(where.values())), list(where)))
    rows = sql.fetchall()
    sql.execute(KINDS, (sorted(set(where.values())),))
    kinds = dict(sql.fetchall())
    return [(*row, kinds.get(row[1]) == ANONYMOUS, kinds.get(row[1]) == CARD) for row in rows]


def only_part(row: dict[str, Any]) -> dict[str, Part]:
    """The single part of a plain line, which has no row of its own: the columns are its data."""
    names = (
        "channel",
        "kind",
        "direction",
        "rank",
        "thread",
        "subject",
        "text",
        "state",
        "details",
        "agent",
        "attachments",
    )
    data = {name: row[name] for name in names}
    for name in ("occurred_at", "sorted_at", "deleted_at"):
        data[name] = instant(row[name]) if row[name] else None
    origin = str(row["origin"]) if row["origin"] else None
    return {row["part"]: Part(row["part"], (Version(row["revision"], row["digest"], origin, data),))}


def update(sql: Cursor, lines: Sequence[Line]) -> None:
    """Write locked lines again, with all their parts."""
    ordered = sorted(lines, key=lambda line: line.id)
    if homes.apart():
        update_there(sql, ordered)
        return
    LINES.update(sql, [line.row(line.recorded_at) for line in ordered if line.recorded_at], "t.id = x.id")
    single = [line.id for line in ordered if line.single]
    if single:
        sql.execute("DELETE FROM customers_interactionpart WHERE line_id = ANY(%s)", (single,))
    for line in ordered:
        if not line.single:
            sql.execute(
                "DELETE FROM customers_interactionpart WHERE line_id = %s AND part <> ALL(%s)",
                (line.id, list(line.parts)),
            )
    write_parts(sql, ordered)


def update_there(sql: Cursor, ordered: Sequence[Line]) -> None:
    """A line that moves to another identity may move to another server: it goes, and comes again."""
    before = homes.move(sql, {line.id: line.identity_id for line in ordered})
    moved = {line.id: before[line.id] for line in ordered if before[line.id] != line.identity_id}
    sql.execute(PARTS_GO, (sorted(set(before.values())), list(before)))
    sql.execute(LINES_GO, (sorted(set(moved.values())), list(moved)))
    LINES.insert(sql, [line.row(line.recorded_at) for line in ordered if line.recorded_at], UPSERT_LINE_THERE)
    write_parts(sql, ordered)


def delete(sql: Cursor, lines: Sequence[Line]) -> None:
    ids = [line.id for line in lines]
    references.forget(sql, ids)
    where = sorted({line.identity_id for line in lines})
    sql.execute(PARTS_GO, (where, ids))
    sql.execute(LINES_GO, (where, ids))
    if homes.apart():
        homes.forget(sql, ids)


def versions(sql: Cursor, ids: Sequence[UUID]) -> dict[tuple[UUID, str, int], tuple[str, int]]:
    """{(line, part, revision): (digest, identity)} of lines that stand, without locking them."""
    where = homes.locate(sql, ids) if homes.apart() else None
    sql.execute(VERSIONS_OF, {"ids": list(ids), "homes": None if where is None else sorted(set(where.values()))})
    return {(line, part, revision): (digest, identity) for line, part, revision, digest, identity in sql.fetchall()}
