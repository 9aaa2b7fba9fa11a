"""The page of whoever mistyped his password too often; it says the same whether there is such a user or not."""

from typing import Any

from axes.helpers import get_cool_off, get_failure_limit
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def locked(request: HttpRequest, original: HttpResponse | None, credentials: dict[str, Any] | None) -> HttpResponse:
    wait = get_cool_off(request)
    seconds = int(wait.total_seconds()) if wait else 900
    context = {"minutes": -(-seconds // 60), "failures": get_failure_limit(request, credentials)}
    answer = render(request, "registration/locked.html", context, status=429)
    answer["Retry-After"] = str(seconds)
    answer["Cache-Control"] = "private, no-store"
    return answer
