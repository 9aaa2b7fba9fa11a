"""One contact is another customer's: moved to his card by an agent, and back again."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from customers import reassigning
from customers.access import Principal, log_views
from customers.console.outcomes import names_of, public_ids, reason_of, say
from customers.console.pages import customer_of, page, word
from customers.console.sides import others, side, sides
from customers.console.timelines import whole_line
from customers.reassigning import Assigned, NoSuchLine
from customers.sql import Cursor, cursor

STANDING = """
SELECT f.customer_id, a.reason, a.assigned_at, a.assigned_by
  FROM customers_assignment a JOIN customers_identity f ON f.id = a.from_identity_id
 WHERE a.line_id = %s AND a.undone_at IS NULL ORDER BY a.id DESC LIMIT 1
"""


@page("GET", "HEAD", "POST", scope="write")
def move(request: HttpRequest, principal: Principal, customer: str, interaction: str) -> HttpResponse:
    """`/customers/{id}/move/{line}`: `q` finds whose it is, `with` asks, a POST does it or takes it back."""
    line = whole_line(request, principal, customer, interaction)
    id_, reason = UUID(line.id), reason_of(request)
    given = request.POST if request.method == "POST" else request.GET
    sought, other = word(given, "q"), word(given, "with", 64)
    try:
        if request.method == "POST" and request.POST.get("done") == "back":
            found = reassigning.undo_assign(id_, by=principal.viewer)
            return moved(request, principal, found, id_, _("The contact is back where it came from."))
        if request.method == "POST" and other and reason:
            with cursor("reading") as sql:
                to = customer_of(sql, other)
            found = reassigning.assign(id_, to, by=principal.viewer, reason=reason)
            if found.assignment is None:
                return moved(request, principal, found, id_, _("The contact is on this card already."))
            return moved(request, principal, found, id_, _("Moved: the contact is on this card now."), undo=True)
    except NoSuchLine as error:
        raise Http404 from error
    with cursor("reading") as sql:
        root = customer_of(sql, customer)
        to = customer_of(sql, other) if other else root
        beside = {who: side(sql, who) for who in (root, to)}
        log_views(sql, principal.viewer, beside, request.path)
        context = {
            "line": line,
            "one": beside[root],
            "other": beside[to] if to != root else None,
            "sought": sought,
            "found": others(sql, sought, {root}, principal, request.path) if sought and not other else [],
            "standing": standing(sql, id_),
            "trouble": "reason" if request.method == "POST" else "",
        }
    return render(request, "customers/move.html", context)


def standing(sql: Cursor, line: UUID) -> dict[str, Any] | None:
    """Who moved it here, from whom and why; nothing if there is no way back, since that one was erased."""
    sql.execute(STANDING, (line,))
    row = sql.fetchone()
    if row is None:
        return None
    was, reason, at, by = row
    found = sides(sql, [was])
    if was not in found:
        return None
    return {"side": found[was], "reason": reason, "at": at, "by": names_of(sql, [by])[by]}


def moved(
    request: HttpRequest, principal: Principal, found: Assigned, line: UUID, text: str, *, undo: bool = False
) -> HttpResponse:
    with cursor("reading") as sql:
        ids = public_ids(sql, {found.customer})
        log_views(sql, principal.viewer, {found.customer, found.was}, request.path)
    to = ids[found.customer]
    answer = redirect(f"{reverse('card', args=[to])}?at={line}")
    return say(request, answer, text, take_back=reverse("move", args=[to, line]) if undo else "")
