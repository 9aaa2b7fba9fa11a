"""What a manager asks of all customers: scores, churn and answer times, each with n, its interval and its parts."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, get_args
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from customers.api import shapes
from customers.api.authentication import Manages
from customers.api.problems import Problem
from customers.api.query import Query
from customers.api.timelines import CURSOR_PARAMETER, LIMIT_PARAMETER
from customers.api.views import View, json_response, log, reading
from customers.experience import answertimes, churn, periods, scoreboard
from customers.experience.answertimes import Times
from customers.experience.measuring import METRICS
from customers.experience.paging import BadToken
from customers.experience.periods import GRAINS, Grain, Period
from customers.experience.scoreboard import Sums, told
from customers.patience import COUNTING, patience

PERIOD = ("since", "until", "period")
PERIOD_PARAMETERS = [
    OpenApiParameter("since", OpenApiTypes.DATETIME, description="Inclusive; a year ago if it is not said."),
    OpenApiParameter("until", OpenApiTypes.DATETIME, description="Exclusive; now if it is not said."),
    OpenApiParameter("period", OpenApiTypes.STR, enum=GRAINS, description="In the company's zone; month (default)."),
]
LONGEST = 40 * 366


class EstimateShape(shapes.Shape):
    """A number of `n` answers; in 95 of 100 such samples the truth lies between `low` and `high`."""

    value: float
    n: int
    low: float | None
    high: float | None


class SumsShape(shapes.Shape):
    """`score`: NPS (-100 to 100), CSAT (per cent of 4 and 5), CES and stars (mean)."""

    score: EstimateShape | None
    mean: EstimateShape | None
    not_counted: int
    low: int


class MetricShape(SumsShape):
    metric: str
    min: float | None
    periods: dict[str, SumsShape]
    channels: dict[str, SumsShape]
    stages: dict[str, SumsShape]
    agents: dict[str, SumsShape]


class BoardShape(shapes.Shape):
    since: str
    until: str
    period: str
    zone: str
    results: list[MetricShape]


class ChurnBucketShape(shapes.Shape):
    at_start: int
    lost: int
    rate: EstimateShape | None


class LostShape(shapes.Shape):
    """`was`: the stage that he left from; `interaction`: his last contact then."""

    customer: UUID
    at: datetime
    interaction: UUID
    was: str
    reason: str
    effort: int | None
    last_contact: datetime | None


class LeftShape(shapes.Shape):
    results: list[LostShape]
    next: str | None


class ChurnShape(ChurnBucketShape):
    """`rate`: customers who were there at the start and were lost, per cent of those."""

    since: str
    until: str
    period: str
    zone: str
    lost_after_days: int
    periods: dict[str, ChurnBucketShape]


class SpanShape(shapes.Shape):
    """Seconds."""

    median: int
    p90: int


class TimesShape(shapes.Shape):
    requests: int
    answered: int
    answer: SpanShape | None
    answer_business: SpanShape | None
    solution: SpanShape | None
    solution_business: SpanShape | None
    waiting: int
    abandoned: int
    unanswered: EstimateShape | None
    missed_calls: int
    contacts: int
    channel_switches: int
    hand_overs: int
    reopened: int
    effort: float | None


class ContactsShape(shapes.Shape):
    """Of one channel; `waiting` may still be answered, `unanswered` were closed without a word to the customer."""

    inbound: int
    waiting: int
    unanswered: int
    missed: int
    abandoned: int


class AnswersShape(shapes.Shape):
    since: str
    until: str
    period: str
    zone: str
    whole: TimesShape | None
    channels: dict[str, TimesShape]
    periods: dict[str, TimesShape]
    contacts: dict[str, ContactsShape]


def period_of(query: Query) -> Period:
    grain: Grain = next(one for one in get_args(Grain) if one == query.choice("period", GRAINS, "month"))
    found = periods.period(query.moment("since"), query.moment("until"), grain)
    if found.until <= found.since:
        raise Problem("invalid_value", "The period ends before it begins.", field="until")
    if (found.until - found.since).days > LONGEST:
        raise Problem("invalid_value", "A period may have forty years.", field="since")
    return found


def head(period: Period) -> dict[str, Any]:
    zone = {"period": period.grain, "zone": period.zone.key}
    return {"since": period.since.isoformat(), "until": period.until.isoformat(), **zone}


class ScoreboardView(View):
    permission_classes = [Manages]

    @extend_schema(
        operation_id="experience_scores",
        parameters=[
            *PERIOD_PARAMETERS,
            OpenApiParameter("metric", OpenApiTypes.STR, enum=METRICS),
            OpenApiParameter("channel", OpenApiTypes.STR),
            OpenApiParameter("stage", OpenApiTypes.STR),
            OpenApiParameter("agent", OpenApiTypes.STR, description="His id, or any other of his names."),
        ],
        responses=shapes.responses(BoardShape),
    )
    def get(self, request: Request) -> HttpResponse:
        """NPS, CSAT, CES and stars: in all, over time, per channel, stage and agent, with n and a 95 % interval."""
        query = Query(request.query_params, *PERIOD, "metric", "channel", "stage", "agent")
        period = period_of(query)
        only = {name: query.text(name) or "" for name in ("channel", "stage", "agent")}
        with patience(COUNTING, tells=False), reading() as sql:
            found = scoreboard.board(sql, period, metric=query.choice("metric", METRICS, ""), **only)
        results = [
            {
                "metric": sums.metric,
                "min": sums.least if sums.metric == "nps" else 1,
                **sums_told(sums),
                **{
                    f"{by}s": {value: sums_told(one) for value, one in found.by.get(name, {}).get(by, {}).items()}
                    for by in scoreboard.BY
                },
            }
            for name, sums in found.whole.items()
        ]
        return json_response({**head(period), "results": results})


def sums_told(sums: Sums) -> dict[str, Any]:
    return {"score": told(sums.score), "mean": told(sums.mean), "not_counted": sums.uncounted, "low": sums.bad}


class ChurnView(View):
    permission_classes = [Manages]

    @extend_schema(
        operation_id="experience_churn", parameters=PERIOD_PARAMETERS, responses=shapes.responses(ChurnShape)
    )
    def get(self, request: Request) -> HttpResponse:
        """Customers lost in a period, per cent of those who were customers at its start, and for each bucket."""
        query = Query(request.query_params, *PERIOD)
        period = period_of(query)
        with patience(COUNTING, tells=False), reading() as sql:
            whole, buckets = churn.churn(sql, period)
        days = churn.lost_after_days()
        nothing = {"at_start": 0, "lost": 0, "rate": None}
        parts = {one.day.isoformat(): churn_told(one) for one in buckets}
        said = churn_told(whole) if whole else nothing
        return json_response({**head(period), **said, "lost_after_days": days, "periods": parts})


def churn_told(one: churn.Churn) -> dict[str, Any]:
    return {"at_start": one.at_start, "lost": one.lost, "rate": told(one.rate)}


class LeftView(View):
    permission_classes = [Manages]

    @extend_schema(
        operation_id="experience_churn_customers",
        parameters=[*PERIOD_PARAMETERS, LIMIT_PARAMETER, CURSOR_PARAMETER],
        responses=shapes.responses(LeftShape),
    )
    def get(self, request: Request) -> HttpResponse:
        """Whom we lost in a period, the latest first, with the line that was the last: who is behind the churn."""
        query = Query(request.query_params, *PERIOD, "limit", "cursor")
        period, limit = period_of(query), query.number("limit", 50, least=1, most=200)
        with reading() as sql:
            try:
                rows, ids, following = churn.who_left(sql, period, limit=limit, cursor=query.text("cursor"))
            except BadToken as error:
                raise Problem("invalid_value", str(error), field="cursor") from None
            log(sql, request, ids)
        return json_response({"results": rows, "next": following})


class AnswerTimesView(View):
    permission_classes = [Manages]

    @extend_schema(
        operation_id="experience_answers",
        parameters=[*PERIOD_PARAMETERS, OpenApiParameter("channel", OpenApiTypes.STR)],
        responses=shapes.responses(AnswersShape),
    )
    def get(self, request: Request) -> HttpResponse:
        """How long customers waited for the first answer and for the solution, by the clock and in open hours."""
        query = Query(request.query_params, *PERIOD, "channel")
        period = period_of(query)
        with patience(COUNTING, tells=False), reading() as sql:
            found = answertimes.answers(sql, period, channel=query.text("channel") or "")
        body = {
            **head(period),
            "whole": times_told(found.whole) if found.whole else None,
            "channels": {name: times_told(one) for name, one in found.channels.items()},
            "periods": {name: times_told(one) for name, one in found.periods.items()},
            "contacts": {name: asdict(one) for name, one in found.contacts.items()},
        }
        return json_response(body)


def times_told(one: Times) -> dict[str, Any]:
    spans = {name: getattr(one, name) for name in ("answer", "answer_business", "solution", "solution_business")}
    return {
        "requests": one.requests,
        "answered": one.answered,
        **{name: {"median": both[0], "p90": both[1]} if both else None for name, both in spans.items()},
        "waiting": one.waiting,
        "abandoned": one.abandoned,
        "unanswered": told(one.unanswered),
        "missed_calls": one.missed,
        "contacts": one.contacts,
        "channel_switches": one.switches,
        "hand_overs": one.handovers,
        "reopened": one.reopened,
        "effort": None if one.effort is None else round(one.effort, 1),
    }
