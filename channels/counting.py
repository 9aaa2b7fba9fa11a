"""What doors and drains count for those who run cxhub (`customers.figures`): names of providers and states, no data."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from channels.leasing import Claimed
from channels.models import Delivery
from customers import figures

PUSH = "push"


def accepted(provider: str, outcome: str = "accepted", by: int = 1) -> None:
    """What a door answered: accepted, duplicate, rejected (a push), refused (not proven), unstored (our trouble)."""
    if by:
        figures.add("accepts", provider, outcome, by=by)


def pushed(statuses: Iterable[str]) -> None:
    for status, count in Counter(statuses).items():
        accepted(PUSH, status, count)


def drained(claimed: Mapping[UUID, Claimed], rows: Iterable[Mapping[str, Any]]) -> None:
    """Once committed: what became of deliveries, how long after they came, and which links were refused."""
    now = time.monotonic()
    found: Counter[figures.Series] = Counter()
    durations = []
    for row in rows:
        found["drained", row["state"]] += 1
        one = claimed[row["id"]]
        if row["state"] != Delivery.WAITING and not one.replays:
            durations.append(max(0.0, one.age + now - one.taken))
        for refusal in row["refused"]:
            found["refused", refusal["reason"]] += 1
    for series, count in found.items():
        figures.add(*series, by=count)
    figures.observe_all("visible", seconds=durations)


def took(deliveries: int, begun: float) -> None:
    """One batch, from its claim to its end."""
    figures.add("batches")
    figures.add("batch_deliveries", by=deliveries)
    figures.add("batch_seconds", by=time.monotonic() - begun)
