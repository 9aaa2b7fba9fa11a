"""A note on the timeline when a promise was kept or broken: by the fold, never by the clock of whoever looks."""

from customers.experience.facts import note_beside
from customers.incoming import Agent
from customers.models import Promise

SYSTEM = Agent("cxhub", "cxhub", "system")
AT_ONCE = 200
WORDS = {Promise.KEPT: "Promise kept: {}", Promise.BROKEN: "Promise broken: {}"}


def note_outcomes() -> int:
    """Record what became of promises that nobody noted yet; the same outcome is the same line. Returns how many."""
    waiting = Promise.objects.filter(noted=False, state__in=WORDS).order_by("id")[:AT_ONCE]
    for promise in waiting:
        note_beside(
            promise.line_id,
            f"promise:{promise.id}:{promise.state}",
            WORDS[promise.state].format(promise.what),
            {"outcome": {"promise": str(promise.id), "state": promise.state, "line": str(promise.line_id)}},
            at=promise.closed_at or promise.due_at,
            agent=SYSTEM,
        )
    Promise.objects.filter(pk__in=[one.pk for one in waiting]).update(noted=True)
    return len(waiting)
