"""The shapes of receipts, deliveries and sources."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from channels.models.source import SLUG
from customers.api.shapes import ProblemShape, Shape, example

STATES = Literal[
    "accepted", "waiting", "recorded", "duplicate", "conflict", "ignored", "unsupported", "quarantined", "erased"
]


class PushReceipt(Shape):
    """`receipt` is null when the event was rejected; then `problem` says why."""

    id: str | None
    receipt: UUID | None
    status: Literal["accepted", "duplicate", "rejected"]
    problem: ProblemShape | None = None


class PushReceipts(Shape):
    receipts: list[PushReceipt]


class LineShape(Shape):
    interaction: UUID
    customer: UUID | None
    status: str
    matched_by: str | None


class RefusedShape(Shape):
    identifier: str
    reason: str


class Receipt(Shape):
    receipt: UUID
    id: str | None
    source: str
    status: STATES
    interaction: UUID | None
    customer: UUID | None
    lines: list[LineShape]
    refused: list[RefusedShape]
    received_at: datetime
    recorded_at: datetime | None
    reason: str | None
    attempts: int


class Deliveries(Shape):
    results: list[Receipt]
    next: str | None


class NewSource(Shape):
    model_config = example({"provider": "telegram", "slug": "shop-bot", "region": "LT"})

    provider: Annotated[str, StringConstraints(min_length=1, max_length=63)]
    slug: Annotated[str, StringConstraints(pattern=f"^{SLUG}$")]
    region: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$")] = ""
    trust: Literal["claimed", "asserted", "verified"] = "asserted"
    addresses: Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=320)]], Field(max_length=1000)
    ] = []
    secrets: dict[str, Annotated[str, StringConstraints(max_length=4000)]] = {}


class MadeSource(Shape):
    slug: str
    key: str
    hook_url: str
    paste: str
