"""What lies behind the manager's numbers: answers, lost customers and matters, each with its customer and line."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from customers.access import Principal, log_views
from customers.console import meanings, words
from customers.console.measures import length, stages
from customers.console.pages import Unreadable, page, word
from customers.console.queue import NAMES
from customers.console.spans import Asked
from customers.experience import churn, scorelists
from customers.experience.measuring import METRICS
from customers.experience.paging import BadToken, place, token
from customers.experience.periods import Period
from customers.models import Request
from customers.sql import Cursor, cursor

ROWS = 50
REQUESTS = """
SELECT r.id, r.at, r.line_id, r.subject, r.channel, r.state, r.answer_s, r.answer_business_s, r.missed, r.effort,
       r.agents, r.customer_id, c.public_id
  FROM customers_request r JOIN customers_customer c ON c.id = r.customer_id
 WHERE r.at >= %(since)s AND r.at < %(until)s AND (%(channel)s = '' OR r.channel = %(channel)s)
   AND (%(state)s = '' OR r.state = %(state)s)
   AND (%(after_at)s::timestamptz IS NULL OR (r.at, r.id) < (%(after_at)s::timestamptz, %(after_id)s::uuid))
 ORDER BY r.at DESC, r.id DESC LIMIT %(limit)s
"""
STATES = (Request.OPEN, Request.ABANDONED, Request.ANSWERED, Request.SOLVED)


def framed(asked: Asked, within: Period) -> dict[str, Any]:
    return {
        "asked": asked,
        "from": within.day(within.since),
        "to": within.day(within.until - timedelta(microseconds=1)),
        "zone": within.zone.key,
    }


def named(sql: Cursor, rows: list[dict[str, Any]], public: dict[str, int]) -> None:
    """The customers' names, for the rows of a list."""
    sql.execute(NAMES, (sorted(set(public.values())),))
    names = dict(sql.fetchall())
    for one in rows:
        one["name"] = names.get(public.get(str(one["customer"]), 0), "")


@page(supervisors=True)
def scores(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/experience/scores`, with what `/experience` takes and `metric`, `scale`, `stage`, `agent`, `low`, `cursor`."""
    asked = Asked.of(request.GET)
    within = asked.period()
    metric = word(request.GET, "metric", 10)
    kept = {name: word(request.GET, name, 200) for name in ("stage", "agent", "low", "scale")}
    some = scorelists.Asked(
        metric=metric if metric in METRICS else None,
        least=1.0 if kept["scale"] == "1" else None,
        channel=asked.channel or None,
        stage=kept["stage"] or None,
        agent=kept["agent"] or None,
        since=within.since,
        until=within.until,
        bad=kept["low"] == "1",
    )
    with cursor("reading") as sql:
        try:
            found = scorelists.listed(sql, some, limit=ROWS, cursor=word(request.GET, "cursor", 200) or None)
        except BadToken as error:
            raise Unreadable from error
        ids = {str(row["customer"]): id_ for row, id_ in zip(found.rows, found.customers, strict=True)}
        named(sql, found.rows, ids)
        log_views(sql, principal.viewer, found.customers, request.path)
    for one in found.rows:
        one["metric_name"] = words.METRICS.get(one["metric"], one["metric"])
        one["stage_name"] = stages().get(one["stage"] or "", "")
        one["channel_name"] = words.CHANNELS.get(one["channel"], one["channel"])
        one["why_not"] = meanings.WHY_NOT.get(one["why"] or "", "")
        one["came_back"] = meanings.FOLLOW_UPS.get((one["follow_up"] or {}).get("state") or "", "")
    said = {**kept, "metric": metric, "period": asked.grain}
    older = asked.query(**said, cursor=found.next) if found.next else ""
    context = {**framed(asked, within), "tab": "scores", "rows": found.rows, "older": older, "low": kept["low"] == "1"}
    return render(request, "customers/experience_scores.html", context)


@page(supervisors=True)
def left(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/experience/left`: whom we lost, the latest first."""
    asked = Asked.of(request.GET)
    within = asked.period()
    with cursor("reading") as sql:
        try:
            rows, ids, following = churn.who_left(
                sql, within, limit=ROWS, cursor=word(request.GET, "cursor", 200) or None
            )
        except BadToken as error:
            raise Unreadable from error
        named(sql, rows, {str(row["customer"]): id_ for row, id_ in zip(rows, ids, strict=True)})
        log_views(sql, principal.viewer, ids, request.path)
    for one in rows:
        one["was"] = stages().get(one["was"], one["was"])
        one["reason"] = meanings.reason_of(one["reason"])
    older = asked.query(period=asked.grain, cursor=following) if following else ""
    context = {**framed(asked, within), "tab": "left", "rows": rows, "older": older}
    return render(request, "customers/experience_left.html", context)


@page(supervisors=True)
def waiting(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/experience/matters`, with `state`: matters that were opened in the period, the latest first."""
    asked = Asked.of(request.GET)
    within = asked.period()
    state = word(request.GET, "state", 20)
    state = state if state in STATES else ""
    try:
        after = place(word(request.GET, "cursor", 200) or None, 2)
    except BadToken as error:
        raise Unreadable from error
    with cursor("reading") as sql:
        sql.execute(
            REQUESTS,
            {
                "since": within.since,
                "until": within.until,
                "channel": asked.channel,
                "state": state,
                "after_at": after[0] if after else None,
                "after_id": after[1] if after else None,
                "limit": ROWS + 1,
            },
        )
        found = sql.fetchall()
        shown = found[:ROWS]
        rows: list[dict[str, Any]] = [
            {
                "at": at,
                "interaction": line,
                "subject": subject,
                "channel": words.CHANNELS.get(channel, channel),
                "state": meanings.MATTERS.get(of, of),
                "answer": None if answer is None else length(answer),
                "business": None if business is None else length(business),
                "missed": missed,
                "effort": effort,
                "agents": agents,
                "customer": public,
            }
            for _, at, line, subject, channel, of, answer, business, missed, effort, agents, _, public in shown
        ]
        named(sql, rows, {str(row[12]): row[11] for row in shown})
        log_views(sql, principal.viewer, [row[11] for row in shown], request.path)
    following = token(shown[-1][1], shown[-1][0]) if len(found) > ROWS else ""
    context = {
        **framed(asked, within),
        "tab": "matters",
        "rows": rows,
        "state": state,
        "states": [(one, meanings.MATTERS[one]) for one in STATES],
        "older": asked.query(period=asked.grain, state=state, cursor=following) if following else "",
    }
    return render(request, "customers/experience_matters.html", context)
