"""The card: who a customer is, what is open, and the timeline beside it."""

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import get_language

from customers import timeline
from customers.access import Principal, log_views
from customers.console.addressing import addresses
from customers.console.asked import Asked
from customers.console.compiled import answered, boxes, token
from customers.console.navigation import above, head
from customers.console.notes import empty_form
from customers.console.overview import side_of
from customers.console.pages import customer_of, is_htmx, page, uuid_of
from customers.console.timelines import read
from customers.sql import cursor


@page()
def card(request: HttpRequest, principal: Principal, customer: str) -> HttpResponse:
    """`/customers/{id}`, with filters, `cursor`, `on` (a day) or `at` (a contact)."""
    asked = Asked.of(request.GET)
    with cursor("reading") as sql:
        found = read(sql, uuid_of(customer), asked, principal, request.path)
        beside = side_of(sql, found.root, principal, found.lines, looks=True)
    who = beside["card"]["id"]
    found = found.of(who)
    if found.missing and asked.at and (moved := moved_to(asked, who)):
        return redirect(moved)
    to, query, language = addresses(), asked.query(), get_language()
    context = {
        **beside,
        **found.said(request, up=True, down=True, filtered=asked.filtered),
        **above(request),
        **empty_form(request),
        "name": beside["card"]["name"],
        "head": head(signed_in=True),
        "messages": get_messages(request),
        "asked": asked,
        "missing": found.missing,
        "changes": found.changes,
        "channels": [(row["channel"], row["words"]) for row in beside["rows"]],
        "kinds": boxes("kind", asked.kind, language),
        "directions": boxes("direction", asked.direction, language),
        "live": f"{to.of_customer('news', who)}?{query}",
        "exported": "" if principal.masked else f"{to.of_customer('export', who)}?{query}",
    }
    return answered("customers/card_page.html", **context)


@page()
def side(request: HttpRequest, principal: Principal, customer: str) -> HttpResponse:
    """`/customers/{id}/side`: asked for again by an open card when something arrived or changed."""
    if not is_htmx(request):
        return redirect("card", customer)
    with cursor("reading") as sql:
        root = customer_of(sql, customer)
        context = side_of(sql, root, principal) | {"csrf": token(request)}
        log_views(sql, principal.viewer, [root], request.path)
    return answered("customers/beside.html", **context)


def moved_to(asked: Asked, customer: str) -> str:
    """The address of a line that belongs to somebody else by now; nothing if there is no such line."""
    assert asked.at is not None
    owner = timeline.customers_of([asked.at]).get(asked.at)
    return f"{reverse('card', args=[owner])}?at={asked.at}" if owner and str(owner) != customer else ""
