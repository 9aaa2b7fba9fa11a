"""The journey on the pages: the company's map, whom its numbers count, and the path on a customer's card."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from customers.access import Principal, log_views
from customers.console import meanings, words
from customers.console.lines import moment
from customers.console.mapping import mapped
from customers.console.measures import length, stages
from customers.console.pages import Unreadable, page, word
from customers.console.queue import NAMES
from customers.console.spans import Asked
from customers.experience.journey import STAGES
from customers.experience.journeymap import behind, months
from customers.experience.paging import BadToken
from customers.experience.periods import Period
from customers.patience import COUNTING, patience
from customers.sql import cursor

ROWS = 50


@page(supervisors=True)
def journey(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/experience/journey`, with what `/experience` takes."""
    asked = Asked.of(request.GET)
    within = asked.period()
    with patience(COUNTING, tells=False), cursor("reading") as sql:
        found = mapped(sql, within)
    return render(request, "customers/journey.html", {**framed(asked, within), "map": found})


def framed(asked: Asked, within: Period) -> dict[str, Any]:
    last = within.day(within.until - timedelta(microseconds=1))
    return {"tab": "journey", "asked": asked, "from": within.day(within.since), "to": last}


@page(supervisors=True)
def counted(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/experience/journey/customers`, with `stage`, `channel`, `left`: whom a number of the map counts."""
    asked = Asked.of(request.GET)
    within = asked.period()
    stage, left = word(request.GET, "stage", 20), word(request.GET, "left", 1) == "1"
    if stage not in STAGES:
        raise Unreadable
    span = months(within.since, within.until)
    with cursor("reading") as sql:
        try:
            token = word(request.GET, "cursor", 200) or None
            found = behind(sql, span, stage, asked.channel, left=left, limit=ROWS, cursor=token)
        except BadToken as error:
            raise Unreadable from error
        sql.execute(NAMES, (found.customers,))
        names = dict(sql.fetchall())
        log_views(sql, principal.viewer, found.customers, request.path)
    for row, customer in zip(found.rows, found.customers, strict=True):
        row["name"] = names.get(customer, "")
        row["waited"] = None if row["waited_s"] is None else length(row["waited_s"])
    seen = {"channel": asked.channel, "since": span[0], "until": span[1] - timedelta(days=1)}
    context = {
        **framed(asked, within),
        "rows": found.rows,
        "stage": stages().get(stage, stage),
        "channel": words.CHANNELS.get(asked.channel, asked.channel),
        "left": left,
        "lines": urlencode({name: value for name, value in seen.items() if value}),
        "older": asked.query(stage=stage, left=1 if left else "", cursor=found.next) if found.next else "",
    }
    return render(request, "customers/journey_customers.html", context)


def path_of(steps: Iterable[dict[str, Any]], first: dict[str, Any] | None, named: Mapping[str, str]) -> dict[str, Any]:
    """A customer's way so far, for his card; `named`: what the company calls the stages."""
    names = stages(named)
    steps = [
        {
            **one,
            "at": moment(one["at"]),
            "name": names.get(one["stage"], one["stage"]),
            "reason": meanings.reason_of(one["reason"]),
        }
        for one in steps
    ]
    if first:
        channel = first.get("channel", "")
        campaign = ", ".join(str(value) for value in (first.get("campaign") or {}).values())
        first = {
            "line": first.get("line", ""),
            "name": words.said(words.CHANNELS).get(channel, channel),
            "campaign": campaign,
        }
    return {"steps": steps, "first": first}
