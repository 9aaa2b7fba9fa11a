"""The shapes of requests and answers: they check what comes in, and describe in the schema what goes out."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar, get_args
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
from uuid_utils.compat import uuid7

from customers.api.problems import CODES, Problem
from customers.incoming import Kind
from customers.legible import legible

UP_TO_200 = {"type": "integer", "minimum": 1, "maximum": 200}
KINDS: tuple[str, ...] = get_args(Kind)
TRUSTS = Literal["claimed", "asserted", "verified"]


def moment(value: object) -> datetime:
    """A time with its offset, as UTC; numbers and local times are no times here."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        if found and found.tzinfo:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("must be an RFC 3339 time with an offset, e.g. 2026-11-22T10:15:00+03:00")


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


def example(value: dict[str, Any]) -> ConfigDict:
    """Shows in the schema what a body looks like."""
    return ConfigDict(json_schema_extra={"example": value})


class ProblemShape(Shape):
    """RFC 9457; `code` is stable, `field` names what is at fault, `request_id` is what the log calls the request."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    field: str | None = None
    request_id: str | None = None


class HandleShape(Shape):
    kind: str
    value: str


class AgentShape(Shape):
    id: str
    name: str
    type: Literal["human", "bot", "system"]


class AttachmentShape(Shape):
    id: UUID
    name: str
    content_type: str
    size: int | None
    url: str | None = None
    ref: str | None = None


class EditShape(Shape):
    """What the line said before, and when that was said."""

    subject: str
    text: str
    at: datetime


class Entry(Shape):
    """One contact."""

    id: UUID
    channel: str
    source: str
    kind: Kind
    direction: Literal["inbound", "outbound", "internal"]
    occurred_at: datetime
    recorded_at: datetime
    identity: HandleShape
    thread: str | None
    agent: AgentShape | None
    subject: str | None
    text: str
    details: dict[str, Any]
    attachments: list[AttachmentShape]
    state: str | None
    edits: list[EditShape]
    deleted_at: datetime | None


class EntryOfCustomer(Entry):
    customer: UUID


class Timeline(Shape):
    results: list[Entry]
    next: str | None
    previous: str | None
    changes: str | None


class SearchResults(Shape):
    results: list[EntryOfCustomer]
    next: str | None
    previous: str | None
    changes: str | None


class Changes(Shape):
    """Without `since` only `next` is there."""

    changed: list[Entry] = []
    gone: list[UUID] = []
    reset: bool = False
    next: str


class AttributeShape(Shape):
    value: Any
    source: str
    trust: TRUSTS
    claimed_at: datetime


class IdentityShape(Shape):
    id: str
    kind: str
    scope: str | None
    value: str
    shared: bool
    trust: TRUSTS
    first_seen: datetime


class CandidateShape(Shape):
    kind: str
    scope: str | None
    value: str
    reason: str
    source: str
    seen_at: datetime


class OpenThreadShape(Shape):
    channel: str
    thread: str | None
    since: datetime
    interaction: UUID


class ClaimShape(AttributeShape):
    """What one source says; the first of a key is what the card shows."""

    key: str
    identity: dict[str, str]


class Card(Shape):
    """Who a customer is; `ids` holds every id that it answers to, `version` changes with what it says."""

    id: UUID
    version: str
    ids: list[UUID]
    name: str | None
    attributes: dict[str, AttributeShape]
    tags: list[str]
    identities: list[IdentityShape]
    candidates: list[CandidateShape]
    first_contact: datetime | None
    last_contact: datetime | None
    counts: dict[str, int]
    open_threads: list[OpenThreadShape]
    claims: list[ClaimShape] | None = None


class Cards(Shape):
    """`incomplete`: more than these are like `q`, or not all were looked at in time; more letters or words help."""

    results: list[Card]
    incomplete: bool


class Anything(BaseModel):
    model_config = ConfigDict(extra="allow")


class NewNote(Shape):
    model_config = example({"text": "Asked for a call on Friday after six."})

    text: Annotated[str, StringConstraints(min_length=1, max_length=50_000, strip_whitespace=True)]


class NewKey(Shape):
    model_config = example({"name": "web shop", "scopes": ["ingest"], "source": "shop", "sources": ["till"]})

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    scopes: Annotated[
        list[Literal["read", "read:masked", "write", "admin", "ingest", "unmask"]], Field(min_length=1, max_length=6)
    ]
    source: Annotated[str, StringConstraints(max_length=63)] = ""
    sources: Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=63)]], Field(max_length=1000)
    ] = []
    expires_at: Annotated[datetime, BeforeValidator(moment)] | None = None


class IssuedKey(Shape):
    """The plain key is shown once."""

    id: str
    name: str
    key: str
    prefix: str
    scopes: list[str]
    source: str
    sources: list[str]
    expires_at: datetime | None


Model = TypeVar("Model", bound=BaseModel)


def validated(model: type[Model], body: object) -> Model:
    """The body as its shape; raises Problem with the first field at fault."""
    try:
        return model.model_validate(legible(body))
    except ValidationError as error:
        raise Problem(*code_detail_field(error)[:2], field=code_detail_field(error)[2]) from None


def code_detail_field(error: ValidationError) -> tuple[str, str, str]:
    """(code, detail, field) of the first thing that is wrong."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"])[:200]
    if first["type"] == "missing":
        return "missing_field", f"«{field}» is required.", field
    if first["type"] == "extra_forbidden":
        return "invalid_value", f"There is no field «{field}» here.", field
    return "invalid_value", first["msg"].removeprefix("Value error, "), field


def random_key() -> str:
    return str(uuid7())


EXAMPLE = OpenApiExample(
    "missing field",
    {
        "type": "urn:cxhub:problem:missing_field",
        "title": CODES["missing_field"][1],
        "status": 400,
        "code": "missing_field",
        "detail": "«occurred_at» is required.",
        "field": "occurred_at",
    },
    response_only=True,
    status_codes=["400"],
)


def responses(model: type[BaseModel] | None, *others: int, status: int = 200) -> dict[Any, Any]:
    """The answers of an operation: what it gives, and the problems that anybody may meet."""
    problems = {code: OpenApiResponse(ProblemShape, title) for code, title in titles().items()}
    found: dict[Any, Any] = {} if model is None else {status: model}
    for code in (400, 401, 403, 405, 503, *others):
        key = (code, "application/problem+json")
        found[304 if code == 304 else key] = None if code == 304 else problems[code]
    return found


def titles() -> dict[int, str]:
    return dict(reversed(CODES.values()))
