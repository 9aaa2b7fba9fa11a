"""A conversation, or a mail and its answers, under the line that it was opened from: as a chat, oldest first."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from customers import timeline
from customers.access import Principal
from customers.console.asked import line, place_of
from customers.console.compiled import answered
from customers.console.lines import lines, parsed
from customers.console.pages import Refused, customer_of, is_htmx, page
from customers.sql import cursor
from customers.timeline import Filters

AROUND = 50
"""Lines on each side of the one that it was opened from; more are a link away."""


@page()
def conversation(request: HttpRequest, principal: Principal, customer: str, interaction: str) -> HttpResponse:
    """`/customers/{id}/lines/{line}/conversation`; by itself it is the timeline of this conversation."""
    if principal.masked:  # A conversation is often named by whom it is with.
        raise Refused
    found = line(interaction)
    with cursor("reading") as sql:
        root = customer_of(sql, customer)
        place = place_of(sql, found, root) if found else None
        if found is None or place is None:
            raise Http404
        (entry,) = parsed(f"[{timeline.entries(sql, [found])[found]}]")
        thread, channel = entry["thread"], entry["channel"]
        if not thread:
            raise Http404
        wanted = Filters(channel=[channel], thread=[thread])
        ends = []
        for start in (place, replace(place, backwards=True)):
            read = timeline.read(
                sql,
                customer=root,
                limit=AROUND,
                token=start.token("desc"),
                filters=wanted,
                viewer=principal.viewer,
                path=request.path,
            )
            if read is None:
                raise Http404
            ends.append(read)
    here = {"thread": thread, "channel": channel, "at": str(found)}
    whole = f"{reverse('card', args=[customer])}?{urlencode(here)}"
    if not is_htmx(request):
        return redirect(whole)
    shown = lines(parsed(ends[1].results) + parsed(ends[0].results), customer, here=found)
    context: dict[str, Any] = {
        "line": next(one for one in shown if one.here),
        "lines": shown[::-1],
        "earlier": ends[0].next is not None,
        "later": ends[1].previous is not None,
        "all": whole,
    }
    return answered("customers/conversation.html", **context)
