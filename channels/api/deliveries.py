"""Deliveries that need a person: listed by status and source, replayed after a fix."""

from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from channels.api import shapes
from channels.models import Delivery, Source
from channels.receipts import replay, shown
from channels.tasks import nudge
from customers.api.authentication import needs
from customers.api.problems import Problem
from customers.api.query import Query, uuid_of
from customers.api.shapes import UP_TO_200, responses
from customers.api.views import View, json_response


class DeliveriesView(View):
    permission_classes = [needs("admin")]

    @extend_schema(
        operation_id="deliveries_list",
        parameters=[
            OpenApiParameter("status", OpenApiTypes.STR, enum=Delivery.STATES),
            OpenApiParameter("source", OpenApiTypes.STR),
            OpenApiParameter("limit", UP_TO_200),
            OpenApiParameter("cursor", OpenApiTypes.UUID),
        ],
        responses=responses(shapes.Deliveries),
    )
    def get(self, request: Request) -> HttpResponse:
        """Newest first, by keyset."""
        query = Query(request.query_params, "status", "source", "limit", "cursor")
        limit = query.number("limit", 50, least=1, most=200)
        found = Delivery.objects.using("reading").select_related("source").order_by("-pk")
        if status := query.text("status"):
            query.choice("status", Delivery.STATES, "")
            found = found.filter(state=status)
        if slug := query.text("source"):
            source = Source.objects.using("reading").filter(slug=slug).first()
            if source is None:
                raise Problem("unknown_source", f"There is no source «{slug[:63]}».", field="source")
            found = found.filter(source=source)
        if token := query.text("cursor"):
            found = found.filter(pk__lt=uuid_of(token, "cursor"))
        page = list(found[: limit + 1])
        more = len(page) > limit
        page = page[:limit]
        return json_response({"results": shown(page), "next": str(page[-1].pk) if more else None})


class ReplayView(View):
    permission_classes = [needs("admin")]

    @extend_schema(
        operation_id="deliveries_replay", request=None, responses=responses(shapes.Receipt, 404, 409, status=202)
    )
    def post(self, request: Request, receipt: str) -> HttpResponse:
        """Parse it again: what it says now replaces what it said."""
        Query(request.query_params)
        id_: UUID = uuid_of(receipt)
        if not replay(Delivery.objects.filter(pk=id_)):
            standing = Delivery.objects.filter(pk=id_).first()
            if standing is None:
                raise Problem("not_found", "There is no such delivery.")
            raise Problem("conflict", "It is at work already, or its bytes were pruned.")
        nudge()
        return json_response(shown([Delivery.objects.select_related("source").get(pk=id_)])[0], status=202)
