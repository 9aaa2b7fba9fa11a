"""Feedback: what customers said for others to hear, what waits for an answer, and what became of it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from customers.access import Principal, log_views
from customers.console import meanings, words
from customers.console.behind import named
from customers.console.outcomes import say
from customers.console.pages import Unreadable, page, word
from customers.experience import feedbacklists
from customers.experience.facts import NoSuchLine
from customers.experience.feedbacklists import KINDS, STATES, Asked, listed, take_care
from customers.experience.following import freshen
from customers.experience.paging import BadToken
from customers.incoming import Agent
from customers.sql import cursor

ROWS = 30
SENTIMENTS = {"-1": -1, "0": 0, "1": 1}
YEAR = timedelta(days=365)


@page()
def feedback(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/feedback`, with `state`, `topic`, `kind`, `channel`, `sentiment` and `cursor`."""
    kept = {name: word(request.GET, name, 100) for name in ("state", "topic", "kind", "channel", "sentiment")}
    asked = Asked(
        state=kept["state"] if kept["state"] in STATES else None,
        topic=kept["topic"] or None,
        kind=kept["kind"] if kept["kind"] in KINDS else None,
        channel=kept["channel"] or None,
        sentiment=SENTIMENTS.get(kept["sentiment"]),
    )
    now = datetime.now(UTC)
    with cursor("reading") as sql:
        try:
            found = listed(sql, asked, limit=ROWS, cursor=word(request.GET, "cursor", 300) or None)
        except BadToken as error:
            raise Unreadable from error
        topics = feedbacklists.topics(sql, now - YEAR, now)
        waiting = feedbacklists.waiting(sql)
        named(
            sql, found.rows, {str(row["customer"]): id_ for row, id_ in zip(found.rows, found.customers, strict=True)}
        )
        log_views(sql, principal.viewer, found.customers, request.path)
    said = {name: value for name, value in kept.items() if value}
    context = {
        "rows": [shown(one) for one in found.rows],
        "kept": kept,
        "states": meanings.FEEDBACK_STATES.items(),
        "kinds": meanings.FEEDBACK_KINDS.items(),
        "sentiments": meanings.SENTIMENTS.items(),
        "topics": topics,
        "waiting": waiting,
        "filtered": bool(said),
        "here": request.get_full_path(),
        "older": urlencode({**said, "cursor": found.next}) if found.next else "",
        "paged": "cursor" in request.GET,
        "first": urlencode(said),
        "may_write": principal.may("write"),
    }
    return render(request, "customers/feedback.html", context)


def shown(one: dict[str, Any]) -> dict[str, Any]:
    steps = STATES[STATES.index(one["state"]) + 1 :]
    score = one["score"] if isinstance(one["score"], dict) else {}
    value = score.get("value")
    return {
        **one,
        "kind_name": meanings.FEEDBACK_KINDS[one["kind"]],
        "channel_name": words.CHANNELS.get(one["channel"], one["channel"]),
        "state_name": meanings.FEEDBACK_STATES[one["state"]],
        "sentiment_name": meanings.SENTIMENTS.get(str(one["sentiment"]), ""),
        "stars": value if score.get("metric") == "stars" else None,
        "steps": [(step, meanings.FEEDBACK_STEPS[step]) for step in steps],
    }


@page("POST", scope="write")
def care(request: HttpRequest, principal: Principal, feedback: UUID) -> HttpResponse:
    """How far it is taken care of, and its topic; back to where the agent was."""
    state, topic = word(request.POST, "state", 20), word(request.POST, "topic", 100)
    if (state and state not in STATES[1:]) or not (state or topic):
        raise Unreadable
    with cursor() as sql:
        found = feedbacklists.one(sql, feedback)
        if found is None:
            raise Http404
        try:
            take_care(sql, found[0]["interaction"], state, agent=Agent(principal.viewer, principal.name), topic=topic)
        except NoSuchLine as error:
            raise Http404 from error
        log_views(sql, principal.viewer, [found[1]], request.path)
    freshen(found[1])
    back = request.POST.get("back", "")
    own = reverse("feedback")
    target = back if back == own or back.startswith(f"{own}?") else own
    return say(request, redirect(target), _("Noted."))
