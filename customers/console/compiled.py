"""Templates that Jinja2 compiles, for what a page says hundreds of times: their escaping, and what they may call.

Django's own take fifteen times as long for a line of the timeline. Each language has templates of its own, whose words
were translated when they were compiled. Whatever a template prints is escaped unless it is `Markup` or a SafeString:
only icons and pictures of ours are. A name that nobody gave is an error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any
from unicodedata import combining
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template import engines
from django.template.defaultfilters import filesizeformat, floatformat
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import get_language, ngettext
from jinja2 import Environment, StrictUndefined

from customers.console import words
from customers.console.addressing import addresses
from customers.console.grouping import Grouped
from customers.console.quickly import Quickly

FILTERS = {"kind": words.KINDS, "direction": words.DIRECTIONS}


def environment(**options: Any) -> Environment:
    """What the settings name."""
    found = Quickly(**(options | {"autoescape": True, "undefined": StrictUndefined}))  # nosec B701 - it is on
    found.globals |= {
        "icons": Icons(),
        "clock": clock,
        "more_characters": more_characters,
        "more_files": more_files,
        "what_it_said_before": what_it_said_before,
        "tried": tried,
        "nobody_took": nobody_took,
    }
    found.filters |= {"cut": cut, "quoted": quoted, "since": since, "cells": cells, "listed": listed}
    found.filters |= {"filesizeformat": filesizeformat, "floatformat": decimal}
    return found


def drawn(name: str, /, **said: Any) -> SafeString:
    """A template with what it says, for another template to show as it is."""
    engine: Any = engines["jinja2"]
    language = get_language()
    template = engine.env.speaking(language).get_template(name)
    at = Times(language, timezone.get_current_timezone())
    known = {"to": addresses(), "short": at.short, "moment": at.moment, "when": at.when, "day": at.day}
    return SafeString(template.render(known | said))  # nosec B703


def answered(name: str, /, **said: Any) -> HttpResponse:
    return HttpResponse(drawn(name, **said))


def token(request: HttpRequest) -> SafeString:
    """The field of a form that changes something: one for all forms of an answer, another for each answer."""
    held: Any = request
    if not hasattr(held, "csrf_field"):
        value = get_token(request)
        # A cookie that the browser has sent is not sent back with each page: it is good for a year.
        if request.COOKIES.get(settings.CSRF_COOKIE_NAME) == request.META["CSRF_COOKIE"]:
            request.META["CSRF_COOKIE_NEEDS_UPDATE"] = False
        held.csrf_field = SafeString(f'<input type="hidden" name="csrfmiddlewaretoken" value="{value}">')  # nosec B703
    found: SafeString = held.csrf_field
    return found


def may_write(request: HttpRequest) -> bool:
    principal = getattr(request, "principal", None)
    return principal is not None and principal.may("write")


def articles(request: HttpRequest, lines: list[Any], *, show_day: bool = False) -> SafeString:
    """Lines as articles; with `show_day` each says its date."""
    return drawn("customers/articles.html", lines=lines, may_write=may_write(request), show_day=show_day, days=False)


@lru_cache(maxsize=100)
def icon(name: str) -> SafeString:
    """A picture that says nothing by itself: words stand beside it."""
    place = f"{static('customers/icons.svg')}#{name}"
    return format_html('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}"></use></svg>', place)


class Icons(dict[str, SafeString]):
    """All of them, each made when it is first shown; what is shown is a word of ours."""

    def __missing__(self, name: str) -> SafeString:
        return icon(name)


def cut(text: object, most: int) -> str:
    """At most so many characters, the last a mark that there are more; no letter loses what stands above it."""
    whole = str(text)
    if len(whole) <= most:
        return whole
    end = most - 1
    while end and combining(whole[end]):
        end -= 1
    return f"{whole[:end]}…"


def cells(numbers: Sequence[int]) -> SafeString:
    """One row of a table of counts."""
    return SafeString("".join(f"<td>{Grouped(number)}</td>" for number in numbers))  # nosec B703


def listed(names: Sequence[str]) -> SafeString:
    """One after the other, each in its own direction of writing."""
    return format_html_join(", ", "<bdi>{}</bdi>", ((name,) for name in names))


@lru_cache(maxsize=256)
def boxes(name: str, chosen: tuple[str, ...], language: str | None) -> SafeString:
    """The filter of that name, the same on all cards, in the language that is active."""
    found = words.said(FILTERS[name]).items()
    box = '<label><input type="checkbox" name="{}" value="{}"{}> {}</label>'
    ticks = {slug: SafeString(" checked") for slug in chosen}  # nosec B703
    return format_html_join(" ", box, ((name, slug, ticks.get(slug, ""), said) for slug, said in found))


@lru_cache(maxsize=8)
def channel_options(language: str | None) -> SafeString:
    """All of them, to choose from."""
    return format_html_join("", '<option value="{}">{}</option>', words.said(words.CHANNELS).items())


def quoted(text: object) -> str:
    """For an address."""
    return quote(str(text), safe="")


def clock(at: datetime) -> str:
    """14:05, of a time in the reader's zone."""
    return f"{at.hour:02}:{at.minute:02}"


@dataclass(frozen=True, slots=True)
class Times:
    """As the reader tells the time: in his language and zone."""

    language: str | None
    zone: tzinfo

    def short(self, at: datetime) -> str:
        """Its date in figures."""
        return words.figures(at.date(), self.language)

    def moment(self, at: datetime) -> str:
        """Date and time."""
        here = at.astimezone(self.zone)
        return f"{self.short(here)} {clock(here)}"

    def when(self, at: datetime) -> SafeString:
        """The same for programs, too."""
        here = at.astimezone(self.zone)
        return SafeString(f'<time datetime="{here.isoformat()}">{self.short(here)} {clock(here)}</time>')  # nosec B703

    def day(self, at: datetime) -> SafeString:
        """Its date, for programs, too."""
        here = at.astimezone(self.zone)
        return SafeString(f'<time datetime="{here.isoformat()}">{self.short(here)}</time>')  # nosec B703


def decimal(number: float | None) -> str:
    """What `floatformat` says; most numbers are whole ones."""
    return str(int(number)) if number is not None and number % 1 == 0 else str(floatformat(number))


def since(at: datetime) -> str:
    """How long ago, in the two largest units."""
    return timesince(at)


def more_characters(number: int) -> str:
    return ngettext("%(number)s more character", "%(number)s more characters", number) % {"number": Grouped(number)}


def more_files(number: int) -> str:
    return ngettext("%(number)s more file", "%(number)s more files", number) % {"number": number}


def what_it_said_before(number: int) -> str:
    said = ngettext("What it said before (%(number)s edit)", "What it said before (%(number)s edits)", number)
    return said % {"number": number}


def tried(number: int) -> str:
    return ngettext("tried %(n)s time", "tried %(n)s times", number) % {"n": number}


def nobody_took(number: int) -> str:
    return ngettext("%(n)s call nobody took", "%(n)s calls nobody took", number) % {"n": number}
