"""Erases a person: lines, files, handles, claims and everything derived; a tombstone without personal data remains.

The identities stay as empty shells: links, customers and the ids that were given out keep their meaning (410), and
nothing tells whose they were. `erased` is the one signal of the project: whoever keeps raw bytes wipes them in the
same transaction.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.dispatch import Signal

from customers import attachments, holds, suppression
from customers.identification import ANONYMOUS, CARD, Key
from customers.linking import LOCK, Retry
from customers.merging import holding
from customers.models import Erasure
from customers.patience import patience
from customers.recording import attempt
from customers.sql import Cursor, cursor

erased = Signal()
"""Sent with `sql`, `lines` (UUIDs), `deliveries` (UUIDs of the origins) and `values` (what the handles were)."""

SHELL = "erased"
"""The kind of an identity that was somebody's."""

FAMILY = """
SELECT id, kind, scope, value, raw, match_key FROM customers_identity WHERE customer_id = %s ORDER BY id
"""
IDS = "SELECT public_id FROM customers_customer WHERE id = %(root)s OR merged_into_id = %(root)s ORDER BY id"
LINES = "SELECT id FROM customers_interaction WHERE identity_id = ANY(%(ids)s)"
ORIGINS = """
SELECT origin FROM customers_interaction WHERE identity_id = ANY(%(ids)s) AND origin IS NOT NULL
UNION SELECT origin FROM customers_interactionpart WHERE identity_id = ANY(%(ids)s) AND origin IS NOT NULL
UNION SELECT (e->>'origin')::uuid FROM customers_interactionpart, jsonb_array_elements(earlier) AS e
       WHERE identity_id = ANY(%(ids)s) AND e->>'origin' IS NOT NULL
UNION SELECT delivery FROM customers_attachment WHERE identity_id = ANY(%(ids)s) AND delivery IS NOT NULL
"""
HOLD = "SELECT id FROM customers_identity WHERE id = ANY(%s) ORDER BY id FOR UPDATE"

LONG = "SET LOCAL statement_timeout = '10min'"
"""A hundred thousand contacts with as many deliveries took 32 s on a busy machine: longer than a request may ask."""
TEN_MINUTES = 600.0

# What goes, in this order; each counts for the tombstone. What names a handle of his at somebody else's goes, too.
# The summary first: whoever folds holds it until his rows are written, so that the statements after it find them.
GOES: tuple[tuple[str, str], ...] = (
    ("experience", "DELETE FROM customers_experience WHERE customer_id = ANY(%(customers)s)"),
    ("parts", "DELETE FROM customers_interactionpart WHERE identity_id = ANY(%(ids)s)"),
    ("references", """DELETE FROM customers_reference WHERE line_id IN
        (SELECT id FROM customers_interaction WHERE identity_id = ANY(%(ids)s))"""),
    ("contacts", "DELETE FROM customers_interaction WHERE identity_id = ANY(%(ids)s)"),
    ("homes", "DELETE FROM customers_linehome WHERE identity_id = ANY(%(ids)s)"),
    ("counts", "DELETE FROM customers_contactcount WHERE identity_id = ANY(%(ids)s)"),
    ("threads", "DELETE FROM customers_thread WHERE identity_id = ANY(%(ids)s)"),
    ("attributes", "DELETE FROM customers_attributeclaim WHERE identity_id = ANY(%(ids)s)"),
    ("consents", "DELETE FROM customers_consent WHERE identity_id = ANY(%(ids)s)"),
    ("holds", "DELETE FROM customers_hold WHERE identity_id = ANY(%(ids)s)"),
    ("candidates", """DELETE FROM customers_candidate WHERE identity_id = ANY(%(ids)s) OR (kind, scope, value) IN
        (SELECT i.kind, i.scope, i.value FROM customers_identity i WHERE i.id = ANY(%(ids)s))"""),
    ("assignments", """DELETE FROM customers_assignment
        WHERE from_identity_id = ANY(%(ids)s) OR to_identity_id = ANY(%(ids)s)"""),
    ("looks", "DELETE FROM customers_lastlook WHERE customer_id = ANY(%(customers)s)"),
    ("promises", "DELETE FROM customers_promise WHERE customer_id = ANY(%(customers)s)"),
    ("requests", "DELETE FROM customers_request WHERE customer_id = ANY(%(customers)s)"),
    ("expectations", "DELETE FROM customers_expectation WHERE customer_id = ANY(%(customers)s)"),
    ("scores", "DELETE FROM customers_score WHERE customer_id = ANY(%(customers)s)"),
    ("feedback", "DELETE FROM customers_feedback WHERE customer_id = ANY(%(customers)s)"),
    ("stages", "DELETE FROM customers_stagechange WHERE customer_id = ANY(%(customers)s)"),
    ("touches", "DELETE FROM customers_touch WHERE customer_id = ANY(%(customers)s)"),
    ("links", """UPDATE customers_link SET evidence = '{}', undo_reason = ''
        WHERE a_id = ANY(%(ids)s) OR b_id = ANY(%(ids)s)"""),
    ("keep_apart", """UPDATE customers_keepapart SET reason = ''
        WHERE a_id = ANY(%(ids)s) OR b_id = ANY(%(ids)s)"""),
    ("unmasked", "UPDATE customers_unmasking SET reason = '' WHERE customer_id = ANY(%(customers)s)"),
    ("identities", """UPDATE customers_identity SET kind = 'erased', scope = '', value = gen_random_uuid()::text,
        generation = 0, raw = '', match_key = '', linkable = false, valid_from = NULL, valid_to = NULL
        WHERE id = ANY(%(ids)s)"""),
    ("customers", "UPDATE customers_customer SET erased_at = %(at)s WHERE id = ANY(%(customers)s)"),
)  # fmt: skip
COUNTS = """
SELECT (SELECT count(*) FROM customers_interaction WHERE identity_id = ANY(%(ids)s)),
       (SELECT count(*) FROM customers_attachment WHERE identity_id = ANY(%(ids)s)),
       (SELECT count(*) FROM customers_attributeclaim WHERE identity_id = ANY(%(ids)s)),
       (SELECT count(*) FROM customers_candidate WHERE identity_id = ANY(%(ids)s))
"""
CUSTOMERS = "SELECT id FROM customers_customer WHERE id = %(root)s OR merged_into_id = %(root)s ORDER BY id"


@dataclass(frozen=True, slots=True)
class Preview:
    """What would go."""

    customers: list[UUID]
    identities: int
    contacts: int
    files: int
    attributes: int
    candidates: int


@dataclass(slots=True)
class Person:
    """Whom the ids of one customer mean at this moment."""

    root: int
    public_ids: list[UUID]
    identities: list[tuple[int, Key, str, str]] = field(default_factory=list)

    @property
    def ids(self) -> list[int]:
        return [one[0] for one in self.identities]

    @property
    def handles(self) -> list[Key]:
        """What names a person: notes and unknown callers have no handle of their own."""
        return [key for _, key, _, _ in self.identities if key.kind not in (ANONYMOUS, CARD, SHELL)]


def person(sql: Cursor, root: int) -> Person:
    sql.execute(IDS, {"root": root})
    found = Person(root, [row[0] for row in sql.fetchall()])
    sql.execute(FAMILY, (root,))
    found.identities = [(id_, Key(kind, scope, value), raw, match) for id_, kind, scope, value, raw, match in sql]
    return found


def preview(sql: Cursor, root: int) -> Preview:
    who = person(sql, root)
    sql.execute(COUNTS, {"ids": who.ids})
    contacts, files, attributes, candidates = sql.fetchone() or (0, 0, 0, 0)
    return Preview(who.public_ids, len(who.handles), contacts, files, attributes, candidates)


def erase(root: int, *, by: str, reason: str = "", id_: UUID | None = None, at: datetime | None = None) -> Erasure:
    """Erase whoever this standing customer is. The journal has it before anything goes, so that a crash repeats it.

    Raises Held (unless it is repeated), Retry for ever changing ground, and what the database raises.
    """
    again, erasure, moment = id_ is not None, id_ or uuid4(), at or datetime.now(UTC)
    with cursor() as sql:
        if not again and holds.held(sql, root):
            raise holds.Held
    return attempt(lambda: gone(root, erasure, by, reason, moment, again=again))


def gone(root: int, erasure: UUID, by: str, reason: str, at: datetime, *, again: bool) -> Erasure:
    """One transaction under the locking protocol: handles, customers, identities."""
    with patience(TEN_MINUTES, TEN_MINUTES, tells=False), transaction.atomic(), cursor() as locks:
        locks.execute(LONG.encode())
        who = person(locks, root)
        locks.execute(LOCK, (["\x1f".join(key) for key in sorted(who.handles)],))
        with holding(root) as (sql, homes):
            if sorted(homes) != who.ids:
                raise Retry
            sql.execute(HOLD, (who.ids,))
            if not again:
                # Only here: a hold may have been placed while the locks were waited for, and what the journal has,
                # the next start repeats.
                if holds.held(sql, root):
                    raise holds.Held
                journal(who, erasure, by, at)
            return wipe(sql, who, erasure, by, reason, at)


def journal(who: Person, erasure: UUID, by: str, at: datetime) -> None:
    """May be said twice of one erasure, where it is tried again."""
    suppression.write(
        {
            "id": str(erasure),
            "at": at,
            "by": by,
            "customers": [str(one) for one in who.public_ids],
            "handles": [suppression.digest(key).hex() for key in who.handles],
        }
    )


def wipe(sql: Cursor, who: Person, erasure: UUID, by: str, reason: str, at: datetime) -> Erasure:
    sql.execute(LINES, {"ids": who.ids})
    lines = [row[0] for row in sql.fetchall()]
    sql.execute(ORIGINS, {"ids": who.ids})
    origins = [row[0] for row in sql.fetchall()]
    values = sorted(
        {text for _, key, *rest in who.identities if key in who.handles for text in (key.value, *rest)} - {""}
    )
    erased.send(sender=Erasure, sql=sql, lines=lines, deliveries=origins, values=values)
    counts: dict[str, Any] = {"deliveries": len(origins), "files": attachments.forget(lines)}
    sql.execute(CUSTOMERS, {"root": who.root})
    params = {"ids": who.ids, "customers": [row[0] for row in sql.fetchall()], "at": at}
    suppression.suppress(sql, [*who.handles, *map(suppression.line_key, lines)], at)
    for name, statement in GOES:
        sql.execute(statement.encode(), params)
        counts[name] = sql.rowcount
    sql.execute("INSERT INTO customers_change (what, identity_id) SELECT 'erased', unnest(%s::bigint[])", (who.ids,))
    return Erasure.objects.create(
        id=erasure, customers=who.public_ids, erased_at=at, erased_by=by, reason=reason, counts=counts
    )


def apply_journal() -> int:
    """Erase again whom the journal names and the database still has: after a backup was restored. Returns how many."""
    known = set(Erasure.objects.values_list("id", flat=True))
    again = 0
    for entry in suppression.entries():
        erasure, at = UUID(entry["id"]), datetime.fromisoformat(entry["at"])
        if erasure in known:
            continue
        with transaction.atomic(), cursor() as sql:
            suppression.add(sql, [bytes.fromhex(one) for one in entry["handles"]], at)
            sql.execute(
                "SELECT DISTINCT coalesce(merged_into_id, id) FROM customers_customer"
                " WHERE public_id = ANY(%s) AND erased_at IS NULL",
                ([UUID(one) for one in entry["customers"]],),
            )
            roots = [row[0] for row in sql.fetchall()]
        for root in roots:
            erase(root, by=entry["by"], reason="journal", id_=uuid4(), at=at)
        # Last, so that a crash in between repeats it.
        Erasure.objects.get_or_create(
            id=erasure,
            defaults={"customers": entry["customers"], "erased_at": at, "erased_by": entry["by"], "reason": "journal"},
        )
        again += 1
    return again
