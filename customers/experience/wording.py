"""How the brief quotes, dates and joins, in the reader's language."""

import re
from datetime import datetime

from django.utils import timezone
from django.utils.translation import get_language, pgettext

from customers.console import words
from customers.console.words import spoken as _

SENTENCE = re.compile(r"(?<=[.!?…。])\s+|\s*\n+\s*")
LONG, SHORT = 160, 40
"""Characters at which a quotation is cut, and under which a second sentence is added."""


def first_words(text: str | None) -> str:
    """The first sentence, and the second if the first is short; cut at a word."""
    parts = [part for part in SENTENCE.split((text or "").strip()[:2000], maxsplit=2) if part]
    said = " ".join(parts[:1])
    if len(said) < SHORT and len(parts) > 1:
        said = " ".join(parts[:2])
    return said if len(said) <= LONG else said[:LONG].rsplit(" ", 1)[0].rstrip(",;:–-") + "…"


def quoted(text: str | None) -> str:
    said = first_words(text)
    return pgettext("quotation", "“%(said)s”") % {"said": said} if said else ""


def moment(text: str) -> datetime:
    return timezone.localtime(datetime.fromisoformat(text))


def clock(at: datetime) -> str:
    return f"{at.hour:02}:{at.minute:02}"


def when(text: str, now: datetime) -> str:
    """Today, tomorrow and yesterday by name, with the hour; other days by date."""
    at = moment(text)
    hour = clock(at)
    match (at.date() - now.astimezone(at.tzinfo).date()).days:
        case 0:
            return _("today %(hour)s") % {"hour": hour}
        case 1:
            return _("tomorrow %(hour)s") % {"hour": hour}
        case -1:
            return _("yesterday %(hour)s") % {"hour": hour}
    return f"{words.figures(at.date(), get_language())} {hour}"


def day(text: str) -> str:
    return words.figures(moment(text).date(), get_language())


def channel(slug: str) -> str:
    return words.said(words.CHANNELS).get(slug, slug)


def joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
