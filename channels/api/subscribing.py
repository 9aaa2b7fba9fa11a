"""The shapes of subscriptions and of the messages to them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints

from channels.models import Attempt, Subscription
from customers.api.shapes import Shape, example, moment

Url = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Words = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=63)]], Field(max_length=100)]
Description = Annotated[str, StringConstraints(max_length=200)]
STATES = Literal["pending", "delivered", "failed"]


class NewSubscription(Shape):
    """Without `types`, or without `sources`, all are told. What belongs to no source is always told."""

    model_config = example({"url": "https://crm.example/cxhub", "types": ["promise.broken", "customer.erased"]})

    url: Url
    description: Description = ""
    types: Words = []
    sources: Words = []
    enabled: bool = True


class ChangedSubscription(Shape):
    """What is left out stays. Enabled again, it goes on where it stopped."""

    model_config = example({"enabled": True})

    url: Url | None = None
    description: Description | None = None
    types: Words | None = None
    sources: Words | None = None
    enabled: bool | None = None


class SubscriptionShape(Shape):
    """`disabled_why`: gone (the receiver answered 410), failing (it took nothing for five days), or empty."""

    id: UUID
    url: str
    description: str
    types: list[str]
    sources: list[str]
    enabled: bool
    disabled_why: Literal["", "gone", "failing"]
    created_at: datetime
    failures: int
    failing_since: datetime | None
    paused_until: datetime | None
    delivered_at: datetime | None
    pending: int


class MadeSubscription(SubscriptionShape):
    """`secret` is shown now and never again."""

    secret: str


class Subscriptions(Shape):
    results: list[SubscriptionShape]


class Nothing(Shape):
    """There is nothing to say."""


class Rotate(Shape):
    """For so many hours the secret before signs as well."""

    model_config = example({"keep_hours": 24})

    keep_hours: Annotated[int, Field(ge=0, le=168)] = 24


class Secret(Shape):
    secret: str


class AttemptShape(Shape):
    """`status` is null where there was no answer; `said` is its beginning, or why there was none."""

    at: datetime
    status: int | None
    milliseconds: int
    said: str


class MessageShape(Shape):
    id: str
    type: str
    state: STATES
    created_at: datetime
    due_at: datetime | None
    settled_at: datetime | None
    body: dict[str, Any]
    attempts: list[AttemptShape]


class Messages(Shape):
    results: list[MessageShape]
    next: str | None


class Again(Shape):
    """All messages made since then, or only those of one state."""

    model_config = example({"since": "2026-11-22T06:00:00Z", "state": "failed"})

    since: Annotated[datetime, BeforeValidator(moment)]
    state: STATES | None = None


class Count(Shape):
    count: int


def told(one: Subscription, pending: int) -> dict[str, Any]:
    names = set(SubscriptionShape.model_fields) - {"pending"}
    return {**{name: getattr(one, name) for name in sorted(names)}, "pending": pending}


def attempt(one: Attempt) -> dict[str, Any]:
    return {"at": one.at, "status": one.status, "milliseconds": one.milliseconds, "said": one.said}
