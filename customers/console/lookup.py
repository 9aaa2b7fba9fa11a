"""The screen pop: from what a telephone system or a CRM knows straight to the card."""

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from customers import lookups, search
from customers.access import Principal, log_views
from customers.api.customers import KINDS, wanted
from customers.api.problems import Problem
from customers.api.query import Query
from customers.cards import cards
from customers.console.finding import hits, number
from customers.console.pages import clean, is_htmx, page, words
from customers.sql import cursor

NAMES = (*KINDS, "identifier", "q")
FOUND = 20


@page()
def lookup(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/lookup?phone=…`: the card, or the choice; while it is nobody's yet the page asks again by itself."""
    asked = known(request)
    sought = " ".join(words(request.GET, "q", 1))
    lookups.count(principal, [(name, value) for name in NAMES for value in asked.getlist(name)])
    with cursor("reading") as sql:
        try:
            found = search.by_handles(sql, wanted(Query(asked, *NAMES)))
        except Problem:
            found = []
        if sought:
            found += [one for one in search.by_words(sql, sought, FOUND) if one not in found]
        shown = cards(sql, found[:FOUND])
        log_views(sql, principal.viewer, shown, request.path)
    choice = hits(shown)
    if len(choice) == 1:
        return opened(request, choice[0]["id"])
    values = [value for name in NAMES for value in asked.getlist(name)]
    context = {
        "choice": choice,
        "values": values,
        "number": number(values[0]) if values else "",
        "again": asked.urlencode(),
        "q": values[0] if values else "",
    }
    return render(request, "customers/choice.html" if is_htmx(request) else "customers/lookup.html", context)


def opened(request: HttpRequest, customer: str) -> HttpResponse:
    if is_htmx(request):
        return HttpResponse(headers={"HX-Redirect": reverse("card", args=[customer])})
    return redirect("card", customer)


def known(request: HttpRequest) -> QueryDict:
    """Telephone systems add parameters of their own; those are no reason to refuse."""
    found = QueryDict(mutable=True)
    for name in NAMES:
        values = [clean(value)[:300] for value in request.GET.getlist(name)[:20]]
        found.setlist(name, [value for value in values if value.strip()])
    return found
