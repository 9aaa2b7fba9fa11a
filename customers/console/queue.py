"""For supervisors: the questions about customers that wait for a person, and who looked at whom."""

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from customers import deciding
from customers.access import Principal, log_views
from customers.cards import Erased, Unknown
from customers.console import words
from customers.console.asked import day, midnight
from customers.console.outcomes import names_of, number_of, public_ids
from customers.console.pages import customer_of, page, word
from customers.console.sides import others, sides
from customers.console.suggestions import side_by_side, told
from customers.models import ApiKey
from customers.sql import Cursor, cursor

QUESTIONS = 10
VIEWS = 50


@page(supervisors=True)
def queue(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/queue`, with `state`, `reason` and `before`: both cards beside each question, newest first."""
    state, reason = word(request.GET, "state", 20), word(request.GET, "reason", 40)
    state = state if state in words.QUESTIONS else "open"
    reasons = words.reasons()
    reason = reason if reason in dict(reasons) else ""
    before = number_of(word(request.GET, "before", 20))
    with cursor("reading") as sql:
        rows = deciding.listed(sql, state=state, reason=reason or None, before=before, limit=QUESTIONS + 1)
        shown = rows[:QUESTIONS]
        customers = {one for _id, whose, _text in shown for one in whose}
        beside = {side["id"]: side for side in sides(sql, sorted(customers)).values()}
        questions = [told(text) for *_rest, text in shown]
        who = names_of(sql, {one["decided_by"] for one in questions if one["decided_by"]})
        log_views(sql, principal.viewer, customers, request.path)
    for one in questions:
        one["sides"] = side_by_side(one, beside)
        one["decider"] = who.get(one["decided_by"] or "", "")
    context = {
        "tab": "questions",
        "questions": questions,
        "state": state,
        "states": words.QUESTIONS.items(),
        "reason": reason,
        "reasons": reasons,
        "older": shown[-1][0] if len(rows) > QUESTIONS else None,
        "paged": before is not None,
    }
    return render(request, "customers/queue.html", context)


# Looking at the log is no look at a card: it names whom somebody saw, and would fill itself.
VIEWED = """
SELECT v.id, v.viewer, v.viewed_at, v.path, coalesce(c.merged_into_id, c.id) FROM customers_cardview v
  LEFT JOIN customers_customer c ON c.id = v.customer_id
 WHERE (%(before)s::bigint IS NULL OR v.id < %(before)s)
   AND (%(viewer)s = '' OR v.viewer = %(viewer)s)
   AND (%(since)s::timestamptz IS NULL OR v.viewed_at >= %(since)s)
   AND (%(until)s::timestamptz IS NULL OR v.viewed_at < %(until)s)
   AND (%(customer)s::bigint IS NULL OR v.customer_id IN (
        SELECT id FROM customers_customer WHERE id = %(customer)s OR merged_into_id = %(customer)s))
 ORDER BY v.id DESC LIMIT %(limit)s
"""
NAMES = """
SELECT DISTINCT ON (i.customer_id) i.customer_id, a.value #>> '{}'
  FROM customers_attributeclaim a JOIN customers_identity i ON i.id = a.identity_id
 WHERE i.customer_id = ANY(%s) AND a.key = 'name' ORDER BY i.customer_id, a.trust DESC, a.claimed_at DESC, a.id
"""


@page(supervisors=True)
def looks(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/queue/views`, with `customer`, `viewer`, `day` and `before`, newest first."""
    sought, viewer, on = word(request.GET, "customer"), word(request.GET, "viewer", 40), day(word(request.GET, "day"))
    before = number_of(word(request.GET, "before", 20))
    with cursor("reading") as sql:
        customer, choice = whom(sql, sought, principal, request.path)
        asked = {
            "before": before,
            "viewer": viewer,
            "since": midnight(on) if on else None,
            "until": midnight(on, 1) if on else None,
            "customer": customer,
            "limit": VIEWS + 1,
        }
        rows: list[Any] = []
        if not sought or customer is not None:
            sql.execute(VIEWED, asked)
            rows = sql.fetchall()
        shown = rows[:VIEWS]
        whose = {row[4] for row in shown if row[4] is not None}
        ids = public_ids(sql, whose)
        sql.execute(NAMES, (sorted(whose),))
        names = dict(sql.fetchall())
        who = names_of(sql, {row[1] for row in shown})
    kept = request.GET.copy()
    kept.pop("before", None)
    context = {
        "tab": "looks",
        "views": [
            {"id": id_, "who": who[by], "at": at, "path": path, "customer": ids.get(of, ""), "name": names.get(of, "")}
            for id_, by, at, path, of in shown
        ],
        "choice": choice,
        "sought": sought,
        "viewer": viewer,
        "viewers": viewers(),
        "on": on,
        "older": shown[-1][0] if len(rows) > VIEWS else None,
        "paged": before is not None,
        "kept": kept.urlencode(),
    }
    return render(request, "customers/looks.html", context)


def whom(sql: Cursor, sought: str, principal: Principal, path: str) -> tuple[int | None, list[dict[str, Any]]]:
    """(the customer who is meant, or whom one may choose from)."""
    if not sought:
        return None, []
    try:
        return customer_of(sql, sought.rstrip("/").rpartition("/")[2]), []
    except (Unknown, Erased):
        found = others(sql, sought, set(), principal, path)
    if len(found) == 1 and not found.many:
        return customer_of(sql, found[0]["id"]), []
    return None, found


def viewers() -> list[tuple[str, str]]:
    """Everybody who may have looked: agents, and the keys of integrations."""
    agents = [(f"user:{pk}", name) for pk, name in User.objects.order_by("username").values_list("pk", "username")]
    keys = [(f"key:{pk}", f"API: {name}") for pk, name in ApiKey.objects.order_by("name").values_list("pk", "name")]
    return agents + keys
