"""Scores: each answer to a survey as a row, with the stage, the matter and the person it speaks of.

An answer that no formula is made for (another scale, out of range, a fraction) is kept with why, and counts for
nothing. A low one opens a promise to come back to the customer: one for all answers of a line.
"""

from typing import Any
from uuid import UUID

from customers.experience.around import matter_spoken_of, served_by, stage_of
from customers.experience.contacts import Contact, Fact, number_of, word_of
from customers.experience.effort import HOUR, measured
from customers.experience.engine import Out, State, row_id
from customers.experience.meaning import Meaning
from customers.experience.measuring import METRICS, scale, why_not
from customers.experience.promises import ANY, open_promise


def begin() -> State:
    return {"agent": "", "last": {}}


def see(state: State, contact: Contact, out: Out) -> None:
    if agent := served_by(contact):
        state["scores"]["agent"] = agent


def hear(state: State, fact: Fact, out: Out) -> None:
    metric, value = word_of(fact.data.get("metric"), 20).lower(), number_of(fact.data.get("value"))
    if fact.name != "score" or metric not in METRICS or value is None:
        return
    mine, contact = state["scores"], fact.contact
    low, high = scale(metric, number_of(fact.data.get("min")), number_of(fact.data.get("max")))
    why = why_not(metric, value, (low, high))
    bad = not why and value <= limit(metric, out.meaning)
    matter = matter_spoken_of(state, contact)
    out.scores[row_id(contact.id, "score", fact.id)] = {
        "line_id": contact.id,
        "at": contact.at,
        "given_at": fact.at,
        "metric": metric,
        "value": value,
        "low": low,
        "high": high,
        "why": why,
        "channel": contact.channel,
        "source": contact.source,
        "stage": stage_of(state),
        "agent": out.colleague(said_of(fact)) or served_by(contact) or mine["agent"],
        "request_id": row_id(matter["line"], "request") if matter else None,
        "effort": measured(matter) if matter else None,
        "bad": bad,
        "promise_id": close_the_loop(state, fact, f"{metric.upper()} {value:g}/{high:g}", out) if bad else None,
    }
    if not why:
        mine["last"][metric] = {"value": value, "low": low, "high": high, "at": fact.at, "line": contact.id, "bad": bad}


def close_the_loop(state: State, fact: Fact, what: str, out: Out) -> UUID:
    """Somebody comes back to him, by a call or in writing, within `follow_up_hours` of open time."""
    contact = fact.contact
    due = out.calendars.after(contact.source, fact.at, out.meaning.follow_up_hours * HOUR)
    return open_promise(state, out, contact, key="score", what=what, due_at=due, at=fact.at, kind=ANY, origin="score")


def said_of(fact: Fact) -> str:
    """The agent whom the survey names: by itself, or as the agent of its line."""
    contact = fact.contact
    named = word_of(fact.data.get("agent"), 200)
    return named or (contact.agent if contact.kind == "survey" and contact.human else "")


def limit(metric: str, meaning: Meaning) -> float:
    """Up to which answer somebody should come back; stars are given in public, where `feedback` waits for a reply."""
    return {"nps": meaning.low_nps, "csat": meaning.low_csat, "ces": meaning.low_ces}.get(metric, -1)


def ring(state: State, at: int, out: Out) -> None:
    """No clock of its own."""


def close(state: State, now: int, out: Out) -> None:
    last: dict[str, Any] = state["scores"]["last"]
    out.summary |= {metric: last[metric]["value"] if metric in last else None for metric in ("nps", "csat", "ces")}
    out.summary.setdefault("more", {})["scores"] = dict(last)
