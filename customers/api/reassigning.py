"""Contacts that were put on the wrong customer, and handles that are shared, blocked or change hands."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from pydantic import BeforeValidator, StringConstraints
from rest_framework.request import Request

from customers import blocklist, reassigning, sharing
from customers.api import shapes
from customers.api.authentication import needs
from customers.api.merging import Reason, T, UndoWanted, public
from customers.api.problems import Problem
from customers.api.query import Query
from customers.api.views import View, body_of, json_response, log, reading, standing_or_problem
from customers.merging import Refused
from customers.reassigning import Assigned, NoSuchLine, NotReleased
from customers.sharing import NoSuchIdentity, Review
from customers.sql import Cursor


class AssignWanted(shapes.Shape):
    model_config = shapes.example({"customer": "0196f7a0-5c3e-7d1a-9b57-2f4c8e6a1d03", "reason": "His wife called."})

    customer: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    reason: Reason = ""


class BlockWanted(shapes.Shape):
    """`allowed` takes a handle off the built-in lists."""

    model_config = shapes.example({"why": "blocked", "note": "The number of the lift."})

    why: Literal["blocked", "role", "no_reply", "allowed"] = "blocked"
    note: Reason = ""


class ReleaseWanted(shapes.Shape):
    """`at`: the first moment at which the handle was somebody else's; now, if it is not said."""

    model_config = shapes.example({"at": "2026-11-01T00:00:00+02:00"})

    at: Annotated[datetime, BeforeValidator(shapes.moment)] | None = None


def wanted_of(request: Request) -> dict[str, Any]:
    """The body; an empty one says nothing."""
    return body_of(request) if request._request.body else {}


def assigned(request: Request, line: UUID, found: Assigned) -> dict[str, Any]:
    with reading() as sql:
        ids = public(sql, {found.customer, found.was})
        log(sql, request, sorted({found.customer, found.was}))
    return {
        "interaction": str(line),
        "assignment": str(found.assignment) if found.assignment else None,
        "customer": ids[found.customer],
        "was": ids[found.was],
    }


class AssignView(View):
    permission_classes = [needs("write")]

    @extend_schema(
        operation_id="interactions_assign",
        request=AssignWanted,
        responses=shapes.responses(shapes.Anything, 404, 410, status=201),
    )
    def post(self, request: Request, line: UUID) -> HttpResponse:
        """This one contact is another customer's: 201, or 200 when it was his already."""
        Query(request.query_params)
        wanted = shapes.validated(AssignWanted, body_of(request))
        with reading() as sql:
            root = standing_or_problem(sql, wanted.customer)
        viewer = self.principal(request).viewer
        found = or_problem(lambda: reassigning.assign(line, root, by=viewer, reason=wanted.reason))
        return json_response(assigned(request, line, found), status=201 if found.assignment else 200)


class UndoAssignView(View):
    permission_classes = [needs("write")]

    @extend_schema(
        operation_id="interactions_assign_undo", request=None, responses=shapes.responses(shapes.Anything, 404)
    )
    def post(self, request: Request, line: UUID) -> HttpResponse:
        """The contact goes back to the handle it came by; repeated it says the same."""
        Query(request.query_params)
        viewer = self.principal(request).viewer
        found = or_problem(lambda: reassigning.undo_assign(line, by=viewer))
        return json_response(assigned(request, line, found))


def or_problem(work: Callable[[], T]) -> T:
    try:
        return work()
    except NoSuchLine:
        raise Problem("not_found", "There is no such contact, or it was never assigned.") from None
    except NoSuchIdentity:
        raise Problem("not_found", "There is no such identity.") from None
    except NotReleased as error:
        raise Problem("invalid_value", str(error), field="at") from None


def identity_of(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Problem("not_found", "There is no such identity.")
    return int(text)


def shown(sql: Cursor, identity: int) -> tuple[int, dict[str, Any]]:
    """Its customer, and the identity as answers show it; raises Problem."""
    sql.execute(
        "SELECT i.customer_id, c.public_id::text, i.kind, i.scope, i.value, i.shared, i.valid_from, i.valid_to"
        " FROM customers_identity i JOIN customers_customer c ON c.id = i.customer_id WHERE i.id = %s",
        (identity,),
    )
    row = sql.fetchone()
    if row is None:
        raise Problem("not_found", "There is no such identity.")
    customer, *rest = row
    names = ("customer", "kind", "scope", "value", "shared", "valid_from", "valid_to")
    found = dict(zip(names, rest, strict=True))
    return customer, {"id": str(identity), **found, "scope": found["scope"] or None}


class IdentityView(View):
    """Something is done to one identity; the answer shows how it stands now."""

    permission_classes = [needs("write")]

    def answer(self, request: Request, identity: int, **more: Any) -> HttpResponse:
        with reading() as sql:
            customer, found = shown(sql, identity)
            log(sql, request, [customer])
        return json_response({"identity": found, **more})


def reviewed(review: Review) -> dict[str, Any]:
    """What rests on the handle, and what would fall apart if it were undone; nothing is."""
    groups = [{"identities": [str(one) for one in ids], "contacts": contacts} for ids, contacts in review.groups]
    return {
        "links": [str(link) for link in review.links],
        "candidates": [str(one) for one in review.candidates],
        "would_fall_apart_into": groups if len(groups) > 1 else [],
    }


class ShareView(IdentityView):
    @extend_schema(operation_id="identities_share", request=None, responses=shapes.responses(shapes.Anything, 404))
    def post(self, request: Request, identity: str) -> HttpResponse:
        """Several persons use it: it links nobody any more, and what rests on it is put up for review."""
        Query(request.query_params)
        found = or_problem(lambda: sharing.share(identity_of(identity)))
        return self.answer(request, identity_of(identity), **reviewed(found))


class UnshareView(IdentityView):
    @extend_schema(operation_id="identities_unshare", request=None, responses=shapes.responses(shapes.Anything, 404))
    def post(self, request: Request, identity: str) -> HttpResponse:
        """It is one person's after all: it links again from the next contact on."""
        Query(request.query_params)
        found = or_problem(lambda: sharing.unshare(identity_of(identity)))
        return self.answer(request, identity_of(identity), **reviewed(found))


class BlockView(IdentityView):
    @extend_schema(
        operation_id="identities_block", request=BlockWanted, responses=shapes.responses(shapes.Anything, 404)
    )
    def post(self, request: Request, identity: str) -> HttpResponse:
        """It names nobody: within five seconds contacts by it are kept apart from each other; what stands stays."""
        Query(request.query_params)
        wanted = shapes.validated(BlockWanted, wanted_of(request))
        with reading() as sql:
            _, found = shown(sql, identity_of(identity))
        if found["kind"] in ("card", "anonymous"):
            raise Problem("invalid_value", "Only a handle that customers are reached by is blocked.")
        viewer = self.principal(request).viewer
        blocklist.block(found["kind"], found["value"], why=wanted.why, note=wanted.note, by=viewer)
        return self.answer(request, identity_of(identity), why=wanted.why)


class UnblockView(IdentityView):
    @extend_schema(operation_id="identities_unblock", request=None, responses=shapes.responses(shapes.Anything, 404))
    def post(self, request: Request, identity: str) -> HttpResponse:
        """It is off the list; the built-in lists, and what a source calls the company's own, stay."""
        Query(request.query_params)
        with reading() as sql:
            _, found = shown(sql, identity_of(identity))
        blocklist.unblock(found["kind"], found["value"])
        return self.answer(request, identity_of(identity), why=None)


class ReleaseView(IdentityView):
    @extend_schema(
        operation_id="identities_release", request=ReleaseWanted, responses=shapes.responses(shapes.Anything, 404)
    )
    def post(self, request: Request, identity: str) -> HttpResponse:
        """It changed hands: later contacts are a new person's, older ones stay, and so do late ones from before."""
        Query(request.query_params)
        wanted = shapes.validated(ReleaseWanted, wanted_of(request))
        if wanted.at is not None and wanted.at.tzinfo is None:
            raise Problem("invalid_value", "«at» needs an offset, e.g. 2026-11-22T10:15:00Z.", field="at")
        at = wanted.at or datetime.now(UTC)
        found = or_problem(lambda: reassigning.release(identity_of(identity), at))
        with reading() as sql:
            ids = public(sql, {found.successor} if found.successor else set())
            log(sql, request, list(ids))
        return self.answer(request, identity_of(identity), successor=ids.get(found.successor or 0), moved=found.moved)


class UndoReleaseView(IdentityView):
    @extend_schema(
        operation_id="identities_release_undo",
        request=UndoWanted,
        responses=shapes.responses(shapes.Anything, 404, 409),
    )
    def post(self, request: Request, identity: str) -> HttpResponse:
        """It never changed hands: the two who had it are one; undoing `link` releases it again."""
        Query(request.query_params)
        wanted = shapes.validated(UndoWanted, wanted_of(request))
        id_, viewer = identity_of(identity), self.principal(request).viewer
        try:
            found = or_problem(lambda: reassigning.undo_release(id_, by=viewer, reason=wanted.reason))
        except Refused as error:
            raise Problem("conflict", str(error)) from None
        with reading() as sql:
            stands = public(sql, {found.customer})[found.customer]
        return self.answer(request, id_, customer=stands, link=str(found.link) if found.link else None)
