"""Where in the customer's story something was said: his stage, his matter and what it cost him, who served him."""

from customers.experience.contacts import Contact
from customers.experience.engine import State

ANSWERS = frozenset({"survey", "review", "form", "note", "campaign"})
"""Kinds of lines in which nobody serves anybody."""
UNREACHED = frozenset({"missed", "no-answer", "busy", "failed", "canceled", "rejected", "undelivered", "voicemail"})
"""States of lines that did not reach whom they were for."""


def stage_of(state: State) -> str:
    return str(state["journey"].get("stage") or "")


def served_by(contact: Contact) -> str:
    """The person of ours who spoke with the customer in this line; empty for programs and for calls nobody took."""
    if contact.kind in ANSWERS or contact.direction == "internal" or contact.state in UNREACHED:
        return ""
    return (contact.agent or contact.agent_name) if contact.human and not contact.details.get("auto") else ""


def answers(contact: Contact) -> bool:
    """Whether a line is our word to the customer: said by a person, and it reached him."""
    outbound = contact.direction == "outbound" and contact.human and contact.kind not in ("campaign", "note", "survey")
    return outbound and contact.state not in UNREACHED and not contact.details.get("auto")
