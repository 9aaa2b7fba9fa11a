"""Matters over the API: who waits for an answer, what each cost the customer, and what agents say of them."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal, TypeVar
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import Field, StringConstraints
from rest_framework.request import Request

from customers.api import shapes
from customers.api.authentication import needs
from customers.api.problems import Problem
from customers.api.query import Query, uuid_of
from customers.api.timelines import CURSOR_PARAMETER, LIMIT_PARAMETER
from customers.api.views import View, body_of, json_response, log, reading, standing_or_problem
from customers.experience import ruling
from customers.experience.following import freshen
from customers.experience.matterlists import STATES, Asked, listed, one
from customers.experience.paging import BadToken, Page
from customers.experience.ruling import NoSuchMatter, Refused
from customers.incoming import Agent
from customers.sql import Cursor, cursor

Why = Annotated[str, StringConstraints(max_length=1000, strip_whitespace=True)]
T = TypeVar("T")
FILTERS = ("state", "channel", "agent", "external", "since", "until", "limit", "cursor")
PARAMETERS = [
    OpenApiParameter("state", OpenApiTypes.STR, enum=(*STATES, "unsolved")),
    OpenApiParameter("channel", OpenApiTypes.STR, description="A channel of one of its contacts."),
    OpenApiParameter("agent", OpenApiTypes.STR, description="One of those who served in it, by any of his names."),
    OpenApiParameter("external", OpenApiTypes.STR, description="The number that a pushing system gave it."),
    OpenApiParameter("since", OpenApiTypes.DATETIME, description="Opened then or later."),
    OpenApiParameter("until", OpenApiTypes.DATETIME, description="Opened before."),
    LIMIT_PARAMETER,
    CURSOR_PARAMETER,
]


class EffortPartsShape(shapes.Shape):
    """Points; their sum is `effort`, 0 to 100."""

    repeats: int
    switches: int
    handovers: int
    waited: int
    given_again: int


class RequestShape(shapes.Shape):
    """One matter of a customer over all channels; `interaction` opened it, `interactions` are its latest hundred.

    `state`: open (the customer waits, since `waiting_since`), answered, solved (by agent, event or silence), abandoned
    (silent without any answer, or given up). Seconds are by the clock, `business` ones in the hours of its source.
    """

    id: UUID
    customer: UUID
    state: Literal["open", "answered", "solved", "abandoned"]
    external: str | None
    subject: str | None
    source: str
    channel: str
    channels: list[str]
    agents: list[str]
    opened_at: datetime
    interaction: UUID
    last_at: datetime
    last_interaction: UUID
    waiting_since: datetime | None
    answered_at: datetime | None
    answer_interaction: UUID | None
    solved_at: datetime | None
    solved_by: Literal["agent", "event", "silence", "customer"] | None
    reopened: int
    inbound: int
    outbound: int
    missed_calls: int
    channel_switches: int
    hand_overs: int
    given_again: int
    waited_s: int
    answer_s: int | None
    answer_business_s: int | None
    solution_s: int | None
    solution_business_s: int | None
    effort: int
    effort_parts: EffortPartsShape
    by_channel: dict[str, dict[str, int]]
    interactions: list[UUID]


class RequestsShape(shapes.Shape):
    results: list[RequestShape]
    next: str | None


class SplitResultShape(shapes.Shape):
    request: RequestShape | None
    new: RequestShape | None


class RulingWanted(shapes.Shape):
    model_config = shapes.example({"why": "He has the money back."})

    why: Why = ""


class MergeRequestWanted(RulingWanted):
    model_config = shapes.example({"with": "5f0c1f5e-5a0c-5d3c-8d5b-0b6f3a1c2d4e", "why": "Both are about AB-20417."})

    with_: Annotated[str, Field(alias="with", min_length=1, max_length=64)]


class SplitRequestWanted(RulingWanted):
    model_config = shapes.example({"interactions": ["0b6f3a1c-5a0c-5d3c-8d5b-2d4e5f0c1f5e"], "why": "Another order."})

    interactions: Annotated[list[str], Field(min_length=1, max_length=100)]


def page_of(query: Query, sql: Cursor, customer: int | None = None) -> Page:
    state = query.choice("state", (*STATES, "unsolved"), "")
    asked = Asked(
        customer=customer,
        state=state if state in STATES else None,
        unsolved=state == "unsolved",
        channel=query.text("channel"),
        agent=query.text("agent"),
        external=query.text("external"),
        since=query.moment("since"),
        until=query.moment("until"),
    )
    limit = query.number("limit", 50, least=1, most=200)
    try:
        return listed(sql, asked, limit=limit, cursor=query.text("cursor"))
    except BadToken as error:
        raise Problem("invalid_value", str(error), field="cursor") from None


class RequestsView(View):
    @extend_schema(operation_id="requests", parameters=PARAMETERS, responses=shapes.responses(RequestsShape))
    def get(self, request: Request) -> HttpResponse:
        """Matters of all customers: with `state=open` whoever waits longest first, otherwise the newest first."""
        query = Query(request.query_params, *FILTERS)
        with reading() as sql:
            page = page_of(query, sql)
            log(sql, request, sorted(set(page.customers)))
        return json_response({"results": page.rows, "next": page.next})


class CustomerRequestsView(View):
    @extend_schema(
        operation_id="customers_requests", parameters=PARAMETERS, responses=shapes.responses(RequestsShape, 404, 410)
    )
    def get(self, request: Request, customer: str) -> HttpResponse:
        """The matters of one customer."""
        query = Query(request.query_params, *FILTERS)
        with reading() as sql:
            root = standing_or_problem(sql, customer)
        freshen(root)
        with reading() as sql:
            page = page_of(query, sql, root)
            log(sql, request, [root])
        return json_response({"results": page.rows, "next": page.next})


class RulingView(View):
    permission_classes = [needs("write")]

    def agent(self, request: Request) -> Agent:
        principal = self.principal(request)
        return Agent(principal.viewer, principal.name)

    def ruled(self, work: Callable[[Cursor], T]) -> T:
        try:
            with cursor() as sql:
                return work(sql)
        except NoSuchMatter:
            raise Problem("not_found", "There is no such request.") from None
        except Refused as error:
            raise Problem("conflict", str(error)) from None

    def settle(self, request: Request, matter: UUID, do: Literal["solve", "reopen"]) -> HttpResponse:
        Query(request.query_params)
        wanted = shapes.validated(RulingWanted, body_of(request, empty=True))
        by = self.agent(request)
        customer = self.ruled(lambda sql: ruling.settle(sql, matter, do, agent=by, why=wanted.why))
        return self.answer(request, matter, customer)

    def answer(self, request: Request, matter: UUID, customer: int) -> HttpResponse:
        with reading() as sql:
            found = one(sql, matter)
            log(sql, request, [customer])
        if found is None:
            raise Problem("not_found", "The request is not here any more.")
        return json_response(found)


class SolveRequestView(RulingView):
    @extend_schema(
        operation_id="requests_solve", request=RulingWanted, responses=shapes.responses(RequestShape, 404, 409)
    )
    def post(self, request: Request, matter: UUID) -> HttpResponse:
        """It is solved, says an agent. Taken back by `reopen`."""
        return self.settle(request, matter, "solve")


class ReopenRequestView(RulingView):
    @extend_schema(
        operation_id="requests_reopen", request=RulingWanted, responses=shapes.responses(RequestShape, 404, 409)
    )
    def post(self, request: Request, matter: UUID) -> HttpResponse:
        """It is not solved after all: the customer waits."""
        return self.settle(request, matter, "reopen")


class MergeRequestView(RulingView):
    @extend_schema(
        operation_id="requests_merge", request=MergeRequestWanted, responses=shapes.responses(RequestShape, 404, 409)
    )
    def post(self, request: Request, matter: UUID) -> HttpResponse:
        """Two matters of one customer are one: the older, which is answered. Taken back by `split`."""
        Query(request.query_params)
        wanted = shapes.validated(MergeRequestWanted, body_of(request))
        other, by = uuid_of(wanted.with_, "with"), self.agent(request)
        stands, customer = self.ruled(lambda sql: ruling.merge(sql, matter, other, agent=by, why=wanted.why))
        return self.answer(request, stands, customer)


class SplitRequestView(RulingView):
    @extend_schema(
        operation_id="requests_split",
        request=SplitRequestWanted,
        responses=shapes.responses(SplitResultShape, 404, 409),
    )
    def post(self, request: Request, matter: UUID) -> HttpResponse:
        """Some contacts are a matter of their own; whatever follows them belongs to it. Taken back by `merge`."""
        Query(request.query_params)
        wanted = shapes.validated(SplitRequestWanted, body_of(request))
        lines, by = [uuid_of(line, "interactions") for line in wanted.interactions], self.agent(request)
        first, customer = self.ruled(lambda sql: ruling.split(sql, matter, lines, agent=by, why=wanted.why))
        with reading() as sql:
            new = one(sql, ruling.id_of(first))
            old = one(sql, matter)
            log(sql, request, [customer])
        return json_response({"request": old, "new": new})
