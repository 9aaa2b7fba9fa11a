"""Matters for agents: who waits for an answer, one matter with its contacts, and what agents say of it."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from customers import masking, timeline
from customers.access import Principal, log_views
from customers.console import meanings, words
from customers.console.lines import moment
from customers.console.measures import length
from customers.console.outcomes import reason_of, say
from customers.console.pages import Refused as NotAllowed
from customers.console.pages import Unreadable, customer_of, page, uuid_of, word
from customers.console.queue import NAMES
from customers.experience import ruling
from customers.experience.following import freshen
from customers.experience.matterlists import STATES, Asked, listed, one
from customers.experience.paging import BadToken
from customers.experience.ruling import NoSuchMatter, Refused
from customers.incoming import Agent
from customers.sql import Cursor, cursor

ROWS = 30
SHOWN = 160


@page()
def matters(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/requests`, with `state` (open, if it is not said), `channel`, `agent` and `cursor`."""
    state = word(request.GET, "state", 20) or "open"
    kept = {"channel": word(request.GET, "channel", 63), "agent": word(request.GET, "agent", 200)}
    asked = Asked(
        state=state if state in STATES else None, channel=kept["channel"] or None, agent=kept["agent"] or None
    )
    with cursor("reading") as sql:
        try:
            found = listed(sql, asked, limit=ROWS, cursor=word(request.GET, "cursor", 200) or None)
        except BadToken as error:
            raise Unreadable from error
        rows = [described(row) for row in found.rows]
        sql.execute(NAMES, (sorted(set(found.customers)),))
        names = dict(sql.fetchall())
        for row, customer in zip(rows, found.customers, strict=True):
            row["name"] = names.get(customer, "")
        log_views(sql, principal.viewer, sorted(set(found.customers)), request.path)
    older = urlencode({"state": state, **kept, "cursor": found.next}) if found.next else ""
    tabs = [(one_, meanings.MATTERS[one_], urlencode({"state": one_, **kept})) for one_ in STATES]
    channels = sorted(words.CHANNELS.items(), key=lambda one_: str(one_[1]))
    context = {"rows": rows, "state": state, "tabs": tabs, "older": older, "channels": channels, **kept}
    return render(request, "customers/matters.html", context)


def described(row: dict[str, Any]) -> dict[str, Any]:
    """One matter in words."""
    efforts = words.said(meanings.EFFORT)
    return {
        **short(row),
        "answer": None if row["answer_s"] is None else length(row["answer_s"]),
        "answer_business": None if row["answer_business_s"] is None else length(row["answer_business_s"]),
        "solution": None if row["solution_s"] is None else length(row["solution_s"]),
        "solution_business": None if row["solution_business_s"] is None else length(row["solution_business_s"]),
        "waited": length(row["waited_s"]),
        "open": row["state"] in ("open", "answered"),
        "parts": [(efforts[name], points) for name, points in row["effort_parts"].items() if points],
    }


def short(row: dict[str, Any]) -> dict[str, Any]:
    """What a card says of it, in words."""
    channels = words.said(words.CHANNELS)
    return {
        **row,
        "state_name": words.said(meanings.MATTERS).get(row["state"], row["state"]),
        "channel_names": [channels.get(one_, one_) for one_ in row["channels"]],
        "solver": words.said(meanings.SOLVERS).get(row["solved_by"] or "", ""),
    }


def open_of(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is open, for the card, from rows as JSON has them."""
    times = ("waiting_since", "opened_at")
    return [short({**row, **{name: row[name] and moment(row[name]) for name in times}}) for row in rows]


@page("GET", "HEAD", "POST")
def matter(request: HttpRequest, principal: Principal, customer: str, number: UUID) -> HttpResponse:
    """`/customers/{id}/requests/{request}`: a POST with `do` solves, reopens, merges (`with`) or splits (`line`)."""
    if request.method == "POST":
        return ruled(request, principal, customer, number)
    return shown(request, principal, customer, number)


def shown(request: HttpRequest, principal: Principal, customer: str, number: UUID, trouble: str = "") -> HttpResponse:
    with cursor("reading") as sql:
        root = customer_of(sql, customer)
    freshen(root)
    with cursor("reading") as sql:
        rows = listed(sql, Asked(customer=root), limit=50).rows
        found = next((row for row in rows if row["id"] == number), None) or one(sql, number)
        if found is None:
            raise Http404
        if customer_of(sql, str(found["customer"])) != root:  # It went with its contacts to another card.
            return redirect("matter", found["customer"], number)
        lines = contacts(sql, found)
        log_views(sql, principal.viewer, [root], request.path)
    context = {
        "matter": described(found),
        "customer": found["customer"],
        "lines": lines,
        "others": [described(row) for row in rows if row["id"] != number],
        "may_write": principal.may("write"),
        "trouble": trouble,
    }
    return render(request, "customers/matter.html", context, status=409 if trouble else 200)


def contacts(sql: Cursor, found: dict[str, Any]) -> list[dict[str, Any]]:
    """Its latest contacts in order; what was taken back meanwhile is left out."""
    entries = timeline.entries(sql, found["interactions"])
    lines = []
    for id_ in found["interactions"]:
        if id_ in entries:
            entry = masking.shown(orjson.loads(entries[id_]))
            lines.append(
                {
                    "id": id_,
                    "at": datetime.fromisoformat(entry["occurred_at"]),
                    "channel": words.CHANNELS.get(entry["channel"], entry["channel"]),
                    "direction": words.DIRECTIONS.get(entry["direction"], ""),
                    "agent": (entry["agent"] or {}).get("name") or (entry["agent"] or {}).get("id") or "",
                    "text": (entry["subject"] or entry["text"] or "")[:SHOWN],
                    "first": id_ == found["interaction"],
                }
            )
    return sorted(lines, key=lambda one_: one_["at"])


def ruled(request: HttpRequest, principal: Principal, customer: str, number: UUID) -> HttpResponse:
    if not principal.may("write"):
        raise NotAllowed
    do, why, agent = word(request.POST, "do", 10), reason_of(request), Agent(principal.viewer, principal.name)
    try:
        with cursor() as sql:
            if do in ("solve", "reopen"):
                ruling.settle(sql, number, "solve" if do == "solve" else "reopen", agent=agent, why=why)
                stands, told = number, _("Solved.") if do == "solve" else _("Open again.")
            elif do == "merge":
                other = uuid_of(word(request.POST, "with", 64))
                stands, told = (
                    ruling.merge(sql, number, other, agent=agent, why=why)[0],
                    _("The two are one matter now."),
                )
            elif do == "split":
                lines = [uuid_of(one_) for one_ in request.POST.getlist("line")[:100]]
                first, _of = ruling.split(sql, number, lines, agent=agent, why=why)
                stands, told = ruling.id_of(first), _("The contacts are a matter of their own now.")
            else:
                raise Unreadable
    except NoSuchMatter as error:
        raise Http404 from error
    except Refused as error:
        return shown(request, principal, customer, number, refused(do, error))
    return say(request, redirect("matter", customer, stands), told, take_back=back(do, customer, stands))


def refused(do: str, error: Refused) -> str:
    reasons = {
        "solve": _("It is solved already."),
        "reopen": _("It is open."),
        "merge": _("These two cannot be one matter."),
        "split": _("Choose contacts of this matter, but not the first."),
    }
    return reasons.get(do, str(error))


def back(do: str, customer: str, matter_id: UUID) -> str:
    """Where it can be taken back: the page of the matter has the opposite of whatever was done."""
    return reverse("matter", args=[customer, matter_id]) + "#rule" if do != "reopen" else ""
