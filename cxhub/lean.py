"""Django's middlewares without what cxhub has no use for: a read of the API must not pay for it."""

import threading
from collections.abc import Callable
from typing import Any

from asgiref.local import Local
from django.conf import settings
from django.contrib.messages.middleware import MessageMiddleware
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import base
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import trans_real

PROGRAMS = ("/api/", "/hooks/")


class LanguageMiddleware:
    """Django's LocaleMiddleware, where no address begins with a language."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        language = translation.get_language_from_request(request)
        translation.activate(language)
        request.LANGUAGE_CODE = language
        answer = self.get_response(request)
        if "Vary" in answer.headers:
            patch_vary_headers(answer, ("Accept-Language",))
        else:
            answer.headers["Vary"] = "Accept-Language"
        answer.headers.setdefault("Content-Language", translation.get_language())
        return answer


class PageMessageMiddleware(MessageMiddleware):
    """What a page tells on the next one; programs read no pages."""

    def process_request(self, request: HttpRequest) -> None:
        if not request.path.startswith(PROGRAMS):
            super().process_request(request)


FOR_AGENTS = frozenset(
    {
        "whitenoise.middleware.WhiteNoiseMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "customers.signin.users.WithSessionMiddleware",
        "allauth.account.middleware.AccountMiddleware",
        "django_htmx.middleware.HtmxMiddleware",
        "customers.console.profile.ProfileMiddleware",
        "cxhub.lean.PageMessageMiddleware",
        "axes.middleware.AxesMiddleware",
    }
)
"""What only a session, a form or a page needs: a tenth of what a read of the API costs in Python."""


class ForPrograms(BaseHandler):
    """Of whoever comes with a key or a signature, never with a session."""

    def load_middleware(self, is_async: bool = False) -> None:
        whole = settings.MIDDLEWARE
        settings.MIDDLEWARE = [one for one in whole if one not in FOR_AGENTS]
        try:
            super().load_middleware(is_async)
        finally:
            settings.MIDDLEWARE = whole


class ProgramsHandler(ForPrograms, WSGIHandler):
    """What answers them."""


ASKED_OFTEN = ((trans_real, "_active"), (timezone, "_active"), (base, "_prefixes"), (base, "_urlconfs"))
"""Where Django keeps the language, the zone and the place of the site for the request at hand."""


def of_threads() -> None:
    """A request is a thread's own here, from its beginning to its end: nothing is asynchronous.

    Django keeps what is asked for a hundred times a page where tasks of an event loop would find it, too, which takes
    twenty times as long.
    """
    for module, name in ASKED_OFTEN:
        if not isinstance(getattr(module, name), Local | threading.local):
            raise ImproperlyConfigured(f"{module.__name__}.{name} is not what it was: see what Django does now.")
        setattr(module, name, threading.local())


def by_caller(agents: Callable[..., Any], programs: Callable[..., Any]) -> Callable[..., Any]:
    """The handler that fits; an agent may use the API, too: whoever sends a session is an agent."""
    session = f"{settings.SESSION_COOKIE_NAME}="

    def application(environ: dict[str, Any], *rest: Any) -> Any:
        for_programs = environ["PATH_INFO"].startswith(("/api/v1/", "/hooks/"))
        chain = programs if for_programs and session not in environ.get("HTTP_COOKIE", "") else agents
        return chain(environ, *rest)

    return application
