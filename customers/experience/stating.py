"""What people say of promises and expectations: on a line, or on a customer without one, and later of what they said.

Each word is a part of the line or a note of its own, recorded like any event; then the customer is folded again, so
that what is read next is true.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4, uuid5

from customers.experience import expectations, promises
from customers.experience.engine import row_id
from customers.experience.facts import NoSuchLine, say
from customers.experience.following import freshen
from customers.incoming import Agent
from customers.models import Expectation, Interaction, Promise
from customers.notes import add_note
from customers.sql import Cursor, cursor

KEYS = UUID("6f0a3f0e-5b0e-4c59-9d2a-1f1f6b0f8f4d")
"""The name space of ids that come from idempotency keys."""
CUSTOMER = """
SELECT i.customer_id, t.sorted_at FROM customers_interaction t JOIN customers_identity i ON i.id = t.identity_id
 WHERE t.id = %s
"""
Stated = TypeVar("Stated", Promise, Expectation)


class NoSuchThing(LookupError):
    """There is no such promise or expectation (any more)."""


class Settled(Exception):
    """Nobody waits for it any more, or it is too late to change it so."""


class OtherWords(Exception):
    """The key was used for something else."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who says it: `viewer` as the logs name him, `name` as others read it."""

    viewer: str
    name: str

    @property
    def agent(self) -> Agent:
        return Agent(self.viewer, self.name)


@dataclass(frozen=True, slots=True)
class NewPromise:
    what: str
    kind: str
    due_at: datetime
    owner: str
    at: datetime | None = None

    def said(self, by: Speaker, at: datetime) -> dict[str, Any]:
        return {
            "what": self.what,
            "kind": self.kind,
            "due_at": self.due_at.isoformat(),
            "owner": self.owner,
            "at": (self.at or at).isoformat(),
            "by": by.name,
            "origin": "agent",
        }

    def repeats(self, row: Promise) -> bool:
        return (self.what, self.kind, self.owner) == (row.what, row.kind, row.owner)


@dataclass(frozen=True, slots=True)
class NewExpectation:
    what: str
    lasting: bool

    def said(self, by: Speaker, at: datetime) -> dict[str, Any]:
        return {"what": self.what, "lasting": self.lasting, "at": at.isoformat(), "by": by.name}

    def repeats(self, row: Expectation) -> bool:
        return (self.what, self.lasting) == (row.what, row.lasting)


def key_of(by: Speaker, given: str) -> str:
    """The id of what is stated: the same for the same idempotency key of the same author."""
    return str(uuid5(KEYS, f"{by.viewer}:{given}") if given else uuid4())


def promise_on(line: UUID, new: NewPromise, *, key: str, by: Speaker) -> Promise:
    """A promise that was made in a line that stands. Raises NoSuchLine, OtherWords."""
    return state_on(Promise, line, new, key=key, by=by)


def promise_to(customer: int, new: NewPromise, *, key: str, by: Speaker) -> Promise:
    """A promise without a line: a note on the customer's card says it. Raises OtherWords."""
    return state_to(Promise, customer, new, key=key, by=by)


def expect_on(line: UUID, new: NewExpectation, *, key: str, by: Speaker) -> Expectation:
    return state_on(Expectation, line, new, key=key, by=by)


def expect_of(customer: int, new: NewExpectation, *, key: str, by: Speaker) -> Expectation:
    return state_to(Expectation, customer, new, key=key, by=by)


NAMES = {Promise: "promise", Expectation: "expectation"}
DETAILS = {Promise: promises.details, Expectation: expectations.details}


def state_on(model: type[Stated], line: UUID, new: NewPromise | NewExpectation, *, key: str, by: Speaker) -> Stated:
    id_ = row_id(str(line), NAMES[model], key)
    if (known := model.objects.filter(pk=id_).first()) is not None:
        return repeated(known, new)
    with cursor() as sql:
        said = new.said(by, datetime.now(UTC))
        say(sql, line, f"{NAMES[model]}:{key}", DETAILS[model](key, said), agent=by.agent)
    return read(model, id_, line)


def state_to(model: type[Stated], customer: int, new: NewPromise | NewExpectation, *, key: str, by: Speaker) -> Stated:
    freshen(customer)
    if (known := model.objects.filter(customer_id=customer, key=key).first()) is not None:
        return repeated(known, new)
    with cursor() as sql:
        now = datetime.now(UTC)
        at = new.at or now if isinstance(new, NewPromise) else now
        said = DETAILS[model](key, new.said(by, now))
        noted = f"{NAMES[model]}:{key}"
        line, fresh = add_note(sql, customer, new.what, key=noted, agent=by.agent, at=at, details=said)
    if not fresh:
        raise OtherWords
    return read(model, row_id(str(line), NAMES[model], key), line)


def repeated(row: Stated, new: NewPromise | NewExpectation) -> Stated:
    if not new.repeats(row):  # type: ignore[arg-type]
        raise OtherWords
    return row


def close_promise(id_: UUID, as_: str, *, why: str = "", at: datetime | None = None, by: Speaker) -> Promise:
    """Kept or cancelled, by a person's word; `at` may lie before now, e.g. a call from a private telephone."""
    promise = fresh(Promise, id_)
    if promise.settled_at is not None:
        raise Settled
    closed = {"as": as_, "at": (at or datetime.now(UTC)).isoformat(), "by": by.name, "why": why}
    return add(promise, "closed", {"closed": closed}, by)


def reopen_promise(id_: UUID, *, by: Speaker) -> Promise:
    """Takes back what a person said of its end; what a contact kept stays kept."""
    promise = fresh(Promise, id_)
    if promise.settled_at is None or promise.closed_line is not None:
        raise Settled
    return add(promise, "closed", {"closed": {"as": "open", "by": by.name, "why": ""}}, by)


def move_promise(id_: UUID, due_at: datetime, *, why: str = "", by: Speaker) -> Promise:
    """Another time was agreed while it was open; a broken promise stays broken."""
    promise = fresh(Promise, id_)
    if promise.state != Promise.OPEN:
        raise Settled
    now = datetime.now(UTC).isoformat()
    move = {"id": str(uuid4()), "due_at": due_at.isoformat(), "at": now, "by": by.name, "why": why}
    return add(promise, f"moved:{move['id']}", {"moved": [move]}, by)


def assign_promise(id_: UUID, owner: str, *, by: Speaker) -> Promise:
    return add(fresh(Promise, id_), "owner", {"owner": owner}, by)


def state_outcome(id_: UUID, as_: str, emotion: int | None, *, by: Speaker) -> Expectation:
    """Missed, met or exceeded, and how the customer felt at that moment; said again, the last word counts."""
    said = {"as": as_, "emotion": emotion, "at": datetime.now(UTC).isoformat(), "by": by.name}
    return add(fresh(Expectation, id_), "outcome", {"outcome": said}, by)


def add(row: Stated, part: str, said: Mapping[str, Any], by: Speaker) -> Stated:
    model = type(row)
    with cursor() as sql:
        try:
            details = DETAILS[model](row.key, dict(said))
            say(sql, row.line_id, f"{NAMES[model]}:{row.key}:{part}", details, agent=by.agent)
        except NoSuchLine as error:
            raise NoSuchThing from error
    return read(model, row.pk, row.line_id)


def fresh(model: type[Stated], id_: UUID) -> Stated:
    """As it is now; raises NoSuchThing."""
    row = model.objects.filter(pk=id_).first()
    if row is None:
        raise NoSuchThing
    return read(model, id_, row.line_id)


def read(model: type[Stated], id_: UUID, line: UUID) -> Stated:
    with cursor() as sql:
        customer, at = place_of(sql, line)
    freshen(customer, max(at, datetime.now(UTC)))
    row = model.objects.filter(pk=id_).first()
    if row is None:
        raise NoSuchThing
    return row


def place_of(sql: Cursor, line: UUID) -> tuple[int, datetime]:
    """Whose a line is, and its time; raises NoSuchThing."""
    sql.execute(CUSTOMER, (line,))
    row = sql.fetchone()
    if row is None:
        raise NoSuchThing
    return row[0], row[1]


def line_of(id_: UUID) -> Interaction | None:
    return Interaction.objects.filter(pk=id_).first()
