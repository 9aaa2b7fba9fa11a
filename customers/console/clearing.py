"""For readers of masked identifiers: the page that shows one card's in the clear, once there is a reason."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from customers import masking, unmasking
from customers.access import Principal, log_views
from customers.console.outcomes import names_of, number_of, public_ids
from customers.console.pages import Refused, clean, customer_of, page, word
from customers.console.personal import identity
from customers.console.queue import NAMES, VIEWS
from customers.sql import cursor

SHOWN = """
SELECT u.id, u.viewer, u.at, u.until, u.reason, coalesce(c.merged_into_id, c.id) FROM customers_unmasking u
  LEFT JOIN customers_customer c ON c.id = u.customer_id AND c.erased_at IS NULL
 WHERE (%(before)s::bigint IS NULL OR u.id < %(before)s) ORDER BY u.id DESC LIMIT %(limit)s
"""


@page("GET", "HEAD", "POST")
def clear(request: HttpRequest, principal: Principal, customer: str) -> HttpResponse:
    """`/customers/{id}/clear`: why, and then for some minutes what names this person."""
    with cursor() as sql:
        root = customer_of(sql, customer)
    if not principal.masked:
        return redirect("card", customer)
    trouble = ""
    if request.method == "POST":
        if not principal.may_unmask or not settings.CXHUB_UNMASKED_CARDS:
            raise Refused
        try:
            unmasking.ask(principal, root, clean(request.POST.get("reason", "")), request.path)
        except unmasking.NoReason:
            trouble = "reason"
        else:
            return redirect("clear", customer)
    found = unmasking.of(principal, root)
    with cursor("reading") as sql:
        log_views(sql, principal.viewer, [root], request.path)
    with masking.reader(masked=found.until is None):
        identities = [identity(masking.shown(one)) for one in found.identities]
    context: dict[str, Any] = {
        "customer": customer,
        "until": found.until,
        "identities": identities,
        "trouble": trouble,
        "reason": clean(request.POST.get("reason", ""))[: unmasking.MOST] if trouble else "",
        "most": unmasking.MOST,
        "minutes": settings.CXHUB_UNMASKED_MINUTES,
        "offered": bool(settings.CXHUB_UNMASKED_CARDS),
    }
    answer = render(request, "customers/clear.html", context, status=400 if trouble else 200)
    answer.in_the_clear = found.until is not None  # type: ignore[attr-defined]  # this page is not masked on its way out
    return answer


@page(supervisors=True)
def cleared(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/queue/clear`: who was shown whom in the clear, when and why; newest first."""
    before = number_of(word(request.GET, "before", 20))
    with cursor("reading") as sql:
        sql.execute(SHOWN, {"before": before, "limit": VIEWS + 1})
        rows = sql.fetchall()
        shown = rows[:VIEWS]
        whose = {row[5] for row in shown if row[5] is not None}
        ids = public_ids(sql, whose)
        sql.execute(NAMES, (sorted(whose),))
        names = dict(sql.fetchall())
        who = names_of(sql, {row[1] for row in shown})
    context = {
        "tab": "clear",
        "grants": [
            {
                "who": who[by],
                "at": at,
                "until": until,
                "reason": why,
                "customer": ids.get(of),
                "name": names.get(of, ""),
            }
            for _, by, at, until, why, of in shown
        ],
        "older": shown[-1][0] if len(rows) > VIEWS else None,
        "paged": before is not None,
    }
    return render(request, "customers/cleared.html", context)
