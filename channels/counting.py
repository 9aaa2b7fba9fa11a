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
    now = time.time()
    for row in rows:
        figures.add("drained", row["state"])
        if row["state"] != Delivery.WAITING and not claimed[row["id"]].replays:
            figures.observe("visible", seconds=now - claimed[row["id"]].received_at.timestamp())
        for refusal in row["refused"]:
            figures.add("refused", refusal["reason"])


def took(deliveries: int, begun: float) -> None:
    """One batch, from its claim to its end."""
    figures.add("batches")
    figures.add("batch_deliveries", by=deliveries)
    figures.add("batch_seconds", by=time.monotonic() - begun)
