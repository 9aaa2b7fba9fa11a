"""What every answer says to browsers: the Content-Security-Policy, whom it is for, and what no page may use.

The policy of ordinary answers is made once: django-csp makes it anew for each (50 µs).
"""

from dataclasses import asdict
from functools import cached_property

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

ALWAYS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(
        f"{name}=()"
        for name in (
            *("accelerometer", "browsing-topics", "camera", "display-capture", "geolocation", "gyroscope"),
            *("magnetometer", "microphone", "midi", "payment", "usb"),
        )
    ),
    # A view that may be kept says so.
    "Cache-Control": "private, no-store",
}


class PolicyMiddleware(CSPMiddleware):
    """What a view changed for itself (its answer says so) or asked a nonce for is left to django-csp."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        for name, said in ALWAYS.items():
            response.headers.setdefault(name, said)
        own = any(name.startswith("_csp") for name in vars(response))
        if own or getattr(request, "_csp_nonce", None) is not None:
            return super().process_response(request, response)
        response.headers.setdefault(HEADER, self.policy)
        return response

    @cached_property
    def policy(self) -> str:
        return str(build_policy(**asdict(self.get_policy_parts(HttpRequest(), HttpResponse()))))
