"""The words of the brief: a function per kind of line, from rows of the folds to sentences in the reader's language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import ngettext, pgettext_lazy

from customers.console import words
from customers.console.grouping import Grouped
from customers.console.words import spoken as _
from customers.experience import contacts, loops
from customers.experience.wording import channel, clock, day, first_words, joined, moment, quoted, when

Known = Mapping[str, Any]
COUNTED = 100
"""New lines that are counted."""


@dataclass(frozen=True, slots=True)
class Line:
    """`what`: the kind; `interaction`: the line that proves it; `facts`: the same for programs."""

    what: str
    text: str
    interaction: str | None = None
    at: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    urgent: bool = False

    def shape(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "text": self.text,
            "interaction": self.interaction,
            "at": self.at,
            "facts": self.facts,
            "urgent": self.urgent,
        }


def who(known: Known, since: datetime | None, now: datetime) -> list[Line]:
    stage, more = known["stage"] or "", known["first_touch"] or {}
    said = [known["name"] or _("No name")]
    if stage:
        said.append(
            _("%(stage)s since %(day)s")
            % {"stage": stage_words(stage, known["stages"]), "day": day(known["stage_since"])}
        )
    if bought := known["purchases"]:
        count = ngettext("%(n)s purchase", "%(n)s purchases", bought) % {"n": Grouped(bought)}
        said.append(_("%(count)s, the last %(day)s") % {"count": count, "day": day(known["last_purchase"])})
    if known["first"]:
        said.append(_("known since %(day)s") % {"day": day(known["first"])})
    facts = {name: known[name] for name in ("name", "stage", "stage_since", "purchases", "last_purchase", "effort")}
    return [Line("customer", joined(*said), more.get("line"), known["first"], facts)]


STAGES: words.Words = {
    "before": pgettext_lazy("stage", "before the purchase"),
    "purchase": pgettext_lazy("stage", "purchase"),
    "after": pgettext_lazy("stage", "after the purchase"),
    "again": pgettext_lazy("stage", "buying again"),
    "left": pgettext_lazy("stage", "left"),
}


def stage_words(stage: str, names: Mapping[str, str]) -> str:
    given = names.get(stage)
    return given if isinstance(given, str) and given else words.said(STAGES).get(stage, stage)


def promises(known: Known, since: datetime | None, now: datetime) -> list[Line]:
    return [promise(one, people(known), now) for one in known["promises"]]


def people(known: Known) -> dict[str, str]:
    """The names of the colleagues whom the brief knows, by their ids."""
    more = known["more"] or {}
    return {one["agent"]: one["name"] for name in ("human", "note") if (one := more.get(name)) and one["name"]}


def promise(one: Known, names: Mapping[str, str], now: datetime) -> Line:
    what = first_words(one["what"]) or str(words.said(PROMISED).get(one["kind"], one["kind"]))
    if one["origin"] == "score":
        what = loops.promised(one["what"], one["origin"], datetime.fromisoformat(one["made_at"]))
    values = {"what": what, "due": when(one["due_at"], now)}
    owner = _("by %(name)s") % {"name": names.get(one["owner"], one["owner"])} if one["owner"] else ""
    tries = one["tries"]
    tried = ngettext("tried %(n)s time", "tried %(n)s times", tries) % {"n": Grouped(tries)} if tries else ""
    late = moment(one["due_at"]) < now
    if one["state"] == "broken":
        text = _("We broke a promise: %(what)s, due %(due)s") % values
    elif late:
        text = _("Overdue: %(what)s, was due %(due)s") % values
    else:
        text = _("Promised: %(what)s, due %(due)s") % values
    members = ("id", "what", "kind", "origin", "owner", "state", "due_at", "made_at", "tries")
    facts = {name: one[name] for name in members}
    urgent = late or one["state"] == "broken"
    return Line("promise", joined(text, owner, tried), one["line_id"], one["made_at"], facts, urgent)


PROMISED: words.Words = {
    "callback": pgettext_lazy("promise", "a call"),
    "answer": pgettext_lazy("promise", "an answer"),
    "visit": pgettext_lazy("promise", "a visit"),
    "delivery": pgettext_lazy("promise", "a delivery"),
    "any": pgettext_lazy("promise", "to get in touch"),
}


def requests(known: Known, since: datetime | None, now: datetime) -> list[Line]:
    spoken = ((known["more"] or {}).get("human") or {}).get("line")
    return [request(one, spoken, now) for one in known["requests"]]


def request(one: Known, spoken: str | None, now: datetime) -> Line:
    """`spoken`: the line of which another line of the brief has the words."""
    about = joined(first_words(one["subject"]), "" if one["last_line"] == spoken else quoted(one["text"]))
    if one["waiting_since"]:
        text = _("Waits for an answer since %(when)s (%(channel)s)")
        at = one["waiting_since"]
    else:
        text = _("In work, last contact %(when)s (%(channel)s)")
        at = one["last_at"]
    said = text % {"when": when(at, now), "channel": channel(one["last_channel"] or one["channel"])}
    again = _("came back after it was solved") if one["reopened"] else ""
    times = one["inbound"]
    asked = ngettext("asked %(n)s time", "asked %(n)s times", times) % {"n": Grouped(times)}
    names = ("id", "state", "subject", "channel", "at", "waiting_since", "last_at", "agents", "reopened", "inbound")
    facts = {name: one[name] for name in names}
    told = f"{said}: {about}" if about else said
    said = joined(told, asked if times > 1 else "", again)
    return Line("request", said, one["last_line"], at, facts, one["waiting_since"] is not None)


def feedback(known: Known, since: datetime | None, now: datetime) -> list[Line]:
    found = []
    for one in known["feedback"]:
        kind = words.KINDS.get(one["kind"]) or _("Complaint")
        said = _("%(kind)s without an answer, %(when)s") % {"kind": kind, "when": when(one["at"], now)}
        facts = {name: one[name] for name in ("id", "kind", "channel", "topic", "at")}
        about = joined(one["topic"], quoted(one["text"]))
        found.append(
            Line("feedback", f"{said}: {about}" if about else said, one["line_id"], one["at"], facts, urgent=True)
        )
    return found


def expectations(known: Known, since: datetime | None, now: datetime) -> list[Line]:
    found = []
    for one in known["expectations"]:
        what = {"what": first_words(one["what"])}
        if one["outcome"] == "missed":
            text = _("Expected, and was let down: %(what)s") % what
        elif one["lasting"]:
            text = _("Always expects: %(what)s") % what
        else:
            text = _("Expects now: %(what)s") % what
        names = ("id", "what", "lasting", "stated_at", "outcome", "emotion")
        facts = {name: one[name] for name in names}
        found.append(Line("expectation", text, one["line_id"], one["stated_at"], facts))
    return found


def colleague(known: Known, since: datetime | None, now: datetime) -> list[Line]:
    return last_word(known, "human", "colleague", now)


def note(known: Known, since: datetime | None, now: datetime) -> list[Line]:
    return last_word(known, "note", "note", now)


def last_word(known: Known, member: str, what: str, now: datetime) -> list[Line]:
    """What a colleague said last to the customer, or noted: who, when, and his first words."""
    one = (known["more"] or {}).get(member)
    said = known["said"].get(one["line"]) if one else None
    if not one or not said:
        return []
    subject, text = first_words(said["subject"]), quoted(said["text"])
    values = {"name": one["name"] or one["agent"] or _("a colleague"), "when": when(one["at"], now)}
    if what == "note":
        told = _("Noted by %(name)s, %(when)s") % values
    else:
        values["channel"] = channel(one["channel"])
        told = _("Last spoke with %(name)s, %(when)s (%(channel)s)") % values
    about = joined(subject, text)
    facts = {"agent": one["agent"], "name": one["name"], "channel": one.get("channel"), "kind": said["kind"]}
    return [Line(what, f"{told}: {about}" if about else told, one["line"], one["at"], facts)]


MOODS: words.Words = {
    "-1": pgettext_lazy("mood", "bad"),
    "0": pgettext_lazy("mood", "even"),
    "1": pgettext_lazy("mood", "good"),
}


def feeling(known: Known, since: datetime | None, now: datetime) -> list[Line]:
    """Last answers to surveys and the last moods, in one line; the newest proves it."""
    more = known["more"] or {}
    said, proofs = [], []
    scores = dict(sorted((more.get("scores") or {}).items(), key=lambda one: -one[1]["at"]))
    for metric, one in scores.items():
        at = contacts.moment(one["at"]).isoformat()
        answer = f"{one['value']:g}"
        if one.get("high") is not None:
            answer = _("%(answer)s of %(high)s") % {"answer": answer, "high": f"{one['high']:g}"}
        said.append(f"{words.said(words.METRICS).get(metric, metric.upper())} {answer} ({day(at)})")
        proofs.append((at, one["line"]))
    if moods := more.get("moods"):
        named = words.said(MOODS)
        trail = " → ".join(named[str(one["emotion"])] for one in moods)
        said.append(_("mood %(trail)s (%(day)s)") % {"trail": trail, "day": day(moods[-1]["at"])})
        proofs.append((moods[-1]["at"], moods[-1]["line"]))
    if not said:
        return []
    at, line = max(proofs, key=lambda one: datetime.fromisoformat(one[0]))
    facts = {
        "scores": {name: one["value"] for name, one in scores.items()},
        "moods": [m["emotion"] for m in moods or ()],
    }
    return [Line("feeling", _("Last answers: %(said)s") % {"said": ", ".join(said)}, line, at, facts)]


def new(known: Known, since: datetime | None, now: datetime) -> list[Line]:
    found = known["new"]
    if since is None or not found:
        return []
    last, count = found[0], len(found)
    many = ngettext("%(n)s new line", "%(n)s new lines", count) % {"n": count if count < COUNTED else f"{COUNTED}+"}
    told = _("%(many)s since you looked %(when)s; the last: %(channel)s") % {
        "many": many,
        "when": when(since.isoformat(), now),
        "channel": channel(last["channel"]),
    }
    text = quoted(last["text"])
    facts = {"count": count, "since": since.isoformat()}
    return [Line("new", f"{told}, {text}" if text else told, last["id"], last["at"], facts)]


def prefers(known: Known, since: datetime | None, now: datetime) -> list[Line]:
    found = (known["more"] or {}).get("prefers")
    if not found:
        return []
    there = timezone.localtime(now).astimezone(ZoneInfo(found["zone"])).replace(hour=found["hour"], minute=0)
    here = timezone.localtime(there)
    values = {"channel": channel(found["channel"]), "hour": clock(here)}
    text = _("Mostly comes by %(channel)s, around %(hour)s") % values
    return [Line("prefers", text, found.get("line"), None, {name: found[name] for name in found if name != "line"})]


Teller = Callable[[Known, datetime | None, datetime], list[Line]]
TELLERS: Final[tuple[Teller, ...]] = (
    *(who, promises, requests, feedback, expectations, colleague, note, feeling, new, prefers),
)
"""In the order of importance."""
