"""The brief of one customer, for whoever takes him over: at most ten lines, in one request."""

from datetime import datetime

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from customers.access import Principal
from customers.api import shapes
from customers.api.brief_shapes import BriefShape
from customers.api.problems import Problem
from customers.api.query import Query
from customers.api.views import View, json_response, log, reading, standing_or_problem
from customers.experience.brief import brief
from customers.sql import Cursor

LOOKED = "SELECT looked_at FROM customers_lastlook WHERE user_id = %s AND customer_id = %s"


class BriefView(View):
    @extend_schema(
        operation_id="customers_brief",
        parameters=[
            OpenApiParameter(
                "since", OpenApiTypes.DATETIME, description="What is new since; for a user by default his last look."
            ),
            OpenApiParameter("Accept-Language", OpenApiTypes.STR, OpenApiParameter.HEADER, description="en, ru or lt."),
        ],
        responses=shapes.responses(BriefShape, 404, 410),
    )
    def get(self, request: Request, customer: str) -> HttpResponse:
        """What to know before one speaks: matters, promises, expectations, the last words; each line with proof."""
        query = Query(request.query_params, "since")
        since = query.moment("since")
        with reading() as sql:
            root = standing_or_problem(sql, customer)
            log(sql, request, [root])
            since = since or last_look(sql, self.principal(request), root)
        found = brief(root, since=since)
        if found is None:
            raise Problem("not_found", "No customer ever had this id.")
        return json_response(found.shape())


def last_look(sql: Cursor, principal: Principal, customer: int) -> datetime | None:
    """When a user last opened this card; a key has no eyes."""
    kind, _, user = principal.viewer.partition(":")
    if kind != "user":
        return None
    sql.execute(LOOKED, (int(user), customer))
    row = sql.fetchone()
    return row[0] if row else None
