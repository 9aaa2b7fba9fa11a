"""What whoever takes over should hear of: the customer's last moods, and the last note that a colleague left.

A mood counts from when it showed; a note is a line among us by a person, outcomes that we note ourselves are none.
Of each channel the last line by which he came is kept: it shows what he prefers.
"""

from typing import Any

from customers.experience.contacts import Contact, Fact, moment, number_of
from customers.experience.encounters import touches, who
from customers.experience.engine import Out, State

MOODS = 3
"""How many are remembered."""


def begin() -> State:
    return {"moods": [], "note": None, "came": {}}


def see(state: State, contact: Contact, out: Out) -> None:
    noted = contact.kind == "note" and contact.direction == "internal" and contact.human
    if noted and "outcome" not in contact.details and (contact.agent or contact.agent_name):
        state["remembered"]["note"] = {
            "line": contact.id,
            "at": contact.at,
            "agent": who(contact),
            "name": contact.agent_name,
        }
    if contact.direction == "inbound" and touches(contact):
        state["remembered"]["came"][contact.channel] = contact.id


def hear(state: State, fact: Fact, out: Out) -> None:
    if fact.name in ("emotion", "expectation_outcome") and (mood := number_of(fact.data.get("emotion"))) in (-1, 0, 1):
        said: dict[str, Any] = {"line": fact.contact.id, "at": fact.at, "emotion": int(mood or 0)}
        state["remembered"]["moods"] = [*state["remembered"]["moods"], said][-MOODS:]


def ring(state: State, at: int, out: Out) -> None:
    """No clock of its own."""


def close(state: State, now: int, out: Out) -> None:
    more = out.summary.setdefault("more", {})
    if note := state["remembered"]["note"]:
        more["note"] = {**note, "at": moment(note["at"]).isoformat()}
    if (prefers := more.get("prefers")) and (line := state["remembered"]["came"].get(prefers["channel"])):
        prefers["line"] = line
    more["moods"] = [{**one, "at": moment(one["at"]).isoformat()} for one in state["remembered"]["moods"]]
