"""The journey over the API: the company's map with whom its numbers count, and one customer's path."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from customers.api import shapes
from customers.api.authentication import Manages
from customers.api.experience import PERIOD_PARAMETERS, period_of
from customers.api.problems import Problem
from customers.api.query import Query
from customers.api.timelines import CURSOR_PARAMETER, LIMIT_PARAMETER
from customers.api.views import View, json_response, log, reading, standing_or_problem
from customers.experience.following import freshen
from customers.experience.journey import STAGES
from customers.experience.journeymap import Sums, behind, journey_map, months, path
from customers.experience.meaning import meaning
from customers.experience.paging import BadToken
from customers.models import Experience
from customers.patience import COUNTING, patience

SPAN = [one for one in PERIOD_PARAMETERS if one.name != "period"]
Stage = Literal["before", "purchase", "after", "again", "left"]


class SumsShape(shapes.Shape):
    """`emotion`: mean of −1, 0, 1; `waited_s`: mean until an answer; `exits`: for how many it was the last touch."""

    contacts: int
    inbound: int
    emotion: float | None
    emotion_n: int
    waited_s: int | None
    waited_n: int
    exits: int
    customers: int
    drop_off: float | None


class TouchpointShape(SumsShape):
    channel: str
    realm: Literal["physical", "social", "digital"]


class StageShape(SumsShape):
    stage: Stage
    name: str
    touchpoints: list[TouchpointShape]


class MoveShape(shapes.Shape):
    was: str
    stage: Stage
    count: int


class JourneyMapShape(shapes.Shape):
    """Whole months (UTC): from `first` to before `after`."""

    first: date
    after: date
    stages: list[StageShape]
    moves: list[MoveShape]


class BehindRowShape(shapes.Shape):
    """`left_at`: the line after which he left, where only those who left are asked for."""

    customer: UUID
    contacts: int
    inbound: int
    emotion: float | None
    waited_s: int | None
    exits: int
    left_at: UUID | None


class BehindShape(shapes.Shape):
    results: list[BehindRowShape]
    next: str | None


class StepShape(shapes.Shape):
    """`reason`: first_contact, first_order, delivered, support, second_order, came_back, silence, reported[: words]."""

    at: datetime
    was: str
    stage: Stage
    name: str
    reason: str
    interaction: UUID


class PathShape(shapes.Shape):
    stage: Stage | None
    since: datetime | None
    first_touch: dict[str, Any] | None
    steps: list[StepShape]


def sums_told(sums: Sums) -> dict[str, Any]:
    plain = ("contacts", "inbound", "emotion_n", "waited_n", "exits", "customers")
    return {
        **{name: getattr(sums, name) for name in plain},
        "emotion": None if sums.emotion is None else round(sums.emotion, 3),
        "waited_s": sums.waited,
        "drop_off": None if sums.drop_off is None else round(sums.drop_off, 2),
    }


class JourneyView(View):
    permission_classes = [Manages]

    @extend_schema(operation_id="experience_journey", parameters=SPAN, responses=shapes.responses(JourneyMapShape))
    def get(self, request: Request) -> HttpResponse:
        """Stages by touchpoints: how often, in which mood, after which waiting, and where people leave."""
        query = Query(request.query_params, "since", "until")
        period = period_of(query)
        names = meaning().stage_names
        with patience(COUNTING, tells=False), reading() as sql:
            found = journey_map(sql, period.since, period.until)
        stages = [
            {
                "stage": stage,
                "name": names.get(stage) or stage,
                **sums_told(sums),
                "touchpoints": [
                    {"channel": channel, "realm": of, **sums_told(found.cells[(stage, channel)])}
                    for of, channel in found.channels
                    if (stage, channel) in found.cells
                ],
            }
            for stage, sums in found.stages.items()
        ]
        moves = [{"was": was, "stage": stage, "count": count} for was, stage, count in found.moves]
        return json_response({"first": found.first, "after": found.after, "stages": stages, "moves": moves})


class JourneyCustomersView(View):
    permission_classes = [Manages]

    @extend_schema(
        operation_id="experience_journey_customers",
        parameters=[
            *SPAN,
            OpenApiParameter("stage", OpenApiTypes.STR, enum=STAGES, required=True),
            OpenApiParameter("channel", OpenApiTypes.STR),
            OpenApiParameter("left", OpenApiTypes.BOOL, description="Only those for whom it was the last touch."),
            LIMIT_PARAMETER,
            CURSOR_PARAMETER,
        ],
        responses=shapes.responses(BehindShape),
    )
    def get(self, request: Request) -> HttpResponse:
        """Whom a number of the map counts: each with what he adds to it."""
        query = Query(request.query_params, "since", "until", "stage", "channel", "left", "limit", "cursor")
        period = period_of(query)
        stage = query.choice("stage", STAGES, "")
        if not stage:
            raise Problem("missing_field", "Say the stage.", field="stage")
        limit, span = query.number("limit", 50, least=1, most=200), months(period.since, period.until)
        with reading() as sql:
            try:
                page = behind(
                    sql,
                    span,
                    stage,
                    query.text("channel") or "",
                    left=query.flag("left"),
                    limit=limit,
                    cursor=query.text("cursor"),
                )
            except BadToken as error:
                raise Problem("invalid_value", str(error), field="cursor") from None
            log(sql, request, page.customers)
        return json_response({"results": page.rows, "next": page.next})


class CustomerJourneyView(View):
    @extend_schema(operation_id="customers_journey", responses=shapes.responses(PathShape, 404, 410))
    def get(self, request: Request, customer: str) -> HttpResponse:
        """His stages with date, reason and the contact that shows each, and how he first came."""
        Query(request.query_params)
        with reading() as sql:
            root = standing_or_problem(sql, customer)
        freshen(root)
        names = meaning().stage_names
        stands = Experience.objects.filter(pk=root).only("stage", "stage_since", "first_touch").first()
        with reading() as sql:
            steps = [{**one, "name": names.get(one["stage"]) or one["stage"]} for one in path(sql, root)]
            log(sql, request, [root])
        body = {
            "stage": (stands and stands.stage) or None,
            "since": stands and stands.stage_since,
            "first_touch": stands and stands.first_touch,
            "steps": steps,
        }
        return json_response(body)
