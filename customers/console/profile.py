"""An agent's language and time zone: the page that sets them, and the middleware that follows them."""

from collections.abc import Callable
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation

from customers import factors
from customers.access import Principal, know_groups
from customers.console.pages import Unreadable, page, user_id
from customers.models.profile import AgentProfile
from customers.sql import cursor

LANGUAGES = {"en": "English", "ru": "Русский", "lt": "Lietuvių"}
"""Each in its own words, so that everybody finds his own."""

# With what every page asks next: the roles.
OF_USER = """
SELECT p.language, p.time_zone, ARRAY(SELECT g.name FROM auth_user_groups m JOIN auth_group g ON g.id = m.group_id
                                       WHERE m.user_id = u.id)
  FROM auth_user u LEFT JOIN customers_agentprofile p ON p.user_id = u.id WHERE u.id = %s
"""


class ProfileMiddleware:
    """After the session: pages speak the agent's language and tell the time of his zone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        found = of_request(request)
        if found is None:
            return self.get_response(request)
        if found.language in LANGUAGES:
            translation.activate(found.language)
            request.LANGUAGE_CODE = found.language
        with timezone.override(ZoneInfo(found.time_zone) if found.time_zone in zones() else None):
            return self.get_response(request)


def of_request(request: HttpRequest) -> AgentProfile | None:
    """The profile of whoever is signed in; asks nothing of the database where nobody is, nor for the API."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or request.path.startswith(("/api/", "/hooks/", "/static/")):
        return None
    if not request.user.is_authenticated:
        return None
    with cursor("noting") as sql:
        sql.execute(OF_USER, (request.user.pk,), prepare=True)
        row = sql.fetchone()
    if row is None:
        return None
    know_groups(request.user, row[2])
    return AgentProfile(user_id=request.user.pk, language=row[0] or "", time_zone=row[1] or "")


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
