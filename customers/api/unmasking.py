"""One card's identifiers in the clear over the API, for whoever is otherwise shown masked ones."""

from datetime import datetime
from typing import Annotated

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from pydantic import StringConstraints
from rest_framework.request import Request

from customers import masking, unmasking
from customers.api import shapes
from customers.api.authentication import Unmasks
from customers.api.problems import Problem
from customers.api.query import Query
from customers.api.views import View, body_of, json_response, log, reading, standing_or_problem


class ClearWanted(shapes.Shape):
    """Why; supervisors and the person himself can read it."""

    model_config = shapes.example({"reason": "The courier asks for her number, order AB-20417."})

    reason: Annotated[str, StringConstraints(min_length=unmasking.LEAST, max_length=unmasking.MOST)]


class ClearIdentity(shapes.Shape):
    kind: str
    value: str
    scope: str | None


class ClearShape(shapes.Shape):
    """`until`: as long the values are shown as they are; null: they are masked."""

    until: datetime | None
    identities: list[ClearIdentity]


class ClearView(View):
    permission_classes = [Unmasks]

    @extend_schema(operation_id="customers_clear", responses=shapes.responses(ClearShape, 404, 410))
    def get(self, request: Request, customer: str) -> HttpResponse:
        """The person's identifiers: in the clear while this was asked for, else masked."""
        Query(request.query_params)
        with reading() as sql:
            root = standing_or_problem(sql, customer)
            log(sql, request, [root])
        return self.told(request, root)

    @extend_schema(
        operation_id="customers_clear_ask",
        request=ClearWanted,
        responses=shapes.responses(ClearShape, 404, 410, 429, status=201),
    )
    def post(self, request: Request, customer: str) -> HttpResponse:
        """Ask for them with a reason: for this card and some minutes; logged, and so many cards an hour."""
        Query(request.query_params)
        wanted = shapes.validated(ClearWanted, body_of(request))
        if not settings.CXHUB_UNMASKED_CARDS:
            raise Problem("forbidden", "Nobody is shown masked identifiers in the clear here.")
        with reading() as sql:
            root = standing_or_problem(sql, customer)
        try:
            unmasking.ask(self.principal(request), root, wanted.reason, request.path)
        except unmasking.NoReason:
            least, most = unmasking.LEAST, unmasking.MOST
            raise Problem("invalid_value", f"A reason has {least} to {most} letters.", field="reason") from None
        return self.told(request, root, status=201)

    def told(self, request: Request, root: int, status: int = 200) -> HttpResponse:
        found = unmasking.of(self.principal(request), root)
        masking.READER.set(found.until is None)  # nothing else is in this answer
        return json_response({"until": found.until, "identities": found.identities}, status=status)
