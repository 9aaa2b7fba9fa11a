"""What a line was between a customer and the company: a question, an answer, a call that nobody took, a touch."""

from typing import Final

from customers.experience.contacts import Contact, time_of

ASKING: Final = frozenset({"message", "call", "email", "form"})
"""Kinds by which a customer wants something of us; reviews, comments and mentions are feedback, see `feedback`."""
SERVING: Final = frozenset({"message", "call", "email", "visit", "other"})
"""Kinds by which a colleague serves him."""
UNTAKEN: Final = frozenset({"missed", "no-answer", "busy", "failed", "canceled", "rejected", "voicemail"})
"""States of a call without a talk."""
RINGING: Final = frozenset({"queued", "initiated", "started", "ringing"})
UNSENT: Final = frozenset({"failed", "undelivered", "rejected", "canceled"})
"""States of a message that did not reach him."""
NOBODY_CAME: Final = frozenset({"missed", "no-answer", "canceled"})
"""States of his call in which he gave up waiting; a voice message and a busy line are missed, not abandoned."""


def touches(contact: Contact) -> bool:
    """Whether customer and company met: everything but notes among us and what we write down of outcomes."""
    return contact.direction != "internal" and contact.kind != "note" and "outcome" not in contact.details


def asks(contact: Contact) -> bool:
    """Whether the customer came with something that somebody should answer."""
    return contact.direction == "inbound" and contact.kind in ASKING and touches(contact)


def talked(contact: Contact) -> bool:
    """Whether a call was a talk; a call of which no outcome is told (somebody wrote it down) was one."""
    return contact.kind == "call" and contact.state not in UNTAKEN and contact.state not in RINGING


def missed(contact: Contact) -> bool:
    """Whether the customer called and nobody took it."""
    return contact.direction == "inbound" and contact.kind == "call" and contact.state in UNTAKEN


def served(contact: Contact) -> bool:
    """Whether a person of the company reached the customer: wrote to him, talked with him, or received him."""
    if not contact.human or contact.kind not in SERVING or contact.details.get("auto") or not touches(contact):
        return False
    if contact.kind == "call":
        return talked(contact)
    if contact.kind == "visit":
        return bool(contact.agent or contact.agent_name)
    return contact.direction == "outbound" and contact.state not in UNSENT


def taken_at(contact: Contact) -> int:
    """When a contact that served began: of a call, when it was taken."""
    call = contact.details.get("call")
    answered = time_of(call.get("answered_at")) if isinstance(call, dict) else None
    return max(contact.at, answered) if answered is not None else contact.at


def who(contact: Contact) -> str:
    """The colleague, by his id or else by his name."""
    return (contact.agent or contact.agent_name)[:200]
