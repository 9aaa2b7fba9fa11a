"""The door for systems that push events, and the receipts that they get."""

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request

from channels.api import shapes
from channels.cutting import MOST_BYTES, TYPES, cut, gunzipped
from channels.models import Delivery
from channels.providers.push import PushedEvents
from channels.pushing import push
from channels.receipts import shown
from customers.access import told
from customers.api.authentication import needs
from customers.api.problems import Problem
from customers.api.query import Query, uuid_of
from customers.api.raw import BrokenOff, TooLarge, raw_body
from customers.api.shapes import responses
from customers.api.views import View, json_response, log, reading
from customers.patience import patience

EXAMPLE = OpenApiExample(
    "a phone call",
    {
        "id": "call-17",
        "channel": "phone",
        "kind": "call",
        "direction": "inbound",
        "occurred_at": "2026-11-22T10:15:00+05:00",
        "customer": {"identifiers": [{"kind": "phone", "value": "+7 343 344-34-20"}], "name": "Юлия Щербакова"},
        "details": {"call": {"status": "completed", "duration_s": 125}},
    },
    request_only=True,
)


def plain_body(request: Request) -> bytes:
    """The bytes, unzipped if they say so; raises Problem."""
    try:
        body = raw_body(request._request, MOST_BYTES)
    except TooLarge:
        raise Problem("too_large", "A request may have 5 MB.") from None
    except BrokenOff:
        raise Problem("unavailable", "The body broke off; nothing was stored.") from None
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding == "gzip":
        return gunzipped(body)
    if encoding not in ("identity", ""):
        raise Problem("unsupported_media_type", "Content-Encoding may be gzip.")
    return body


class EventsView(View):
    permission_classes = [needs("ingest")]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with patience():
            return super().dispatch(request, *args, **kwargs)

    @extend_schema(
        operation_id="events_push",
        auth=[{"key": []}],  # type: ignore[list-item]
        request={"application/json": PushedEvents, "application/x-ndjson": OpenApiTypes.STR},
        responses=responses(shapes.PushReceipts, 413, 415, status=202),
        examples=[EXAMPLE],
    )
    def post(self, request: Request) -> HttpResponse:
        """One event, an array of events, or NDJSON; 202 means that what is accepted is committed."""
        Query(request.query_params)
        principal = self.principal(request)
        if principal.key_id is None:
            raise Problem("forbidden", "Events are pushed with a key.")
        content_type = request.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        if content_type not in TYPES:
            raise Problem("unsupported_media_type", f"Content-Type may be {', '.join(TYPES)}.")
        receipts = push(cut(plain_body(request), content_type), principal)
        return json_response(orjson.dumps({"receipts": receipts}), status=202)


class ReceiptView(View):
    permission_classes = [needs("read", "ingest")]

    @extend_schema(operation_id="receipts_show", responses=responses(shapes.Receipt, 404))
    def get(self, request: Request, receipt: str) -> HttpResponse:
        """What became of a delivery; for the key that pushed it, and whoever may read."""
        Query(request.query_params)
        principal = self.principal(request)
        delivery = Delivery.objects.using("reading").select_related("source").filter(pk=uuid_of(receipt)).first()
        if delivery is None or not (principal.may("read") or delivery.key_id == principal.key_id):
            raise Problem("not_found", "There is no such receipt.")
        found = shown([delivery])[0]
        told(principal)
        if found["customer"] and principal.may("read"):
            with reading() as sql:
                sql.execute("SELECT id FROM customers_customer WHERE public_id = %s", (found["customer"],))
                log(sql, request, [row[0] for row in sql.fetchall()])
        return json_response(found)
