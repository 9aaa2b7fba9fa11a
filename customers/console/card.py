"""The card: who a customer is, what is open, and the timeline beside it."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from customers import masking, timeline
from customers.access import Principal, log_views
from customers.cards import cards
from customers.console import words
from customers.console.asked import Asked
from customers.console.consenting import consented
from customers.console.feelings import feelings
from customers.console.journeys import path_of
from customers.console.knowledge import tags
from customers.console.matters import open_of
from customers.console.pages import customer_of, is_htmx, page, user_id
from customers.console.personal import described
from customers.console.pictures import months
from customers.console.promised import panel
from customers.console.suggestions import of_customer
from customers.console.timelines import read
from customers.experience.brief import brief
from customers.sql import Cursor, cursor, noting

LOOKED = """
INSERT INTO customers_lastlook (user_id, customer_id, seen_until, looked_at) VALUES (%s, %s, now(), now())
    ON CONFLICT (user_id, customer_id) DO UPDATE SET looked_at = now(), seen_until = CASE
        WHEN customers_lastlook.looked_at < now() - interval '10 minutes' THEN customers_lastlook.looked_at
        ELSE customers_lastlook.seen_until END
RETURNING seen_until
"""
"""A page that is loaded again does not make everything old at once."""
SEEN = "SELECT seen_until FROM customers_lastlook WHERE user_id = %s AND customer_id = %s"


@page()
def card(request: HttpRequest, principal: Principal, customer: str) -> HttpResponse:
    """`/customers/{id}`, with filters, `cursor`, `on` (a day) or `at` (a contact)."""
    asked = Asked.of(request.GET)
    with cursor("reading") as sql:
        root = customer_of(sql, customer)
        seen_until = looked(sql, user_id(principal), root)
        beside = side_of(sql, root, principal, seen_until)
        who = beside["card"]
        found = read(sql, root, who["id"], asked, principal, request.path, seen_until)
    if found.missing and asked.at and (moved := moved_to(asked, who["id"])):
        return redirect(moved)
    return render(
        request,
        "customers/card.html",
        {
            **beside,
            "asked": asked,
            "found": found,
            "channels": [(slug, words.CHANNELS.get(slug, slug)) for slug in who["counts"]],
            "kinds": list(words.KINDS.items()),
            "directions": list(words.DIRECTIONS.items()),
            "note_key": uuid4(),
            "up": True,
            "down": True,
            "live": f"{reverse('news', args=[who['id']])}?{asked.query()}",
            "filtered": asked.filtered,
            "exported": "" if principal.masked else f"{reverse('export', args=[who['id']])}?{asked.query()}",
            **found.context(who["id"]),
        },
    )


def side_of(sql: Cursor, root: int, principal: Principal, since: datetime | None) -> dict[str, Any]:
    """What stands beside the timeline."""
    shown = cards(sql, [root])
    if root not in shown:
        raise Http404
    who = masking.shown(orjson.loads(shown[root]))
    return {
        "card": who,
        "profile": described(who),
        "brief": briefed(root, since),
        "feelings": feelings(sql, root),
        "counts": months(sql, root),
        "matters": open_of(sql, root),
        "path": path_of(sql, root),
        "tags": tags(sql, root),
        "maybe": of_customer(sql, root, who["id"]),
        **panel(sql, root),
        **consented(sql, root),
        "may_write": principal.may("write"),
    }


@page()
def side(request: HttpRequest, principal: Principal, customer: str) -> HttpResponse:
    """`/customers/{id}/side`: asked for again by an open card when something arrived or changed."""
    if not is_htmx(request):
        return redirect("card", customer)
    with cursor("reading") as sql:
        root = customer_of(sql, customer)
        context = side_of(sql, root, principal, seen(sql, user_id(principal), root))
        log_views(sql, principal.viewer, [root], request.path)
    return render(request, "customers/beside.html", context)


def briefed(root: int, since: datetime | None) -> list[dict[str, Any]]:
    """The lines of the brief, as the reader of now may see them."""
    found = brief(root, since=since)
    return [masking.shown(line.shape()) for line in found.lines] if found else []


def seen(sql: Cursor, user: int, customer: int) -> datetime | None:
    """The same without looking again."""
    sql.execute(SEEN, (user, customer))
    row = sql.fetchone()
    return row[0] if row else None


def looked(sql: Cursor, user: int, customer: int) -> datetime:
    """Until when the agent had seen this customer's contacts; notes that he looks again."""
    with noting(sql) as near:
        near.execute(LOOKED, (user, customer))
        row = near.fetchone()
    assert row is not None
    found: datetime = row[0]
    return found


def moved_to(asked: Asked, customer: str) -> str:
    """The address of a line that belongs to somebody else by now; nothing if there is no such line."""
    assert asked.at is not None
    owner = timeline.customers_of([asked.at]).get(asked.at)
    return f"{reverse('card', args=[owner])}?at={asked.at}" if owner and str(owner) != customer else ""
