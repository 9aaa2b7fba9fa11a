"""Sources as a supervisor sees them: when each last said something, how much, and whether it is silent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from channels.models import Delivery
from channels.providers import PROVIDERS
from customers.access import Principal
from customers.console.pages import page
from customers.sql import cursor

MOST = 10_000
"""Counted up to here: a busy source is not worth a long wait."""
LAST = 20
QUIET = timedelta(days=1)
TIMES = 10
"""Silent: for a day, and for ten times its usual pause."""

# Asked for between a source and itself: by `=` all deliveries are walked from the newest on, for one that fell silent.
LATELY = """LATERAL (SELECT max(x.received_at) AS last, min(x.received_at) AS first, count(*) AS seen FROM (
       SELECT d.received_at FROM channels_delivery d WHERE d.source_id BETWEEN s.id AND s.id
        ORDER BY d.source_id DESC, d.id DESC LIMIT %(last)s) x) l"""
# A delivery's id begins with the time at which it came, so that its index counts a day.
SOURCES = f"""
SELECT s.slug, s.provider, s.region, s.refused, s.created_at, l.last, l.first, l.seen,
       (SELECT count(*) FROM (SELECT 1 FROM channels_delivery d WHERE d.source_id = s.id AND d.id >= %(day)s
                               LIMIT %(most)s + 1) x),
       (SELECT count(*) FROM (SELECT 1 FROM channels_delivery d WHERE d.source_id = s.id AND d.id >= %(week)s
                               LIMIT %(most)s + 1) x),
       coalesce(q.count, 0)
  FROM channels_source s
  LEFT JOIN {LATELY} ON true
  LEFT JOIN (SELECT source_id, count(*) FROM (SELECT source_id FROM channels_delivery WHERE state = %(bad)s
                                               ORDER BY id DESC LIMIT %(most)s) x GROUP BY 1) q ON q.source_id = s.id
 ORDER BY s.slug
"""


@dataclass(frozen=True, slots=True)
class Heard:
    """One source; `silent` is how long it has said nothing, if that is unusual."""

    slug: str
    provider: str
    region: str
    refused: int
    last: datetime | None
    day: int
    week: int
    quarantined: int
    silent: bool
    usual: timedelta | None

    @property
    def usual_since(self) -> datetime | None:
        return timezone.now() - self.usual if self.usual else None


@page(supervisors=True)
def sources(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/queue/sources`"""
    now = timezone.now()
    asked = {
        "day": first_id(now - timedelta(days=1)),
        "week": first_id(now - timedelta(days=7)),
        "most": MOST,
        "last": LAST,
        "bad": Delivery.QUARANTINED,
    }
    with cursor("reading") as sql:
        sql.execute(SOURCES.encode(), asked)
        found = [heard(row, now) for row in sql.fetchall()]
    found.sort(key=lambda one: not one.silent)
    return render(request, "channels/sources.html", {"tab": "sources", "sources": found, "most": MOST})


def first_id(at: datetime) -> UUID:
    """The smallest id that a delivery of this moment can have."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def heard(row: Any, now: datetime) -> Heard:
    slug, provider, region, refused, _made, last, first, seen, day, week, bad = row
    usual = (last - first) / (seen - 1) if seen > 1 else None
    silent = last is not None and now - last > max(QUIET, TIMES * usual if usual else QUIET)
    label = PROVIDERS[provider].label if provider in PROVIDERS else ""
    return Heard(slug, label or provider, region, refused, last, day, week, bad, silent, usual)
