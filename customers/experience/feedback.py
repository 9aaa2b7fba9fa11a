"""Feedback: what a customer said for others to hear, or as a complaint, and how far we took care of it.

A review, comment or mention is feedback by its kind; any other line is by `details.feedback`, or by the tag
`complaint`. New becomes answered by a later word of a person of ours in the same conversation or matter; solved, and
told what changed, are said by people and systems. It never goes back by itself.
"""

from typing import Any, Final

from customers.experience.around import answers, matter_of_line, stage_of
from customers.experience.contacts import Contact, Fact, number_of, word_of
from customers.experience.engine import Out, Row, State, row_id
from customers.models import Feedback

KINDS: Final = frozenset({"review", "comment", "mention"})
COMPLAINT: Final = "complaint"
STATES: Final = (Feedback.NEW, Feedback.ANSWERED, Feedback.SOLVED, Feedback.TOLD)
NEGATIVE_NEW, NEW = 0, 1
"""What waits comes first; then the states in their order."""
KEPT = 100
"""The latest that are watched for an answer: a longer memory would make each checkpoint heavy."""


def begin() -> State:
    return {"open": {}}


def see(state: State, contact: Contact, out: Out) -> None:
    tags = contact.details.get("tags")
    complains = isinstance(tags, list) and COMPLAINT in tags
    if contact.kind in KINDS or complains:
        start(state, contact, out)
    if answers(contact):
        for row in state["feedback"]["open"].values():
            if row["state"] == Feedback.NEW and concerns(state, row, contact):
                move(row, Feedback.ANSWERED, contact.at, contact.agent_name or contact.agent)
                emit(state, row, out)


def start(state: State, contact: Contact, out: Out) -> Row:
    """The feedback of a line; a line is one."""
    known: dict[str, Row] = state["feedback"]["open"]
    if contact.id not in known:
        known[contact.id] = {
            "line_id": contact.id,
            "at": contact.at,
            "kind": contact.kind if contact.kind in KINDS else COMPLAINT,
            "channel": contact.channel,
            "source": contact.source,
            "thread": contact.thread,
            "topic": "",
            "sentiment": felt(contact),
            "state": Feedback.NEW,
            "state_at": None,
            "state_by": "",
            "stage": stage_of(state),
        }
        while len(known) > KEPT:
            del known[next(iter(known))]
    emit(state, known[contact.id], out)
    return known[contact.id]


def felt(contact: Contact) -> int | None:
    """-1, 0 or 1 by the stars, or by the emotion that was said; a complaint is none the less negative."""
    score = contact.details.get("score")
    if isinstance(score, dict) and score.get("metric") == "stars" and (value := number_of(score.get("value"))):
        most = number_of(score.get("max")) or 5
        return -1 if value <= 0.4 * most else 1 if value > 0.6 * most else 0
    if (emotion := number_of(contact.details.get("emotion"))) in (-1, 0, 1):
        return int(emotion or 0)
    return None if contact.kind in KINDS else -1


def concerns(state: State, row: Row, contact: Contact) -> bool:
    """Whether our word belongs to this feedback: it came after it, in its conversation or about its matter."""
    if contact.at <= row["at"] or contact.id == row["line_id"]:
        return False
    if (contact.channel, contact.thread) == (row["channel"], row["thread"]):
        return True
    matter = matter_of_line(state, row["line_id"])
    return matter is not None and matter is matter_of_line(state, contact.id)


def hear(state: State, fact: Fact, out: Out) -> None:
    if fact.name != "feedback":
        return
    row = start(state, fact.contact, out)
    if topic := word_of(fact.data.get("topic"), 100).strip():
        row["topic"] = topic
    if (sentiment := number_of(fact.data.get("sentiment"))) in (-1, 0, 1):
        row["sentiment"] = int(sentiment or 0)
    if fact.data.get("kind") == COMPLAINT:
        row["kind"] = COMPLAINT
    if (said := word_of(fact.data.get("state"), 20)) in STATES:
        move(row, said, fact.at, word_of(fact.data.get("by"), 200))
    emit(state, row, out)


def move(row: Row, to: str, at: int, by: str) -> None:
    if STATES.index(to) > STATES.index(row["state"]):
        row |= {"state": to, "state_at": at, "state_by": by}


def urgency(row: Row) -> int:
    """The order in which feedback is taken care of: unanswered negative first."""
    if row["state"] == Feedback.NEW:
        return NEGATIVE_NEW if row["sentiment"] == -1 else NEW
    return NEW + STATES.index(row["state"])


def emit(state: State, row: Row, out: Out) -> None:
    said: dict[str, Any] = {name: value for name, value in row.items() if name != "thread"}
    out.feedback[row_id(row["line_id"], "feedback")] = said | {"urgency": urgency(row)}


def ring(state: State, at: int, out: Out) -> None:
    """No clock of its own."""


def close(state: State, now: int, out: Out) -> None:
    waiting = [row for row in state["feedback"]["open"].values() if row["state"] == Feedback.NEW]
    out.summary.setdefault("more", {})["feedback"] = {
        "new": len(waiting),
        "negative": [row["line_id"] for row in waiting if row["sentiment"] == -1][-5:],
    }
