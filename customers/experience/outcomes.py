"""A note on the timeline when a promise was kept, broken or made good late: by the fold, not by whoever looks."""

from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext as _

from customers.console.measures import length
from customers.experience.facts import beside
from customers.experience.loops import promised
from customers.incoming import Agent, ChannelEvent
from customers.models import ExperienceSettings, Promise
from customers.recording import record

SYSTEM = Agent("cxhub", "cxhub", "system")
AT_ONCE = 200
TOLD = (Promise.KEPT, Promise.BROKEN, Promise.LATE)


def note_outcomes() -> int:
    """Record what became of promises that nobody noted yet; the same outcome is the same line. Returns how many."""
    asked = Promise.objects.exclude(outcome="").exclude(noted=F("outcome")).order_by("id")
    waiting = list(asked[:AT_ONCE])
    with translation.override(language()):
        groups = [[note_of(promise)] for promise in waiting]
    record(groups, lambda *_: None, actor=SYSTEM.id, cause="experience")
    for outcome in TOLD:
        ids = [promise.pk for promise in waiting if promise.outcome == outcome]
        Promise.objects.filter(pk__in=ids, outcome=outcome).update(noted=outcome)
    return len(waiting)


def language() -> str:
    return ExperienceSettings.objects.order_by("id").values_list("language", flat=True).first() or "en"


def note_of(promise: Promise) -> ChannelEvent:
    """In the company's language; what is told anew because something came late is told as that."""
    said = {"promise": str(promise.id), "state": promise.outcome, "line": str(promise.line_id)}
    if promise.closed_line and promise.outcome != Promise.BROKEN:
        said["by"] = str(promise.closed_line)
    late = promise.settled_at if promise.outcome == Promise.LATE else None
    return beside(
        promise.line_id,
        f"promise:{promise.id}:{promise.outcome}",
        words_of(promise),
        {"outcome": said},
        at=late or promise.closed_at or promise.due_at,
        agent=SYSTEM,
    )


def words_of(promise: Promise) -> str:
    what = promised(promise.what, promise.origin, promise.made_at) or promise.kind
    if promise.outcome == Promise.LATE:
        after = (promise.settled_at or promise.due_at) - promise.due_at
        told = _("Promise kept late, %(length)s after it was due: %(what)s")
        return told % {"what": what, "length": length(round(after.total_seconds()))}
    if promise.outcome == Promise.KEPT:
        again = promise.noted in TOLD
        told = _("Promise kept after all, as was reported late: %(what)s") if again else _("Promise kept: %(what)s")
    else:
        again = promise.noted == Promise.KEPT
        told = _("Promise broken after all: %(what)s") if again else _("Promise broken: %(what)s")
    return told % {"what": what}
