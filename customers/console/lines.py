"""A line as an agent reads it: an entry of the timeline in words, with its day, its files and what became of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import Any
from uuid import UUID

import orjson
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from customers import masking
from customers.console import words
from customers.console.facts import facts, listed
from customers.console.transcripts import Transcript, transcript
from customers.models.attachment import Attachment

LONG = 1_500
"""Characters of a text that are shown before somebody asks for all of it."""
FILES = 12
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
LOGO = 10_000
"""Bytes up to which a picture that belongs into a letter's text is hardly more than an ornament."""


@dataclass(frozen=True, slots=True)
class File:
    id: str
    name: str
    size: int | None
    stored: bool
    show: str  # image, audio, video or nothing
    trouble: str


@dataclass(slots=True)
class Line:
    """Everything that the template of one line says."""

    id: str
    entry: dict[str, Any]
    at: datetime
    sort: str
    """Compared as text by the page, to put what arrives where it belongs."""
    day: str
    day_label: str
    channel: str
    icon: str
    kind: str
    direction: str
    state: str
    bad: bool
    agent: str
    subject: str
    text: str
    cut: int
    facts: list[str] = field(default_factory=list)
    people: list[tuple[str, list[str]]] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    more_files: int = 0
    edits: list[dict[str, Any]] = field(default_factory=list)
    deleted_at: datetime | None = None
    quoted: str = ""
    transcript: Transcript | None = None
    html: bool = False
    remote: bool = False  # it asks for pictures of other servers
    fresh: bool = False
    here: bool = False
    by: str = ""
    customer: str = ""
    name: str = ""
    promises: list[dict[str, Any]] = field(default_factory=list)
    expectations: list[dict[str, Any]] = field(default_factory=list)
    suggestion: dict[str, Any] | None = None  # what our text seems to promise
    settled: bool = False  # it says of itself what came of it: nothing is to be added

    @property
    def iso(self) -> str:
        return self.at.isoformat()

    @property
    def clock(self) -> str:
        return f"{self.at.hour:02}:{self.at.minute:02}"


def lines(
    entries: Iterable[dict[str, Any]],
    customer: UUID | str = "",
    *,
    whole: bool = False,
    here: UUID | None = None,
) -> list[Line]:
    """Raises nothing, whatever a provider put into `details`; an entry that names its customer needs no `customer`."""
    of = Reader()
    found = [of.line(entry, whole=whole) for entry in entries]
    whose = str(UUID(str(customer))) if customer else ""
    sought = None if here is None else str(here)
    wanted = [one.id for one in found if one.entry["attachments"]]
    stored = {str(one.id): one for one in Attachment.objects.filter(line_id__in=wanted)} if wanted else {}
    for one in found:
        if given := one.entry["attachments"]:
            shown = given if whole else given[:FILES]
            within = refs_within(one.entry["details"])
            files = [file(said, stored.get(str(said.get("id"))), within) for said in shown if isinstance(said, dict)]
            one.files, one.more_files = files, len(given) - len(shown)
        one.customer = str(one.entry.get("customer") or whose)
        one.here = one.id == sought
    return found


def mark_new(found: Iterable[Line], since: datetime | None, viewer: str) -> None:
    """What others recorded since the agent had seen it."""
    for one in found:
        mine = bool(viewer) and (one.entry["agent"] or {}).get("id") == viewer
        one.fresh = since is not None and not mine and moment(one.entry["recorded_at"]) > since


def parsed(json: str | bytes) -> list[dict[str, Any]]:
    """Entries as the reader of now may see them."""
    found: list[dict[str, Any]] = masking.shown(orjson.loads(json))
    return found


class Reader:
    """Whoever reads: his language, his zone, his today; asked for once, whatever the number of lines."""

    def __init__(self) -> None:
        self.channels, self.kinds = words.said(words.CHANNELS), words.said(words.KINDS)
        self.directions, self.calls = words.said(words.DIRECTIONS), words.said(words.CALLS)
        self.states, self.call_states = words.said(words.STATES), words.said(words.CALL_STATES)
        self.handles = words.said(words.HANDLES)
        self.zone: tzinfo = timezone.get_current_timezone()
        self.today = timezone.localdate()
        self.days: dict[date, str] = {}

    def line(self, entry: dict[str, Any], *, whole: bool) -> Line:
        given = moment(entry["occurred_at"])
        at = given.astimezone(self.zone)
        kind, state, text = entry["kind"], entry["state"] or "", entry["text"]
        channel, way, agent = entry["channel"], entry["direction"], entry["agent"]
        call = kind == "call"
        details = entry["details"] if isinstance(entry["details"], dict) else {}
        cut = 0 if whole else max(0, len(text) - LONG)
        name = agent.get("name") if isinstance(agent, dict) else ""
        html = details.get("html")
        return Line(
            id=str(entry["id"]),
            entry=entry,
            at=at,
            sort=(given if given.tzinfo is UTC else given.astimezone(UTC)).isoformat(timespec="microseconds"),
            day=at.date().isoformat(),
            day_label=self.day_of(at),
            channel=self.channels.get(channel, channel),
            icon=words.ICONS_OF_KINDS.get(kind) or words.ICONS.get(channel, "other"),
            kind=self.kinds.get(kind, kind),
            direction=(self.calls if call else self.directions).get(way, ""),
            state=(self.call_states if call else self.states).get(state, state),
            bad=state in words.BAD,
            agent=str(name or ""),
            subject=entry["subject"] or "",
            text=text[:LONG] if cut else text,
            cut=cut,
            facts=facts(details, kind) if details else [],
            people=people(details) if details else [],
            edits=[{**edit, "at": moment(edit["at"]).astimezone(self.zone)} for edit in entry["edits"]],
            deleted_at=moment(entry["deleted_at"]).astimezone(self.zone) if entry["deleted_at"] else None,
            quoted=quoted if isinstance(quoted := details.get("quoted"), str) else "",
            transcript=transcript(details, whole=whole) if details else None,
            html=isinstance(html, str) and bool(html.strip()),
            remote=isinstance(html, str) and asks_for_pictures(html),
            by=self.handle(entry["identity"]),
            settled=bool(details.get("outcome")),
        )

    def day_of(self, at: datetime) -> str:
        """Today, yesterday, or the weekday and the date."""
        day = at.date()
        if day not in self.days:
            ago = (self.today - day).days
            if ago in (0, 1):
                self.days[day] = _("Yesterday") if ago else _("Today")
            else:
                self.days[day] = f"{formats.date_format(day, 'l')}, {formats.date_format(day, 'DATE_FORMAT')}"
        return self.days[day]

    def handle(self, identity: dict[str, Any]) -> str:
        """How the customer was reached; what hangs on nobody's handle says nothing."""
        kind = identity["kind"]
        return "" if kind in ("card", "anonymous") else f"{self.handles.get(kind, kind)} {identity['value']}"


def asks_for_pictures(html: str) -> bool:
    """Perhaps: only an offer to show them hangs on it."""
    low = html.lower()
    return "<img" in low and ("http:" in low or "https:" in low)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def refs_within(details: Any) -> set[str]:
    """What a letter shows within its text."""
    inline = details.get("inline") if isinstance(details, dict) else None
    return {one for one in inline.values() if isinstance(one, str)} if isinstance(inline, dict) else set()


def file(said: dict[str, Any], row: Attachment | None, within: set[str]) -> File:
    kind = str(said.get("content_type") or "")
    stored = row is not None and row.state == Attachment.STORED
    group = kind.partition("/")[0]
    ornament = row is not None and (row.ref or row.url) in within and (row.stored_size or 0) <= LOGO
    show = group if stored and not ornament and (group in ("audio", "video") or kind in PICTURES) else ""
    return File(
        str(said.get("id")),
        str(said.get("name") or said.get("content_type") or _("File")),
        row.stored_size if row and stored else size if isinstance(size := said.get("size"), int) else None,
        stored,
        show,
        "" if stored else trouble(row),
    )


def trouble(row: Attachment | None) -> str:
    """Why a file cannot be opened."""
    if row is None:
        return _("not kept here")
    return _("is being fetched") if row.state == Attachment.WANTED else _("could not be fetched")


def people(details: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """From, to and copy of a letter."""
    found: dict[str, list[str]] = {}
    for one in listed(details.get("participants")):
        if isinstance(one, dict) and one.get("address"):
            role = str(words.ROLES.get(str(one.get("role")), one.get("role") or ""))
            name = f"{one['name']} <{one['address']}>" if one.get("name") else str(one["address"])
            found.setdefault(role, []).append(name[:300])
    return [(role, names[:20]) for role, names in found.items()]
