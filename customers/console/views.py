"""Find a customer by what one half remembers, and read his whole story."""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from customers import search, timeline
from customers.access import log_views, principal_of_user
from customers.cards import Erased, Unknown, cards, standing
from customers.sql import cursor

FOUND = 20
GUESSES = ("phone", "email", "telegram", "crm_id", "loyalty")
"""What a query without a kind may be, beside a name."""


@login_required
@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """`/?q=`: a number in any spelling, an address, an id, a name with typos or in the other alphabet."""
    words = request.GET.get("q", "").replace("\x00", "").strip()[:300]
    found: list[dict[str, Any]] = []
    principal = principal_of_user(request.user)
    if words and principal and principal.may("read"):
        with cursor("reading") as sql:
            customers = search.by_handles(sql, [(kind, words, None) for kind in GUESSES])
            customers += [one for one in search.by_words(sql, words, FOUND) if one not in customers]
            shown = cards(sql, customers[:FOUND])
            log_views(sql, principal.viewer, shown, request.path)
        found = [orjson.loads(card) for card in shown.values()]
    return private(render(request, "customers/find.html", {"q": words, "found": found}))


@login_required
@require_safe
def card(request: HttpRequest, customer: str) -> HttpResponse:
    """`/customers/{id}?cursor=`: the card with one page of the timeline."""
    principal = principal_of_user(request.user)
    if principal is None or not principal.may("read"):
        return private(render(request, "customers/forbidden.html", status=403))
    with cursor("reading") as sql:
        try:
            root = standing(sql, uuid_or_404(customer))
            page = timeline.read(
                sql, customer=root, token=request.GET.get("cursor"), viewer=principal.viewer, path=request.path
            )
        except Erased:
            return private(render(request, "customers/erased.html", status=410))
        except (Unknown, timeline.BadToken) as error:
            raise Http404 from error
        shown = cards(sql, [root])
    if page is None or root not in shown:
        raise Http404
    context = {"card": orjson.loads(shown[root]), "page": page, "entries": entries(page)}
    return private(render(request, "customers/card.html", context))


def entries(page: timeline.Page) -> list[dict[str, Any]]:
    """The page's entries with their times as times."""
    found: list[dict[str, Any]] = orjson.loads(page.results)
    for entry in found:
        entry["occurred_at"] = datetime.fromisoformat(entry["occurred_at"])
    return found


def uuid_or_404(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error


def private(answer: HttpResponse) -> HttpResponse:
    answer["Cache-Control"] = "private, no-store"
    return answer
