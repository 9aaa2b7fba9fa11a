"""Our words for channels, kinds, directions, states and the like, in the reader's language."""

from datetime import date
from functools import lru_cache
from typing import Any

from django.utils import formats
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

Words = dict[str, Any]

CHANNELS: Words = {
    "phone": pgettext_lazy("channel", "Phone"),
    "email": pgettext_lazy("channel", "E-mail"),
    "sms": "SMS",
    "telegram": "Telegram",
    "whatsapp": "WhatsApp",
    "viber": "Viber",
    "vk": pgettext_lazy("channel", "VK"),
    "max": "MAX",
    "messenger": "Messenger",
    "instagram": "Instagram",
    "line": "LINE",
    "slack": "Slack",
    "rcs": "RCS",
    "web": pgettext_lazy("channel", "Website"),
    "store": pgettext_lazy("channel", "Shop"),
    "reviews": pgettext_lazy("channel", "Reviews"),
    "crm": "CRM",
    "note": pgettext_lazy("channel", "Notes"),
}
"""A channel that is not here is shown by its own name."""

ICONS = {
    "phone": "phone",
    "email": "email",
    "sms": "chat",
    "telegram": "chat",
    "whatsapp": "chat",
    "viber": "chat",
    "max": "chat",
    "messenger": "chat",
    "line": "chat",
    "slack": "chat",
    "rcs": "chat",
    "vk": "social",
    "instagram": "social",
    "web": "web",
    "store": "store",
    "reviews": "star",
    "note": "note",
}
ICONS_OF_KINDS = {
    "call": "phone",
    "email": "email",
    "note": "note",
    "purchase": "store",
    "visit": "store",
    "review": "star",
    "survey": "star",
    "form": "form",
}

KINDS: Words = {
    "message": pgettext_lazy("kind", "Message"),
    "call": pgettext_lazy("kind", "Call"),
    "email": pgettext_lazy("kind", "Letter"),
    "note": pgettext_lazy("kind", "Note"),
    "visit": pgettext_lazy("kind", "Visit"),
    "purchase": pgettext_lazy("kind", "Purchase"),
    "review": pgettext_lazy("kind", "Review"),
    "survey": pgettext_lazy("kind", "Survey answer"),
    "form": pgettext_lazy("kind", "Form"),
    "comment": pgettext_lazy("kind", "Comment"),
    "mention": pgettext_lazy("kind", "Mention"),
    "campaign": pgettext_lazy("kind", "Campaign"),
    "other": pgettext_lazy("kind", "Event"),
}

DIRECTIONS: Words = {
    "inbound": pgettext_lazy("direction", "from the customer"),
    "outbound": pgettext_lazy("direction", "to the customer"),
    "internal": pgettext_lazy("direction", "among us"),
}
CALLS: Words = {
    "inbound": pgettext_lazy("direction", "incoming"),
    "outbound": pgettext_lazy("direction", "outgoing"),
    "internal": pgettext_lazy("direction", "among us"),
}

STATES: Words = {
    "queued": _("waiting to be sent"),
    "accepted": _("waiting to be sent"),
    "scheduled": _("scheduled"),
    "sending": _("on its way"),
    "delayed": _("delayed"),
    "sent": _("sent"),
    "delivered": _("delivered"),
    "read": _("read"),
    "played": _("listened to"),
    "undelivered": _("not delivered"),
    "failed": _("failed"),
    "canceled": _("cancelled"),
    "rejected": _("rejected"),
    "completed": _("completed"),
}
CALL_STATES: Words = {
    "queued": _("being placed"),
    "initiated": _("being placed"),
    "started": _("being placed"),
    "ringing": _("ringing"),
    "in-progress": _("in progress"),
    "answered": _("answered"),
    "completed": _("answered"),
    "missed": _("missed"),
    "no-answer": _("not answered"),
    "busy": _("line was busy"),
    "failed": _("failed"),
    "canceled": _("cancelled"),
    "rejected": _("declined"),
    "voicemail": _("left a voice message"),
}
BAD = frozenset({"missed", "no-answer", "busy", "failed", "canceled", "rejected", "undelivered", "voicemail"})
"""Nobody was reached: marked by an icon and a frame, not by colour alone."""

HANDLES: Words = {
    **CHANNELS,
    "wa_bsuid": "WhatsApp",
    "crm_id": _("CRM number"),
    "loyalty": _("Loyalty card"),
    "device": _("Browser"),
}

TRUST: Words = {"claimed": _("claimed"), "asserted": _("stated"), "verified": _("verified")}

REASONS: Words = {
    "claimed": _("only claimed, not verified"),
    "other_customer": _("belongs to another customer"),
    "rejected": _("was rejected before"),
    "shared": _("used by several people"),
    "not_linkable": _("a public address or number"),
    "keep_apart": _("an agent keeps the two apart"),
    "unique_conflict": _("different ids of one system"),
    "contradiction": _("different names or birthdays"),
    "cap": _("more than one person has"),
}
"""Why a handle was not linked."""

EXPLAINED: Words = {
    "claimed": _("Somebody typed or said it; nobody proved it."),
    "other_customer": _("It was another customer's first."),
    "rejected": _("An agent said before that they are two."),
    "shared": _("Several people use it, so what was linked by it has to be looked at."),
    "not_linkable": _("Such an address or number names no single person."),
    "keep_apart": _("An agent said that they are two, or took their link back."),
    "unique_conflict": _("Each has an id of the same system, and the ids differ."),
    "contradiction": _("Their birthdays differ, or their first names are known and different."),
    "cap": _("Together they would have more numbers, addresses or joins than a person has."),
}
"""The same in a sentence, for whoever has to decide."""

REVIEW = "review:"
REVIEWS: Words = {
    "replayed": _("linked before; the contact it rested on says otherwise now"),
    "contradiction": _("linked before, though names or birthdays differ"),
    "unique_conflict": _("linked before, though each has an id of one system"),
    "cap": _("linked before, though it is more than one person has"),
    "not_linkable": _("linked before, by a public address or number"),
    "shared": _("linked before, by what several people use"),
}
"""Why a link that stands is doubted."""


def reason(slug: str) -> str:
    """Why a person is asked."""
    if slug.startswith(REVIEW):
        rule = slug.removeprefix(REVIEW)
        return str(REVIEWS.get(rule) or REASONS.get(rule, rule))
    return str(REASONS.get(slug, slug))


def reasons() -> list[tuple[str, str]]:
    """All of them, for a choice."""
    return [
        *((slug, reason(slug)) for slug in REASONS),
        *((REVIEW + rule, str(said)) for rule, said in REVIEWS.items()),
    ]


QUESTIONS: Words = {
    "open": pgettext_lazy("questions", "open"),
    "accepted": pgettext_lazy("questions", "accepted"),
    "rejected": pgettext_lazy("questions", "rejected"),
}

CAUSES: Words = {
    "event": _("came together in one contact"),
    "agent": _("an agent said so"),
    "note": _("notes belong to the card"),
    "renormalise": _("two spellings of one handle"),
}
"""What a link rests on."""

ATTRIBUTES: Words = {
    "language": _("Language"),
    "birthday": _("Birthday"),
    "city": _("City"),
    "company": _("Company"),
    "username": _("User name"),
    "time_zone": _("Time zone"),
    "timezone": _("Time zone"),
}

METRICS: Words = {"nps": "NPS", "csat": "CSAT", "ces": "CES", "stars": pgettext_lazy("score", "Stars")}

ROLES: Words = {
    "from": _("From"),
    "to": _("To"),
    "cc": _("Copy"),
    "reply-to": _("Reply to"),
}


@lru_cache(maxsize=4096)
def _spoken(text: str, language: str | None) -> str:
    return gettext(text)


def spoken(text: str) -> str:
    """What `gettext` says, without asking it again for the words that are said all day."""
    return _spoken(text, get_language())


@lru_cache(maxsize=4096)
def figures(day: date, language: str | None) -> str:
    """A date in figures, in the language that is active."""
    return formats.date_format(day, "SHORT_DATE_FORMAT")


SAID: dict[tuple[int, str | None], dict[str, str]] = {}


def said(table: Words) -> dict[str, str]:
    """One of the tables in the language that is active; a lazy word costs a look-up each time it is printed."""
    key = (id(table), get_language())
    if key not in SAID:
        SAID[key] = {slug: str(word) for slug, word in table.items()}
    return SAID[key]
