"""What a pushed event may say of the customer's experience, beside what happened: checked, so that it is counted.

One thing is said as an object (`promise`), several as a list of objects with ids (`promises`). An event with the same
`id` of the line and another `part` adds to it: `{"promises": [{"id": "7", "closed": {"as": "kept"}}]}`.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from channels.fields import Line, Moment, Number, Open, Short, text_of

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Felt = Literal[-1, 0, 1]
YEAR = 366 * 24 * 60


class Closed(Open):
    """How a promise ended, as a person or a system says; nobody has to say it of calls and messages that we see."""

    as_: Annotated[Literal["kept", "broken", "cancelled"], Field(alias="as")]
    at: Moment | None = None
    by: Short | None = None
    why: Line | None = None


class Promised(Open):
    """`within_minutes` counts in the business hours of the source from `at`, which is the line's time if left out."""

    what: Line | None = None
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")] | None = None
    due_at: Moment | None = None
    within_minutes: Annotated[int, Field(ge=1, le=YEAR)] | None = None
    owner: Short | None = None
    at: Moment | None = None
    by: Short | None = None
    closed: Closed | None = None

    @model_validator(mode="after")
    def ends(self) -> Self:
        if self.due_at is None and self.within_minutes is None and self.closed is None:
            raise ValueError("a promise needs due_at or within_minutes, or closed if it was made before")
        return self


class ListedPromise(Promised):
    id: Name


class Outcome(Open):
    as_: Annotated[Literal["missed", "met", "exceeded"], Field(alias="as")]
    emotion: Felt | None = None
    at: Moment | None = None
    by: Short | None = None


class Expected(Open):
    """What the customer expects: of the matter at hand, or for good."""

    what: Line | None = None
    lasting: bool | None = None
    at: Moment | None = None
    by: Short | None = None
    outcome: Outcome | None = None

    @model_validator(mode="after")
    def speaks(self) -> Self:
        if not self.what and self.outcome is None:
            raise ValueError("an expectation needs what, or outcome if it was stated before")
        return self


class ListedExpectation(Expected):
    id: Name


class RequestState(Open):
    """The customer's matter as another system numbers it."""

    id: Annotated[Name | None, BeforeValidator(text_of)] = None
    state: Literal["open", "answered", "solved", "reopened", "abandoned"] | None = None
    at: Moment | None = None
    by: Short | None = None


class RequestDecision(Open):
    id: Name
    do: Literal["solve", "reopen", "split", "join", "merge"]
    with_: Annotated[Name | None, Field(alias="with")] = None
    at: Moment | None = None
    by: Short | None = None
    why: Line | None = None


class FeedbackState(Open):
    topic: Annotated[str, StringConstraints(max_length=100)] | None = None
    state: Literal["new", "answered", "solved", "told"] | None = None
    sentiment: Felt | None = None
    at: Moment | None = None
    by: Short | None = None


class ListedFeedback(FeedbackState):
    id: Name


class Score(Open):
    metric: Literal["nps", "csat", "ces", "stars"]
    value: Number
    min: Number | None = None
    max: Number | None = None
    at: Moment | None = None


class ListedScore(Score):
    id: Name


class Consented(Open):
    """What the customer allows or takes back: `channel` is the line's if left out, * stands for all."""

    state: Literal["given", "withdrawn"]
    purpose: Name
    channel: Name | None = None
    at: Moment | None = None
    by: Short | None = None
    evidence: Annotated[str, StringConstraints(max_length=200)] | None = None


class Experienced(Open):
    """`auto`: an automatic answer, which serves nobody. `lost`: the customer left, or why he did.

    `given`: what the customer had to say of himself, by name: given twice on one matter it counts as effort.
    `transfer`: the times a call was passed on.
    """

    promise: Promised | None = None
    promises: Annotated[list[ListedPromise], Field(max_length=100)] | None = None
    expectation: Expected | None = None
    expectations: Annotated[list[ListedExpectation], Field(max_length=100)] | None = None
    request: RequestState | None = None
    requests: Annotated[list[RequestDecision], Field(max_length=100)] | None = None
    feedback: FeedbackState | None = None
    feedbacks: Annotated[list[ListedFeedback], Field(max_length=100)] | None = None
    score: Score | None = None
    scores: Annotated[list[ListedScore], Field(max_length=100)] | None = None
    emotion: Felt | None = None
    stage: Literal["before", "purchase", "after", "again", "left"] | None = None
    lost: bool | Line | None = None
    auto: bool | None = None
    given: Annotated[dict[Name, Line | int], Field(max_length=20)] | None = None
    consent: Consented | None = None
    consents: Annotated[list[Consented], Field(max_length=100)] | None = None
    transfer: Annotated[list[dict[str, Any]], Field(max_length=50)] | None = None
