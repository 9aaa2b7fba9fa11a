"""What the views of the API share: who may, what is answered as JSON text, and whose card a path means."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from customers import lookups, masking
from customers.access import Principal, log_views
from customers.api.authentication import needs, principal_of
from customers.api.problems import Problem
from customers.api.query import Query, uuid_of
from customers.api.raw import BrokenOff, TooLarge, raw_body
from customers.cards import Erased, Unknown, standing
from customers.sql import Cursor, cursor


class View(APIView):
    """JSON only, and never cached by anybody else; `permission_classes` names the scopes.

    Whatever a view answers a reader of masked identifiers is masked on its way out.
    """

    permission_classes = [needs("read")]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with masking.reader(masked=False):
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        masking.READER.set(principal_of(request).masked)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        if masking.READER.get() and "json" in answer.get("Content-Type", "") and answer.content:
            answer.content = orjson.dumps(masking.masked(orjson.loads(answer.content)))
        return answer

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        """There is one representation, whatever `Accept` says."""
        return JSONRenderer(), "application/json"

    @staticmethod
    def principal(request: Request) -> Principal:
        return principal_of(request)


def json_response(body: str | bytes | object, status: int = 200) -> HttpResponse:
    """JSON text as it is, anything else as JSON."""
    text = body if isinstance(body, str | bytes) else orjson.dumps(body)
    answer = HttpResponse(text, status=status, content_type="application/json")
    answer["Cache-Control"] = "private, no-store"
    return answer


@contextmanager
def reading() -> Iterator[Cursor]:
    """A cursor on the connection for reads; what a view logs is committed statement by statement."""
    with cursor("reading") as sql:
        yield sql


def standing_or_problem(sql: Cursor, public_id: str) -> int:
    """The customer that stands for an id in a path; raises Problem not_found or erased."""
    try:
        return standing(sql, uuid_of(public_id))
    except Unknown:
        raise Problem("not_found", "No customer ever had this id.") from None
    except Erased:
        raise Problem("erased", "This person was erased.") from None


def count(request: Request, query: Query, *names: str) -> None:
    """What is looked up is limited, and what a reader of masked identifiers looks up is logged; raises Exhausted."""
    asked = [(name if name != "q" else "", value) for name in names for value in query.many(name)]
    lookups.count(principal_of(request), asked)


def log(sql: Cursor, request: Request, customers: list[int]) -> None:
    log_views(sql, principal_of(request).viewer, customers, request.path)


def body_of(request: Request, most: int = 262_144, *, empty: bool = False) -> dict[str, Any]:
    """The request's JSON object (`empty`: it may be left out); raises Problem not_json, too_large or invalid_value."""
    try:
        raw = raw_body(request._request, most)
    except TooLarge:
        raise Problem("too_large", f"The body may have {most} bytes.") from None
    except BrokenOff:
        raise Problem("unavailable", "The body broke off; nothing was stored.") from None
    if not raw and empty:
        return {}
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Problem("not_json", "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise Problem("invalid_value", "The body must be a JSON object.")
    return body
