"""A note on the timeline when a promise was kept or broken: by the fold, never by the clock of whoever looks."""

from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext as _

from customers.experience.facts import beside
from customers.incoming import Agent, ChannelEvent
from customers.models import ExperienceSettings, Promise
from customers.recording import record

SYSTEM = Agent("cxhub", "cxhub", "system")
AT_ONCE = 200
NOTED = (Promise.KEPT, Promise.BROKEN)


def note_outcomes() -> int:
    """Record what became of promises that nobody noted yet; the same outcome is the same line. Returns how many."""
    asked = Promise.objects.filter(state__in=NOTED).exclude(noted=F("state")).order_by("id")
    waiting = list(asked[:AT_ONCE])
    with translation.override(language()):
        groups = [[note_of(promise)] for promise in waiting]
    record(groups, lambda *_: None, actor=SYSTEM.id, cause="experience")
    for state in NOTED:
        ids = [promise.pk for promise in waiting if promise.state == state]
        Promise.objects.filter(pk__in=ids, state=state).update(noted=state)
    return len(waiting)


def language() -> str:
    return ExperienceSettings.objects.order_by("id").values_list("language", flat=True).first() or "en"


def note_of(promise: Promise) -> ChannelEvent:
    """In the company's language; what is told anew because something came late is told as that."""
    said = {"promise": str(promise.id), "state": promise.state, "line": str(promise.line_id)}
    if promise.closed_line and promise.state == Promise.KEPT:
        said["by"] = str(promise.closed_line)
    return beside(
        promise.line_id,
        f"promise:{promise.id}:{promise.state}",
        words_of(promise),
        {"outcome": said},
        at=promise.closed_at or promise.due_at,
        agent=SYSTEM,
    )


def words_of(promise: Promise) -> str:
    again = promise.noted in NOTED
    if promise.state == Promise.KEPT:
        told = _("Promise kept after all, as was reported late: %(what)s") if again else _("Promise kept: %(what)s")
    else:
        told = _("Promise broken after all: %(what)s") if again else _("Promise broken: %(what)s")
    return told % {"what": promise.what or promise.kind}
