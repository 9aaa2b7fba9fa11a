"""A customer's story in a few words: lines as the folds see them, and what all measures make of them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from customers.experience import engine
from customers.experience.calendar import Calendar, Calendars, span
from customers.experience.contacts import Contact, micros
from customers.experience.engine import Checkpoint, Folded, Out
from customers.experience.meaning import Meaning
from customers.experience.measures import MEASURES

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""Stories begin on a Monday morning."""


def when(days: float = 0, hours: float = 0, minutes: float = 0) -> int:
    return micros(MONDAY + timedelta(days=days, hours=hours, minutes=minutes))


def rfc(days: float = 0, hours: float = 0, minutes: float = 0) -> str:
    return (MONDAY + timedelta(days=days, hours=hours, minutes=minutes)).isoformat()


def id_of(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, name))


def line(name: str, at: int, **said: Any) -> Contact:
    """An inbound text message unless `said` tells otherwise; `name` stands for its id."""
    given: dict[str, Any] = {
        "channel": "sms",
        "kind": "message",
        "direction": "inbound",
        "thread": "",
        "source": "shop",
        "agent": "",
    }
    given |= {"state": "", "subject": "", "human": True, "identity": 1, "rank": 0, "details": {}} | said
    return Contact(id=id_of(name), at=at, agent_name=given["agent"], **given)


def reply(name: str, at: int, agent: str = "ann", **said: Any) -> Contact:
    return line(name, at, direction="outbound", agent=agent, **said)


def call(name: str, at: int, state: str = "completed", **said: Any) -> Contact:
    return line(name, at, **({"channel": "phone", "kind": "call", "state": state} | said))


def order(name: str, at: int, number: str = "", **said: Any) -> Contact:
    details = {"order": {"number": number or name}}
    return line(name, at, **({"channel": "web", "kind": "purchase", "details": details} | said))


def op(id_: str, do: str, at: str, other: str = "", **more: Any) -> dict[str, Any]:
    """What an agent says of a matter."""
    return {"id": id_, "do": do, "at": at, **({"with": id_of(other)} if other else {}), **more}


def folded(
    lines: Iterable[Contact],
    now: int | None = None,
    start: Checkpoint | None = None,
    meaning: Meaning | None = None,
    calendars: Calendars | None = None,
) -> Folded:
    """All measures over the lines until `now`, which is long after by default, in the order of the timeline."""
    until = when(days=1000) if now is None else now
    ordered = sorted((one for one in lines if one.at <= until), key=lambda one: one.key)
    return engine.fold(ordered, until, Out(meaning or Meaning(), calendars or Calendars()), MEASURES, start)


def told(found: Folded) -> dict[str, Any]:
    """Everything that is written of a fold, to be compared."""
    out = found.out
    tables = ("promises", "requests", "expectations", "scores", "feedback", "stages", "touches")
    return {**{name: getattr(out, name) for name in tables}, "summary": out.summary, "next": found.next_at}


def matters(lines: Iterable[Contact], **how: Any) -> list[dict[str, Any]]:
    """The rows of the matters, the oldest first."""
    return sorted(folded(lines, **how).out.requests.values(), key=lambda row: (row["at"], str(row["line_id"])))


def stages(lines: Iterable[Contact], **how: Any) -> list[tuple[str, str]]:
    """(stage, reason) of each change, the oldest first."""
    rows = sorted(folded(lines, **how).out.stages.values(), key=lambda row: int(row["at"]))
    return [(row["stage"], row["reason"]) for row in rows]


def office(zone: str = "Europe/Vilnius", holidays: Sequence[Any] = ()) -> Calendars:
    """Open from nine to six, Monday to Friday."""
    week = tuple((span(("09:00", "18:00")),) if day < 5 else () for day in range(7))
    return Calendars({"": Calendar(ZoneInfo(zone), week, frozenset(holidays))})
