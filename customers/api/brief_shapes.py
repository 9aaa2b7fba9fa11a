"""What is answered about whoever calls: his card, his newest entries and his brief."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from customers.api.shapes import Card, Shape, Timeline


class BriefLine(Shape):
    """`text` is in the language of `Accept-Language`; `facts` says the same for programs."""

    what: Literal[
        "customer", "promise", "request", "feedback", "expectation", "colleague", "note", "feeling", "new", "prefers"
    ]
    text: str
    interaction: UUID | None
    at: datetime | None
    facts: dict[str, Any]
    urgent: bool


class BriefShape(Shape):
    """At most ten lines, the most important first."""

    customer: UUID
    at: datetime
    since: datetime | None
    lines: list[BriefLine]


class LookupResult(Shape):
    """`brief` where exactly one customer was found, else null."""

    customer: Card
    timeline: Timeline
    brief: BriefShape | None


class Lookup(Shape):
    results: list[LookupResult]
