"""Figures for Prometheus (`/metrics`), for whoever has the token."""

import logging
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from customers import verifying
from customers.experience import owed
from customers.patience import patience
from customers.sql import cursor
from cxhub import standing
from cxhub.counted import counted

logger = logging.getLogger(__name__)


def identity() -> Iterable[Metric]:
    """What the last `manage.py verify_identity` found; nothing before the first."""
    found = verifying.latest()
    if found is None:
        return
    at = GaugeMetricFamily("cxhub_identity_verified_timestamp_seconds", "When identity was last verified.")
    at.add_metric([], found.at.timestamp())
    took = GaugeMetricFamily("cxhub_identity_verification_seconds", "How long that took.")
    took.add_metric([], found.seconds)
    counts = dict(found.counts)
    by_rule = counts.pop("by_rule", {})
    trouble = GaugeMetricFamily("cxhub_identity_troubles", "Broken promises about identity, by rule.", labels=["rule"])
    for rule in (*verifying.RULES, *sorted(set(by_rule) - set(verifying.RULES))):
        trouble.add_metric([rule], by_rule.get(rule, 0))
    rows = GaugeMetricFamily("cxhub_identity_rows", "What was looked at.", labels=["what"])
    for what, count in sorted(counts.items()):
        rows.add_metric([what], count)
    yield from (at, took, trouble, rows)


def promises() -> Iterable[Metric]:
    """What became of promises, and how many wait now."""
    with cursor("reading") as sql:
        counts = owed.promise_counts(sql)
    found = GaugeMetricFamily("cxhub_promises", "Promises to customers, by what became of them.", labels=["state"])
    for state, count in counts.items():
        found.add_metric([state], count)
    yield found


SUBJECTS: Final[tuple[Callable[[], Iterable[Metric]], ...]] = (
    counted,
    standing.checks,
    standing.deliveries,
    standing.queues,
    standing.sources,
    standing.outgoing,
    standing.far,
    standing.server,
    standing.queue,
    identity,
    promises,
)
"""Each subject is asked at every scrape: keep them cheap. No label may tell of a person."""
SECONDS = 5.0
"""For all of them together; Prometheus gives up after ten."""


class Subjects(Collector):
    """All subjects, one after the other; one that fails does not take the others along."""

    def collect(self) -> Iterable[Metric]:
        took = GaugeMetricFamily("cxhub_subject_seconds", "How long a subject of this page took.", labels=["subject"])
        failed = GaugeMetricFamily("cxhub_subject_failed", "Whether it is missing here.", labels=["subject"])
        for subject in SUBJECTS:
            name, begun = subject.__name__, perf_counter()
            found: list[Metric] = []
            try:
                found = list(subject())
            except (DatabaseError, InterfaceError):
                logger.warning("no metrics of %s", name)
            yield from found
            took.add_metric([name], perf_counter() - begun)
            failed.add_metric([name], not found and name not in MAY_BE_EMPTY)
        yield from (took, failed)


MAY_BE_EMPTY = frozenset(("far", "identity", "queue"))


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """404 while no token is set; 401 without it. Any web process answers for all processes, on all hosts."""
    if not settings.CXHUB_METRICS_TOKEN:
        raise Http404
    given = request.headers.get("Authorization", "")
    if not constant_time_compare(given, f"Bearer {settings.CXHUB_METRICS_TOKEN}"):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Subjects())
    with patience(SECONDS, tells=False):
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
