"""What is new on an open card: the changed lines as HTML, asked for again and again, 304 while nothing is new."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from customers import changes
from customers.access import Principal, log_views
from customers.console.asked import Asked, matching
from customers.console.compiled import answered, articles
from customers.console.lines import lines, parsed
from customers.console.pages import Unreadable, customer_of, page, word
from customers.console.promised import beside
from customers.experience.following import freshen
from customers.sql import cursor


@page()
def news(request: HttpRequest, principal: Principal, customer: str) -> HttpResponse:
    """`/customers/{id}/news?since=`, with the filters of the page; `reset` means: read the page again."""
    token, filters = word(request.GET, "since", 40), Asked.of(request.GET).filters()
    with cursor("reading") as sql:
        root = customer_of(sql, customer)
        try:
            new = changes.since(sql, root, token)
        except changes.BadToken as error:
            raise Unreadable from error
        if new.next == token and not new.reset and f'"{token}"' in request.headers.get("If-None-Match", ""):
            answer = HttpResponse(status=304)
            answer["ETag"] = f'"{token}"'
            return answer
        entries = parsed(new.changed)
        kept = matching(sql, [UUID(entry["id"]) for entry in entries], filters) if entries else set()
        log_views(sql, principal.viewer, [root], request.path)
    shown = [entry for entry in entries if UUID(entry["id"]) in kept]
    hidden = [entry["id"] for entry in entries if UUID(entry["id"]) not in kept]
    found = lines(shown, customer)
    if found:
        freshen(root)
        with cursor("reading") as sql:
            beside(sql, root, found, offer=principal.may("write"))
    context: dict[str, Any] = {"gone": [*new.gone, *hidden], "reset": new.reset, "next": new.next}
    answer = answered("customers/news.html", articles=articles(request, found), **context)
    answer["ETag"] = f'"{new.next}"'
    return answer
