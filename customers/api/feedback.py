"""Feedback over the API: who said what for others to hear, what waits, and how far we took care of it."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import StringConstraints
from rest_framework.request import Request

from customers.api import shapes
from customers.api.authentication import needs
from customers.api.problems import Problem
from customers.api.query import Query
from customers.api.timelines import CURSOR_PARAMETER, LIMIT_PARAMETER
from customers.api.views import View, body_of, json_response, log, reading, standing_or_problem
from customers.experience.facts import NoSuchLine
from customers.experience.feedbacklists import KINDS, STATES, Asked, listed, one, take_care
from customers.experience.following import freshen
from customers.experience.paging import BadToken
from customers.incoming import Agent
from customers.sql import cursor

Topic = Annotated[str, StringConstraints(max_length=100, strip_whitespace=True)]
SENTIMENTS = {"negative": -1, "neutral": 0, "positive": 1}


class FeedbackShape(shapes.Shape):
    """`kind`: review, complaint, mention, comment. `urgent`: negative, and not answered. `text` is its beginning."""

    id: UUID
    customer: UUID
    interaction: UUID
    at: datetime
    kind: str
    channel: str
    source: str
    topic: str | None
    sentiment: Literal[-1, 0, 1] | None
    state: Literal["new", "answered", "solved", "told"]
    state_at: datetime | None
    state_by: str | None
    stage: str | None
    urgent: bool
    subject: str | None
    text: str
    score: dict[str, Any] | None


class FeedbacksShape(shapes.Shape):
    results: list[FeedbackShape]
    next: str | None


class CareWanted(shapes.Shape):
    model_config = shapes.example({"topic": "delivery"})

    topic: Topic = ""
    sentiment: Literal[-1, 0, 1] | None = None


class FeedbackListView(View):
    @extend_schema(
        operation_id="feedback",
        parameters=[
            OpenApiParameter("state", OpenApiTypes.STR, enum=STATES),
            OpenApiParameter("topic", OpenApiTypes.STR),
            OpenApiParameter("kind", OpenApiTypes.STR, enum=KINDS),
            OpenApiParameter("channel", OpenApiTypes.STR),
            OpenApiParameter("sentiment", OpenApiTypes.STR, enum=tuple(SENTIMENTS)),
            OpenApiParameter("since", OpenApiTypes.DATETIME, description="Inclusive."),
            OpenApiParameter("until", OpenApiTypes.DATETIME, description="Exclusive."),
            OpenApiParameter("customer", OpenApiTypes.UUID),
            LIMIT_PARAMETER,
            CURSOR_PARAMETER,
        ],
        responses=shapes.responses(FeedbacksShape, 404, 410),
    )
    def get(self, request: Request) -> HttpResponse:
        """Reviews, complaints, mentions and comments: the negative ones that nobody answered come first."""
        query = Query(
            request.query_params,
            *("state", "topic", "kind", "channel", "sentiment", "since", "until", "customer", "limit", "cursor"),
        )
        customer = query.text("customer")
        sentiment = query.choice("sentiment", SENTIMENTS, "")
        with reading() as sql:
            root = standing_or_problem(sql, customer) if customer is not None else None
        if root is not None:
            freshen(root)
        asked = Asked(
            customer=root,
            state=query.choice("state", STATES, "") or None,
            topic=query.text("topic"),
            kind=query.choice("kind", KINDS, "") or None,
            channel=query.text("channel"),
            sentiment=SENTIMENTS.get(sentiment),
            since=query.moment("since"),
            until=query.moment("until"),
        )
        with reading() as sql:
            try:
                limit = query.number("limit", 50, least=1, most=200)
                page = listed(sql, asked, limit=limit, cursor=query.text("cursor"))
            except BadToken as error:
                raise Problem("invalid_value", str(error), field="cursor") from None
            log(sql, request, page.customers)
        return json_response({"results": page.rows, "next": page.next})


class CareView(View):
    permission_classes = [needs("write")]
    state: str = ""

    def care(self, request: Request, feedback: UUID, state: str) -> HttpResponse:
        Query(request.query_params)
        wanted = shapes.validated(CareWanted, body_of(request, empty=True))
        principal = self.principal(request)
        with cursor() as sql:
            found = one(sql, feedback)
            if found is None:
                raise Problem("not_found", "There is no such feedback.")
            agent = Agent(principal.viewer, principal.name)
            line = found[0]["interaction"]
            try:
                take_care(sql, line, state, agent=agent, topic=wanted.topic, sentiment=wanted.sentiment)
            except NoSuchLine:
                raise Problem("not_found", "The contact is not here any more.") from None
        freshen(found[1])
        with reading() as sql:
            after = one(sql, feedback)
            log(sql, request, [found[1]])
        if after is None:
            raise Problem("not_found", "The contact is not here any more.")
        return json_response(after[0])


class AnswerFeedbackView(CareView):
    @extend_schema(operation_id="feedback_answer", request=CareWanted, responses=shapes.responses(FeedbackShape, 404))
    def post(self, request: Request, feedback: UUID) -> HttpResponse:
        """Somebody answered it, elsewhere than in its conversation."""
        return self.care(request, feedback, "answered")


class SolveFeedbackView(CareView):
    @extend_schema(operation_id="feedback_solve", request=CareWanted, responses=shapes.responses(FeedbackShape, 404))
    def post(self, request: Request, feedback: UUID) -> HttpResponse:
        """What it speaks of is put right."""
        return self.care(request, feedback, "solved")


class TellFeedbackView(CareView):
    @extend_schema(operation_id="feedback_tell", request=CareWanted, responses=shapes.responses(FeedbackShape, 404))
    def post(self, request: Request, feedback: UUID) -> HttpResponse:
        """The customer was told what changed because of it."""
        return self.care(request, feedback, "told")
