"""No request waits for a silent database for ever: reads and pages have their patience, too, and are answered 503."""

import sys
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.defaults import server_error

from customers import patience
from customers.api import problems
from customers.console.pages import out_of_order

SAFE = ("GET", "HEAD", "OPTIONS")


class WaitingMiddleware:
    """Before the session is read. The doors have a shorter patience of their own; the pieces of a stream have none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method in SAFE:
            mine = patience.patience(patience.READS, patience.SHORT_READS, tells=False)
        else:
            mine = patience.patience(patience.WRITES, patience.WRITES, tells=False)
        with mine:
            return self.get_response(request)


def broken(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`: what no view was there to catch, as where the session is read."""
    if not isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return server_error(request)
    if request.path.startswith("/api/"):
        return problems.response(problems.unavailable())
    return out_of_order(request)
