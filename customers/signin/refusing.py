"""The page of whoever the company's sign-in sent, and who does not come in: why, and whom to ask."""

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from customers.console.pages import private

log = logging.getLogger(__name__)
STATUS = {"failed": 502, "cancelled": 400}


def refused(request: HttpRequest, why: str) -> HttpResponse:
    """`why`: unverified, nobody, inactive, role, failed, cancelled."""
    log.warning("a sign-in by OpenID Connect was refused: %s", why)
    return private(render(request, "registration/refused.html", {"why": why}, status=STATUS.get(why, 403)))
