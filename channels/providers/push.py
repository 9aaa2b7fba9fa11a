"""Events that a system pushes in our own JSON: the schema of `POST /api/v1/events`, and its translation."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from channels.experience import Experienced
from channels.fields import Line, Moment, Number, Open, Short, moment, text_of
from channels.provider import Provider, SourceInfo, StoredDelivery, Unreadable
from customers.incoming import Agent, Attachment, ChannelEvent, Handle, Kind, Trust

RESERVED = ("card", "anonymous")
BIGINT = 2**63 - 1
DIGITS = len(str(BIGINT))
EXACT = 2**53
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def not_reserved(kind: str) -> str:
    if kind in RESERVED:
        raise ValueError(f"«{kind}» is a kind of our own")
    return kind


def revision_number(value: object) -> object:
    """Times count in microseconds; an integer beyond 2^53 was made text at the door (`legible`)."""
    if not isinstance(value, str):
        return value
    if value.isascii() and value.isdigit() and len(value) <= DIGITS and int(value) > EXACT:
        return int(value)
    return (moment(value) - EPOCH) // timedelta(microseconds=1)


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Id = Annotated[
    str,
    BeforeValidator(text_of),
    StringConstraints(min_length=1, max_length=200),
    WithJsonSchema({"anyOf": [{"type": "string", "minLength": 1, "maxLength": 200}, {"type": "integer"}]}),
]
Revision = Annotated[
    int,
    BeforeValidator(revision_number),
    Field(ge=0, le=BIGINT),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "format": "date-time"}]}),
]
Count = Annotated[int, Field(ge=0, le=BIGINT)]
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class Shape(BaseModel):
    """Strict: no coercion of types, no field that we would silently lose."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Identifier(Shape):
    kind: Annotated[Slug, AfterValidator(not_reserved)]
    value: Annotated[str, BeforeValidator(text_of), StringConstraints(min_length=1, max_length=320)]
    scope: Short | None = None
    trust: Literal["claimed", "asserted", "verified"] | None = None
    verified: bool | None = None

    @model_validator(mode="after")
    def said_once(self) -> Self:
        if self.trust is not None and self.verified is not None:
            raise ValueError("say trust or verified, not both")
        return self


class PushedCustomer(Shape):
    identifiers: Annotated[list[Identifier], Field(max_length=50)] = []
    name: Annotated[str, StringConstraints(max_length=1000)] | None = None
    attributes: dict[Annotated[str, StringConstraints(min_length=1, max_length=64)], Any] = {}


class PushedAgent(Shape):
    id: Annotated[str, BeforeValidator(text_of), StringConstraints(max_length=200)] = ""
    name: Line = ""
    type: Literal["human", "bot", "system"] = "human"


class PushedAttachment(Shape):
    name: Line = ""
    content_type: Short = ""
    size: Count | None = None
    url: Annotated[str, StringConstraints(max_length=4000)] = ""


class Recording(Open):
    url: Annotated[str, StringConstraints(max_length=4000)] | None = None
    duration_s: Seconds | None = None


class Call(Open):
    status: Literal["completed", "missed", "busy", "failed", "voicemail"] | None = None
    started_at: Moment | None = None
    answered_at: Moment | None = None
    ended_at: Moment | None = None
    duration_s: Seconds | None = None
    talk_s: Seconds | None = None
    legs: list[dict[str, Any]] | None = None
    recording: Recording | None = None


class Order(Open):
    number: Annotated[str, BeforeValidator(text_of), StringConstraints(min_length=1, max_length=200)]
    total: Number | Annotated[str, StringConstraints(pattern=r"^-?\d{1,18}(\.\d{1,6})?$")] | None = None
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None


class Details(Experienced):
    call: Call | None = None
    order: Order | None = None
    campaign: dict[str, Any] | None = None


class PushedEvent(Shape):
    """One channel event, as an integration pushes it."""

    id: Id
    channel: Slug
    kind: Kind
    direction: Literal["inbound", "outbound", "internal"]
    occurred_at: Moment
    source: Slug | None = None
    customer: PushedCustomer = PushedCustomer()
    subject: Line = ""
    text: str = ""
    thread: Short = ""
    agent: PushedAgent | None = None
    attachments: Annotated[list[PushedAttachment], Field(max_length=100)] = []
    state: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")] | None = None
    deleted: bool = False
    part: Annotated[str, StringConstraints(min_length=1, max_length=200)] = "main"
    revision: Revision = 0
    details: Details = Details()


class PushedEvents(RootModel[PushedEvent | list[PushedEvent]]):
    """One event, or up to 2,500 of them."""


class Push(Provider):
    """Every system that pushes events; it has no webhook of its own."""

    name: ClassVar[str] = "push"
    label: ClassVar[str] = "Push (REST)"
    docs: ClassVar[str] = "/api/docs/"
    handled: ClassVar[frozenset[str]] = frozenset({"event"})

    def paste(self, source: SourceInfo) -> str:
        address = source.hook_url.partition("/hooks/")[0]
        return f"POST {address}/api/v1/events, with a key of the scope ingest whose source is {source.slug}"

    def parse(self, delivery: StoredDelivery) -> Iterator[ChannelEvent]:
        """Exactly one event: a push is cut into one delivery per event at the door."""
        try:
            event = PushedEvent.model_validate_json(delivery.body)
        except ValidationError as error:
            raise Unreadable(f"{error.error_count()} fields are not valid") from None
        yield ChannelEvent(
            source_id=delivery.source.id,
            source=delivery.source.slug,
            region=delivery.source.region,
            key=event.id,
            part=event.part,
            revision=event.revision,
            received_at=delivery.received_at,
            occurred_at=event.occurred_at,
            channel=event.channel,
            kind=event.kind,
            direction=event.direction,
            handles=tuple(handle(identifier, event, delivery.source) for identifier in event.customer.identifiers),
            name=event.customer.name or "",
            attributes=event.customer.attributes,
            thread=event.thread,
            subject=event.subject,
            text=event.text,
            agent=None if event.agent is None else Agent(event.agent.id, event.agent.name, event.agent.type),
            attachments=tuple(
                Attachment(file.name, file.content_type, file.size, file.url) for file in event.attachments
            ),
            state=event.state or (event.details.call.status if event.details.call else None) or "",
            deleted=event.deleted,
            details=orjson.loads(delivery.body).get("details", {}),  # as it was sent: 9 stays 9, not 9.0
        )


def handle(identifier: Identifier, event: PushedEvent, source: SourceInfo) -> Handle:
    """As far as the source may say so; silent means asserted, but claimed from a form or the web."""
    if identifier.trust is not None:
        trust = Trust[identifier.trust.upper()]
    elif identifier.verified is None:
        trust = Trust.CLAIMED if event.kind == "form" or event.channel == "web" else Trust.ASSERTED
    else:
        trust = Trust.VERIFIED if identifier.verified else Trust.CLAIMED
    return Handle(identifier.kind, identifier.value, identifier.scope or "", source.capped(trust))
