"""The card: who a customer is, what is open, and the timeline beside it."""

from datetime import datetime
from uuid import UUID

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from customers import timeline
from customers.access import Principal, log_views
from customers.cards import STANDING, stands
from customers.console import words
from customers.console.addressing import addresses
from customers.console.asked import Asked
from customers.console.compiled import answered, token
from customers.console.navigation import above, head
from customers.console.notes import empty_form
from customers.console.overview import side_of
from customers.console.pages import customer_of, is_htmx, page, user_id, uuid_of
from customers.console.timelines import read
from customers.sql import Cursor, cursor, noting

LOOKED = f"""
WITH asked AS ({STANDING.replace("%s", "%(public_id)s")}), kept AS (
     SELECT l.seen_until FROM customers_lastlook l JOIN asked ON asked.id = l.customer_id
      WHERE l.user_id = %(user)s AND l.looked_at > now() - interval '10 seconds'
), noted AS (
     INSERT INTO customers_lastlook (user_id, customer_id, seen_until, looked_at)
     SELECT %(user)s, asked.id, now(), now() FROM asked WHERE NOT asked.erased AND NOT EXISTS (SELECT FROM kept)
         ON CONFLICT (user_id, customer_id) DO UPDATE SET looked_at = now(), seen_until = CASE
             WHEN customers_lastlook.looked_at < now() - interval '10 minutes' THEN customers_lastlook.looked_at
             ELSE customers_lastlook.seen_until END
     RETURNING seen_until)
SELECT asked.id, asked.erased, c.public_id::text,
       coalesce((SELECT seen_until FROM kept), (SELECT seen_until FROM noted))
  FROM asked JOIN customers_customer c ON c.id = asked.id
""".encode()
"""A page that is loaded again does not make everything old at once, and at once it is the same look."""
SEEN = "SELECT seen_until FROM customers_lastlook WHERE user_id = %s AND customer_id = %s"


@page()
def card(request: HttpRequest, principal: Principal, customer: str) -> HttpResponse:
    """`/customers/{id}`, with filters, `cursor`, `on` (a day) or `at` (a contact)."""
    asked = Asked.of(request.GET)
    with cursor("reading") as sql:
        root, who, seen_until = looked(sql, user_id(principal), uuid_of(customer))
        found = read(sql, root, who, asked, principal, request.path, seen_until)
        beside = side_of(sql, root, principal, seen_until, found.lines)
    if found.missing and asked.at and (moved := moved_to(asked, who)):
        return redirect(moved)
    to, query = addresses(), asked.query()
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
        "kinds": words.said(words.KINDS).items(),
        "directions": words.said(words.DIRECTIONS).items(),
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
        context = side_of(sql, root, principal, seen(sql, user_id(principal), root)) | {"csrf": token(request)}
        log_views(sql, principal.viewer, [root], request.path)
    return answered("customers/beside.html", **context)


def seen(sql: Cursor, user: int, customer: int) -> datetime | None:
    """The same without looking again."""
    sql.execute(SEEN, (user, customer))
    row = sql.fetchone()
    return row[0] if row else None


def looked(sql: Cursor, user: int, public_id: UUID) -> tuple[int, str, datetime]:
    """Whose card it is (internal and public id), and until when the agent had seen it; notes that he looks again.

    Raises Unknown or Erased.
    """
    with noting(sql) as near:
        near.execute(LOOKED, {"user": user, "public_id": public_id}, prepare=True)
        row = near.fetchone()
    root = stands(row)
    assert row is not None
    return root, row[2], row[3]


def moved_to(asked: Asked, customer: str) -> str:
    """The address of a line that belongs to somebody else by now; nothing if there is no such line."""
    assert asked.at is not None
    owner = timeline.customers_of([asked.at]).get(asked.at)
    return f"{reverse('card', args=[owner])}?at={asked.at}" if owner and str(owner) != customer else ""
