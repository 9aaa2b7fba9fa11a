"""Promises: what keeps one, what breaks it, and that it is the same in whatever order it is told."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from customers.experience import engine
from customers.experience.calendar import Calendar, Calendars
from customers.experience.contacts import Contact, micros
from customers.experience.engine import Checkpoint, Out, Row
from customers.experience.meaning import Meaning
from customers.experience.measures import MEASURES

DAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE = 60_000_000
NUMBERS = itertools.count(1)


def when(minute: float) -> int:
    return micros(DAY) + int(minute * MINUTE)


def said(minute: float) -> str:
    return (DAY + timedelta(minutes=minute)).isoformat()


def line(minute: float, kind: str = "call", direction: str = "outbound", state: str = "", **more: Any) -> Contact:
    details = more.pop("details", {})
    found = Contact(
        id=str(UUID(int=next(NUMBERS))),
        identity=1,
        at=when(minute),
        rank=0,
        channel="phone",
        kind=kind,
        direction=direction,
        thread="",
        source="shop",
        agent="ona",
        agent_name="Ona",
        human=True,
        state=state or ("completed" if kind == "call" else ""),
        subject="",
        details=details,
    )
    return replace(found, **more)


def promising(minute: float = 0, kind: str = "callback", due: float = 30, **more: Any) -> Contact:
    promise = {"what": "call back with the price", "kind": kind, "due_at": said(due), **more}
    return line(minute, "message", details={"promise": promise})


def folded(
    contacts: list[Contact], now: float = 1000, start: Checkpoint | None = None, calendars: Calendars | None = None
) -> engine.Folded:
    ordered = sorted(contacts, key=lambda one: one.key)
    return engine.fold(ordered, when(now), Out(Meaning(), calendars or Calendars()), MEASURES, start)


def only(contacts: list[Contact], now: float = 1000, calendars: Calendars | None = None) -> Row:
    (row,) = folded(contacts, now, calendars=calendars).out.promises.values()
    return row


CASES = [
    ("callback", line(20), "kept"),
    ("callback", line(20, state="no-answer"), "tried"),
    ("callback", line(20, state="busy"), "tried"),
    ("callback", line(20, state="missed"), "tried"),
    ("callback", line(20, state="voicemail"), "tried"),
    ("callback", line(20, details={"call": {"status": "completed", "talk_s": 0}}), "tried"),
    ("callback", line(20, details={"call": {"status": "completed", "talk_s": 61}}), "kept"),
    ("callback", line(20, state="ringing"), "tried"),
    ("callback", line(20, direction="inbound"), "broken"),
    ("callback", line(20, "message"), "broken"),
    ("callback", line(20, human=False), "broken"),
    ("callback", line(20, details={"auto": True}), "broken"),
    ("callback", line(-5), "broken"),
    ("callback", line(30), "kept"),
    ("callback", line(30.01), "late"),
    ("answer", line(20, "message"), "kept"),
    ("answer", line(20, "email"), "kept"),
    ("answer", line(20, "message", state="failed"), "tried"),
    ("answer", line(20, "email", state="undelivered"), "tried"),
    ("answer", line(20, "message", human=False), "broken"),
    ("answer", line(20), "broken"),
    ("message", line(20, "message"), "kept"),
    ("any", line(20), "kept"),
    ("any", line(20, "email"), "kept"),
    ("any", line(20, "campaign"), "broken"),
    ("any", line(20, "note", "internal"), "broken"),
    ("any", line(20, "message", details={"outcome": {}}), "broken"),
    ("visit", line(20, "visit", "inbound"), "kept"),
    ("visit", line(20), "broken"),
    ("delivery", line(20, "message"), "broken"),
    ("any", line(20, deleted=True), "broken"),
]


@pytest.mark.parametrize(("kind", "contact", "becomes"), CASES)
def test_what_keeps_a_promise(kind: str, contact: Contact, becomes: str) -> None:
    row = only([promising(kind=kind), contact])
    if becomes == "kept":
        assert (row["state"], row["closed_at"], row["closed_line"]) == ("kept", contact.at, contact.id)
        assert row["settled_at"] == contact.at
        return
    assert (row["state"], row["closed_at"]) == ("broken", when(30))
    assert (row["tries"], row["tried_at"]) == ((1, contact.at) if becomes == "tried" else (0, None))
    assert row["settled_at"] == (contact.at if becomes == "late" else None)
    assert row["outcome"] == ("late" if becomes == "late" else "broken")


def test_its_own_line_keeps_no_promise() -> None:
    assert only([promising(kind="answer")])["state"] == "broken"


def test_a_promise_is_open_until_it_is_due() -> None:
    found = folded([promising()], now=30)
    (row,) = found.out.promises.values()
    assert (row["state"], found.next_at) == ("open", when(30) + 1)
    assert found.out.summary["open_promises"] == 1
    assert only([promising()], now=30.1)["state"] == "broken"


def test_it_counts_from_when_it_was_made_not_from_its_line() -> None:
    old = promising(0, due=90, at=said(60))
    assert only([old, line(10)])["state"] == "broken"
    assert only([old, line(70)])["state"] == "kept"
    assert only([old, line(70)])["made_at"] == when(60)
    assert not folded([old], now=59).out.promises


def test_a_word_ends_it() -> None:
    def closed(as_: str, minute: float, **more: Any) -> Row:
        return only(
            [promising(closed={"as": as_, "at": said(minute), "by": "user:7", "why": "By mail"}), *more.values()]
        )

    kept = closed("kept", 20)
    assert (kept["state"], kept["closed_at"], kept["closed_by"], kept["why"]) == ("kept", when(20), "user:7", "By mail")
    assert closed("cancelled", 20)["state"] == "cancelled"
    late = closed("kept", 40)
    assert (late["state"], late["closed_at"], late["settled_at"]) == ("broken", when(30), when(40))
    assert late["outcome"] == "late"
    given_up = closed("cancelled", 40)
    assert (given_up["state"], given_up["settled_at"], given_up["outcome"]) == ("broken", when(40), "broken")
    assert closed("open", 20)["state"] == "broken"
    first = closed("cancelled", 20, call=line(10))
    assert first["state"] == "kept"


def test_another_time_may_be_agreed_while_it_is_open() -> None:
    moved = promising(moved=[{"id": "a", "due_at": said(90), "at": said(20)}])
    assert only([moved, line(80)])["state"] == "kept"
    assert only([moved])["closed_at"] == when(90)
    assert only([moved])["moved"] == 1
    late = promising(moved=[{"id": "a", "due_at": said(90), "at": said(40)}])
    assert (only([late])["state"], only([late])["closed_at"]) == ("broken", when(30))
    twice = [{"id": "a", "due_at": said(90), "at": said(10)}, {"id": "b", "due_at": said(60), "at": said(20)}]
    assert only([promising(moved=twice)])["due_at"] == when(60)


def test_several_promises_of_a_line_are_kept_apart() -> None:
    promises = [
        {"id": "call", "kind": "callback", "due_at": said(30)},
        {"id": "mail", "kind": "answer", "due_at": said(60)},
        {"id": "no date"},
        {"id": "no time", "due_at": "soon"},
    ]
    rows = folded([line(0, "message", details={"promises": promises}), line(45, "email")]).out.promises.values()
    assert {(row["key"], row["state"]) for row in rows} == {("call", "broken"), ("mail", "kept")}


def test_what_comes_late_but_was_in_time_keeps_it() -> None:
    made = promising()
    assert only([made, line(50)])["state"] == "broken"
    assert only([made, line(50), line(25)])["state"] == "kept"


HOURS = tuple((((time(9), time(18)),) if day < 5 else ()) for day in range(7))
VILNIUS = Calendar(ZoneInfo("Europe/Vilnius"), HOURS, frozenset({date(2026, 3, 11)}))


def within(minutes: int, made: datetime, calendars: Calendars) -> datetime:
    promise = {"kind": "callback", "within_minutes": minutes, "at": made.isoformat()}
    contact = replace(line(0, "message", details={"promise": promise}), at=micros(made))
    out = Out(Meaning(), calendars)
    engine.fold([contact], micros(made), out, MEASURES)
    (row,) = out.promises.values()
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=row["due_at"])


def vilnius(*when: int) -> datetime:
    return datetime(*when, tzinfo=ZoneInfo("Europe/Vilnius"))  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("minutes", "made", "due"),
    [
        (30, vilnius(2026, 3, 2, 10, 0), vilnius(2026, 3, 2, 10, 30)),
        (30, vilnius(2026, 3, 2, 17, 50), vilnius(2026, 3, 3, 9, 20)),
        (30, vilnius(2026, 3, 6, 17, 50), vilnius(2026, 3, 9, 9, 20)),  # Friday to Monday
        (60, vilnius(2026, 3, 10, 17, 30), vilnius(2026, 3, 12, 9, 30)),  # over a holiday
        (60, vilnius(2026, 3, 27, 17, 30), vilnius(2026, 3, 30, 9, 30)),  # over the night when clocks go on
        (60, vilnius(2026, 10, 23, 17, 30), vilnius(2026, 10, 26, 9, 30)),  # and back
    ],
)
def test_minutes_count_while_somebody_is_there(minutes: int, made: datetime, due: datetime) -> None:
    assert within(minutes, made, Calendars({"shop": VILNIUS})) == due
    assert within(minutes, made, Calendars({"": VILNIUS})) == due
    assert within(minutes, made, Calendars({"other": VILNIUS})) == made + timedelta(minutes=minutes)


def test_a_long_history_goes_on_from_its_checkpoint() -> None:
    """Promises before, on and after the checkpoint, of which some are still open there."""
    contacts = [line(minute, "message", "inbound") for minute in range(400)]
    contacts += [promising(minute + 0.5, due=minute + 120, kind="callback") for minute in range(0, 400, 17)]
    contacts += [promising(minute + 0.6, due=minute + 9, kind="delivery") for minute in range(0, 400, 31)]
    contacts += [line(150.7), line(290.7, state="busy"), line(390.7)]
    contacts.sort(key=lambda one: one.key)
    whole = folded(contacts, 500)
    assert whole.checkpoint is not None
    point = whole.checkpoint
    rest = folded([one for one in contacts if one.at > point.at], 500, point)
    before = {id_: row for id_, row in whole.out.promises.items() if row["at"] <= point.at}
    after = {id_: row for id_, row in whole.out.promises.items() if row["at"] > point.at}
    assert after == {id_: row for id_, row in rest.out.promises.items() if row["at"] > point.at}
    assert before
    alone = folded([one for one in contacts if one.at <= point.at], 500).out.promises
    again = rest.out.promises
    assert before == {id_: again.get(id_, alone[id_]) for id_ in before}
    assert rest.out.summary["open_promises"] == whole.out.summary["open_promises"]
    assert {row["state"] for row in whole.out.promises.values()} == {"kept", "broken", "open"}
