"""Consent, holds and who looked, of one customer over the API."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BeforeValidator, StringConstraints
from rest_framework.request import Request

from customers import consents, holds
from customers.api import shapes
from customers.api.authentication import Manages, needs
from customers.api.merging import settled
from customers.api.problems import Problem
from customers.api.query import Query
from customers.api.views import View, body_of, json_response, log, reading, standing_or_problem
from customers.byhand import card_beside_founder
from customers.merging import holding
from customers.sql import Cursor


def uuid(value: object) -> UUID | None:
    """An id in a body."""
    return UUID(value) if isinstance(value, str) else None


Word = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
STATE = Literal["given", "withdrawn"]
LINE = """
SELECT t.identity_id FROM customers_interaction t JOIN customers_identity i ON i.id = t.identity_id
 WHERE t.id = %s AND i.customer_id = %s
"""
VIEWS = """
SELECT v.id, v.viewer, v.viewed_at, v.path FROM customers_cardview v
 WHERE v.customer_id IN (SELECT id FROM customers_customer WHERE id = %(root)s OR merged_into_id = %(root)s)
   AND (%(before)s::bigint IS NULL OR v.id < %(before)s) ORDER BY v.id DESC LIMIT %(limit)s
"""


class NewConsent(shapes.Shape):
    """`interaction`: the contact in which it was said; `at`: when, now if left out. * as a channel means all."""

    model_config = shapes.example({"channel": "email", "purpose": "newsletter", "state": "given"})

    channel: Word
    purpose: Word
    state: STATE
    at: Annotated[datetime, BeforeValidator(shapes.moment)] | None = None
    evidence: Annotated[str, StringConstraints(max_length=200)] = ""
    interaction: Annotated[UUID, BeforeValidator(uuid)] | None = None


class ConsentShape(shapes.Shape):
    """`counts`: the last word of this channel and purpose."""

    channel: str
    purpose: str
    state: STATE
    at: datetime
    source: str
    interaction: UUID | None
    evidence: str
    by: str
    noted_at: datetime
    counts: bool


class ConsentsShape(shapes.Shape):
    results: list[ConsentShape]


class HoldWanted(shapes.Shape):
    """`held: false` lifts what stands; `reason` then says why."""

    model_config = shapes.example({"held": True, "reason": "Claim 17/2026"})

    held: bool
    reason: Annotated[str, StringConstraints(max_length=500)] = ""


class HoldShape(shapes.Shape):
    held: bool
    reasons: list[str]


class ViewShape(shapes.Shape):
    """`viewer`: key:ID or user:ID."""

    viewer: str
    at: datetime
    path: str


class ViewsShape(shapes.Shape):
    results: list[ViewShape]
    next: str | None


class ConsentsView(View):
    def get_permissions(self) -> list[object]:  # type: ignore[override]
        return [needs("read" if self.request.method in ("GET", "HEAD", "OPTIONS") else "write")()]

    @extend_schema(operation_id="customers_consents", responses=shapes.responses(ConsentsShape, 404, 410))
    def get(self, request: Request, customer: str) -> HttpResponse:
        """All that the person ever allowed or took back, the latest first."""
        Query(request.query_params)
        with reading() as sql:
            root = standing_or_problem(sql, customer)
            found = consents.of(sql, root)
            log(sql, request, [root])
        return json_response({"results": found})

    @extend_schema(
        operation_id="customers_consents_add",
        request=NewConsent,
        responses=shapes.responses(ConsentsShape, 404, 410, status=201),
    )
    def post(self, request: Request, customer: str) -> HttpResponse:
        """Note that the person allowed something or took it back; nothing that was noted before changes."""
        Query(request.query_params)
        wanted = shapes.validated(NewConsent, body_of(request))
        at = wanted.at or datetime.now(UTC)
        said = consents.Said(wanted.channel, wanted.purpose, wanted.state, at, wanted.evidence)
        by = self.principal(request).viewer

        def work() -> int:
            with reading() as sql:
                root = standing_or_problem(sql, customer)
            with holding(root) as (sql, _):
                line = wanted.interaction
                identity = of_line(sql, line, root) if line else card_beside_founder(sql, root, by=by)[0]
                consents.note(sql, identity, said, by=by, line=line)
            return root

        root = settled(work)
        with reading() as sql:
            return json_response({"results": consents.of(sql, root)}, status=201)


def of_line(sql: Cursor, line: UUID, root: int) -> int:
    sql.execute(LINE, (line, root))
    row = sql.fetchone()
    if row is None:
        raise Problem("invalid_value", "This customer has no such contact.", field="interaction")
    return int(row[0])


class HoldView(View):
    permission_classes = [needs("admin")]

    @extend_schema(operation_id="customers_hold", request=HoldWanted, responses=shapes.responses(HoldShape, 404, 410))
    def post(self, request: Request, customer: str) -> HttpResponse:
        """Keep everything of this person, whatever rules of retention say, or let them go again."""
        Query(request.query_params)
        wanted = shapes.validated(HoldWanted, body_of(request))
        if wanted.held and not wanted.reason.strip():
            raise Problem("missing_field", "Say why.", field="reason")
        by = self.principal(request).viewer

        def work() -> list[str]:
            with reading() as sql:
                root = standing_or_problem(sql, customer)
            with holding(root) as (sql, _):
                if wanted.held:
                    holds.begin(sql, card_beside_founder(sql, root, by=by)[0], wanted.reason.strip(), by)
                else:
                    holds.lift(sql, root, by, wanted.reason.strip())
                return [one["reason"] for one in holds.of(sql, root)]

        reasons = settled(work)
        return json_response({"held": bool(reasons), "reasons": reasons})


class ViewsView(View):
    permission_classes = [Manages]

    @extend_schema(
        operation_id="customers_views",
        parameters=[OpenApiParameter("limit", shapes.UP_TO_200), OpenApiParameter("cursor", OpenApiTypes.STR)],
        responses=shapes.responses(ViewsShape, 404, 410),
    )
    def get(self, request: Request, customer: str) -> HttpResponse:
        """Who looked at this person's card, the latest first: once a viewer and five minutes."""
        query = Query(request.query_params, "limit", "cursor")
        limit, token = query.number("limit", 50, least=1, most=200), query.text("cursor")
        if token is not None and not (token.isascii() and token.isdigit() and len(token) < 19):
            raise Problem("invalid_value", "This cursor was not made by this service.", field="cursor")
        with reading() as sql:
            root = standing_or_problem(sql, customer)
            sql.execute(VIEWS, {"root": root, "before": token, "limit": limit + 1})
            rows = sql.fetchall()
        shown = [{"viewer": viewer, "at": at, "path": path} for _, viewer, at, path in rows[:limit]]
        return json_response({"results": shown, "next": str(rows[limit - 1][0]) if len(rows) > limit else None})
