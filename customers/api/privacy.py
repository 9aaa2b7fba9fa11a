"""A person's rights over the API: a copy of everything, a preview of what would go, and the erasure."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import StringConstraints
from rest_framework.request import Request

from customers import dossier, erasure
from customers.api import shapes
from customers.api.authentication import Whole, needs
from customers.api.problems import Problem
from customers.api.query import Query, uuid_of
from customers.api.views import View, body_of, json_response, reading, standing_or_problem
from customers.exporting import log_export
from customers.holds import Held
from customers.models import Erasure


class EraseWanted(shapes.Shape):
    """`contacts`: how many contacts the preview told of; 409 if there are others by now."""

    model_config = shapes.example({"reason": "Asked for it by letter of 2026-11-20.", "contacts": 17})

    reason: Annotated[str, StringConstraints(max_length=1000)] = ""
    contacts: int | None = None


class ErasurePreviewShape(shapes.Shape):
    customers: list[UUID]
    identities: int
    contacts: int
    files: int
    attributes: int
    candidates: int


class ErasureShape(shapes.Shape):
    """The tombstone: no personal data."""

    id: UUID
    customers: list[UUID]
    erased_at: datetime
    erased_by: str
    reason: str
    counts: dict[str, int]


class DossierView(View):
    permission_classes = [needs("admin"), Whole]

    @extend_schema(
        operation_id="customers_dossier",
        parameters=[OpenApiParameter("format", OpenApiTypes.STR, enum=("json", "html"), description="json (default)")],
        responses={**shapes.responses(shapes.Anything, 404, 410), (200, "text/html"): OpenApiTypes.STR},
    )
    def get(self, request: Request, customer: str) -> StreamingHttpResponse:
        """Everything that is kept of this person in one file: contacts, claims, links, scores, files, who looked."""
        query = Query(request.query_params, "format")
        kind: dossier.Format = "html" if query.choice("format", ("json", "html"), "json") == "html" else "json"
        with reading() as sql:
            root = standing_or_problem(sql, customer)
            log_export(sql, self.principal(request).viewer, root, request.path)
            known = dossier.head(sql, root)
        answer = StreamingHttpResponse(dossier.written(kind, root, known), content_type=dossier.CONTENT_TYPES[kind])
        name = f"person-{datetime.now(UTC):%Y-%m-%d}-{uuid_of(customer)}.{kind}"
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        answer["Cache-Control"] = "private, no-store"
        answer["X-Content-Type-Options"] = "nosniff"
        return answer


class ErasurePreviewView(View):
    permission_classes = [needs("admin")]

    @extend_schema(operation_id="customers_erasure_preview", responses=shapes.responses(ErasurePreviewShape, 404, 410))
    def get(self, request: Request, customer: str) -> HttpResponse:
        """What would go; nothing is changed."""
        Query(request.query_params)
        with reading() as sql:
            found = erasure.preview(sql, standing_or_problem(sql, customer))
        return json_response(found)


class EraseView(View):
    permission_classes = [needs("admin")]

    @extend_schema(
        operation_id="customers_erase",
        request=EraseWanted,
        responses=shapes.responses(ErasureShape, 404, 409, 410),
    )
    def post(self, request: Request, customer: str) -> HttpResponse:
        """Erase this person for good: contacts, files, handles, claims and raw deliveries. It cannot be undone.

        Every id that the person ever had answers 410 from then on; late events of the time before are refused.
        """
        Query(request.query_params)
        wanted = shapes.validated(EraseWanted, body_of(request, empty=True))
        with reading() as sql:
            root = standing_or_problem(sql, customer)
            if wanted.contacts is not None and erasure.preview(sql, root).contacts != wanted.contacts:
                raise Problem("conflict", "There are other contacts than the preview told of; look again.")
        try:
            done = erasure.erase(root, by=self.principal(request).viewer, reason=wanted.reason)
        except Held:
            raise Problem("conflict", "A hold stands: nothing of this person may go until it is lifted.") from None
        return json_response(shown(done))


class ErasuresView(View):
    permission_classes = [needs("admin")]

    @extend_schema(operation_id="erasures", responses=shapes.responses(shapes.Anything))
    def get(self, request: Request) -> HttpResponse:
        """The latest 500 tombstones, newest first."""
        Query(request.query_params)
        return json_response({"results": [shown(one) for one in Erasure.objects.order_by("-erased_at", "id")[:500]]})


def shown(done: Erasure) -> dict[str, object]:
    return {
        "id": done.pk,
        "customers": done.customers,
        "erased_at": done.erased_at,
        "erased_by": done.erased_by,
        "reason": done.reason,
        "counts": done.counts,
    }
