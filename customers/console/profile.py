"""An agent's language and time zone: the page that sets them, and the middleware that follows them."""

from collections.abc import Callable
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation

from customers import factors
from customers.access import Principal
from customers.console.pages import Unreadable, page, user_id
from customers.models.profile import AgentProfile
from customers.signin.users import user_of

LANGUAGES = {"en": "English", "ru": "Русский", "lt": "Lietuvių"}
"""Each in its own words, so that everybody finds his own."""


class ProfileMiddleware:
    """After the session: pages speak the agent's language and tell the time of his zone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        found = of_request(request)
        if found is None:
            return self.get_response(request)
        language, zone = found
        if language in LANGUAGES:
            translation.activate(language)
            request.LANGUAGE_CODE = language
        with timezone.override(ZoneInfo(zone) if zone and zone in zones() else timezone.get_default_timezone()):
            return self.get_response(request)


def of_request(request: HttpRequest) -> tuple[str, str] | None:
    """Language and zone of whoever is signed in; asks nothing of the database where nobody is, nor for the API."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or request.path.startswith(("/api/", "/hooks/", "/static/")):
        return None
    request.user = user = user_of(request)  # Itself: the stand-in that waits to be asked slows whatever asks.
    if not user.is_authenticated:
        return None
    return getattr(user, "speaks", ""), getattr(user, "lives_in", "")


@cache
def zones() -> list[str]:
    """Asked once: the folders of all zones are read for it."""
    return [*sorted(one for one in available_timezones() if "/" in one and not one.startswith("Etc/")), "UTC"]


@page("GET", "HEAD", "POST")
def profile(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/profile`"""
    if request.method == "POST":
        language, zone = request.POST.get("language", ""), request.POST.get("time_zone", "")
        if (language and language not in LANGUAGES) or (zone and zone not in zones()):
            raise Unreadable
        AgentProfile.objects.update_or_create(
            user_id=user_id(principal), defaults={"language": language, "time_zone": zone}
        )
        return redirect("profile")
    kept = AgentProfile.objects.filter(pk=user_id(principal)).first() or AgentProfile()
    context = {"kept": kept, "languages": LANGUAGES.items(), "zones": zones()}
    if factors.offered(request.user):
        context["factor"] = "on" if factors.has(request.user) else "off"
    return render(request, "customers/profile.html", context)
