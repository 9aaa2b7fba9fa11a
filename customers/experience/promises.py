"""Promises: made in a line, tried and kept by what reaches the customer in time, broken by the clock.

A promise is kept by the first contact of a person of ours, after it was made and by the time it was due:

* `callback` by a call that the customer took; a call that he missed counts as tried;
* `answer` and `message` by a message or a letter that was not refused;
* `any` by either of them;  `visit` by a visit; every other kind only by a person's or a system's word.

What no contact kept in time is broken from the moment it was due, and then waits to be made good: by the same kind of
contact, or by somebody's word. Nothing that is said later makes a broken promise a kept one, but a contact of before
that is only reported later does. An automatic message keeps nothing.

`details.promise` or `details.promises` of a line say it: `{id, what, kind, due_at | within_minutes, owner, at, by,
closed: {as, at, by, why}, moved: [{id, due_at, at, by, why}]}`; minutes count in the business hours of the source.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from customers.experience.around import matter_spoken_of
from customers.experience.contacts import Contact, Fact, number_of, time_of, word_of
from customers.experience.encounters import UNSENT, talked, touches, who
from customers.experience.engine import Out, Row, State, alarm, row_id
from customers.models import Promise

CALLBACK, ANSWER, MESSAGE, VISIT, ANY = "callback", "answer", "message", "visit", "any"
WRITTEN = frozenset({"message", "email"})
KEPT_BY = {CALLBACK: {"call"}, ANSWER: WRITTEN, MESSAGE: WRITTEN, VISIT: {"visit"}, ANY: {"call"} | WRITTEN}
"""By which kinds of lines each kind of promise is kept."""
MINUTE = 60_000_000
YEARS = 10 * 366 * 24 * 60
WATCHED = 200
"""So many unsettled promises of one customer are watched, the latest; older ones stand as they are."""


def begin() -> State:
    return {"open": {}}


def open_promise(
    state: State,
    out: Out,
    contact: Contact,
    *,
    key: str,
    what: str,
    due_at: int,
    at: int | None = None,
    kind: str = CALLBACK,
    origin: str = "event",
    owner: str = "",
    made_by: str = "",
) -> UUID:
    """A promise that stands from `at` on; a measure may make one, e.g. of a low score. Returns the id of its row."""
    id_ = row_id(contact.id, "promise", key)
    mine: dict[str, Row] = state["promises"]["open"]
    if str(id_) not in mine:
        matter = matter_spoken_of(state, contact)
        made = contact.at if at is None else at
        mine[str(id_)] = {
            "line_id": contact.id,
            "at": contact.at,
            "key": key,
            "what": what,
            "kind": kind,
            "origin": origin,
            "owner": owner,
            "channel": contact.channel,
            "source": contact.source,
            "request_id": str(row_id(matter["line"], "request")) if matter else None,
            "made_at": made,
            "made_by": made_by,
            "due_at": due_at,
            "moved": 0,
            "state": Promise.OPEN,
            "outcome": "",
            "tries": 0,
            **dict.fromkeys(("tried_at", "closed_at", "settled_at", "closed_line")),
            **dict.fromkeys(("closed_by", "why"), ""),
        }
        while len(mine) > WATCHED:
            del mine[next(iter(mine))]
    emit(out, str(id_), mine[str(id_)])
    set_alarm(state)
    return id_


def emit(out: Out, id_: str, row: Row) -> None:
    out.promises[UUID(id_)] = dict(row)


def set_alarm(state: State) -> None:
    """A microsecond after the earliest is due: what comes at that moment comes in time."""
    waiting = (one["due_at"] for one in state["promises"]["open"].values() if one["state"] == Promise.OPEN)
    first = min(waiting, default=None)
    alarm(state, "promises", None if first is None else first + 1)


def see(state: State, contact: Contact, out: Out) -> None:
    mine: dict[str, Row] = state["promises"]["open"]
    if not mine or not reaching(contact):
        return
    for id_, row in list(mine.items()):
        if contact.kind not in KEPT_BY.get(row["kind"], ()) or contact.id == row["line_id"]:
            continue
        if contact.at < row["made_at"]:
            continue
        if reached(contact):
            settle(state, id_, contact.at, Promise.KEPT, by=who(contact), line=contact.id)
        else:
            row.update(tried_at=contact.at, tries=row["tries"] + 1)
        emit(out, id_, row)
    set_alarm(state)


def reaching(contact: Contact) -> bool:
    """Whether a person of ours tried to reach the customer."""
    if not touches(contact) or not contact.human or contact.details.get("auto"):
        return False
    return contact.direction == "outbound" or contact.kind == "visit"


def reached(contact: Contact) -> bool:
    """Whether he did: the call was a talk, the message was not refused."""
    if contact.kind != "call":
        return contact.state not in UNSENT
    call = contact.details.get("call")
    silent = isinstance(call, Mapping) and number_of(call.get("talk_s")) == 0
    return talked(contact) and not silent


def settle(state: State, id_: str, at: int, as_: str, *, by: str = "", line: str | None = None, why: str = "") -> None:
    """Nobody has to do anything any more. A broken promise stays broken, made good late or given up."""
    row: Row = state["promises"]["open"].pop(id_)
    if row["state"] == Promise.OPEN:
        row.update(state=as_, closed_at=at, outcome="" if as_ == Promise.CANCELLED else as_)
    elif as_ == Promise.KEPT:
        row["outcome"] = Promise.LATE
    row.update(settled_at=at, closed_line=line, closed_by=by, why=why)


def hear(state: State, fact: Fact, out: Out) -> None:
    if fact.name == "promise":
        made(state, fact, out)
        return
    if fact.name not in ("promise_closed", "promise_moved"):
        return
    id_ = str(row_id(fact.contact.id, "promise", word_of(fact.data.get("promise", fact.id), 200)))
    row = state["promises"]["open"].get(id_)
    if row is None:
        return
    if fact.name == "promise_moved":
        due = time_of(fact.data.get("due_at"))
        if due is not None and row["state"] == Promise.OPEN:
            row.update(due_at=due, moved=row["moved"] + 1)
    elif (as_ := fact.data.get("as")) in (Promise.KEPT, Promise.BROKEN, Promise.CANCELLED):
        settle(state, id_, fact.at, as_, by=word_of(fact.data.get("by"), 200), why=word_of(fact.data.get("why")))
    emit(out, id_, row)
    set_alarm(state)


def made(state: State, fact: Fact, out: Out) -> None:
    """Without a due time it only adds to what stands, e.g. an owner to what a low score opened."""
    data, contact = fact.data, fact.contact
    due = due_of(fact, out)
    if due is not None:
        open_promise(
            state,
            out,
            contact,
            key=fact.id,
            what=word_of(data.get("what")),
            due_at=due,
            at=fact.at,
            kind=word_of(data.get("kind"), 32) or ANY,
            origin="agent" if data.get("origin") == "agent" else "event",
            owner=out.colleague(word_of(data.get("owner"), 200)) or speaker(contact),
            made_by=out.colleague(word_of(data.get("by"), 200)) or speaker(contact),
        )


def due_of(fact: Fact, out: Out) -> int | None:
    minutes = number_of(fact.data.get("within_minutes"))
    if (due := time_of(fact.data.get("due_at"))) is not None or minutes is None or not 0 < minutes <= YEARS:
        return due
    return out.calendars.after(fact.contact.source, fact.at, int(minutes * MINUTE))


def speaker(contact: Contact) -> str:
    return who(contact) if contact.human and contact.direction == "outbound" else ""


def ring(state: State, at: int, out: Out) -> None:
    for id_, row in state["promises"]["open"].items():
        if row["state"] == Promise.OPEN and row["due_at"] < at:
            row.update(state=Promise.BROKEN, closed_at=max(row["due_at"], row["made_at"]), outcome=Promise.BROKEN)
            emit(out, id_, row)
    set_alarm(state)


def close(state: State, now: int, out: Out) -> None:
    mine: dict[str, Row] = state["promises"]["open"]
    for id_, row in mine.items():
        emit(out, id_, row)
    out.summary["open_promises"] = len(mine)
    out.summary.setdefault("more", {})["promises"] = {
        "overdue": sum(row["state"] == Promise.BROKEN for row in mine.values()),
        "due_at": min((row["due_at"] for row in mine.values() if row["state"] == Promise.OPEN), default=None),
    }


def details(key: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """What a part of a line says of one promise."""
    return {"promises": [{"id": key, **said}]} if key else {"promise": dict(said)}
