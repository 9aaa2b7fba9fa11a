"""Where in the customer's story something was said: in which stage, about which matter, and by whose work."""

from typing import Any

from customers.experience.contacts import Contact
from customers.experience.encounters import UNSENT, served, who
from customers.experience.engine import State
from customers.experience.matters import Matter, thread_of
from customers.experience.requests import by_number, external_of, holding, last, latest

REPLIES = frozenset({"comment", "review", "mention"})
"""Kinds by which a colleague answers in public; they serve nobody else."""


def stage_of(state: State) -> str:
    return str(state["journey"].get("stage") or "")


def served_by(contact: Contact) -> str:
    """The person of ours who dealt with the customer in this line; empty where nobody did."""
    return who(contact) if served(contact) else ""


def answers(contact: Contact) -> bool:
    """Whether a line is our word to the customer: said by a person, and it reached him."""
    if contact.direction != "outbound":
        return False
    public = contact.kind in REPLIES and contact.human and contact.state not in UNSENT
    return served(contact) or (public and not contact.details.get("auto"))


def matter_of_line(state: State, line: str) -> Matter | None:
    return holding(state["requests"]["matters"], line)


def matter_spoken_of(state: State, contact: Contact) -> Matter | None:
    """The matter that a line is part of, or names, or whose conversation it is in; else the latest, if days ago."""
    matters: list[dict[str, Any]] = state["requests"]["matters"]
    thread = thread_of(contact)
    return (
        holding(matters, contact.id)
        or by_number(matters, external_of(contact))
        or last(one for one in matters if thread and thread in one["threads"])
        or latest(state)
    )
