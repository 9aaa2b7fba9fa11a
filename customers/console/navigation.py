"""What stands above every page: the search, and where else one may go."""

from functools import lru_cache
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from customers.console.compiled import drawn, token

BEGINS = {"/feedback": "feedback", "/segments": "segments", "/experience": "experience", "/promises": "promises"}
BEGINS |= {"/queue": "queue"}
"""Pages with others below them."""


def head(*, signed_in: bool) -> SafeString:
    """What every page begins with, up to its title."""
    return _head(get_language(), signed_in)


@lru_cache(maxsize=16)
def _head(language: str | None, signed_in: bool) -> SafeString:
    return drawn("customers/head.html", language=language, signed_in=signed_in, static=static)


def top(request: HttpRequest, q: str, *, searches: bool) -> SafeString:
    """For whoever is signed in; `searches`: results come as one types."""
    return drawn("customers/top.html", **above(request, q, searches=searches))


def above(request: HttpRequest, q: str = "", *, searches: bool = False) -> dict[str, Any]:
    """What `top.html` says."""
    user, principal = request.user, getattr(request, "principal", None)
    supervises = principal is not None and principal.supervises
    begins = next((name for path, name in BEGINS.items() if request.path.startswith(path)), "")
    found = [
        ("now", _("Now")),
        ("matters", _("Matters")),
        ("feedback", _("Feedback")),
        ("segments", _("Segments")),
        ("experience", _("Experience")) if supervises else None,
        ("promises", _("Promises")),
        ("queue", _("Queue")) if supervises else None,
        ("admin:index", _("Administration")) if getattr(user, "is_staff", False) else None,
        ("docs", "API"),
    ]
    return {
        "pages": [one for one in found if one],
        "here": begins or (request.resolver_match.url_name if request.resolver_match else ""),
        "q": q,
        "searches": searches,
        "masked": principal is not None and principal.masked,
        "username": user.get_username() if isinstance(user, AbstractBaseUser) else "",  # A key has none.
        "csrf": token(request),
    }
