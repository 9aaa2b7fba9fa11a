"""Merging, undoing and splitting customers over the API."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import orjson
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import Field, StringConstraints
from rest_framework.request import Request

from customers import merging
from customers.api import shapes
from customers.api.authentication import needs
from customers.api.problems import Problem, problem
from customers.api.query import Query
from customers.api.views import View, body_of, json_response, log, reading, standing_or_problem
from customers.cards import cards
from customers.merging import NoSuchLink, Parted, Refused
from customers.previewing import preview
from customers.recording import attempt
from customers.sql import Cursor

Reason = Annotated[str, StringConstraints(max_length=1000)]
T = TypeVar("T")


class MergeWanted(shapes.Shape):
    """`versions`: {customer id: `version` of its card as it was read}."""

    model_config = shapes.example(
        {"with": "0196f7a0-5c3e-7d1a-9b57-2f4c8e6a1d03", "reason": "He gave both numbers on the phone."}
    )

    with_: Annotated[str, Field(alias="with", min_length=1, max_length=64)]
    reason: Reason = ""
    versions: dict[str, str] = {}


class UndoWanted(shapes.Shape):
    model_config = shapes.example({"reason": "Father and son."})

    reason: Reason = ""


class SplitWanted(shapes.Shape):
    model_config = shapes.example({"identities": ["17", "23"], "reason": "Father and son."})

    identities: Annotated[list[str], Field(min_length=1, max_length=1000)]
    to: Annotated[str, StringConstraints(max_length=64)] | None = None
    reason: Reason = ""


def settled(work: Callable[[], T]) -> T:
    """Try again while others move the same customers."""
    return attempt(work)


def link_id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Problem("not_found", "There is no such link.")
    return int(text)


def public(sql: Cursor, customers: set[int]) -> dict[int, str]:
    sql.execute("SELECT id, public_id::text FROM customers_customer WHERE id = ANY(%s)", (sorted(customers),))
    return dict(sql.fetchall())


def parted(sql: Cursor, found: Parted) -> dict[str, Any]:
    """Where everything is now (or would be): a customer's id is null while it would first be made."""
    ids = public(sql, set(found.homes.values()))
    sql.execute(
        "SELECT i.id, coalesce(sum(k.count), 0) FROM customers_identity i LEFT JOIN customers_contactcount k"
        " ON k.identity_id = i.id WHERE i.id = ANY(%s) GROUP BY i.id",
        (list(found.homes),),
    )
    contacts = dict(sql.fetchall())
    groups: dict[int, list[int]] = {}
    for identity, home in sorted(found.homes.items()):
        groups.setdefault(home, []).append(identity)
    return {
        "customers": [
            {
                "id": ids.get(home),
                "identities": [str(one) for one in members],
                "contacts": int(sum(contacts.get(one, 0) for one in members)),
            }
            for home, members in sorted(groups.items())
        ],
        "still_connected_by": [str(one) for one in found.still_connected_by],
        "undone": [str(one) for one in found.undone],
    }


def both_cards(detail: str, roots: list[int]) -> HttpResponse:
    with reading() as sql:
        shown = [orjson.loads(card) for card in cards(sql, roots).values()]
    answer = json_response({**problem("conflict", detail), "customers": shown}, status=409)
    answer["Content-Type"] = "application/problem+json"
    return answer


class MergePreviewView(View):
    @extend_schema(
        operation_id="customers_merge_preview",
        parameters=[OpenApiParameter("with", OpenApiTypes.STR, required=True)],
        responses=shapes.responses(shapes.Anything, 404, 410),
    )
    def get(self, request: Request, customer: str) -> HttpResponse:
        """Evidence for and against, what would move, which fields clash and who wins."""
        query = Query(request.query_params, "with")
        other = query.text("with")
        if not other:
            raise Problem("missing_field", "Say with whom.", field="with")
        with reading() as sql:
            roots = [standing_or_problem(sql, customer), standing_or_problem(sql, other)]
            if roots[0] == roots[1]:
                raise Problem("invalid_value", "These are one customer already.", field="with")
            found = preview(sql, *roots)
            ids = public(sql, set(roots))
            log(sql, request, roots)
        return json_response({**found, "stands": ids[found["stands"]], "goes": ids[found["goes"]]})


class MergeView(View):
    permission_classes = [needs("write")]

    @extend_schema(
        operation_id="customers_merge",
        request=MergeWanted,
        parameters=[OpenApiParameter("Idempotency-Key", OpenApiTypes.STR, OpenApiParameter.HEADER)],
        responses=shapes.responses(shapes.Anything, 404, 409, 410, status=201),
    )
    def post(self, request: Request, customer: str) -> HttpResponse:
        """One person, says an agent: 201 with the link, 200 if they were one already, 409 with both cards."""
        Query(request.query_params)
        wanted = shapes.validated(MergeWanted, body_of(request))
        viewer = self.principal(request).viewer
        key = request.headers.get("Idempotency-Key", "")[:200]

        def work() -> merging.Merged | HttpResponse:
            with reading() as sql:
                one, other = standing_or_problem(sql, customer), standing_or_problem(sql, wanted.with_)
                if customer == wanted.with_:
                    raise Problem("invalid_value", "A customer cannot be merged with itself.", field="with")
                log(sql, request, [one, other])
                shown = {card["id"]: card for card in map(orjson.loads, cards(sql, [one, other]).values())}
            for id_, version in wanted.versions.items():
                if id_ in shown and shown[id_]["version"] != version:
                    return both_cards("A card changed since it was read.", [one, other])
            try:
                return merging.merge(one, other, reason=wanted.reason, by=viewer, key=key)
            except Refused as error:
                return both_cards(str(error), [one, other])

        done = settled(work)
        if isinstance(done, HttpResponse):
            return done
        with reading() as sql:
            stands = public(sql, {done.customer})[done.customer]
        body = {
            "link": str(done.link) if done.link else None,
            "customer": stands,
            "lifted": [str(one) for one in done.lifted],
        }
        return json_response(body, status=201 if done.link else 200)


class UndoView(View):
    permission_classes = [needs("write")]

    @extend_schema(
        operation_id="links_undo",
        request=UndoWanted,
        parameters=[OpenApiParameter("dry_run", OpenApiTypes.STR, enum=("0", "1"))],
        responses=shapes.responses(shapes.Anything, 404, 409),
    )
    def post(self, request: Request, link: str) -> HttpResponse:
        """Take a link back; repeated it says the same, and with dry_run=1 it only says it."""
        query = Query(request.query_params, "dry_run")
        wanted = shapes.validated(UndoWanted, body_of(request, empty=True))
        viewer, dry = self.principal(request).viewer, query.flag("dry_run")
        try:
            found = settled(lambda: merging.undo(link_id(link), by=viewer, reason=wanted.reason, dry_run=dry))
        except NoSuchLink:
            raise Problem("not_found", "There is no such link.") from None
        with reading() as sql:
            log(sql, request, sorted(set(found.homes.values())) if not dry else [])
            return json_response(parted(sql, found))


class SplitView(View):
    permission_classes = [needs("write")]

    @extend_schema(
        operation_id="customers_split",
        request=SplitWanted,
        responses=shapes.responses(shapes.Anything, 404, 409, 410),
    )
    def post(self, request: Request, customer: str) -> HttpResponse:
        """Some identities are somebody else's: of a new customer, or of `to`."""
        Query(request.query_params)
        wanted = shapes.validated(SplitWanted, body_of(request))
        if not all(one.isascii() and one.isdigit() and len(one) < 19 for one in wanted.identities):
            raise Problem("invalid_value", "Identities are named by their ids.", field="identities")
        chosen = [int(one) for one in wanted.identities]
        viewer = self.principal(request).viewer

        def work() -> Parted:
            with reading() as sql:
                root = standing_or_problem(sql, customer)
                to = standing_or_problem(sql, wanted.to) if wanted.to else None
            if to == root:
                raise Problem("invalid_value", "That is the same customer.", field="to")
            return merging.split(root, chosen, to=to, by=viewer, reason=wanted.reason)

        try:
            found = settled(work)
        except Refused as error:
            raise Problem("invalid_value", str(error), field="identities") from None
        with reading() as sql:
            log(sql, request, sorted(set(found.homes.values())))
            return json_response(parted(sql, found))


class LinksView(View):
    @extend_schema(operation_id="customers_links", responses=shapes.responses(shapes.Anything, 404, 410))
    def get(self, request: Request, customer: str) -> HttpResponse:
        """Every link between the customer's identities, standing or undone, with what it rests on."""
        Query(request.query_params)
        with reading() as sql:
            root = standing_or_problem(sql, customer)
            sql.execute(
                """SELECT coalesce(json_agg(json_build_object('id', l.id::text, 'a', l.a_id::text, 'b', l.b_id::text,
                     'cause', l.cause, 'evidence', l.evidence, 'trust', l.trust, 'rules_version', l.rules_version,
                     'created_at', l.created_at, 'created_by', l.created_by, 'undone_at', l.undone_at,
                     'undone_by', nullif(l.undone_by, ''), 'undo_reason', nullif(l.undo_reason, ''))
                     ORDER BY l.id), '[]')::text FROM customers_link l
                    WHERE l.a_id IN (SELECT id FROM customers_identity WHERE customer_id = %(root)s)
                       OR l.b_id IN (SELECT id FROM customers_identity WHERE customer_id = %(root)s)""",
                {"root": root},
            )
            row = sql.fetchone()
            log(sql, request, [root])
        return json_response(f'{{"results": {row[0] if row else "[]"}}}')
