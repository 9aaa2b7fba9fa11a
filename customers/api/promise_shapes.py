"""What is sent and answered about promises and expectations."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints

from customers.api import shapes

Words = Annotated[str, StringConstraints(min_length=1, max_length=1000, strip_whitespace=True)]
Moment = Annotated[datetime, BeforeValidator(shapes.moment)]
Why = Annotated[str, StringConstraints(max_length=1000)]
Owner = Annotated[str, StringConstraints(max_length=200)]
YEAR = 366 * 24 * 60


class NewPromiseShape(shapes.Shape):
    """Until when is said in one of three ways: `due_at`, `within_minutes` of business time, or `due` in words.

    `kind` says by what it is kept: callback (an answered call), answer or message (a message or letter), visit, any
    (a call or a message); every other word is kept only by somebody's word. `at`: when it was made, now if left out.
    """

    model_config = shapes.example({"what": "call back with the price", "kind": "callback", "within_minutes": 30})

    what: Words
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")] = "any"
    due_at: Moment | None = None
    within_minutes: Annotated[int, Field(ge=1, le=YEAR)] | None = None
    due: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    owner: Owner | None = None
    at: Moment | None = None


class PromiseEnd(shapes.Shape):
    """`at` may lie before now, e.g. for a call from a private telephone."""

    model_config = shapes.example({"as": "cancelled", "why": "He bought it elsewhere."})

    as_: Annotated[Literal["kept", "cancelled"], Field(alias="as")]
    why: Why = ""
    at: Moment | None = None


class PromiseMove(shapes.Shape):
    model_config = shapes.example({"due_at": "2026-11-23T10:00:00+02:00", "why": "He is on a train."})

    due_at: Moment
    why: Why = ""


class PromiseOwner(shapes.Shape):
    model_config = shapes.example({"owner": "ona"})

    owner: Owner


class PromiseShape(shapes.Shape):
    """`overdue`: it should be done and is not; a broken promise stays so until somebody makes it good: then `late`.

    With the origin `score` it is to come back to the customer about a low answer, `what` says which: `CSAT 2/5`.
    """

    id: UUID
    customer: UUID
    line: UUID
    what: str
    kind: str
    origin: Literal["agent", "event", "score"]
    owner: str | None
    channel: str
    source: str
    request: UUID | None
    made_at: datetime
    made_by: str | None
    due_at: datetime
    moved: int
    state: Literal["open", "kept", "broken", "cancelled"]
    overdue: bool
    tries: int
    tried_at: datetime | None
    closed_at: datetime | None
    settled_at: datetime | None
    late: bool
    closed_line: UUID | None
    closed_by: str | None
    why: str | None


class PromiseList(shapes.Shape):
    results: list[PromiseShape]
    next: str | None


class SuggestionShape(shapes.Shape):
    """What the text of an outbound line seems to promise; nothing is promised until somebody says so."""

    what: str
    kind: str
    due_at: datetime
    words: str


class LinePromises(shapes.Shape):
    results: list[PromiseShape]
    suggestion: SuggestionShape | None


class NewExpectationShape(shapes.Shape):
    """`lasting`: of every contact to come; else of the matter that the contact is about."""

    model_config = shapes.example({"what": "prefers to meet in person", "lasting": True})

    what: Words
    lasting: bool = False


class OutcomeShape(shapes.Shape):
    """How it turned out, and how the customer felt at that moment: -1, 0 or 1."""

    model_config = shapes.example({"outcome": "missed", "emotion": -1})

    outcome: Literal["missed", "met", "exceeded"]
    emotion: Literal[-1, 0, 1] | None = None


class ExpectationShape(shapes.Shape):
    id: UUID
    customer: UUID
    line: UUID
    what: str
    lasting: bool
    request: UUID | None
    stated_at: datetime
    stated_by: str | None
    outcome: Literal["missed", "met", "exceeded"] | None
    emotion: Literal[-1, 0, 1] | None
    outcome_at: datetime | None
    outcome_by: str | None


class ExpectationList(shapes.Shape):
    results: list[ExpectationShape]
    next: str | None
