"""The queue of what was only suggested: claimed handles, refused joins, links by a shared handle."""

from collections.abc import Callable

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from customers import deciding
from customers.api import shapes
from customers.api.authentication import needs
from customers.api.merging import UndoWanted, both_cards, public
from customers.api.problems import Problem
from customers.api.query import Query
from customers.api.views import View, body_of, json_response, log, reading
from customers.deciding import Decided, NoSuchCandidate
from customers.merging import Refused


def number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


class CandidatesView(View):
    @extend_schema(
        operation_id="candidates",
        parameters=[
            OpenApiParameter("state", OpenApiTypes.STR, enum=deciding.STATES, description="open, if it is not said."),
            OpenApiParameter("reason", OpenApiTypes.STR, description="claimed, contradiction, shared, keep_apart …"),
            OpenApiParameter("limit", OpenApiTypes.INT, description="1 to 200 (50)."),
            OpenApiParameter("cursor", OpenApiTypes.STR, description="`next` of a page."),
        ],
        responses=shapes.responses(shapes.Anything),
    )
    def get(self, request: Request) -> HttpResponse:
        """Newest first, each with the two whom it may be, and the contact that is the evidence."""
        query = Query(request.query_params, "state", "reason", "limit", "cursor")
        limit, token = query.number("limit", 50, least=1, most=200), query.text("cursor")
        before = number(token) if token is not None else None
        if token is not None and before is None:
            raise Problem("invalid_value", "This cursor was not made by this service.", field="cursor")
        state = query.choice("state", deciding.STATES, deciding.STATES[0])
        with reading() as sql:
            found = deciding.listed(sql, state=state, reason=query.text("reason"), before=before, limit=limit + 1)
            page = found[:limit]
            log(sql, request, sorted({one for _, customers, _ in page for one in customers}))
        following = f'"{page[-1][0]}"' if len(found) > limit else "null"
        return json_response(f'{{"results": [{", ".join(text for *_, text in page)}], "next": {following}}}')


class DecisionView(View):
    permission_classes = [needs("write")]

    def decide(self, request: Request, candidate: str, work: Callable[[int, str, str], Decided]) -> HttpResponse:
        Query(request.query_params)
        wanted = shapes.validated(UndoWanted, body_of(request) if request._request.body else {})
        id_, viewer = number(candidate), self.principal(request).viewer
        try:
            if id_ is None:
                raise NoSuchCandidate
            done = work(id_, viewer, wanted.reason)
            with reading() as sql:
                customers, shown = deciding.one(sql, id_)
                ids = public(sql, {*done.customers})
                log(sql, request, sorted(customers))
        except NoSuchCandidate:
            raise Problem("not_found", "There is no such candidate.") from None
        except Refused as error:
            return both_cards(str(error), [])
        body = {
            "candidate": shown,
            "customers": [ids[one] for one in done.customers],
            "link": str(done.link) if done.link else None,
            "lifted": [str(one) for one in done.lifted],
            "undone": [str(one) for one in done.undone],
            "still_connected_by": [str(one) for one in done.still_connected_by],
        }
        return json_response(body)


class AcceptView(DecisionView):
    @extend_schema(
        operation_id="candidates_accept", request=UndoWanted, responses=shapes.responses(shapes.Anything, 404, 409)
    )
    def post(self, request: Request, candidate: str) -> HttpResponse:
        """One person, says an agent: the two are linked, and nobody else with them."""
        return self.decide(request, candidate, lambda id_, by, reason: deciding.accept(id_, by=by, reason=reason))


class RejectView(DecisionView):
    @extend_schema(
        operation_id="candidates_reject", request=UndoWanted, responses=shapes.responses(shapes.Anything, 404)
    )
    def post(self, request: Request, candidate: str) -> HttpResponse:
        """Two persons, says an agent: they are kept apart, and the same evidence is only counted from now on."""
        return self.decide(request, candidate, lambda id_, by, reason: deciding.reject(id_, by=by, reason=reason))
