"""Who is kept by order: the list of supervisors, and one customer's page on which it begins and ends, with a reason."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from customers import holds
from customers.access import Principal, log_views
from customers.byhand import card_beside_founder
from customers.console.outcomes import names_of, number_of, public_ids, reason_of, say
from customers.console.pages import Unreadable, customer_of, page, word
from customers.console.queue import NAMES, VIEWS
from customers.console.sides import side
from customers.masking import shown
from customers.merging import holding
from customers.recording import attempt
from customers.sql import Cursor, cursor

PAST = 20


@page(supervisors=True)
def held(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/queue/holds`, with `state` (standing, lifted) and `before`: who is kept, newest first."""
    lifted, before = word(request.GET, "state", 20) == "lifted", number_of(word(request.GET, "before", 20))
    with cursor("reading") as sql:
        rows = holds.listed(sql, standing=not lifted, before=before, limit=VIEWS + 1)
        told = in_words(sql, rows[:VIEWS])
        whose = {one["customer"] for one in told}
        ids = public_ids(sql, whose)
        sql.execute(NAMES, (sorted(whose),))
        names = dict(sql.fetchall())
        log_views(sql, principal.viewer, whose, request.path)
    context = {
        "tab": "holds",
        "holds": [{**one, "of": ids[one["customer"]], "name": names.get(one["customer"], "")} for one in told],
        "lifted": lifted,
        "older": told[-1]["id"] if len(rows) > VIEWS else None,
        "paged": before is not None,
    }
    return render(request, "customers/holds.html", context)


@page("GET", "HEAD", "POST", supervisors=True)
def hold(request: HttpRequest, principal: Principal, customer: str) -> HttpResponse:
    """`/customers/{id}/hold`: those that stand, each to be lifted, and a new one; a POST names what is `done`."""
    with cursor("reading") as sql:
        root = customer_of(sql, customer)
    if request.method == "POST" and reason_of(request):
        return changed(request, principal, customer)
    with cursor("reading") as sql:
        one = side(sql, root)
        log_views(sql, principal.viewer, [root], request.path)
        standing = in_words(sql, holds.listed(sql, standing=True, customer=root, limit=VIEWS))
        past = in_words(sql, holds.listed(sql, standing=False, customer=root, limit=PAST))
    posted = request.method == "POST"
    context = {
        "one": one,
        "standing": standing,
        "past": past,
        "trouble": (number_of(word(request.POST, "hold", 20)) or "begin") if posted else "",
    }
    return render(request, "customers/hold.html", context, status=400 if posted else 200)


def changed(request: HttpRequest, principal: Principal, customer: str) -> HttpResponse:
    what, reason, by = request.POST.get("done"), reason_of(request), principal.viewer
    number = number_of(word(request.POST, "hold", 20))
    if what not in ("begin", "lift") or (what == "lift" and number is None):
        raise Unreadable

    def work() -> str:
        with cursor() as sql:
            root = customer_of(sql, customer)
        with holding(root) as (sql, _homes):
            if what == "begin":
                holds.begin(sql, card_beside_founder(sql, root, by=by)[0], reason, by)
            else:
                holds.lift(sql, root, by, reason, number)
            return public_ids(sql, [root])[root]

    said = _("Kept: nothing of this person goes until the hold is lifted.") if what == "begin" else _("Lifted.")
    return say(request, redirect("hold", attempt(work)), said)


def in_words(sql: Cursor, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """As they are shown, with the names of those who began and lifted them."""
    found = [shown(one) for one in rows]
    who = names_of(sql, {one[name] for one in found for name in ("by", "lifted_by") if one[name]})
    return [{**one, "by": who[one["by"]], "lifted_by": who.get(one["lifted_by"], "")} for one in found]
