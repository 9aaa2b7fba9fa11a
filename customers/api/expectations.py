"""Expectations over the API: stated on a line or without one, read before one speaks, and how they turned out."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from customers.api import shapes
from customers.api.authentication import needs
from customers.api.problems import Problem
from customers.api.promise_shapes import ExpectationList, ExpectationShape, NewExpectationShape, OutcomeShape
from customers.api.promises import IDEMPOTENT, given_key, said, speaker
from customers.api.query import Query
from customers.api.views import View, body_of, json_response, log, reading, standing_or_problem
from customers.experience import expected, stating
from customers.experience.following import freshen
from customers.experience.owed import BadToken
from customers.experience.stating import NewExpectation
from customers.models import Expectation


def shown(request: Request, expectation: Expectation, status: int = 200) -> HttpResponse:
    with reading() as sql:
        found = expected.one(sql, expectation.pk)
        if found is None:
            raise Problem("not_found", "There is no such expectation.")
        log(sql, request, [found[1]])
    return json_response(found[0], status=status)


def wanted(request: Request) -> NewExpectation:
    body = shapes.validated(NewExpectationShape, body_of(request))
    return NewExpectation(body.what, body.lasting)


class ExpectationsView(View):
    @extend_schema(
        operation_id="expectations",
        parameters=[
            OpenApiParameter("outcome", OpenApiTypes.STR, enum=expected.STATES, description="All, if it is not said."),
            OpenApiParameter("limit", OpenApiTypes.INT, description="1 to 200 (50)."),
            OpenApiParameter("cursor", OpenApiTypes.STR, description="`next` of a page."),
        ],
        responses=shapes.responses(ExpectationList),
    )
    def get(self, request: Request) -> HttpResponse:
        """Across customers, newest first: e.g. every one that was missed."""
        query = Query(request.query_params, "outcome", "limit", "cursor")
        with reading() as sql:
            try:
                page = expected.expected(
                    sql,
                    outcome=query.choice("outcome", expected.STATES, "") or None,
                    token=query.text("cursor"),
                    limit=query.number("limit", 50, least=1, most=200),
                )
            except BadToken as error:
                raise Problem("invalid_value", str(error), field="cursor") from None
            log(sql, request, page.customers)
        following = f'"{page.next}"' if page.next else "null"
        return json_response(f'{{"results": [{", ".join(page.rows)}], "next": {following}}}')


class CustomerExpectationsView(View):
    def get_permissions(self) -> list[Any]:
        return [needs("write" if self.request.method == "POST" else "read")()]

    @extend_schema(
        operation_id="customers_expectations",
        parameters=[
            OpenApiParameter(
                "ahead",
                OpenApiTypes.STR,
                enum=("0", "1"),
                description="1: only what counts for the next contact, lasting ones first.",
            )
        ],
        responses=shapes.responses(ExpectationList, 404, 410),
    )
    def get(self, request: Request, customer: str) -> HttpResponse:
        """What one customer expects, the latest first (200 at most)."""
        query = Query(request.query_params, "ahead")
        only = query.flag("ahead")
        with reading() as sql:
            root = standing_or_problem(sql, customer)
        freshen(root)
        with reading() as sql:
            rows = expected.ahead(sql, root) if only else expected.of_customer(sql, root)
            log(sql, request, [root])
        return json_response(f'{{"results": [{", ".join(rows)}], "next": null}}')

    @extend_schema(
        operation_id="customers_expectations_add",
        parameters=[IDEMPOTENT],
        request=NewExpectationShape,
        responses=shapes.responses(ExpectationShape, 404, 409, 410, status=201),
    )
    def post(self, request: Request, customer: str) -> HttpResponse:
        """An expectation without a line: a note on the card says it."""
        Query(request.query_params)
        new, key = wanted(request), given_key(request)
        with reading() as sql:
            root = standing_or_problem(sql, customer)
        return shown(request, said(lambda: stating.expect_of(root, new, key=key, by=speaker(request))), 201)


class LineExpectationsView(View):
    permission_classes = [needs("write")]

    @extend_schema(
        operation_id="interactions_expectations_add",
        parameters=[IDEMPOTENT],
        request=NewExpectationShape,
        responses=shapes.responses(ExpectationShape, 404, 409, status=201),
    )
    def post(self, request: Request, line: UUID) -> HttpResponse:
        """What the customer said in this contact that he expects."""
        Query(request.query_params)
        new, key = wanted(request), given_key(request)
        return shown(request, said(lambda: stating.expect_on(line, new, key=key, by=speaker(request))), 201)


class OutcomeView(View):
    permission_classes = [needs("write")]

    @extend_schema(
        operation_id="expectations_outcome",
        request=OutcomeShape,
        responses=shapes.responses(ExpectationShape, 404),
    )
    def post(self, request: Request, expectation: UUID) -> HttpResponse:
        """Missed, met or exceeded, with the emotion that showed; said again, the last word counts."""
        Query(request.query_params)
        body = shapes.validated(OutcomeShape, body_of(request))

        def work() -> Expectation:
            return stating.state_outcome(expectation, body.outcome, body.emotion, by=speaker(request))

        return shown(request, said(work))
