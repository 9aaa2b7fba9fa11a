"""Looking customers up: by a handle, by half-remembered words, by id; card and timeline in one request."""

from collections.abc import Iterator
from typing import Any

import orjson
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from customers import attributes, handles, references, search, timeline
from customers.api import shapes
from customers.api.attributes import PatchWanted, patch
from customers.api.authentication import needs
from customers.api.brief import last_look
from customers.api.brief_shapes import Lookup
from customers.api.problems import Problem
from customers.api.query import Query
from customers.api.views import View, count, json_response, log, reading, standing_or_problem
from customers.cards import cards
from customers.experience.brief import brief
from customers.models import Reference
from customers.sql import Cursor

KINDS = (
    "phone",
    "email",
    "telegram",
    "vk",
    "max",
    "whatsapp",
    "wa_bsuid",
    "viber",
    "messenger",
    "instagram",
    "line",
    "slack",
    "crm_id",
    "loyalty",
    "device",
)
FLAG = ("0", "1", "false", "true")
WANTED = [
    OpenApiParameter(kind, OpenApiTypes.STR, many=True, description=f"A handle of the kind {kind}.") for kind in KINDS
]
CALL_ID = "call_id"
IDENTIFIER = OpenApiParameter("identifier", OpenApiTypes.STR, many=True, description="kind:value or kind:scope:value.")
FOUND = 20


def wanted(query: Query) -> Iterator[tuple[str, str, str | None]]:
    """(kind, value, scope) of every handle that the parameters name."""
    for kind in KINDS:
        for value in query.many(kind):
            yield kind, value, None
    for text in query.many("identifier"):
        kind, colon, value = text.partition(":")
        if not (colon and kind and value):
            raise Problem("invalid_value", "«identifier» is kind:value or kind:scope:value.", field="identifier")
        yield kind, value, None
        scope, colon, rest = value.partition(":")
        if colon and rest and kind not in handles.GLOBAL_KINDS:
            yield kind, rest, scope


def found_by(sql: Cursor, query: Query, *others: str) -> list[int]:
    """Customers that the parameters name; raises Problem when they name nothing."""
    asked = list(wanted(query))
    if not asked and not others:
        names = ", ".join((*KINDS, "identifier"))
        raise Problem("missing_field", f"Name a customer by one of {names}.")
    return search.by_handles(sql, asked)


class CustomersView(View):
    @extend_schema(
        operation_id="customers_find",
        parameters=[
            *WANTED,
            IDENTIFIER,
            OpenApiParameter("q", OpenApiTypes.STR, description="A name, or part of a handle."),
        ],
        responses=shapes.responses(shapes.Cards, 429),
    )
    def get(self, request: Request) -> HttpResponse:
        """Cards of the customers that own one of the handles, or whose name or handle is like `q`."""
        query = Query(request.query_params, *KINDS, "identifier", "q")
        words = query.text("q")
        if words is not None and not words.strip():
            raise Problem("invalid_value", "«q» is empty.", field="q")
        count(request, query, *KINDS, "identifier", "q")
        with reading() as sql:
            customers = found_by(sql, query, *([words] if words else []))
            best = search.by_words(sql, words, FOUND) if words else search.Best()
            customers += [one for one in best if one not in customers]
            shown = cards(sql, customers)
            log(sql, request, list(shown))
        cut = "true" if best.cut else "false"
        return json_response(f'{{"results": [{", ".join(shown.values())}], "incomplete": {cut}}}')


class CustomerView(View):
    def get_permissions(self) -> list[Any]:
        return [needs("write" if self.request.method == "PATCH" else "read")()]

    @extend_schema(
        operation_id="customers_card",
        parameters=[OpenApiParameter("claims", OpenApiTypes.STR, enum=("0", "1"), description="Every claim too.")],
        responses=shapes.responses(shapes.Card, 404, 410),
    )
    def get(self, request: Request, customer: str) -> HttpResponse:
        """The card that stands for an id that was ever given out; the ETag is its version."""
        query = Query(request.query_params, "claims")
        return self.card(request, customer, claims=query.flag("claims"))

    @extend_schema(
        operation_id="customers_patch",
        request=PatchWanted,
        parameters=[OpenApiParameter("If-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, required=True)],
        responses=shapes.responses(shapes.Card, 404, 409, 410),
    )
    def patch(self, request: Request, customer: str) -> HttpResponse:
        """An agent's word on name, attributes (null hides one) and tags; 409 when the card is not as it was read."""
        Query(request.query_params)
        patch(request, customer)
        return self.card(request, customer, claims=False)

    def card(self, request: Request, customer: str, *, claims: bool) -> HttpResponse:
        with reading() as sql:
            shown = cards(sql, [standing_or_problem(sql, customer)])
            log(sql, request, list(shown))
            for root, text in shown.items():
                card = orjson.loads(text)
                answer = json_response({**card, "claims": attributes.claims(sql, root)} if claims else text)
                answer["ETag"] = f'"{card["version"]}"'
                return answer
        raise Problem("erased", "This person was erased.")


class LookupView(View):
    @extend_schema(
        operation_id="lookup",
        parameters=[
            *WANTED,
            IDENTIFIER,
            OpenApiParameter(
                CALL_ID, OpenApiTypes.STR, many=True, description="A telephone system's id of a call or of a leg."
            ),
            OpenApiParameter("timeline", shapes.UP_TO_200, description="Entries of each timeline, 1 to 200 (50)."),
            OpenApiParameter(
                "brief",
                OpenApiTypes.STR,
                enum=FLAG,
                default="1",
                description="0 leaves out the brief of whoever is the only one found.",
            ),
        ],
        responses=shapes.responses(Lookup, 429),
    )
    def get(self, request: Request) -> HttpResponse:
        """Who is calling: each customer with the newest entries of his timeline, and what to know before one speaks."""
        query = Query(request.query_params, *KINDS, "identifier", CALL_ID, "timeline", "brief")
        limit = query.number("timeline", 50, least=1, most=200)
        briefly = query.choice("brief", FLAG, "1") in ("1", "true")
        count(request, query, *KINDS, "identifier", CALL_ID)
        calls = query.many(CALL_ID)
        with reading() as sql:
            called = [one.customer for value in calls for one in references.find(sql, value, Reference.CALL)]
            customers = list(dict.fromkeys([*called, *found_by(sql, query, *calls)]))
            shown = cards(sql, customers)
            pages = {id_: timeline.read(sql, customer=id_, limit=limit) for id_ in shown}
            since = last_look(sql, self.principal(request), next(iter(shown))) if briefly and len(shown) == 1 else None
            log(sql, request, list(shown))
        told = brief(next(iter(shown)), since=since) if briefly and len(shown) == 1 else None
        last = orjson.dumps(told.shape() if told else None)
        both = [(shown[id_].encode(), page.json(), last) for id_, page in pages.items() if page]
        results = [b'{"customer": %b, "timeline": %b, "brief": %b}' % one for one in both]
        return json_response(b'{"results": [%b]}' % b", ".join(results))
