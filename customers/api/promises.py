"""Promises over the API: made on a line or without one, listed by when they are due, ended, moved, handed over."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import orjson
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from customers.api import shapes
from customers.api.authentication import needs
from customers.api.problems import Problem
from customers.api.promise_shapes import (
    LinePromises,
    NewPromiseShape,
    PromiseEnd,
    PromiseList,
    PromiseMove,
    PromiseOwner,
    PromiseShape,
)
from customers.api.query import Query
from customers.api.views import View, body_of, json_response, log, reading, standing_or_problem
from customers.experience import owed, stating
from customers.experience.calendar import calendars
from customers.experience.duewords import due_in_words
from customers.experience.facts import NoSuchLine
from customers.experience.following import freshen
from customers.experience.phrases import suggestion_of
from customers.experience.stating import NewPromise, NoSuchThing, OtherWords, Settled, Speaker
from customers.models import Promise

IDEMPOTENT = OpenApiParameter("Idempotency-Key", OpenApiTypes.STR, OpenApiParameter.HEADER)
T = TypeVar("T")


def speaker(request: Request) -> Speaker:
    principal = View.principal(request)
    return Speaker(principal.viewer, principal.name)


def given_key(request: Request) -> str:
    given = request.headers.get("Idempotency-Key", "")
    if len(given) > 200:
        raise Problem("invalid_value", "An Idempotency-Key may have 200 characters.", field="Idempotency-Key")
    return stating.key_of(speaker(request), given)


def said(work: Callable[[], T]) -> T:
    """What was stated, or the problem that it met."""
    try:
        return work()
    except (NoSuchThing, NoSuchLine):
        raise Problem("not_found", "There is no such thing.") from None
    except Settled:
        raise Problem("conflict", "It is settled, or broken and cannot be moved any more.") from None
    except OtherWords:
        raise Problem("conflict", "This Idempotency-Key was used for other words.", field="Idempotency-Key") from None


def shown(request: Request, promise: Promise, status: int = 200) -> HttpResponse:
    with reading() as sql:
        found = owed.one(sql, promise.pk)
        if found is None:
            raise Problem("not_found", "There is no such promise.")
        log(sql, request, [found[1]])
    return json_response(found[0], status=status)


def wanted(request: Request, source: str) -> NewPromise:
    """The promise of a body, its due time as a moment. Raises Problem."""
    body = shapes.validated(NewPromiseShape, body_of(request))
    now = datetime.now(UTC)
    made = body.at or now
    if made > now + timedelta(minutes=5):
        raise Problem("invalid_value", "A promise cannot have been made later than now.", field="at")
    field, due = due_of(body, made, source)
    if due <= made:
        raise Problem("invalid_value", "A promise is due after it was made.", field=field)
    principal = View.principal(request)
    owner = body.owner if body.owner is not None else "" if principal.key_id else principal.name
    return NewPromise(body.what, body.kind, due, owner, made)


def due_of(body: NewPromiseShape, made: datetime, source: str) -> tuple[str, datetime]:
    named = [name for name in ("due_at", "within_minutes", "due") if getattr(body, name) is not None]
    if len(named) != 1:
        code, field = ("invalid_value", named[1]) if named else ("missing_field", "due_at")
        raise Problem(code, "Say until when: due_at, within_minutes or due, one of them.", field=field)
    if body.due_at is not None:
        return "due_at", body.due_at
    days = calendars()
    if body.within_minutes is not None:
        return "within_minutes", due_in_words(f"{body.within_minutes} minutes", made, days.of(source)) or made
    found = due_in_words(body.due or "", made, days.of(source))
    if found is None:
        raise Problem("invalid_value", "These words name no time; say due_at.", field="due")
    return "due", found


class PromisesView(View):
    @extend_schema(
        operation_id="promises",
        parameters=[
            OpenApiParameter("state", OpenApiTypes.STR, enum=owed.STATES, description="waiting, if it is not said."),
            OpenApiParameter("owner", OpenApiTypes.STR, description="Only his, by any of his names; empty: nobody's."),
            OpenApiParameter("due_before", OpenApiTypes.DATETIME),
            OpenApiParameter("limit", OpenApiTypes.INT, description="1 to 200 (50)."),
            OpenApiParameter("cursor", OpenApiTypes.STR, description="`next` of a page."),
        ],
        responses=shapes.responses(PromiseList),
    )
    def get(self, request: Request) -> HttpResponse:
        """What waits, by when it is due, so the most overdue first; what is over, the latest first."""
        query = Query(request.query_params, "state", "owner", "due_before", "limit", "cursor")
        with reading() as sql:
            try:
                page = owed.owed(
                    sql,
                    state=query.choice("state", owed.STATES, owed.WAITING),
                    owner=query.text("owner"),
                    due_before=query.moment("due_before"),
                    token=query.text("cursor"),
                    limit=query.number("limit", 50, least=1, most=200),
                )
            except owed.BadToken as error:
                raise Problem("invalid_value", str(error), field="cursor") from None
            log(sql, request, page.customers)
        following = f'"{page.next}"' if page.next else "null"
        return json_response(f'{{"results": [{", ".join(page.rows)}], "next": {following}}}')


class CustomerPromisesView(View):
    def get_permissions(self) -> list[Any]:
        return [needs("write" if self.request.method == "POST" else "read")()]

    @extend_schema(operation_id="customers_promises", responses=shapes.responses(PromiseList, 404, 410))
    def get(self, request: Request, customer: str) -> HttpResponse:
        """One customer's promises: those that wait, then the others, the latest first (200 at most)."""
        Query(request.query_params)
        with reading() as sql:
            root = standing_or_problem(sql, customer)
        freshen(root)
        with reading() as sql:
            rows = owed.of_customer(sql, root)
            log(sql, request, [root])
        return json_response(f'{{"results": [{", ".join(rows)}], "next": null}}')

    @extend_schema(
        operation_id="customers_promises_add",
        parameters=[IDEMPOTENT],
        request=NewPromiseShape,
        responses=shapes.responses(PromiseShape, 404, 409, 410, status=201),
    )
    def post(self, request: Request, customer: str) -> HttpResponse:
        """A promise without a line: a note on the card says it."""
        Query(request.query_params)
        new, key = wanted(request, ""), given_key(request)
        with reading() as sql:
            root = standing_or_problem(sql, customer)
        return shown(request, said(lambda: stating.promise_to(root, new, key=key, by=speaker(request))), 201)


class LinePromisesView(View):
    def get_permissions(self) -> list[Any]:
        return [needs("write" if self.request.method == "POST" else "read")()]

    @extend_schema(operation_id="interactions_promises", responses=shapes.responses(LinePromises, 404))
    def get(self, request: Request, line: UUID) -> HttpResponse:
        """What was promised in a line, and what its text seems to promise if nobody said so yet."""
        Query(request.query_params)
        found = stating.line_of(line)
        if found is None:
            raise Problem("not_found", "There is no such contact.")
        with reading() as sql:
            customer, _ = stating.place_of(sql, line)
        freshen(customer)
        with reading() as sql:
            rows = owed.of_line(sql, customer, line)
            log(sql, request, [customer])
        guess = None if rows else suggestion_of(found, calendars().of(found.source))
        body = {"what": guess.what, "kind": guess.kind, "due_at": guess.due_at, "words": guess.words} if guess else None
        return json_response(f'{{"results": [{", ".join(rows)}], "suggestion": {orjson.dumps(body).decode()}}}')

    @extend_schema(
        operation_id="interactions_promises_add",
        parameters=[IDEMPOTENT],
        request=NewPromiseShape,
        responses=shapes.responses(PromiseShape, 404, 409, status=201),
    )
    def post(self, request: Request, line: UUID) -> HttpResponse:
        """A promise that was made in this contact; repeated with the same Idempotency-Key it is made once."""
        Query(request.query_params)
        found = stating.line_of(line)
        if found is None:
            raise Problem("not_found", "There is no such contact.")
        new, key = wanted(request, found.source), given_key(request)
        return shown(request, said(lambda: stating.promise_on(line, new, key=key, by=speaker(request))), 201)


class PromiseView(View):
    @extend_schema(operation_id="promises_get", responses=shapes.responses(PromiseShape, 404))
    def get(self, request: Request, promise: UUID) -> HttpResponse:
        """One promise as it stands now."""
        Query(request.query_params)
        return shown(request, said(lambda: stating.fresh(Promise, promise)))


class ChangingView(View):
    permission_classes = [needs("write")]


class EndView(ChangingView):
    @extend_schema(
        operation_id="promises_close", request=PromiseEnd, responses=shapes.responses(PromiseShape, 404, 409)
    )
    def post(self, request: Request, promise: UUID) -> HttpResponse:
        """Kept or cancelled by a person's word; a broken promise is thereby settled, and stays broken."""
        Query(request.query_params)
        body = shapes.validated(PromiseEnd, body_of(request))
        if body.at is not None and body.at > datetime.now(UTC):
            raise Problem("invalid_value", "It cannot have ended later than now.", field="at")

        def work() -> Promise:
            return stating.close_promise(promise, body.as_, why=body.why, at=body.at, by=speaker(request))

        return shown(request, said(work))


class ReopenView(ChangingView):
    @extend_schema(operation_id="promises_reopen", request=None, responses=shapes.responses(PromiseShape, 404, 409))
    def post(self, request: Request, promise: UUID) -> HttpResponse:
        """Takes back what a person said of its end."""
        Query(request.query_params)
        return shown(request, said(lambda: stating.reopen_promise(promise, by=speaker(request))))


class MoveView(ChangingView):
    @extend_schema(
        operation_id="promises_move", request=PromiseMove, responses=shapes.responses(PromiseShape, 404, 409)
    )
    def post(self, request: Request, promise: UUID) -> HttpResponse:
        """Another time, agreed while the promise is open."""
        Query(request.query_params)
        body = shapes.validated(PromiseMove, body_of(request))
        if body.due_at <= datetime.now(UTC):
            raise Problem("invalid_value", "This time is over.", field="due_at")

        def work() -> Promise:
            return stating.move_promise(promise, body.due_at, why=body.why, by=speaker(request))

        return shown(request, said(work))


class OwnerView(ChangingView):
    @extend_schema(operation_id="promises_assign", request=PromiseOwner, responses=shapes.responses(PromiseShape, 404))
    def post(self, request: Request, promise: UUID) -> HttpResponse:
        """Somebody else answers for it from now on."""
        Query(request.query_params)
        body = shapes.validated(PromiseOwner, body_of(request))
        return shown(request, said(lambda: stating.assign_promise(promise, body.owner, by=speaker(request))))
