"""How the demo's stories are written down: a person, and one contact a line.

    41 10:02 call> {missed}
    41 10:09 call< {3:05 anna} Перезвонили: кофемолка шумит, мастер в четверг.

Days before the first start, time of day, what it was, its direction (`>` to us, `<` from us, `=` among ourselves),
what else is to be known (a duration, an agent, words, name=value), and the text; `¶` begins a new paragraph.
A line that begins with no day goes on where the last one ended. `{all}` marks the contact that names every handle of
the person; it goes in before everything else.
"""

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from hashlib import md5
from typing import Any, Literal, get_args

LINE = re.compile(r"(\d+) (\d\d:\d\d) ([a-z]+)([<>=])(?: \{([^}]*)\})?(?: (.*))?")
FOLD = re.compile(r"\n\s*(?!\s*\d+ \d\d:\d\d )")
LASTED = re.compile(r"(\d+):(\d\d)")
SIDES = {">": "inbound", "<": "outbound", "=": "internal"}
AGENTS = {
    "anna": "Анна Белова",
    "igor": "Игорь Семёнов",
    "rasa": "Rasa Petrauskienė",
    "tomas": "Tomas Jankauskas",
    "kate": "Kate Morris",
    "bot": "Зёрнышко",
}
ZONES = {"demo": timezone(timedelta(hours=5)), "vilnius": timezone(timedelta(hours=2))}

Phase = Literal[1, 2, 3]
"""Handles that become one person go in first; the last customer when everybody else's contacts are accepted."""
PHASES: tuple[Phase, ...] = get_args(Phase)
Door = Literal["push", "telegram", "voice", "sms", "mail"]


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one door takes: an event, an update, the fields of a form, or a mail."""

    door: Door
    what: Any
    phase: Phase = 2


@dataclass(frozen=True, slots=True)
class Person:
    """`handles` as kind → value; `crm` also names the person in ids, so it never changes."""

    crm: str
    name: str
    handles: dict[str, str]
    story: str
    home: str = "demo"  # the source that pushes for him

    @property
    def label(self) -> str:
        return self.crm or md5(self.story.encode(), usedforsecurity=False).hexdigest()[:8]

    def identifiers(self) -> list[dict[str, Any]]:
        """All handles, but for the Telegram id of those who share their contact there: that is what links it."""
        later = {"telegram"} if "{contact}" in self.story else set()
        return [{"kind": kind, "value": value} for kind, value in self.handles.items() if kind not in later]


@dataclass(frozen=True, slots=True)
class Contact:
    """One line of a story; `number` counts them."""

    person: Person
    number: int
    at: datetime
    verb: str
    direction: str
    text: str = ""
    agent: str = ""
    seconds: int | None = None
    words: frozenset[str] = frozenset()
    values: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.person.label}-{self.number}"

    @property
    def sid(self) -> str:
        """32 hexadecimal digits, as Twilio's ids end."""
        return md5(self.id.encode(), usedforsecurity=False).hexdigest()


def person(crm: str, name: str, handles: str, story: str, home: str = "demo") -> Person:
    """`handles` as «kind:value kind:value»; those who have a number in the CRM are found by it."""
    known = dict(handle.split(":", 1) for handle in handles.split())
    if crm:
        known["crm_id"] = crm
    return Person(crm, name, known, FOLD.sub(" ", story.strip()), home)


def contacts(one: Person, anchor: date) -> list[Contact]:
    return [contact(one, number, line, anchor) for number, line in enumerate(one.story.splitlines(), 1)]


def contact(one: Person, number: int, line: str, anchor: date) -> Contact:
    match = LINE.fullmatch(line.strip())
    if match is None:
        raise ValueError(f"not a line of a story: {line}")
    days, clock, verb, side, said, text = match.groups()
    at = datetime.combine(anchor - timedelta(days=int(days)), time.fromisoformat(clock), ZONES[one.home])
    at += timedelta(seconds=number % 60)  # Question and answer within one minute.
    tokens = (said or "").split()
    values = dict(token.split("=", 1) for token in tokens if "=" in token)
    lasted = next((match for token in tokens if (match := LASTED.fullmatch(token))), None)
    return Contact(
        one,
        number,
        at,
        verb,
        SIDES[side],
        (text or "").replace(" ¶ ", "\n\n"),
        next((token for token in tokens if token in AGENTS), ""),
        int(lasted[1]) * 60 + int(lasted[2]) if lasted else None,
        frozenset(token for token in tokens if "=" not in token and token not in AGENTS),
        values,
    )
