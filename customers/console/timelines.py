"""Pages of one customer's timeline: the first that a card shows, those that follow, and one line alone."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from customers import timeline
from customers.access import Principal
from customers.cards import Erased, standing
from customers.console.addressing import addresses
from customers.console.asked import Asked, line, place_of
from customers.console.compiled import answered, articles, may_write
from customers.console.lines import Line, lines, parsed
from customers.console.pages import customer_of, is_htmx, page, uuid_of
from customers.console.promised import beside
from customers.sql import Cursor, cursor
from customers.timeline import Page

FIRST, LIMIT = 16, 40
"""Lines of the page that a card opens with, more than a screen holds; and of those that come as one reads on."""
ABOVE = 8
"""Lines shown above the one that was asked for."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One screenful; `missing`: the line that was asked for is not here any more."""

    root: int
    customer: str
    lines: list[Line]
    newer: str
    older: str
    changes: str
    missing: bool = False

    @property
    def newest(self) -> bool:
        return not self.newer

    def of(self, customer: str) -> "Reading":
        """The same under the id of whoever stands for the customer that was asked for."""
        if customer == self.customer:
            return self
        for one in self.lines:
            one.customer = customer
        return replace(self, customer=customer)

    def said(self, request: HttpRequest, *, up: bool, down: bool, filtered: bool) -> dict[str, Any]:
        """For `lines.html`: with the ways on, towards newer lines if `up` and towards older ones if `down`."""
        to = addresses()
        return {
            "lines": self.lines,
            "may_write": may_write(request),
            "newer": self.newer if up else "",
            "older": self.older if down else "",
            "ends": down and not self.older and bool(self.lines) and not filtered,
            "url": to.of_customer("card", self.customer),
            "lines_url": to.of_customer("lines", self.customer),
        }


def read(
    sql: Cursor,
    customer: UUID,
    asked: Asked,
    principal: Principal,
    path: str,
) -> Reading:
    """What the address asks for, without what was said in the lines (`promised.beside`) and what is new to the agent.

    Raises Unknown or Erased, and Http404 for a cursor of somebody else's making.
    """

    def fetched(token: str | None, limit: int = LIMIT if asked.token() or asked.at else FIRST) -> Page:
        try:
            found = timeline.read(
                sql,
                public_id=customer,
                limit=limit,
                token=token,
                filters=asked.filters(),
                viewer=principal.viewer,
                path=path,
            )
        except timeline.BadToken as error:
            raise Http404 from error
        if found is None:
            standing(sql, customer)
            raise Erased
        return found

    place = place_of(sql, asked.at, standing(sql, customer)) if asked.at else None
    if place is None:
        only = fetched(asked.token())
        ends, entries = (only.previous, only.next), parsed(only.results)
    else:
        only = fetched(place.token("desc"))
        above = fetched(replace(place, backwards=True).token("desc"), ABOVE)
        ends, entries = (above.previous, only.next), parsed(above.results) + parsed(only.results)
    return Reading(
        only.customer_id,
        str(customer),
        lines(entries, customer, here=asked.at),
        newer=asked.query(cursor=ends[0]) if ends[0] else "",
        older=asked.query(cursor=ends[1]) if ends[1] else "",
        changes=only.changes,
        missing=asked.at is not None and place is None,
    )


@page()
def more(request: HttpRequest, principal: Principal, customer: str) -> HttpResponse:
    """`/customers/{id}/lines?cursor=`: the next lines in one direction, for a page that is already there."""
    asked = replace(Asked.of(request.GET), at=None, on=None)
    if not is_htmx(request):
        return redirect(f"{reverse('card', args=[customer])}?{request.GET.urlencode()}")
    with cursor("reading") as sql:
        found = read(sql, uuid_of(customer), asked, principal, request.path)
        beside(sql, found.root, found.lines, offer=principal.may("write"))
    up = upwards(asked.cursor)
    return answered("customers/lines.html", **found.said(request, up=up, down=not up, filtered=asked.filtered))


def upwards(token: str) -> bool:
    try:
        return bool(token) and timeline.Position.of(token, "desc").backwards
    except timeline.BadToken as error:
        raise Http404 from error


@page()
def single(request: HttpRequest, principal: Principal, customer: str, interaction: str) -> HttpResponse:
    """`/customers/{id}/lines/{line}`: one line with its whole text."""
    one = whole_line(request, principal, customer, interaction)
    if is_htmx(request):
        return HttpResponse(articles(request, [one], show_day=True))
    return render(request, "customers/single.html", {"line": one})


def whole_line(request: HttpRequest, principal: Principal, customer: str, interaction: str) -> Line:
    """Raises Http404 for what is not a line of this customer; the view is logged."""
    found = line(interaction)
    with cursor("reading") as sql:
        root = customer_of(sql, customer)
        place = place_of(sql, found, root) if found else None
        if place is None:
            raise Http404
        one = timeline.read(
            sql, customer=root, limit=1, token=place.token("desc"), viewer=principal.viewer, path=request.path
        )
    entries = parsed(one.results) if one else []
    if [entry["id"] for entry in entries] != [str(found)]:
        raise Http404
    (shown,) = lines(entries, customer, whole=True)
    with cursor("reading") as sql:
        beside(sql, root, [shown], offer=principal.may("write"))
    return shown
