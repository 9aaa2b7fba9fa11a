"""A line as an agent reads it: an entry of the timeline in words, with its day, its files and what became of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from customers.console import words
from customers.models.attachment import Attachment

LONG = 3_000
"""Characters of a text that are shown before somebody asks for all of it."""
FILES = 12
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")


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

    entry: dict[str, Any]
    at: datetime
    day: str
    day_label: str
    channel: str
    icon: str
    kind: str
    direction: str
    state: str
    bad: bool
    text: str
    cut: int
    facts: list[str] = field(default_factory=list)
    people: list[tuple[str, list[str]]] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    more_files: int = 0
    edits: list[dict[str, Any]] = field(default_factory=list)
    deleted_at: datetime | None = None
    quoted: str = ""
    html: bool = False
    fresh: bool = False
    here: bool = False
    by: str = ""
    customer: str = ""
    name: str = ""

    @property
    def id(self) -> str:
        return str(self.entry["id"])

    @property
    def sort(self) -> str:
        """Compared as text by the page, to put what arrives where it belongs."""
        return self.at.astimezone(UTC).isoformat(timespec="microseconds")


def lines(
    entries: Iterable[dict[str, Any]],
    customer: UUID | str = "",
    *,
    whole: bool = False,
    seen_until: datetime | None = None,
    here: UUID | None = None,
    viewer: str = "",
) -> list[Line]:
    """Raises nothing, whatever a provider put into `details`; an entry that names its customer needs no `customer`."""
    found = [line(entry, whole=whole) for entry in entries]
    stored = {
        str(one.id): one
        for one in Attachment.objects.filter(line_id__in=[one.id for one in found if one.entry["attachments"]])
    }
    for one in found:
        given = one.entry["attachments"]
        shown = given if whole else given[:FILES]
        one.files = [file(said, stored.get(str(said.get("id")))) for said in shown if isinstance(said, dict)]
        one.more_files = len(given) - len(shown)
        one.customer = str(one.entry.get("customer") or customer)
        one.here = here is not None and one.id == str(here)
        mine = bool(viewer) and (one.entry["agent"] or {}).get("id") == viewer
        one.fresh = seen_until is not None and not mine and moment(one.entry["recorded_at"]) > seen_until
    return found


def parsed(json: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = orjson.loads(json)
    return found


def line(entry: dict[str, Any], *, whole: bool) -> Line:
    at = timezone.localtime(moment(entry["occurred_at"]))
    kind, state, text = entry["kind"], entry["state"] or "", entry["text"]
    call = kind == "call"
    details = entry["details"] if isinstance(entry["details"], dict) else {}
    cut = 0 if whole else max(0, len(text) - LONG)
    return Line(
        entry=entry,
        at=at,
        day=at.date().isoformat(),
        day_label=day_of(at),
        channel=words.CHANNELS.get(entry["channel"], entry["channel"]),
        icon=words.ICONS_OF_KINDS.get(kind) or words.ICONS.get(entry["channel"], "other"),
        kind=words.KINDS.get(kind, kind),
        direction=(words.CALLS if call else words.DIRECTIONS).get(entry["direction"], ""),
        state=str((words.CALL_STATES if call else words.STATES).get(state, state)),
        bad=state in words.BAD,
        text=text[:LONG] if cut else text,
        cut=cut,
        facts=facts(details, kind),
        people=people(details),
        edits=[{**edit, "at": moment(edit["at"])} for edit in entry["edits"]],
        deleted_at=moment(entry["deleted_at"]) if entry["deleted_at"] else None,
        quoted=quoted if isinstance(quoted := details.get("quoted"), str) else "",
        html=isinstance(details.get("html"), str) and bool(details["html"].strip()),
        by=handle(entry["identity"]),
    )


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def handle(identity: dict[str, Any]) -> str:
    """How the customer was reached; what hangs on nobody's handle says nothing."""
    kind = identity["kind"]
    return "" if kind in ("card", "anonymous") else f"{words.HANDLES.get(kind, kind)} {identity['value']}"


def listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def day_of(at: datetime) -> str:
    """Today, yesterday, or the weekday and the date."""
    ago = (timezone.localdate() - at.date()).days
    if ago in (0, 1):
        return _("Yesterday") if ago else _("Today")
    return f"{formats.date_format(at, 'l')}, {formats.date_format(at, 'DATE_FORMAT')}"


def file(said: dict[str, Any], row: Attachment | None) -> File:
    kind = str(said.get("content_type") or "")
    stored = row is not None and row.state == Attachment.STORED
    group = kind.partition("/")[0]
    show = (
        group
        if stored and (group in ("audio", "video") or kind in ("image/png", "image/jpeg", "image/gif", "image/webp"))
        else ""
    )
    return File(
        str(said.get("id")),
        str(said.get("name") or kind or _("File")),
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


def length(seconds: object) -> str:
    """7:48, 1:02:03"""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 <= seconds < 10**9:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def facts(details: dict[str, Any], kind: str) -> list[str]:
    """What is worth a word beside the text: lengths, legs, orders, scores, reactions, verdicts."""
    found: list[str] = []
    for name, tell in TELLERS.items():
        value = details.get(name)
        if value and kind in ONLY.get(name, (kind,)) and (name, kind) != ("time_quality", "note"):
            found += tell(value)
    return found


def of_call(value: object) -> list[str]:
    if not isinstance(value, dict):
        return []
    found = []
    if talk := length(value.get("talk_s")):
        found.append(_("talked %(length)s") % {"length": talk})
    if (whole := length(value.get("duration_s"))) and whole != talk:
        found.append(_("%(length)s in all") % {"length": whole})
    for leg in listed(value.get("legs")):
        if isinstance(leg, dict):
            found.append(of_leg(leg))
    recording = value.get("recording")
    if isinstance(recording, dict) and (taped := length(recording.get("duration_s"))):
        found.append(_("recording %(length)s") % {"length": taped})
    return found


def of_leg(leg: dict[str, Any]) -> str:
    who = leg.get("agent") or leg.get("name") or leg.get("to") or ""
    status = str(leg.get("status") or "")
    said = [str(who)[:80], str(words.CALL_STATES.get(status, status)), length(leg.get("duration_s"))]
    return _("leg: %(said)s") % {"said": ", ".join(one for one in said if one)}


def of_order(value: object) -> list[str]:
    if not isinstance(value, dict) or not value.get("number"):
        return []
    total = " ".join(str(value[name]) for name in ("total", "currency") if value.get(name))
    said = _("order %(number)s") % {"number": str(value["number"])[:80]}
    return [f"{said}, {total[:60]}" if total else said]


def of_score(value: object) -> list[str]:
    if not isinstance(value, dict) or value.get("value") is None:
        return []
    metric = str(value.get("metric") or "")
    said = f"{words.METRICS.get(metric, metric)} {value['value']}"
    return [
        _("%(score)s of %(most)s") % {"score": said, "most": value["max"]} if value.get("max") is not None else said
    ]


def of_campaign(value: object) -> list[str]:
    return [str(value["name"])[:120]] if isinstance(value, dict) and value.get("name") else []


def of_reactions(value: object) -> list[str]:
    given = (
        [str(one) for each in value.values() if isinstance(each, list) for one in each]
        if isinstance(value, dict)
        else []
    )
    return [_("reaction: %(what)s") % {"what": " ".join(given[:12])}] if given else []


def of_location(value: object) -> list[str]:
    if not isinstance(value, dict) or "latitude" not in value:
        return []
    return [_("location: %(what)s") % {"what": f"{value.get('latitude')}, {value.get('longitude')}"}]


def of_poll(value: object) -> list[str]:
    if not isinstance(value, dict) or not value.get("question"):
        return []
    options = [str(one.get("text")) for one in listed(value.get("options")) if isinstance(one, dict)]
    return [_("poll: %(what)s") % {"what": f"{value['question']} ({' / '.join(options[:12])})"}]


def of_bounce(value: object) -> list[str]:
    said = value.get("diagnostic") or value.get("status") if isinstance(value, dict) else None
    return [_("the mail server says: %(what)s") % {"what": str(said)[:300]}] if said else []


def of_authentication(value: object) -> list[str]:
    if not isinstance(value, dict) or "dmarc" not in value:
        return []
    return [_("sender verified")] if value["dmarc"] == "pass" else [_("sender not verified")]


def of_auto(_value: object) -> list[str]:
    return [_("sent by a machine")]


def of_time(value: object) -> list[str]:
    return [_("time of receipt, the sender gave none")] if value == "received" else []


ONLY = {"call": ("call",)}
TELLERS = {
    "call": of_call,
    "order": of_order,
    "score": of_score,
    "campaign": of_campaign,
    "reactions": of_reactions,
    "location": of_location,
    "poll": of_poll,
    "bounce": of_bounce,
    "auto": of_auto,
    "authentication": of_authentication,
    "time_quality": of_time,
}


def people(details: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """From, to and copy of a letter."""
    found: dict[str, list[str]] = {}
    for one in listed(details.get("participants")):
        if isinstance(one, dict) and one.get("address"):
            role = str(words.ROLES.get(str(one.get("role")), one.get("role") or ""))
            name = f"{one['name']} <{one['address']}>" if one.get("name") else str(one["address"])
            found.setdefault(role, []).append(name[:300])
    return [(role, names[:20]) for role, names in found.items()]
