"""What was promised and is expected, in words: for the card, beside the lines in which it was said, and in lists."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import orjson
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers import masking
from customers.console import words
from customers.console.lines import Line
from customers.console.words import Words
from customers.experience import framing, loops, owed
from customers.experience.calendar import Calendars
from customers.experience.phrases import suggested
from customers.sql import Cursor

RECENT = timedelta(days=31)
"""Older lines are not read for what they may have promised."""
PROMISE_KINDS: Words = {
    "callback": pgettext_lazy("promise", "a call"),
    "answer": pgettext_lazy("promise", "an answer in writing"),
    "visit": pgettext_lazy("promise", "a visit"),
    "any": pgettext_lazy("promise", "a call or a message"),
    "delivery": pgettext_lazy("promise", "a delivery"),
    "task": pgettext_lazy("promise", "something else"),
}
"""By what a promise is kept; the last two only by somebody's word."""
KINDS: Words = {**PROMISE_KINDS, "message": PROMISE_KINDS["answer"]}
STATES: Words = {
    "open": pgettext_lazy("promise", "open"),
    "overdue": pgettext_lazy("promise", "overdue"),
    "kept": pgettext_lazy("promise", "kept"),
    "broken": pgettext_lazy("promise", "broken"),
    "late": pgettext_lazy("promise", "broken, made good late"),
    "given_up": pgettext_lazy("promise", "broken, given up"),
    "cancelled": pgettext_lazy("promise", "cancelled"),
}
LISTS: Words = {
    "waiting": pgettext_lazy("promises", "what waits"),
    "overdue": pgettext_lazy("promises", "overdue"),
    "open": pgettext_lazy("promises", "not due yet"),
    "kept": pgettext_lazy("promises", "kept"),
    "broken": pgettext_lazy("promises", "broken"),
    "cancelled": pgettext_lazy("promises", "cancelled"),
}
OUTCOMES: Words = {
    "missed": pgettext_lazy("expectation", "missed"),
    "met": pgettext_lazy("expectation", "met"),
    "exceeded": pgettext_lazy("expectation", "exceeded"),
}
EMOTIONS: Words = {"-1": _("unhappy"), "0": _("calm"), "1": _("pleased")}


def local(value: str | None) -> datetime | None:
    return timezone.localtime(datetime.fromisoformat(value)) if value else None


def promise(said: str | dict[str, Any]) -> dict[str, Any]:
    """A promise as templates show it, from what `owed` says; the times are the reader's."""
    one: dict[str, Any] = masking.shown(orjson.loads(said) if isinstance(said, str) else said)
    for name in ("made_at", "due_at", "tried_at", "closed_at", "settled_at"):
        one[name] = local(one[name])
    one["shows"] = state_of(one)
    one["state_name"] = words.said(loops.STATES if one["origin"] == "score" else STATES)[one["shows"]]
    one["what"] = loops.promised(one["what"], one["origin"], one["made_at"])
    one["kind_name"] = words.said(KINDS).get(one["kind"], one["kind"])
    one["waits"] = one["settled_at"] is None
    return one


def state_of(one: dict[str, Any]) -> str:
    if one["overdue"]:
        return "overdue"
    if one["state"] == "broken" and one["settled_at"]:
        return "late" if one["late"] else "given_up"
    return str(one["state"])


def expectation(said: str | dict[str, Any]) -> dict[str, Any]:
    one: dict[str, Any] = masking.shown(orjson.loads(said) if isinstance(said, str) else said)
    one |= {"stated_at": local(one["stated_at"]), "outcome_at": local(one["outcome_at"])}
    one["outcome_name"] = words.said(OUTCOMES).get(one["outcome"], "")
    one["emotion_name"] = words.said(EMOTIONS).get(str(one["emotion"]), "")
    return one


def beside(sql: Cursor, root: int, shown: Sequence[Line], *, offer: bool) -> None:
    """Puts to lines what was promised and expected in them; `offer`: and what our own text seems to promise."""
    said = owed.said_in(sql, root, [one.id for one in shown])
    put(shown, said, lambda: framing.read(sql).calendars if offer else None)


def put(
    shown: Sequence[Line], said: Iterable[tuple[int, dict[str, Any]]], offer: Callable[[], Calendars | None]
) -> None:
    """The same of what `owed.said_in` found; `offer`: the business hours, where something is to be suggested."""
    found: dict[str, tuple[list[Any], list[Any]]] = {}
    for kind, one in said:
        what = expectation(one) if kind else promise(one)
        found.setdefault(what["line"], ([], []))[kind].append(what)
    days, now, zone = None, datetime.now(UTC), timezone.get_current_timezone()
    for line in shown:
        line.promises, line.expectations = found.get(line.id, ([], []))
        if suggestible(line, now) and (days := days or offer()) is not None:
            line.suggestion = suggestion(line.entry, days, now, zone)


def suggestible(one: Line, now: datetime) -> bool:
    return not one.promises and one.entry["direction"] == "outbound" and now - one.at < RECENT


def suggestion(entry: dict[str, Any], days: Calendars, now: datetime, zone: tzinfo) -> dict[str, Any] | None:
    """What the text of an entry seems to promise; not what is over already."""
    said = datetime.fromisoformat(entry["occurred_at"])
    calendar = days.of(entry["source"])
    guess = suggested(entry["direction"], entry["kind"], entry["text"], said, calendar, zone)
    if guess is None or guess.due_at <= now or entry["deleted_at"]:
        return None
    return {
        "what": guess.what,
        "kind": guess.kind,
        "words": guess.words,
        "due_at": guess.due_at.astimezone(zone),
        "kind_name": KINDS[guess.kind],
    }
