"""The follow-up of a low score in words: whom to come back to about which answer, and whether that was done."""

import re
from datetime import datetime
from typing import Any, Final

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from customers.console import words

ANSWER: Final = re.compile(r"(\w+) (-?[\d.]+)/([\d.]+)")
"""As `scores` writes it."""
STATES: Final[dict[str, Any]] = {
    "open": pgettext_lazy("loop", "not closed yet"),
    "overdue": pgettext_lazy("loop", "overdue, not closed yet"),
    "kept": pgettext_lazy("loop", "closed in time"),
    "broken": pgettext_lazy("loop", "not closed"),
    "late": pgettext_lazy("loop", "closed late"),
    "given_up": pgettext_lazy("loop", "given up, not closed"),
    "cancelled": pgettext_lazy("loop", "cancelled, not closed"),
}


def promised(what: str, origin: str, made_at: datetime | None) -> str:
    """What a promise is about, in the reader's language; a follow-up says which answer it comes back to."""
    if origin != "score" or not (found := ANSWER.fullmatch(what)):
        return what
    metric, value, high = found.groups()
    said = {"metric": words.METRICS.get(metric.lower(), metric), "value": value, "high": high}
    answer = _("%(metric)s %(value)s of %(high)s") % said
    if made_at is None:
        return _("close the loop: %(answer)s") % {"answer": answer}
    day = formats.date_format(timezone.localtime(made_at), "SHORT_DATE_FORMAT")
    return _("close the loop: %(answer)s on %(day)s") % {"answer": answer, "day": day}
