"""Whether the web process serves (`/healthz`), for load balancers and start scripts."""

from django.http import HttpRequest, HttpResponse


def healthz(request: HttpRequest) -> HttpResponse:
    """200 while this process answers; it asks neither PostgreSQL nor Valkey."""
    return HttpResponse("ok\n", content_type="text/plain")
