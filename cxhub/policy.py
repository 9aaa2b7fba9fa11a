"""What every answer says to browsers: the Content-Security-Policy, whom it is for, and what no page may use.

A policy is made once: django-csp makes it anew for each answer (50 µs).
"""

from dataclasses import asdict
from functools import cached_property

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.http import HttpRequest
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
    """What a view changed altogether (its answer says so) or asked a nonce for is left to django-csp."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        for name, said in ALWAYS.items():
            response.headers.setdefault(name, said)
        own = {name: said for name, said in vars(response).items() if name.startswith("_csp")}
        if own.keys() - {"_csp_update"} or getattr(request, "_csp_nonce", None) is not None:
            return super().process_response(request, response)
        key = repr(own)
        if key not in self.made:
            self.made[key] = str(build_policy(**asdict(self.get_policy_parts(request, response))))
        response.headers.setdefault(HEADER, self.made[key])
        return response

    @cached_property
    def made(self) -> dict[str, str]:
        """By what a view of ours adds."""
        return {}
