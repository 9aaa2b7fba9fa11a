"""One customer's timeline, what is new in it, and notes on it."""

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from customers import changes, search, timeline
from customers.api import shapes
from customers.api.authentication import needs
from customers.api.problems import Problem
from customers.api.query import Query, uuid_of
from customers.api.views import View, body_of, json_response, log, reading, standing_or_problem
from customers.incoming import Agent
from customers.notes import add_note
from customers.sql import cursor
from customers.timeline import Filters

FILTERS = ("channel", "kind", "direction", "since", "until", "thread", "q")
PAGING = ("limit", "cursor")
DIRECTIONS = ("inbound", "outbound", "internal")
KINDS = shapes.KINDS

LIMIT_PARAMETER = OpenApiParameter("limit", shapes.UP_TO_200, description="Entries of a page, 1 to 200 (50).")
CURSOR_PARAMETER = OpenApiParameter("cursor", OpenApiTypes.STR, description="`next` or `previous` of a page.")
FILTER_PARAMETERS = [
    OpenApiParameter("channel", OpenApiTypes.STR, many=True),
    OpenApiParameter("kind", OpenApiTypes.STR, many=True, enum=KINDS),
    OpenApiParameter("direction", OpenApiTypes.STR, many=True, enum=DIRECTIONS),
    OpenApiParameter("since", OpenApiTypes.DATETIME, description="Inclusive."),
    OpenApiParameter("until", OpenApiTypes.DATETIME, description="Exclusive."),
    OpenApiParameter("thread", OpenApiTypes.STR, many=True),
    OpenApiParameter(
        "q", OpenApiTypes.STR, description="Words that were said; order and phone numbers in any spelling."
    ),
]


def filters_of(query: Query) -> Filters:
    def known(name: str, words: tuple[str, ...]) -> list[str]:
        values = query.many(name)
        for value in values:
            if value not in words:
                raise Problem("invalid_value", f"«{name}» must be one of {', '.join(words)}.", field=name)
        return values

    return Filters(
        channel=query.many("channel"),
        kind=known("kind", KINDS),
        direction=known("direction", DIRECTIONS),
        thread=query.many("thread"),
        since=query.moment("since"),
        until=query.moment("until"),
        q=(query.text("q") or "").strip()[:500],
    )


class TimelineView(View):
    @extend_schema(
        operation_id="customers_timeline",
        parameters=[
            LIMIT_PARAMETER,
            CURSOR_PARAMETER,
            *FILTER_PARAMETERS,
            OpenApiParameter("order", OpenApiTypes.STR, enum=("desc", "asc")),
        ],
        responses=shapes.responses(shapes.Timeline, 404, 410),
    )
    def get(self, request: Request, customer: str) -> HttpResponse:
        """The content of all channels mixed, newest first, as deep as it goes."""
        query = Query(request.query_params, *PAGING, *FILTERS, "order")
        order: timeline.Order = "asc" if query.choice("order", ("desc", "asc"), "desc") == "asc" else "desc"
        with reading() as sql:
            try:
                page = timeline.read(
                    sql,
                    uuid_of(customer),
                    limit=query.number("limit", 50, least=1, most=200),
                    token=query.text("cursor"),
                    filters=filters_of(query),
                    order=order,
                    viewer=self.principal(request).viewer,
                    path=request.path,
                )
            except timeline.BadToken as error:
                raise Problem("invalid_value", str(error), field="cursor") from None
            if page is None:
                standing_or_problem(sql, customer)
                raise Problem("not_found", "No customer ever had this id.")
        return json_response(page.json())


class ChangesView(View):
    @extend_schema(
        operation_id="customers_changes",
        parameters=[
            OpenApiParameter(
                "since", OpenApiTypes.STR, description="`next` of an earlier answer, or `changes` of a timeline."
            ),
            OpenApiParameter("If-None-Match", OpenApiTypes.STR, OpenApiParameter.HEADER),
        ],
        responses=shapes.responses(shapes.Changes, 304, 404, 410),
    )
    def get(self, request: Request, customer: str) -> HttpResponse:
        """What was recorded, edited, moved or erased since a token; 304 when nothing was and the ETag is sent."""
        query = Query(request.query_params, "since")
        token = query.text("since")
        with reading() as sql:
            root = standing_or_problem(sql, customer)
            try:
                new = changes.since(sql, root, token) if token is not None else None
            except changes.BadToken as error:
                raise Problem("invalid_value", str(error), field="since") from None
            if new is None:
                return tagged(json_response({"next": (upto := changes.token_now(sql))}), upto)
            if new.next == token and not new.reset and f'"{token}"' in request.headers.get("If-None-Match", ""):
                return tagged(HttpResponse(status=304), token)
            log(sql, request, [root])
        gone = ", ".join(f'"{line}"' for line in new.gone)
        reset = "true" if new.reset else "false"
        body = f'{{"changed": {new.changed}, "gone": [{gone}], "reset": {reset}, "next": "{new.next}"}}'
        return tagged(json_response(body), new.next)


def tagged(answer: HttpResponse, token: str) -> HttpResponse:
    answer["ETag"] = f'"{token}"'
    answer["Cache-Control"] = "private, no-store"
    return answer


class SearchView(View):
    @extend_schema(
        operation_id="search",
        parameters=[LIMIT_PARAMETER, CURSOR_PARAMETER, *FILTER_PARAMETERS],
        responses=shapes.responses(shapes.SearchResults),
    )
    def get(self, request: Request) -> HttpResponse:
        """Contacts of everybody in which the words were said, newest first, each with its customer."""
        query = Query(request.query_params, *PAGING, *FILTERS)
        filters = filters_of(query)
        if not filters.q:
            raise Problem("missing_field", "Say what to search for.", field="q")
        with reading() as sql:
            try:
                page, customers = search.lines(
                    sql, filters, limit=query.number("limit", 50, least=1, most=200), token=query.text("cursor")
                )
            except timeline.BadToken as error:
                raise Problem("invalid_value", str(error), field="cursor") from None
            log(sql, request, customers)
        return json_response(page.json())


class NotesView(View):
    permission_classes = [needs("write")]

    @extend_schema(
        operation_id="customers_notes_add",
        parameters=[OpenApiParameter("Idempotency-Key", OpenApiTypes.STR, OpenApiParameter.HEADER)],
        request=shapes.NewNote,
        responses=shapes.responses(shapes.Entry, 404, 409, 410, status=201),
    )
    def post(self, request: Request, customer: str) -> HttpResponse:
        """A note for colleagues; repeated with the same Idempotency-Key it is added once."""
        Query(request.query_params)
        body = body_of(request)
        note = shapes.validated(shapes.NewNote, body)
        principal = self.principal(request)
        given = request.headers.get("Idempotency-Key", "")
        if len(given) > 200:
            raise Problem("invalid_value", "An Idempotency-Key may have 200 characters.", field="Idempotency-Key")
        key = f"{principal.viewer}:{given}" if given else shapes.random_key()
        with cursor() as sql:
            root = standing_or_problem(sql, customer)
            line, fresh = add_note(sql, root, note.text, key=key, agent=Agent(principal.viewer, principal.name))
            if not fresh:
                raise Problem("conflict", "This Idempotency-Key was used for other words.", field="Idempotency-Key")
            entry = timeline.entries(sql, [line])[line]
            log(sql, request, [root])
        return json_response(entry, status=201)
