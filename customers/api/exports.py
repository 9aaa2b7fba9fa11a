"""A timeline as a download: CSV for spreadsheets, JSON for programs; made while it is sent."""

from datetime import UTC, datetime
from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from customers import exporting
from customers.api.problems import Problem
from customers.api.query import Query, uuid_of
from customers.api.shapes import responses
from customers.api.timelines import FILTER_PARAMETERS, FILTERS, filters_of
from customers.api.views import View, reading, standing_or_problem
from customers.timeline import Filters


class ExportView(View):
    @extend_schema(
        operation_id="customers_export",
        parameters=[*FILTER_PARAMETERS, OpenApiParameter("format", OpenApiTypes.STR, enum=("json", "csv"))],
        responses={
            **responses(None, 404, 410),
            (200, "application/json"): OpenApiTypes.OBJECT,
            (200, "text/csv"): OpenApiTypes.STR,
        },
    )
    def get(self, request: Request, customer: str) -> StreamingHttpResponse:
        """The whole timeline in one answer, newest first, with the filters of the timeline; each is logged."""
        query = Query(request.query_params, *FILTERS, "format")
        kind: exporting.Format = "csv" if query.choice("format", ("json", "csv"), "json") == "csv" else "json"
        filters = filters_of(query)
        principal = self.principal(request)
        if principal.masked:
            raise Problem("forbidden", "Whoever is shown masked identifiers may not take copies.")
        with reading() as sql:
            root = standing_or_problem(sql, customer)
            exporting.log_export(sql, principal.viewer, root, request.path)
        return as_file(kind, root, filters, {"customer": str(uuid_of(customer))})


def as_file(kind: exporting.Format, root: int, filters: Filters, head: dict[str, Any]) -> StreamingHttpResponse:
    """A download that is made while it is sent."""
    pieces = exporting.written(kind, root, filters, head)
    answer = StreamingHttpResponse(pieces, content_type=exporting.CONTENT_TYPES[kind])
    name = f"timeline-{datetime.now(UTC):%Y-%m-%d}-{head['customer'][:8]}.{kind}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
