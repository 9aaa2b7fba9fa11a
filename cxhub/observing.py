"""Around every request: its id, its latency by route, and a line in the log when it was slow or failed."""

import logging
from collections.abc import Callable
from time import perf_counter

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from customers import figures, tracing

logger = logging.getLogger("cxhub.requests")

SLOW = 1.0
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"))
KINDS = tuple(f"{number}xx" for number in range(10))
UNKNOWN, STATIC, ADMIN = "unknown", "static", "admin"


class ObservingMiddleware:
    """The first on the way in and the last on the way out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        begun = perf_counter()
        id_ = tracing.begin(request.META.get(tracing.META))
        answer = self.get_response(request)
        answer[tracing.HEADER] = id_
        seconds = perf_counter() - begun
        route, status, method = route_of(request), answer.status_code, request.method or ""
        if method not in METHODS:
            method = "other"
        figures.observe("requests", route, method, KINDS[status // 100], seconds=seconds)
        if settings.CXHUB_LOG_REQUESTS or seconds >= SLOW or status >= 500:
            level = logging.WARNING if seconds >= SLOW or status >= 500 else logging.INFO
            told = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000)}
            logger.log(level, "%s %s %s in %s ms", *told.values(), extra={"told": told})
        return answer


def route_of(request: HttpRequest) -> str:
    """The pattern of the address, never the address: that has ids and keys."""
    match = request.resolver_match
    if match is None:
        return STATIC if request.path.startswith(settings.STATIC_URL) else UNKNOWN
    if match.app_name == "admin":
        return ADMIN
    return match.route or "/"
