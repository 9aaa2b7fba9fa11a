"""Which matter a contact belongs to: opened, joined, answered, solved, reopened, from line to line.

A contact goes, in this order, where an agent put it; to the matter of the number that a system gave; to the matter of
its conversation; to the open matter that was spoken of last; to the one solved last, if that is only days ago (then it
is open again); and otherwise a question opens a new matter.

What agents say lies in `details.requests` of lines, each `{id, do, at, by, why}`:

* `solve` and `reopen` on a line of the matter, from their time on;
* `split` on a line: a matter begins here;  `join` with another line: this contact is about that line's matter;
* `merge` with a later line, on a line of a matter: that contact is about this matter, and so is what follows it.

Split, join and merge say how it was from the beginning; of several about one line the latest counts, and `undone`
takes one back.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from customers.experience import effort
from customers.experience.contacts import Contact, Fact, entries, time_of, word_of
from customers.experience.encounters import SERVING, asks, touches
from customers.experience.engine import Out, State, alarm, row_id
from customers.experience.matters import (
    AGENT,
    CUSTOMER,
    EVENT,
    SILENCE,
    Matter,
    answer,
    emit,
    is_open,
    join,
    opened,
    reopen,
    solve,
    state_of,
    thread_of,
)
from customers.experience.meaning import DAY
from customers.models import Request

AWAITED = 50
"""Later lines that one matter can have been merged with."""
BY_AGENT = {"solve": AGENT}
BY_EVENT = {"solved": EVENT, "abandoned": CUSTOMER}
REOPENS = frozenset({"reopen", "reopened", "open"})
RECENT = effort.LATELY


def begin() -> State:
    return {"matters": [], "recent": []}


def see(state: State, contact: Contact, out: Out) -> None:
    matters: list[Matter] = state["requests"]["matters"]
    if matters:
        forget(state, contact.at, out)
    if not concerns(contact):
        return
    matter = home(matters, contact, out)
    if matter is None:
        return
    if contact.direction == "inbound" and matter["lines"]:
        if effort.rested(matter, contact.at) and not (contact.details and external_of(contact)):
            effort.anew(matter)
        if not is_open(matter):
            reopen(matter, contact.at)
    join(state, matter, contact, out)
    if contact.details:
        note(matter, contact)
    set_alarm(state, out)


def concerns(contact: Contact) -> bool:
    """Whether a line can be about a matter at all: advertising, purchases, answers to surveys are not."""
    said = contact.details
    if not touches(contact) or (said and said.get("auto")):
        return False
    return contact.kind in SERVING or asks(contact) or "request" in said or "requests" in said


def home(matters: list[Matter], contact: Contact, out: Out) -> Matter | None:
    """The matter of a contact, a new one if none fits and the customer asks something."""
    split, matter = put_by_agents(matters, contact)
    external = external_of(contact) if contact.details else ""
    if not split and matter is None and matters:
        matter = by_number(matters, external) or by_itself(matters, contact, external, out)
    if matter is None and (split or asks(contact)):
        matter = opened(contact)
        matters.append(matter)
    if matter is not None and external and not matter["external"]:
        matter["external"] = external
    return matter


def put_by_agents(matters: list[Matter], contact: Contact) -> tuple[bool, Matter | None]:
    """(whether a matter begins here, the matter it was put to) by the latest word about this line."""
    words: list[tuple[int, str, bool, Matter | None]] = []
    for id_, said in operations(contact):
        at = time_of(said.get("at")) or contact.at
        if said.get("do") == "split":
            words.append((at, id_, True, None))
        elif said.get("do") == "join":
            words.append((at, id_, False, holding(matters, word_of(said.get("with"), 64))))
    for matter in matters:
        if contact.id in matter["awaits"]:
            at, id_ = matter["awaits"].pop(contact.id)
            words.append((at, id_, False, matter))
    return max(words, key=lambda one: one[:2])[2:] if words else (False, None)


def by_number(matters: list[Matter], external: str) -> Matter | None:
    return last([one for one in matters if one["external"] == external]) if external else None


def by_itself(matters: list[Matter], contact: Contact, external: str, out: Out) -> Matter | None:
    """By its conversation, or by being the latest; a matter with another number is another matter."""
    near = [one for one in matters if not (external and one["external"]) and recent(one, contact.at, out)]
    thread = thread_of(contact)
    found = last([one for one in near if thread in one["threads"]]) if thread else None
    found = found or last([one for one in near if is_open(one)])
    returns = contact.direction == "inbound" and asks(contact)
    return found or (max(near, key=lambda one: (one["solved_at"], one["line"])) if near and returns else None)


def recent(matter: Matter, at: int, out: Out) -> bool:
    return is_open(matter) or at <= matter["solved_at"] + out.meaning.reopened_within_days * DAY


def last(matters: Iterable[Matter]) -> Matter | None:
    return max(matters, key=lambda one: (one["last_at"], one["line"]), default=None)


def holding(matters: list[Matter], line: str) -> Matter | None:
    """The matter that began with a line, or else that has it."""
    return next((one for one in matters if one["line"] == line), None) or last(
        [one for one in matters if line in one["lines"]]
    )


def external_of(contact: Contact) -> str:
    told = contact.details.get("request")
    number = told.get("id") if isinstance(told, Mapping) else None
    return str(number)[:200] if isinstance(number, str | int) and not isinstance(number, bool) else ""


def operations(contact: Contact) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(id, what an agent says of matters on this line), without what was taken back."""
    if "requests" in contact.details:
        for id_, said in entries(None, contact.details["requests"]):
            if not said.get("undone"):
                yield id_, said


def note(matter: Matter, contact: Contact) -> None:
    """Keep a matter in mind for what was said of it later, on this line."""
    for id_, said in operations(contact):
        at = time_of(said.get("at")) or contact.at
        matter["keep"] = max(matter["keep"], at)
        line = word_of(said.get("with"), 64)
        if said.get("do") == "merge" and line and line not in matter["lines"] and len(matter["awaits"]) < AWAITED:
            matter["awaits"][line] = [at, id_]
    if isinstance(told := contact.details.get("request"), Mapping):
        matter["keep"] = max(matter["keep"], time_of(told.get("at")) or 0)


def hear(state: State, fact: Fact, out: Out) -> None:
    if fact.name != "request" or fact.data.get("undone"):
        return
    word = word_of(fact.data.get("do") if fact.id else fact.data.get("state"), 32)
    matter = meant(state["requests"]["matters"], fact) if word else None
    if matter is None:
        return
    solves = (BY_AGENT if fact.id else BY_EVENT).get(word)
    if is_open(matter) and solves:
        solve(matter, fact.at, solves)
    elif not is_open(matter) and word in REOPENS:
        reopen(matter, fact.at, waits=True)
    elif is_open(matter) and word == "answered" and not fact.id:
        answer(state, matter, fact.at, fact.contact, out)
    set_alarm(state, out)


def meant(matters: list[Matter], fact: Fact) -> Matter | None:
    """The matter of the line on which it is said; a pushing system may name it, or mean the only open one."""
    found = holding(matters, fact.contact.id)
    if fact.id:
        return found
    external = external_of(fact.contact)
    if external:
        return by_number(matters, external)
    unsolved = list(filter(is_open, matters))
    return found or (unsolved[0] if len(unsolved) == 1 else None)


def ring(state: State, at: int, out: Out) -> None:
    """Silence solves what was answered; what nobody answered is abandoned."""
    for matter in state["requests"]["matters"]:
        if is_open(matter) and silent_at(matter, out) <= at:
            solve(matter, at, SILENCE)
    set_alarm(state, out)


def silent_at(matter: Matter, out: Out) -> int:
    found: int = matter["active"] + out.meaning.solved_after_days * DAY
    return found


def set_alarm(state: State, out: Out) -> None:
    waiting = [silent_at(one, out) for one in state["requests"]["matters"] if is_open(one)]
    alarm(state, "requests", min(waiting, default=None))


def forget(state: State, now: int, out: Out) -> None:
    """Let go of what nobody can return to any more."""
    known = state["requests"]
    gone = [one for one in known["matters"] if done_with(one, now, out)]
    if gone:
        known["matters"][:] = [one for one in known["matters"] if one not in gone]
    for matter in gone:
        emit(matter, out)
        known["recent"] = sorted([*known["recent"], [matter["at"], matter["line"], effort.measured(matter)]])[-RECENT:]


def done_with(matter: Matter, now: int, out: Out) -> bool:
    return not recent(matter, now, out) and matter["keep"] < now and not matter["awaits"]


def latest(state: State) -> Matter | None:
    """The matter that was spoken of last."""
    return last(state["requests"]["matters"])


def close(state: State, now: int, out: Out) -> None:
    matters = state["requests"]["matters"]
    for matter in matters:
        emit(matter, out)
    out.summary["open_requests"] = sum(map(is_open, matters))
    waiting = [one for one in matters if state_of(one) == Request.OPEN]
    if waiting:
        oldest = min(waiting, key=lambda one: (one["since"], one["line"]))
        out.summary.setdefault("more", {})["waiting"] = str(row_id(oldest["line"], "request"))
