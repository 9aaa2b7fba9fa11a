"""What the pages of the console share: who may, private answers, designed refusals, addresses that stay."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from csp.decorators import csp_update
from django.contrib.auth.decorators import login_required
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from customers import factors, lookups, masking
from customers.access import Principal, Scope, principal_of_user, roles_of
from customers.cards import Erased, Unknown, standing
from customers.sql import Cursor

View = Callable[..., HttpResponse]
Decorated = Callable[..., HttpResponseBase]
MOST = 300
"""Characters of a parameter that are read."""
RETRY_AFTER = "2"


class Refused(Exception):
    """The role does not allow it."""


class Unreadable(Exception):
    """The form cannot be taken as it is."""


def page(*methods: str, scope: Scope = "read", supervisors: bool = False) -> Callable[[View], Decorated]:
    """A view for agents whose role has `scope`; it is called with the principal and answers what nobody else keeps."""
    allowed = methods or ("GET", "HEAD")

    def decorate(view: View) -> Decorated:
        @login_required
        @csp_update({"frame-src": ["'self'"], "media-src": ["'self'"]})
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method not in allowed:
                refused = refusal(request, 405)
                refused["Allow"] = ", ".join(allowed)
                return refused
            return private(attempt(request, view, scope, supervisors, *args, **kwargs))

        return answer

    return decorate


def attempt(
    request: HttpRequest, view: View, scope: Scope, supervisors: bool, *args: Any, **kwargs: Any
) -> HttpResponse:
    principal = principal_of_user(request.user)
    request.principal = principal  # type: ignore[attr-defined]  # for the templates: what to offer
    if principal is None and factors.owed(request.user, roles_of(request.user)):
        return redirect("mfa_activate_totp")
    if principal is None or not principal.may(scope) or (supervisors and not principal.supervises):
        return refusal(request, 403)
    try:
        with masking.reader(masked=principal.masked):
            answer = view(request, principal, *args, **kwargs)
            return masked(answer) if principal.masked and not getattr(answer, "in_the_clear", False) else answer
    except lookups.Exhausted as error:
        answer = refusal(request, 429)
        answer["Retry-After"] = str(error.retry_after)
        return answer
    except (Refused, masking.WholeOnly):
        return refusal(request, 403)
    except (Http404, Unknown):
        return refusal(request, 404)
    except Erased:
        return refusal(request, 410)
    except Unreadable:
        return refusal(request, 400)
    except (OperationalError, InterfaceError):
        return out_of_order(request)


def masked(answer: HttpResponse) -> HttpResponse:
    """What a page says of numbers and addresses, whoever wrote the page; a streamed one is put together first."""
    kind = answer.get("Content-Type", "")
    if answer.streaming:
        whole = HttpResponse(b"".join(answer), status=answer.status_code, headers=dict(answer.headers))
        whole.cookies, answer = answer.cookies, whole
    if kind.startswith("text/html"):
        answer.content = masking.page(answer.content.decode())
    elif kind.startswith(("text/", "application/json", "application/x-ndjson", "application/csv")):
        answer.content = masking.text(answer.content.decode())
    return answer


def refusal(request: HttpRequest, status: int) -> HttpResponse:
    return render(request, "customers/refusal.html", {"status": status}, status=status)


def out_of_order(request: HttpRequest) -> HttpResponse:
    """The database does not answer."""
    answer = render(request, "500.html", status=503)
    answer["Retry-After"] = RETRY_AFTER
    return private(answer)


def private(answer: HttpResponse) -> HttpResponse:
    answer["Cache-Control"] = "private, no-store"
    return answer


def is_htmx(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))


def customer_of(sql: Cursor, public_id: str) -> int:
    """The customer that stands for an id in an address; raises Unknown or Erased."""
    return standing(sql, uuid_of(public_id))


def uuid_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Unknown from error


def word(given: QueryDict, name: str, most: int = MOST) -> str:
    """One parameter without what PostgreSQL and people cannot read."""
    return clean(given.get(name, ""))[:most].strip()


def words(given: QueryDict, name: str, most: int = 20) -> list[str]:
    return [found for one in given.getlist(name)[:most] if (found := clean(str(one))[:MOST].strip())]


def clean(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def user_id(principal: Principal) -> int:
    return int(principal.viewer.partition(":")[2])
