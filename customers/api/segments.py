"""Segments over the API: saved filters with live counts, their members and a table; birthdays and anniversaries."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db import IntegrityError, transaction
from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import Field, StringConstraints
from rest_framework.request import Request

from customers import masking
from customers.api import shapes
from customers.api.authentication import needs
from customers.api.problems import Problem
from customers.api.query import Query
from customers.api.timelines import CURSOR_PARAMETER, LIMIT_PARAMETER
from customers.api.views import View, body_of, json_response, log, reading
from customers.experience import dates, segments
from customers.experience.filters import BadFilter, guesses
from customers.experience.paging import BadToken
from customers.models import Segment

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
EXAMPLE = {"all": [{"field": "stage", "op": "is", "value": "again"}, {"field": "nps", "op": "most", "value": 6}]}


class NewSegment(shapes.Shape):
    """`filter`: see `customers.experience.filters`; checked as a whole."""

    model_config = shapes.example({"name": "Regulars who are not happy", "filter": EXAMPLE})

    name: Name
    filter: dict[str, Any]


class FilterWanted(shapes.Shape):
    model_config = shapes.example({"filter": EXAMPLE})

    filter: dict[str, Any]


class SegmentShape(shapes.Shape):
    """`count`: how many customers it means now."""

    id: int
    name: str
    filter: dict[str, Any]
    created_at: datetime
    created_by: str
    count: int


class SegmentsShape(shapes.Shape):
    results: list[SegmentShape]


class CountShape(shapes.Shape):
    count: int


class MemberShape(shapes.Shape):
    customer: UUID
    name: str | None
    stage: str | None
    first_contact: datetime | None
    last_contact: datetime | None
    purchases: int | None
    last_purchase: datetime | None
    nps: float | None
    csat: float | None
    ces: float | None
    effort: int | None
    open_promises: int | None
    open_requests: int | None


class MembersShape(shapes.Shape):
    results: list[MemberShape]
    next: str | None


class DateShape(shapes.Shape):
    """`years`: how old he becomes, or how long he has been buying."""

    on: date
    what: Literal["birthday", "anniversary"]
    years: Annotated[int, Field(ge=0)]
    customer: UUID
    since: date


class DatesShape(shapes.Shape):
    results: list[DateShape]


def may_ask(filter_: Any) -> None:
    """Of a filter that can be read: raises WholeOnly where he who asks would learn what he is shown masked."""
    if masking.READER.get() and guesses(filter_):
        raise masking.WholeOnly


def counted(filter_: Any) -> int:
    """Raises Problem with the path to what is wrong."""
    try:
        with reading() as sql:
            return segments.count(sql, filter_)
    except BadFilter as error:
        raise wrong(error) from None


def wrong(error: BadFilter) -> Problem:
    return Problem("invalid_value", str(error), field=f"filter.{error.field}".rstrip("."))


def found(id_: int) -> Segment:
    try:
        return Segment.objects.get(pk=id_)
    except (Segment.DoesNotExist, OverflowError):
        raise Problem("not_found", "There is no such segment.") from None


def told(segment: Segment) -> dict[str, Any]:
    return {
        "id": segment.pk,
        "name": segment.name,
        "filter": segment.filter,
        "created_at": segment.created_at,
        "created_by": segment.created_by,
        "count": counted(segment.filter),
    }


class Segments(View):
    def get_permissions(self) -> Any:
        return [needs("read" if self.request.method in ("GET", "HEAD", "OPTIONS") else "write")()]


class SegmentsView(Segments):
    @extend_schema(operation_id="segments", responses=shapes.responses(SegmentsShape))
    def get(self, request: Request) -> HttpResponse:
        """All saved segments by name, each with how many customers it means now."""
        Query(request.query_params)
        return json_response({"results": [told(one) for one in Segment.objects.order_by("name", "id")[:500]]})

    @extend_schema(
        operation_id="segments_add", request=NewSegment, responses=shapes.responses(SegmentShape, 409, status=201)
    )
    def post(self, request: Request) -> HttpResponse:
        """Save a filter under a name of its own."""
        Query(request.query_params)
        wanted = shapes.validated(NewSegment, body_of(request))
        counted(wanted.filter)
        may_ask(wanted.filter)
        by = self.principal(request).name
        try:
            with transaction.atomic():
                made = Segment.objects.create(name=wanted.name, filter=wanted.filter, created_by=by)
        except IntegrityError:
            raise Problem("conflict", "There is a segment of this name.", field="name") from None
        return json_response(told(made), status=201)


class SegmentCountView(View):
    @extend_schema(operation_id="segments_count", request=FilterWanted, responses=shapes.responses(CountShape))
    def post(self, request: Request) -> HttpResponse:
        """How many customers a filter means, before it is saved."""
        Query(request.query_params)
        wanted = shapes.validated(FilterWanted, body_of(request))
        count = counted(wanted.filter)
        may_ask(wanted.filter)
        return json_response({"count": count})


class SegmentView(Segments):
    @extend_schema(operation_id="segments_read", responses=shapes.responses(SegmentShape, 404))
    def get(self, request: Request, segment: int) -> HttpResponse:
        """One segment, with how many customers it means now."""
        Query(request.query_params)
        return json_response(told(found(segment)))

    @extend_schema(
        operation_id="segments_change", request=NewSegment, responses=shapes.responses(SegmentShape, 404, 409)
    )
    def put(self, request: Request, segment: int) -> HttpResponse:
        """Another name or filter for a segment."""
        Query(request.query_params)
        wanted = shapes.validated(NewSegment, body_of(request))
        counted(wanted.filter)
        may_ask(wanted.filter)
        changed = found(segment)
        changed.name, changed.filter = wanted.name, wanted.filter
        try:
            with transaction.atomic():
                changed.save(update_fields=["name", "filter"])
        except IntegrityError:
            raise Problem("conflict", "There is a segment of this name.", field="name") from None
        return json_response(told(changed))

    @extend_schema(operation_id="segments_remove", responses=shapes.responses(SegmentShape, 404))
    def delete(self, request: Request, segment: int) -> HttpResponse:
        """Forget a segment; answers what it was."""
        Query(request.query_params)
        gone = found(segment)
        said = told(gone)
        gone.delete()
        return json_response(said)


class SegmentCustomersView(View):
    @extend_schema(
        operation_id="segments_customers",
        parameters=[LIMIT_PARAMETER, CURSOR_PARAMETER],
        responses=shapes.responses(MembersShape, 404),
    )
    def get(self, request: Request, segment: int) -> HttpResponse:
        """The customers whom a segment means now, with their measures, the longest known first."""
        query = Query(request.query_params, "limit", "cursor")
        filter_ = found(segment).filter
        with reading() as sql:
            try:
                limit = query.number("limit", 50, least=1, most=200)
                results, ids, following = segments.members(sql, filter_, limit=limit, cursor=query.text("cursor"))
            except BadToken as error:
                raise Problem("invalid_value", str(error), field="cursor") from None
            except BadFilter as error:
                raise wrong(error) from None
            log(sql, request, ids)
        return json_response({"results": results, "next": following})


class SegmentExportView(View):
    @extend_schema(
        operation_id="segments_export",
        responses={**shapes.responses(None, 404), (200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request, segment: int) -> StreamingHttpResponse:
        """A segment as CSV for a spreadsheet, made while it is sent; each customer in it is logged as taken away."""
        Query(request.query_params)
        principal = self.principal(request)
        if principal.masked:
            raise Problem("forbidden", "Whoever is shown masked identifiers may not take copies.")
        return as_file(found(segment), principal.viewer, request.path)


def as_file(segment: Segment, viewer: str, path: str) -> StreamingHttpResponse:
    counted(segment.filter)  # A filter of before that nobody can read any more is told of now.
    answer = StreamingHttpResponse(
        segments.exported(segment.filter, viewer, path), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="segment-{segment.pk}-{datetime.now(UTC):%Y-%m-%d}.csv"'
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


class DatesView(View):
    @extend_schema(
        operation_id="dates",
        parameters=[OpenApiParameter("days", OpenApiTypes.INT, description="From today on, 1 to 366 (30).")],
        responses=shapes.responses(DatesShape),
    )
    def get(self, request: Request) -> HttpResponse:
        """Birthdays, and anniversaries of the first purchase, of the next days."""
        query = Query(request.query_params, "days")
        with reading() as sql:
            due = dates.due(sql, query.number("days", 30, least=1, most=dates.MOST))
            log(sql, request, sorted({one.customer_id for one in due}))
        results = [
            {"on": one.on, "what": one.what, "years": one.years, "customer": one.customer, "since": one.since}
            for one in due
        ]
        return json_response({"results": results})
