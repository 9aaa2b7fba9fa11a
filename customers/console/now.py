"""The last contacts over all channels, those that wait for an answer first."""

from datetime import timedelta
from hashlib import blake2b
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from customers import search
from customers.access import Principal, log_views
from customers.console.finding import named
from customers.console.lines import Line, lines, parsed
from customers.console.pages import is_htmx, page
from customers.sql import Cursor, cursor
from customers.timeline import Filters, entries

LAST = 40
WAITING = 30
LOOKED_AT = 400
"""Of so many of the last inbound lines is asked whether they wait."""
DAYS = 30

UNANSWERED = """
WITH near AS (
    SELECT DISTINCT i.customer_id FROM customers_interaction t JOIN customers_identity i ON i.id = t.identity_id
     WHERE t.id = ANY(%s)
), open AS (
    SELECT i.customer_id, (array_agg(h.inbound_line ORDER BY h.inbound_at DESC NULLS LAST))[1] AS line
      FROM near n JOIN customers_identity i ON i.customer_id = n.customer_id
      JOIN customers_thread h ON h.identity_id = i.id
     GROUP BY i.customer_id, h.channel, h.thread
    HAVING max(h.inbound_at) > coalesce(max(h.outbound_at), '-infinity')
)
SELECT t.id, c.public_id FROM open o JOIN customers_interaction t ON t.id = o.line
  JOIN customers_customer c ON c.id = o.customer_id
 WHERE t.sorted_at > %s
 ORDER BY (t.kind = 'call') DESC, t.sorted_at DESC, t.rank DESC, t.id DESC LIMIT %s
"""
NEWEST = """
SELECT id FROM customers_interaction WHERE direction = 'inbound' AND sorted_at > %s
 ORDER BY sorted_at DESC, rank DESC, id DESC LIMIT %s
"""


@page()
def now(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/now`; asked for again by the page itself, answered 304 while it says the same."""
    with cursor("reading") as sql:
        waiting, owners = unanswered(sql)
        found, customers = search.lines(sql, Filters(), limit=LAST, token=None)
        first = {one.id for one in waiting}
        last = lines(entry for entry in parsed(found.results) if entry["id"] not in first)
        people = sorted({*customers, *ids_of(sql, owners)})
        for group in (waiting, last):
            named(sql, group, people)
        log_views(sql, principal.viewer, people, request.path)
    context = {"waiting": waiting, "last": last}
    tag = f'"{digest(waiting, last)}"'
    if is_htmx(request) and request.headers.get("If-None-Match") == tag:
        answer = HttpResponse(status=304)
    else:
        answer = render(request, "customers/now_lines.html" if is_htmx(request) else "customers/now.html", context)
    answer["ETag"] = tag
    return answer


def unanswered(sql: Cursor) -> tuple[list[Line], list[UUID]]:
    """The last word of conversations in which nobody of ours spoke after it, calls first; and whose they are."""
    since = timezone.now() - timedelta(days=DAYS)
    sql.execute(NEWEST, (since, LOOKED_AT))
    newest = [row[0] for row in sql.fetchall()]
    sql.execute(UNANSWERED, (newest, since, WAITING))
    owners = dict(sql.fetchall())
    told = entries(sql, list(owners))
    found = lines(entry for id_ in owners if id_ in told for entry in parsed(f"[{told[id_]}]"))
    for one in found:
        one.customer = str(owners[UUID(one.id)])
    return found, list(owners.values())


def ids_of(sql: Cursor, customers: list[UUID]) -> list[int]:
    sql.execute("SELECT id FROM customers_customer WHERE public_id = ANY(%s)", (customers,))
    return [row[0] for row in sql.fetchall()]


def digest(*groups: list[Line]) -> str:
    said = "|".join(
        f"{one.id}{one.entry['recorded_at']}{one.state}{one.deleted_at}{len(one.edits)}{one.customer}{one.name}"
        f"{one.facts}{one.day_label}"
        for group in groups
        for one in group
    )
    counts = ",".join(str(len(group)) for group in groups)
    return blake2b(f"{counts}|{said}".encode(), digest_size=12).hexdigest()
