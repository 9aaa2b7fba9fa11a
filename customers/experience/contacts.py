"""What the folds see of a line: a narrow row, and the facts that were said in it, each at its own time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from customers.sql import Cursor, as_json

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Key = tuple[int, int, str]
"""The sort key of a line: microseconds, rank, id."""

SAID = (
    *("promise", "promises", "expectation", "expectations", "request", "requests", "feedback", "feedbacks"),
    *("score", "scores", "tags", "emotion", "order", "campaign", "call", "stage", "lost"),
    *("transfer", "auto", "outcome", "given"),
)
"""The members of `details` that a fold asks for."""
KINDS = (
    ("promise", "promises", "closed"),
    ("expectation", "expectations", "outcome"),
    ("request", "requests", ""),
    ("feedback", "feedbacks", ""),
    ("score", "scores", ""),
)
"""What is said as one object or as a list of them, and the member that ends it, at a time of its own."""

ASKED = ", ".join(repr(one) for one in SAID)
LINES = f"""
SELECT x.customer_id, t.id::text, t.identity_id, (extract(epoch FROM t.sorted_at) * 1000000)::bigint, t.rank,
       t.channel, t.kind, t.direction, t.thread, t.source, t.agent->>'id', t.agent->>'name', t.agent->>'type',
       t.state, t.subject, t.deleted_at IS NOT NULL, CASE WHEN t.details ?| ARRAY[{ASKED}] THEN t.details END
  FROM json_to_recordset(%s::json) AS x(customer_id bigint, identity_id bigint, after timestamptz)
  JOIN customers_interaction t ON t.identity_id = x.identity_id AND t.sorted_at > x.after
"""


@dataclass(frozen=True, slots=True)
class Contact:
    """One line; `at` is its sort time in microseconds since 1970, `id` its public id."""

    id: str
    identity: int
    at: int
    rank: int
    channel: str
    kind: str
    direction: str
    thread: str
    source: str
    agent: str
    agent_name: str
    human: bool
    state: str
    subject: str
    deleted: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return self.at, self.rank, self.id

    @classmethod
    def of(cls, *row: Any) -> "Contact":
        """A row of LINES, without its customer."""
        *line, agent, name, type_, state, subject, deleted, details = row
        said = [*line, agent or "", name or "", type_ not in ("bot", "system"), state, subject, deleted, details or {}]
        return cls(*said)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something said in a line that counts from its own time on, e.g. a promise that was made days after the call."""

    at: int
    name: str  # promise, promise_closed, expectation, expectation_outcome, emotion, score, request, feedback, lost …
    id: str  # unique within the line and the name
    contact: Contact
    data: Mapping[str, Any]

    @property
    def key(self) -> tuple[int, int, str, str, str]:
        return self.at, self.contact.rank, self.contact.id, self.name, self.id


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def moment(at: int) -> datetime:
    return EPOCH + timedelta(microseconds=at)


def time_of(value: object) -> int | None:
    """An RFC 3339 time with offset as microseconds; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return micros(found) if found.tzinfo is not None else None


def number_of(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def word_of(value: object, most: int = 1000) -> str:
    return value[:most] if isinstance(value, str) else ""


def read(
    sql: Cursor, wanted: Sequence[tuple[int, int, datetime]], colleagues: Mapping[str, str]
) -> dict[int, list[Contact]]:
    """The lines of (customer, identity, after) triples, in the order of the timeline, oldest first.

    A colleague who has several names goes by one of them, see `Frame.colleagues`.
    """
    rows = [{"customer_id": customer, "identity_id": identity, "after": after} for customer, identity, after in wanted]
    found: dict[int, list[Contact]] = {}
    sql.execute(LINES.encode(), (as_json(rows),))
    for customer, *row in sql.fetchall():
        one = Contact.of(*row)
        if colleagues and (name := colleagues.get((one.agent or one.agent_name).casefold())):
            one = replace(one, agent=name)
        found.setdefault(customer, []).append(one)
    for contacts in found.values():
        contacts.sort(key=lambda one: one.key)
    return found


def facts(contact: Contact) -> Iterator[Fact]:
    """The facts of a line. What is no object of the right form says nothing: details are free."""
    details = contact.details
    if not details:
        return
    for one, many, end in KINDS:
        for id_, data in entries(details.get(one), details.get(many)):
            at = max(time_of(data.get("at")) or contact.at, contact.at)
            yield Fact(at, one, id_, contact, data)
            if end and isinstance(ended := data.get(end), Mapping):
                yield Fact(max(time_of(ended.get("at")) or contact.at, at), f"{one}_{end}", id_, contact, ended)
            if one == "promise":
                for move, moved in entries(None, data.get("moved")):
                    when = max(time_of(moved.get("at")) or contact.at, at)
                    yield Fact(when, "promise_moved", f"{id_}:{move}", contact, {**moved, "promise": id_})
    yield from said_once(contact)


def said_once(contact: Contact) -> Iterator[Fact]:
    details = contact.details
    if (emotion := number_of(details.get("emotion"))) in (-1, 0, 1):
        yield Fact(contact.at, "emotion", "", contact, {"emotion": int(emotion or 0)})
    for name in ("stage", "lost"):
        if details.get(name):
            yield Fact(contact.at, name, "", contact, {"value": details[name]})


def entries(one: object, many: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(id, data) of a single object and of a list of objects with ids, each id once."""
    found: dict[str, Mapping[str, Any]] = {"": one} if isinstance(one, Mapping) else {}
    for data in many if isinstance(many, list) else ():
        if isinstance(data, Mapping) and isinstance(id_ := data.get("id"), str) and id_:
            found[id_[:200]] = data
    yield from found.items()


def line_uuid(contact: Contact) -> UUID:
    return UUID(contact.id)
