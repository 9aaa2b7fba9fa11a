"""From the lines of customers to the rows of the experience tables, many customers in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from customers.experience import engine
from customers.experience.contacts import micros, moment, read
from customers.experience.engine import Checkpoint, Folded, Out
from customers.experience.framing import Frame, frame
from customers.experience.measures import MEASURES
from customers.experience.tables import DERIVED, EXPERIENCE, TOUCHES
from customers.linking import Retry
from customers.recording import attempt
from customers.sql import Cursor, as_json, cursor

HOLD = """
INSERT INTO customers_experience (customer_id, rules, members, as_of, lines, stage, purchases, open_promises,
                                  open_requests, more)
SELECT id, '', '[]', 0, 0, '', 0, 0, 0, '{}' FROM unnest(%s::bigint[]) AS id ORDER BY id
    ON CONFLICT (customer_id) DO NOTHING
"""
HELD = """
SELECT customer_id, rules, members, as_of, checkpoint FROM customers_experience WHERE customer_id = ANY(%s)
 ORDER BY customer_id FOR UPDATE
"""
MEMBERS = """
SELECT customer_id, array_agg(id ORDER BY id) FROM customers_identity WHERE customer_id = ANY(%s) GROUP BY customer_id
"""
SNAPSHOT = "SELECT pg_snapshot_xmin(s)::text::bigint, s::text FROM pg_current_snapshot() s"
# Lines or identities that came or went while we read: of rows that two folds write, the right one must be the later.
MOVED = """
SELECT EXISTS (SELECT 1 FROM customers_change c
                WHERE c.identity_id = ANY(%(members)s) AND c.txid >= %(as_of)s
                  AND c.what IN ('gone', 'moved', 'erased')
                  AND NOT pg_visible_in_snapshot(c.txid::text::xid8, %(snapshot)s::text::pg_snapshot))
"""
CHANGED = """
SELECT x.customer_id, bool_or(t.id IS NULL), min(t.sorted_at)
  FROM json_to_recordset(%s::json) AS x(customer_id bigint, identity_id bigint, as_of bigint)
  JOIN customers_change c ON c.identity_id = x.identity_id AND c.txid >= x.as_of AND c.line_id IS NOT NULL
  LEFT JOIN customers_interaction t ON t.id = c.line_id AND t.identity_id = x.identity_id
 GROUP BY x.customer_id
"""
COUNTED = """
SELECT i.customer_id, sum(k.count) FROM customers_identity i JOIN customers_contactcount k ON k.identity_id = i.id
 WHERE i.customer_id = ANY(%s) GROUP BY i.customer_id
"""


BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


def fold_customers(
    customers: Iterable[int], now: datetime | None = None, *, anew: bool = False, of: Frame | None = None
) -> None:
    """Fold these customers' lines up to `now` and replace their rows; `anew`: without their checkpoints.

    Somebody who has no identities (any more) loses his rows: they are whose his identities are.
    """
    ids = sorted(set(customers))
    within = of or frame()
    until = micros(now or datetime.now(UTC))

    def work() -> None:
        with transaction.atomic(), cursor() as sql:
            Batch(sql, ids, within, anew=anew).fold(until)

    if ids:
        attempt(work)


class Batch:
    """Some customers, held in the order of their ids until their rows are written."""

    def __init__(self, sql: Cursor, ids: Sequence[int], within: Frame, *, anew: bool) -> None:
        self.sql, self.within = sql, within
        held: dict[int, tuple[Any, ...]] = {}
        while len(held) < len(ids):  # Somebody may delete between the two.
            sql.execute(HOLD, (list(ids),))
            sql.execute(HELD, (list(ids),))
            held = {row[0]: row for row in sql.fetchall()}
        sql.execute(SNAPSHOT)
        self.as_of: int
        self.snapshot: str
        self.as_of, self.snapshot = sql.fetchone() or (0, "")
        self.members = self.read_members(ids)
        self.gone = [id_ for id_ in ids if id_ not in self.members]
        self.start: dict[int, Checkpoint] = {} if anew else self.checkpoints(held)

    def read_members(self, ids: Sequence[int]) -> dict[int, list[int]]:
        self.sql.execute(MEMBERS, (list(ids),))
        return dict(self.sql.fetchall())

    def checkpoints(self, held: Mapping[int, tuple[Any, ...]]) -> dict[int, Checkpoint]:
        """Of those whose earlier lines are as they were."""
        found, asked = {}, []
        for id_, (_, rules, members, as_of, checkpoint) in held.items():
            if checkpoint and rules == self.within.rules and members == self.members.get(id_):
                found[id_] = Checkpoint(**checkpoint)
                asked += [{"customer_id": id_, "identity_id": one, "as_of": as_of} for one in members]
        if not found:
            return found
        self.sql.execute(CHANGED, (as_json(asked),))
        for id_, lost, earliest in self.sql.fetchall():
            if lost or micros(earliest) <= found[id_].at:
                del found[id_]
        return found

    def fold(self, until: int) -> None:
        folded = self.folded(until, list(self.members))
        short = self.short_of(folded)
        if short:  # A line left the part that was not read again, and no change says so: from the beginning.
            for id_ in short:
                del self.start[id_]
            folded |= self.folded(until, short)
        for table in (*DERIVED, TOUCHES):
            made = {id_: (getattr(one.out, table.name), self.since(id_)) for id_, one in folded.items()}
            table.replace(self.sql, made | {id_: ({}, BEGINNING) for id_ in self.gone})
        self.keep(folded)
        self.sql.execute("DELETE FROM customers_experience WHERE customer_id = ANY(%s)", (self.gone,))
        self.check_ground()

    def check_ground(self) -> None:
        """Raises Retry if lines or identities moved since we began to read.

        A fold of whoever has them now may be done already; our older rows of the same lines must not replace his.
        """
        ids = sorted([*self.members, *self.gone])
        if self.read_members(ids) != self.members:
            raise Retry
        members = [one for members in self.members.values() for one in members]
        self.sql.execute(MOVED, {"members": members, "as_of": self.as_of, "snapshot": self.snapshot})
        (moved,) = self.sql.fetchone() or (False,)
        if moved:
            raise Retry

    def since(self, customer: int) -> datetime:
        start = self.start.get(customer)
        return moment(start.at) if start else BEGINNING

    def folded(self, until: int, customers: Sequence[int]) -> dict[int, Folded]:
        within = self.within
        wanted = [(id_, one, self.since(id_)) for id_ in customers for one in self.members[id_]]
        contacts = read(self.sql, wanted, within.colleagues)
        return {
            id_: engine.fold(
                contacts.get(id_, []),
                until,
                Out(within.meaning, within.calendars, within.colleagues),
                MEASURES,
                self.start.get(id_),
            )
            for id_ in customers
        }

    def short_of(self, folded: Mapping[int, Folded]) -> list[int]:
        """Whose lines are not as many as the writer counted; only those who went on from a checkpoint can be."""
        if not self.start:
            return []
        self.sql.execute(COUNTED, (list(self.start),))
        return [id_ for id_, count in self.sql.fetchall() if count != folded[id_].lines]

    def keep(self, folded: Mapping[int, Folded]) -> None:
        fresh, rest = [], []
        for id_, one in sorted(folded.items()):
            row = {
                **one.out.summary,
                "customer_id": id_,
                "rules": self.within.rules,
                "members": self.members[id_],
                "as_of": self.as_of,
                "lines": one.lines,
                "next_at": one.next_at,
            }
            if one.checkpoint is self.start.get(id_):  # The heaviest column is written when it is another one.
                rest.append(row)
            else:
                fresh.append(row | {"checkpoint": asdict(one.checkpoint) if one.checkpoint else None})
        EXPERIENCE.update(self.sql, fresh)
        EXPERIENCE.update(self.sql, rest, but="checkpoint")
