"""Deliveries that need a person: by reason, with what they said, and played again one by one or all of a reason."""

import re
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from channels.console import words
from channels.models import Delivery, DeliveryBody, Source
from channels.receipts import replay, shown
from channels.tasks import nudge
from customers.access import Principal, log_views
from customers.cards import Erased, Unknown, standing
from customers.console.pages import Unreadable, page, word
from customers.sql import cursor

PAGE = 30
NEWEST = 10_000
"""Of so many of the newest the reasons are counted."""
AT_ONCE = 1_000
EXCERPT = 4_000
INVISIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""What moves the cursor, hides or turns the text around it."""

REASONS = """
SELECT s.slug, d.reason, count(*), max(d.received_at) FROM (
    SELECT source_id, reason, received_at FROM channels_delivery WHERE state = %(state)s
     ORDER BY id DESC LIMIT %(newest)s) d JOIN channels_source s ON s.id = d.source_id
 GROUP BY 1, 2 ORDER BY 3 DESC, 4 DESC LIMIT 50
"""


@page(supervisors=True)
def deliveries(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/queue/deliveries`, with `state`, `source`, `reason` and `before`; newest first."""
    state = word(request.GET, "state", 20)
    state = state if state in words.STATES else Delivery.QUARANTINED
    source, reason = word(request.GET, "source", 63), word(request.GET, "reason", 1_000)
    before = uuid_or_none(word(request.GET, "before", 40))
    found = Delivery.objects.using("reading").select_related("source").filter(state=state).order_by("-pk")
    if source:
        found = found.filter(source__slug=source)
    if reason:
        found = found.filter(reason=reason)
    rows = list((found.filter(pk__lt=before) if before else found)[: PAGE + 1])
    with cursor("reading") as sql:
        sql.execute(REASONS, {"state": state, "newest": NEWEST})
        reasons = [
            {
                "source": slug,
                "reason": why,
                "count": count,
                "last": last,
                "query": urlencode({"state": state, "source": slug, "reason": why}),
            }
            for slug, why, count, last in sql.fetchall()
        ]
    kept = urlencode({"state": state, "source": source, "reason": reason})
    context = {
        "tab": "deliveries",
        "state": state,
        "states": words.STATES.items(),
        "explained": words.EXPLAINED[state],
        "replayable": state in words.REPLAYABLE,
        "source": source,
        "reason": reason,
        "sources": Source.objects.using("reading").order_by("slug").values_list("slug", flat=True),
        "reasons": reasons,
        "deliveries": rows[:PAGE],
        "older": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "paged": before is not None,
        "kept": kept,
    }
    return render(request, "channels/deliveries.html", context)


def uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@page("GET", "HEAD", "POST", supervisors=True)
def delivery(request: HttpRequest, principal: Principal, receipt: str) -> HttpResponse:
    """`/queue/deliveries/{receipt}`: what it said and what became of it; a POST plays it again."""
    id_ = uuid_or_none(receipt)
    one = Delivery.objects.select_related("source").filter(pk=id_).first() if id_ else None
    if one is None:
        raise Http404
    if request.method == "POST":
        if one.state in words.REPLAYABLE and replay(Delivery.objects.filter(pk=one.pk)):
            nudge()
            messages.success(request, _("It is read again: look here in a moment."))
        else:
            messages.warning(request, _("It was not played again: it is at work already, or its contents were pruned."))
        return redirect("queue_delivery", one.pk)
    body = DeliveryBody.objects.filter(received_at=one.received_at, delivery_id=one.pk).values_list("body", flat=True)
    raw = body.first()
    (told,) = shown([one])
    noted(principal, [line["customer"] for line in told["lines"] if line["customer"]], request.path)
    context = {
        "tab": "deliveries",
        "one": one,
        "told": told,
        "state": words.state(one.state),
        "replayable": one.state in words.REPLAYABLE and raw is not None,
        "excerpt": harmless(bytes(raw)) if raw is not None else None,
        "cut": len(raw) - EXCERPT if raw is not None and len(raw) > EXCERPT else 0,
    }
    return render(request, "channels/delivery.html", context)


def harmless(raw: bytes) -> str:
    """The beginning of a body as text that shows and does nothing."""
    text = raw[:EXCERPT].decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    return INVISIBLE.sub("·", text)


def noted(principal: Principal, customers: list[str], path: str) -> None:
    """A delivery shows what its customers said: that is a look at them."""
    with cursor("reading") as sql:
        seen = set()
        for one in set(customers):
            try:
                seen.add(standing(sql, UUID(one)))
            except (Unknown, Erased):
                continue
        log_views(sql, principal.viewer, seen, path)


@page("POST", supervisors=True)
def replay_all(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/queue/deliveries/replay`: all of one state, source and reason, oldest first, so many at a time."""
    given: dict[str, Any] = {name: word(request.POST, name, 1_000) for name in ("state", "source", "reason")}
    if given["state"] not in words.REPLAYABLE:
        raise Unreadable
    found = Delivery.objects.filter(state=given["state"], reason=given["reason"], source__slug=given["source"])
    ids = list(found.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    count = replay(Delivery.objects.filter(pk__in=ids))
    nudge()
    said = ngettext("%(count)s delivery is read again.", "%(count)s deliveries are read again.", count)
    messages.success(request, said % {"count": count})
    return redirect(f"{reverse('queue_deliveries')}?{urlencode({'state': given['state']})}")
