"""Scores over the API: answers of a customer, read and written down, and what all answers add up to."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BeforeValidator, Field, StringConstraints
from rest_framework.request import Request

from customers.api import shapes
from customers.api.authentication import Manages, needs
from customers.api.problems import Problem
from customers.api.query import Query
from customers.api.timelines import CURSOR_PARAMETER, LIMIT_PARAMETER
from customers.api.views import View, body_of, json_response, log, reading, standing_or_problem
from customers.experience import scorelists
from customers.experience.facts import NoSuchLine
from customers.experience.following import freshen
from customers.experience.measuring import METRICS
from customers.experience.paging import BadToken
from customers.experience.rating import rate, rate_line
from customers.experience.scorelists import Asked, customer_of_line
from customers.incoming import Agent
from customers.recording import Outcome
from customers.sql import Cursor, cursor

Number = Annotated[float, Field(allow_inf_nan=False)]
Word = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]
IDEMPOTENCY = OpenApiParameter("Idempotency-Key", OpenApiTypes.STR, OpenApiParameter.HEADER)
FILTERS = ("metric", "channel", "stage", "agent", "since", "until", "low", "open")
FILTER_PARAMETERS = [
    OpenApiParameter("metric", OpenApiTypes.STR, enum=METRICS),
    OpenApiParameter("channel", OpenApiTypes.STR),
    OpenApiParameter("stage", OpenApiTypes.STR),
    OpenApiParameter("agent", OpenApiTypes.STR, description="His id, or any other of his names."),
    OpenApiParameter("since", OpenApiTypes.DATETIME, description="Inclusive."),
    OpenApiParameter("until", OpenApiTypes.DATETIME, description="Exclusive."),
    OpenApiParameter("low", OpenApiTypes.BOOL, description="Only those so low that somebody should call."),
    OpenApiParameter("open", OpenApiTypes.BOOL, description="Only low ones after which nobody came back yet."),
]


class ScoreGiven(shapes.Shape):
    """`min` and `max` are those of the scale; 1 and 10 make the other kind of NPS. `agent`: whose work it speaks of."""

    metric: Literal["nps", "csat", "ces", "stars"]
    value: Number
    min: Number | None = None
    max: Number | None = None
    at: Annotated[datetime, BeforeValidator(shapes.moment)] | None = None
    agent: Word = ""


class ScoresGiven(shapes.Shape):
    model_config = shapes.example(
        {"scores": [{"metric": "nps", "value": 9}, {"metric": "ces", "value": 6}], "channel": "email"}
    )

    scores: Annotated[list[ScoreGiven], Field(min_length=1, max_length=50)]
    channel: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")] | None = None
    text: Annotated[str, StringConstraints(max_length=50_000)] = ""
    at: Annotated[datetime, BeforeValidator(shapes.moment)] | None = None


class LineScoresGiven(shapes.Shape):
    model_config = shapes.example({"scores": [{"metric": "csat", "value": 2}]})

    scores: Annotated[list[ScoreGiven], Field(min_length=1, max_length=50)]


class FollowUpShape(shapes.Shape):
    """The promise that closes the loop, and what became of it."""

    promise: UUID
    state: Literal["open", "kept", "broken", "cancelled"] | None
    due_at: datetime | None
    closed_at: datetime | None


class ScoreShape(shapes.Shape):
    """One answer. `why` says why it is not counted; `effort` is what the matter had cost the customer until then."""

    id: UUID
    customer: UUID
    interaction: UUID
    metric: Literal["nps", "csat", "ces", "stars"]
    value: float
    min: float
    max: float
    counted: bool
    why: Literal["scale", "range", "fraction"] | None
    given_at: datetime
    channel: str
    source: str
    stage: str | None
    agent: str | None
    request: UUID | None
    effort: int | None
    low: bool
    follow_up: FollowUpShape | None


class ScoresShape(shapes.Shape):
    results: list[ScoreShape]
    next: str | None


class ScoresAdded(shapes.Shape):
    results: list[ScoreShape]


def asked_of(query: Query, **more: Any) -> Asked:
    return Asked(
        metric=query.choice("metric", METRICS, "") or None,
        channel=query.text("channel"),
        stage=query.text("stage"),
        agent=query.text("agent"),
        since=query.moment("since"),
        until=query.moment("until"),
        bad=query.flag("low"),
        open=query.flag("open"),
        **more,
    )


def page_of(sql: Cursor, query: Query, asked: Asked, request: Request) -> HttpResponse:
    """A page of answers; whoever stands in it was seen."""
    try:
        page = scorelists.listed(
            sql, asked, limit=query.number("limit", 50, least=1, most=200), cursor=query.text("cursor")
        )
    except BadToken as error:
        raise Problem("invalid_value", str(error), field="cursor") from None
    log(sql, request, page.customers)
    return json_response({"results": page.rows, "next": page.next})


class CustomerScoresView(View):
    def get_permissions(self) -> Any:
        return [needs("write" if self.request.method == "POST" else "read")()]

    @extend_schema(
        operation_id="customers_scores",
        parameters=[LIMIT_PARAMETER, CURSOR_PARAMETER, *FILTER_PARAMETERS],
        responses=shapes.responses(ScoresShape, 404, 410),
    )
    def get(self, request: Request, customer: str) -> HttpResponse:
        """What this customer answered to surveys, newest first, with what became of a low answer."""
        query = Query(request.query_params, *FILTERS, "limit", "cursor")
        with reading() as sql:
            root = standing_or_problem(sql, customer)
        freshen(root)
        with reading() as sql:
            return page_of(sql, query, asked_of(query, customer=root), request)

    @extend_schema(
        operation_id="customers_scores_add",
        parameters=[IDEMPOTENCY],
        request=ScoresGiven,
        responses=shapes.responses(ScoresAdded, 404, 409, 410, status=201),
    )
    def post(self, request: Request, customer: str) -> HttpResponse:
        """A survey that the customer answered; repeated with the same Idempotency-Key it is added once."""
        Query(request.query_params)
        given = shapes.validated(ScoresGiven, body_of(request))
        principal = self.principal(request)
        with cursor() as sql:
            root = standing_or_problem(sql, customer)
            return added(
                request,
                root,
                lambda: rate(
                    sql,
                    root,
                    scores_of(given.scores),
                    key=f"{principal.viewer}:{key_of(request)}",
                    agent=Agent(principal.viewer, principal.name),
                    at=given.at,
                    text=given.text,
                    channel=given.channel or "",
                ),
            )


class ScoresView(View):
    permission_classes = [Manages]

    @extend_schema(
        operation_id="scores",
        parameters=[LIMIT_PARAMETER, CURSOR_PARAMETER, *FILTER_PARAMETERS],
        responses=shapes.responses(ScoresShape),
    )
    def get(self, request: Request) -> HttpResponse:
        """What all customers answered to surveys, newest first: those behind a number, or not yet taken up."""
        query = Query(request.query_params, *FILTERS, "limit", "cursor")
        with reading() as sql:
            return page_of(sql, query, asked_of(query), request)


class LineScoresView(View):
    permission_classes = [needs("write")]

    @extend_schema(
        operation_id="interactions_scores_add",
        parameters=[IDEMPOTENCY],
        request=LineScoresGiven,
        responses=shapes.responses(ScoresAdded, 404, 409, status=201),
    )
    def post(self, request: Request, line: UUID) -> HttpResponse:
        """What the customer thinks of one contact, e.g. of a call; it becomes part of that contact."""
        Query(request.query_params)
        given = shapes.validated(LineScoresGiven, body_of(request))
        principal = self.principal(request)
        key = f"{principal.viewer}:{key_of(request)}"
        with cursor() as sql:
            root = customer_of_line(sql, line)
            if root is None:
                raise Problem("not_found", "There is no such contact.")
            agent = Agent(principal.viewer, principal.name)
            return added(request, root, lambda: rate_line(sql, line, scores_of(given.scores), key=key, agent=agent))


def scores_of(given: list[ScoreGiven]) -> list[dict[str, Any]]:
    """As they are kept: what was not said is left out, and 9 stays 9."""
    said = [one.model_dump(mode="json", exclude_unset=True, exclude_none=True) for one in given]
    return [{name: whole(value) for name, value in one.items()} for one in said]


def whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def key_of(request: Request) -> str:
    given = request.headers.get("Idempotency-Key", "")
    if len(given) > 200:
        raise Problem("invalid_value", "An Idempotency-Key may have 200 characters.", field="Idempotency-Key")
    return given or shapes.random_key()


def added(request: Request, root: int, work: Callable[[], Outcome]) -> HttpResponse:
    try:
        outcome = work()
    except NoSuchLine:
        raise Problem("not_found", "There is no such contact.") from None
    if outcome.status == "conflict":
        raise Problem("conflict", "This Idempotency-Key was used for other answers.", field="Idempotency-Key")
    freshen(root)
    with reading() as sql:
        page = scorelists.listed(sql, Asked(customer=root), limit=200)
        log(sql, request, [root])
    return json_response({"results": [one for one in page.rows if one["interaction"] == outcome.line]}, status=201)
