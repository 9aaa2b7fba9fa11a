"""One line to another customer and back, and a handle that changes hands: the two ways in which lines move."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from customers import lines, tallies
from customers.byhand import card_of
from customers.handles import NORMALISER_VERSION
from customers.identification import ANONYMOUS, CARD
from customers.linking import CUSTOMERS, IDENTITIES, MOVES
from customers.merging import Merged, merge
from customers.models import Change
from customers.recording import attempt
from customers.sharing import hold
from customers.sql import Cursor, cursor

CHUNK: Final = 500

HOME = "SELECT customer_id FROM customers_identity WHERE id = %s"
REMEMBER = """
INSERT INTO customers_assignment
       (line_id, from_identity_id, to_identity_id, reason, assigned_at, assigned_by, undone_by)
VALUES (%s, %s, %s, %s, now(), %s, '') RETURNING id
"""
REMEMBERED = """
SELECT from_identity_id, to_identity_id, undone_at IS NULL FROM customers_assignment WHERE line_id = %s ORDER BY id
"""
FORGET = """
UPDATE customers_assignment SET undone_at = now(), undone_by = %s WHERE line_id = %s AND undone_at IS NULL
"""
# A candidate that rests on other lines too stays with them, and the question whether a handle is shared with it.
MOVE_CANDIDATES = """
UPDATE customers_candidate c SET identity_id = %(there)s
 WHERE c.interaction_id = %(line)s AND c.identity_id = %(here)s AND c.times = 1 AND c.reason <> 'shared'
   AND NOT EXISTS (
       SELECT 1 FROM customers_candidate o
        WHERE o.identity_id = %(there)s AND (o.kind, o.scope, o.value) = (c.kind, c.scope, c.value))
"""
HELD = """
SELECT kind, scope, value, raw, match_key, linkable, trust, generation, customer_id, valid_from, valid_to
  FROM customers_identity WHERE id = %s FOR UPDATE
"""
RELEASE = "UPDATE customers_identity SET valid_to = %s WHERE id = %s"
NEXT = """
SELECT nextval(pg_get_serial_sequence('customers_customer', 'id')),
       nextval(pg_get_serial_sequence('customers_identity', 'id'))
"""
FROM_THEN_ON = "SELECT id FROM customers_interaction WHERE identity_id = %s AND occurred_at >= %s ORDER BY id"
SUCCESSOR = """
SELECT i.customer_id, i.id FROM customers_identity i JOIN customers_identity o USING (kind, scope, value)
 WHERE o.id = %s AND i.generation > o.generation ORDER BY i.generation LIMIT 1
"""


OWNER_AT = """
SELECT i.id FROM customers_identity i JOIN customers_identity o USING (kind, scope, value)
 WHERE o.id = %(identity)s AND (i.valid_from IS NULL OR i.valid_from <= %(at)s)
   AND (i.valid_to IS NULL OR %(at)s < i.valid_to)
"""
LAST = """
SELECT i.kind, i.scope, i.value, i.raw, i.match_key, i.linkable, i.trust, i.generation, i.valid_to
  FROM customers_identity i JOIN customers_identity o USING (kind, scope, value)
 WHERE o.id = %s ORDER BY i.generation DESC LIMIT 1
"""


class NoSuchLine(LookupError):
    """No line has this id, or it was never assigned."""


class NotReleased(ValueError):
    """A handle of this kind cannot change hands, or not at this time."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """`assignment` is None when the line was there already."""

    assignment: int | None
    customer: int
    was: int


@dataclass(frozen=True, slots=True)
class Released:
    """`successor` is the customer of the later lines, None while there are none."""

    customer: int
    successor: int | None
    at: datetime
    moved: int


def assign(line: UUID, customer: int, *, by: str, reason: str) -> Assigned:
    """This contact is another customer's, says an agent; it hangs on his card from now on. Raises NoSuchLine."""

    def work() -> Assigned:
        with cursor() as sql:
            card, _ = card_of(sql, customer, by=by)
        with transaction.atomic(), cursor() as sql:
            standing = held(sql, line)
            there, was = home(sql, card), home(sql, standing.identity_id)
            if there == was:
                return Assigned(None, there, was)
            sql.execute(REMEMBER, (line, standing.identity_id, card, reason, by))
            row = sql.fetchone()
            move(sql, [standing], card)
            return Assigned(int(row[0]) if row else None, there, was)

    return attempt(work)


def undo_assign(line: UUID, *, by: str) -> Assigned:
    """The line goes back to the handle it came by, however often it was assigned. Raises NoSuchLine.

    If that handle changed hands meanwhile, to whoever had it when the contact was made.
    """

    def work() -> Assigned:
        with transaction.atomic(), cursor() as sql:
            sql.execute(REMEMBERED, (line,))
            moves = sql.fetchall()
            if not moves:
                raise NoSuchLine
            hold(sql, moves[0][0])
            standing = held(sql, line)
            was = home(sql, standing.identity_id)
            sql.execute(REMEMBERED, (line,))
            origin = next((start for start, _, stands in sql.fetchall() if stands), None)
            if origin is None:
                return Assigned(None, was, was)
            owner = owner_at(sql, origin, datetime.fromisoformat(standing.columns["occurred_at"]))
            sql.execute(FORGET, (by, line))
            move(sql, [standing], owner)
            return Assigned(None, home(sql, owner), was)

    return attempt(work)


def owner_at(sql: Cursor, identity: int, at: datetime) -> int:
    """The generation of a handle, which the caller holds, that covers this moment; it is born if none does."""
    sql.execute(OWNER_AT, {"identity": identity, "at": at})
    if found := sql.fetchone():
        return int(found[0])
    sql.execute(LAST, (identity,))
    row = sql.fetchone()
    assert row is not None
    return next_generation(sql, row[:-1], row[-1])[1]


def held(sql: Cursor, line: UUID) -> lines.Line:
    found = lines.hold(sql, [line])
    if not found:
        raise NoSuchLine
    return found[0]


def home(sql: Cursor, identity: int) -> int:
    sql.execute(HOME, (identity,))
    (customer,) = sql.fetchone() or (0,)
    return int(customer)


def move(sql: Cursor, standing: Iterable[lines.Line], there: int) -> None:
    """Lines with all that hangs on them: parts, counts, conversations, files, candidates, and the feed's word."""
    tally = tallies.Tally()
    moved = list(standing)
    for old in moved:
        new = lines.Line(old.id, there, old.source_id, old.source, old.parts, old.recorded_at)
        tally.changed(old, new)
    lines.update(sql, tally.touched())
    tally.write(sql, [])
    for old in moved:
        sql.execute(MOVE_CANDIDATES, {"line": old.id, "here": old.identity_id, "there": there})


def release(identity: int, at: datetime) -> Released:
    """A handle changes hands: from `at` on it is a new person's. Raises NoSuchIdentity, NotReleased.

    Lines at or after `at` move to the next generation, born here if there are any, else by the next event.
    Repeated it says the same.
    """

    def work() -> Released:
        with transaction.atomic(), cursor() as sql:
            hold(sql, identity)
            sql.execute(HELD, (identity,))
            row = sql.fetchone()
            assert row is not None
            *handle, customer, valid_from, valid_to = row
            if valid_to is not None:
                sql.execute(SUCCESSOR, (identity,))
                successor, _ = sql.fetchone() or (None, None)
                return Released(customer, successor, valid_to, 0)
            if handle[0] in (CARD, ANONYMOUS):
                raise NotReleased("Only a handle that customers are reached by changes hands.")
            if at > datetime.now(UTC) or (valid_from is not None and at <= valid_from):
                raise NotReleased("It cannot change hands before it came into these, nor in the future.")
            sql.execute(RELEASE, (at, identity))
            sql.execute(FROM_THEN_ON, (identity, at))
            later = [one for (one,) in sql.fetchall()]
            if not later:
                return Released(customer, None, at, 0)
            successor, heir = next_generation(sql, handle, at)
            for start in range(0, len(later), CHUNK):
                move(sql, lines.hold(sql, later[start : start + CHUNK]), heir)
            return Released(customer, successor, at, len(later))

    return attempt(work)


def undo_release(identity: int, *, by: str, reason: str) -> Merged:
    """It never changed hands: who has it is who had it. Raises NoSuchIdentity, merging.Refused.

    While nobody came by it since, its end is taken away; else an agent's link makes its generations one person's.
    Undoing that link releases it again, exactly; no contact moves either way. Repeated it says the same.
    """

    def work() -> Merged:
        with transaction.atomic(), cursor() as sql:
            hold(sql, identity)
            sql.execute(HELD, (identity,))
            row = sql.fetchone()
            assert row is not None
            customer, _, valid_to = row[-3:]
            sql.execute(SUCCESSOR, (identity,))
            theirs, successor = sql.fetchone() or (customer, None)
            if successor is None:
                if valid_to is not None:
                    sql.execute(RELEASE, (None, identity))
                return Merged(customer, None)
            if theirs == customer:
                return Merged(customer, None)
            said = {"release": valid_to.isoformat()}
            return merge(customer, theirs, reason=reason, by=by, ends=(identity, successor), evidence=said)

    return attempt(work)


def next_generation(sql: Cursor, handle: Sequence[object], at: datetime) -> tuple[int, int]:
    """(customer, identity): a new person with the same handle from `at` on."""
    kind, scope, value, raw, match_key, linkable, trust, generation = handle
    assert isinstance(generation, int)
    sql.execute(NEXT)
    customer, identity = sql.fetchone() or (0, 0)
    now = datetime.now(UTC)
    CUSTOMERS.insert(sql, [{"id": customer, "public_id": uuid7(), "founder_id": identity, "created_at": now}])
    born = {
        "id": identity,
        "kind": kind,
        "scope": scope,
        "value": value,
        "generation": generation + 1,
        "raw": raw,
        "match_key": match_key,
        "linkable": linkable,
        "shared": False,
        "normaliser_version": NORMALISER_VERSION,
        "trust": trust,
        "customer_id": customer,
        "created_at": now,
        "valid_from": at,
    }
    IDENTITIES.insert(sql, [born])
    MOVES.insert(sql, [{"what": Change.MOVED, "identity_id": identity, "left_id": None, "joined_id": customer}])
    return int(customer), int(identity)
