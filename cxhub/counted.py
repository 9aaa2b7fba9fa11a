"""What processes have counted (`customers.figures`), as metrics: requests, doors, drains, links, heartbeats."""

from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from customers import figures
from customers.figures import ALIVE, BOUNDS, PLACES, Series

COUNTERS: Final = (
    (
        "accepts",
        "What the doors answered: accepted, duplicate, rejected, refused or unstored.",
        ("provider", "outcome"),
    ),
    ("drained", "What became of deliveries.", ("state",)),
    ("links", "Links between identities: made, joined (two customers became one) or undone.", ("change",)),
    ("links_refused", "Handles that were not linked, by what objected.", ("reason",)),
    ("outgoing", "Attempts to hand over an outgoing message: delivered or failed.", ("outcome",)),
    ("drain_batches", "Batches that were worked off.", ()),
    ("drain_deliveries", "Deliveries in them.", ()),
    ("drain_seconds", "How long they took together.", ()),
)
NAMES: Final = {
    "refused": "links_refused",
    "batches": "drain_batches",
    "batch_deliveries": "drain_deliveries",
    "batch_seconds": "drain_seconds",
}
LABELS: Final = ("route", "method", "status")


def counted() -> Iterable[Metric]:
    found = figures.read()
    by_name: dict[str, dict[Series, float]] = {}
    for (name, *labels), value in sorted(found.items()):
        by_name.setdefault(NAMES.get(name, name), {})[tuple(labels)] = value
    for name, words, named in COUNTERS:
        yield counter(name, words, named, by_name.get(name, {}))
    yield latency("cxhub_request_seconds", "How long answers took, by route.", LABELS, by_name.get("requests", {}))
    visible = by_name.get("visible", {})
    yield latency("cxhub_visible_seconds", "From the door until a delivery was in its timeline.", (), visible)
    yield heartbeats(by_name.get(ALIVE, {}))


def counter(name: str, words: str, labels: tuple[str, ...], found: Mapping[Series, float]) -> Metric:
    family = CounterMetricFamily(f"cxhub_{name}", words, labels=labels)
    for values, value in found.items():
        family.add_metric(values, value)
    return family


def latency(name: str, words: str, labels: tuple[str, ...], found: Mapping[Series, float]) -> Metric:
    """Buckets are kept apart and summed up here, as Prometheus wants them."""
    family = HistogramMetricFamily(name, words, labels=labels)
    for values in sorted({series[:-1] for series in found}):
        counts = accumulate(found.get((*values, place), 0.0) for place in PLACES)
        bounds = [*map(str, BOUNDS), "+Inf"]
        family.add_metric(values, list(zip(bounds, counts, strict=True)), found.get((*values, "sum"), 0.0))
    return family


def heartbeats(found: Mapping[Series, float]) -> Metric:
    family = GaugeMetricFamily(
        "cxhub_alive_timestamp_seconds", "When a kind of process last got its work done.", labels=["process"]
    )
    for values, at in found.items():
        family.add_metric(values, at)
    return family
