"""Expectations: what a customer said he expects, for one matter or lasting, and whether it was met.

`details.expectation` or `details.expectations` of a line say it: `{id, what, lasting, at, by, outcome: {as, emotion,
at, by}}`. The outcome is missed, met or exceeded, with the emotion that showed at that moment: -1, 0 or +1. One for
the matter at hand ends with its outcome; a lasting one is expected again, and keeps its last outcome.
"""

from typing import Any
from uuid import UUID

from customers.experience.around import matter_spoken_of
from customers.experience.contacts import Contact, Fact, number_of, word_of
from customers.experience.engine import Out, Row, State, row_id

OUTCOMES = ("missed", "met", "exceeded")
WATCHED = 100


def begin() -> State:
    return {"open": {}}


def see(state: State, contact: Contact, out: Out) -> None:
    """Contacts alone meet no expectation: a person says so."""


def hear(state: State, fact: Fact, out: Out) -> None:
    if fact.name not in ("expectation", "expectation_outcome"):
        return
    mine: dict[str, Row] = state["expectations"]["open"]
    id_ = str(row_id(fact.contact.id, "expectation", fact.id))
    if fact.name == "expectation":
        if what := word_of(fact.data.get("what")).strip():
            mine[id_] = stated(state, fact, what)
            while len(mine) > WATCHED:
                del mine[next(iter(mine))]
    elif id_ in mine and (as_ := fact.data.get("as")) in OUTCOMES:
        emotion = number_of(fact.data.get("emotion"))
        mine[id_] |= {
            "outcome": as_,
            "emotion": int(emotion) if emotion in (-1, 0, 1) else None,
            "outcome_at": fact.at,
            "outcome_by": word_of(fact.data.get("by"), 200),
        }
    if id_ in mine:
        emit(out, id_, mine[id_])
        if mine[id_]["outcome"] and not mine[id_]["lasting"]:
            del mine[id_]


def stated(state: State, fact: Fact, what: str) -> Row:
    contact, lasting = fact.contact, fact.data.get("lasting") is True
    matter = None if lasting else matter_spoken_of(state, contact)
    return {
        "line_id": contact.id,
        "at": contact.at,
        "key": fact.id,
        "what": what,
        "lasting": lasting,
        "stated_at": fact.at,
        "stated_by": word_of(fact.data.get("by"), 200),
        "request_id": str(row_id(matter["line"], "request")) if matter else None,
        "outcome": "",
        "emotion": None,
        "outcome_at": None,
        "outcome_by": "",
    }


def emit(out: Out, id_: str, row: Row) -> None:
    out.expectations[UUID(id_)] = dict(row)


def ring(state: State, at: int, out: Out) -> None:
    """No clock of its own."""


def close(state: State, now: int, out: Out) -> None:
    mine: dict[str, Row] = state["expectations"]["open"]
    for id_, row in mine.items():
        emit(out, id_, row)
    out.summary.setdefault("more", {})["expectations"] = [row["what"][:200] for row in list(mine.values())[-5:]]


def details(key: str, said: dict[str, Any]) -> dict[str, Any]:
    """What a part of a line says of one expectation."""
    return {"expectations": [{"id": key, **said}]} if key else {"expectation": said}
