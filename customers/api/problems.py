"""Problems as RFC 9457 JSON: a stable `code` for programs, a sentence for people, the field at fault."""

from typing import Any

import orjson
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response

from customers.lookups import Exhausted
from customers.masking import WholeOnly
from customers.tracing import REQUEST

# code: (status, title)
CODES: dict[str, tuple[int, str]] = {
    "not_json": (400, "The body is not JSON"),
    "missing_field": (400, "A required field is missing"),
    "invalid_value": (400, "A value is not valid"),
    "too_large": (413, "Too large"),
    "too_many_events": (413, "Too many events in one request"),
    "unknown_source": (400, "There is no such source"),
    "unauthenticated": (401, "Authentication is required"),
    "forbidden": (403, "Not allowed"),
    "not_found": (404, "There is no such thing"),
    "method_not_allowed": (405, "This address does not take that method"),
    "unsupported_media_type": (415, "This content type is not understood"),
    "erased": (410, "This person was erased"),
    "range_not_satisfiable": (416, "Nothing of the file lies in this range"),
    "conflict": (409, "This contradicts what stands"),
    "throttled": (429, "Too many requests"),
    "unavailable": (503, "Nothing was stored, please send it again"),
}
MEDIA_TYPE = "application/problem+json"


class Problem(exceptions.APIException):
    """Raised anywhere below a view of the API; answered as problem JSON."""

    def __init__(self, code: str, detail: str, *, field: str = "", headers: dict[str, str] | None = None) -> None:
        self.code, self.field, self.headers = code, field, headers or {}
        self.status_code = CODES[code][0]
        super().__init__(detail, code)

    def body(self) -> dict[str, Any]:
        return problem(self.code, str(self.detail), field=self.field)


def problem(code: str, detail: str, *, field: str = "") -> dict[str, Any]:
    """`{type, title, status, code, detail, field?}`"""
    status, title = CODES[code]
    found = {"type": f"urn:cxhub:problem:{code}", "title": title, "status": status, "code": code, "detail": detail}
    return {**found, "field": field} if field else found


def response(error: Problem) -> HttpResponse:
    body = error.body()
    if id_ := REQUEST.get():
        body["request_id"] = id_
    found = HttpResponse(orjson.dumps(body), status=error.status_code, content_type=MEDIA_TYPE)
    for name, value in error.headers.items():
        found[name] = value
    found["Cache-Control"] = "no-store"
    return found


def handle(error: Exception, context: dict[str, Any]) -> Response | HttpResponse | None:
    """DRF's exception handler."""
    found = translate(error)
    if found is None:
        return None
    answer = response(found)
    # DRF asks its views' answers whether they are rendered exceptions.
    answer.exception = True  # type: ignore[attr-defined]
    return answer


# What DRF and Django raise, in the order of asking; the first that fits gives the code.
KNOWN: tuple[tuple[tuple[type[Exception], ...], str, str], ...] = (
    ((exceptions.PermissionDenied, PermissionDenied), "forbidden", "This key or role may not do that."),
    (
        (WholeOnly,),
        "forbidden",
        "This role looks up whole values; words are searched on one card, without digits and @.",
    ),
    ((exceptions.NotFound, Http404), "not_found", "There is nothing at this address."),
    ((exceptions.MethodNotAllowed,), "method_not_allowed", "This address does not take that method."),
    ((exceptions.UnsupportedMediaType,), "unsupported_media_type", "This content type is not understood."),
    ((exceptions.Throttled,), "throttled", "Too many requests; try again later."),
    ((exceptions.APIException, SuspiciousOperation), "invalid_value", "The request cannot be read."),
)


def translate(error: Exception) -> Problem | None:
    """The problem that an exception means; None for what is nobody's fault but ours."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, OperationalError | InterfaceError):
        return unavailable()
    if isinstance(error, Exhausted):
        wait = {"Retry-After": str(error.retry_after)}
        return Problem("throttled", "The look-ups of this hour are used up.", headers=wait)
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return Problem("unauthenticated", str(error.detail), headers={"WWW-Authenticate": 'Bearer realm="cxhub"'})
    return next((Problem(code, detail) for kinds, code, detail in KNOWN if isinstance(error, kinds)), None)


def unavailable() -> Problem:
    return Problem("unavailable", "The database cannot be reached; nothing was stored.", headers={"Retry-After": "2"})


@csrf_exempt
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Addresses below /api/ that do not exist."""
    return response(Problem("not_found", "There is nothing at this address."))
