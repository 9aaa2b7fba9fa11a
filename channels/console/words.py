"""Our words for what may become of a delivery, in the reader's language."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from channels.models import Delivery

Words = dict[str, Any]

STATES: Words = {
    Delivery.QUARANTINED: pgettext_lazy("delivery", "quarantined"),
    Delivery.UNSUPPORTED: pgettext_lazy("delivery", "not supported"),
    Delivery.CONFLICT: pgettext_lazy("delivery", "contradicting"),
    Delivery.WAITING: pgettext_lazy("delivery", "waiting"),
}
"""Those that need a person, or soon may; `Delivery.TROUBLE`."""

EXPLAINED: Words = {
    Delivery.QUARANTINED: _("Could not be read, after every try. Once the cause is mended, replay them."),
    Delivery.UNSUPPORTED: _("Of a kind that no code knows yet. Kept, and replayed once it does."),
    Delivery.CONFLICT: _("The same event came again with other contents. The first stands."),
    Delivery.WAITING: _("Tried again by themselves: they wait for the event they belong to, or for a pause to end."),
}
REPLAYABLE = frozenset({Delivery.QUARANTINED, Delivery.UNSUPPORTED, Delivery.CONFLICT})

OTHERS: Words = {
    Delivery.ACCEPTED: pgettext_lazy("delivery", "at work"),
    Delivery.RECORDED: pgettext_lazy("delivery", "recorded"),
    Delivery.DUPLICATE: pgettext_lazy("delivery", "duplicate"),
    Delivery.IGNORED: pgettext_lazy("delivery", "nothing for the timeline"),
}


def state(slug: str) -> str:
    return str(STATES.get(slug) or OTHERS.get(slug) or slug)
