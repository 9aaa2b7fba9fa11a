"""What was only suggested: shown with both cards and the contact that speaks for it, accepted or rejected."""

from typing import Any
from urllib.parse import urlencode

import orjson
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from customers import deciding, masking, merging
from customers.access import Principal, log_views
from customers.console import words
from customers.console.lines import moment
from customers.console.outcomes import done, names_of, number_of, public_ids, reason_of
from customers.console.pages import page, word
from customers.console.personal import identity
from customers.console.sides import sides
from customers.deciding import NoSuchCandidate
from customers.sql import Cursor, cursor

MOST = 50
OF_CUSTOMER = """
SELECT c.id FROM customers_identity i JOIN customers_candidate c ON c.identity_id = i.id AND c.state = 'open'
 WHERE i.customer_id = %(customer)s
 UNION
SELECT c.id FROM customers_identity o JOIN customers_candidate c
    ON (c.value, c.kind, c.scope) = (o.value, o.kind, o.scope) AND c.state = 'open'
 WHERE o.customer_id = %(customer)s AND o.valid_to IS NULL ORDER BY 1 DESC LIMIT 50
"""


def of_customer(sql: Cursor, root: int, public_id: str) -> list[dict[str, Any]]:
    """The open questions about a customer, from whichever side; newest first."""
    sql.execute(OF_CUSTOMER, {"customer": root}, prepare=True)
    return of_ids(sql, [row[0] for row in sql.fetchall()], public_id)


def of_ids(sql: Cursor, ids: list[int], public_id: str) -> list[dict[str, Any]]:
    """The same, when it is known which."""
    if not ids:
        return []
    found = [told(text) for *_, text in deciding.listed(sql, state="open", limit=MOST, ids=ids)]
    for one in found:
        one["other"] = next((who for who in one["customers"] if who and who["id"] != public_id), None)
    return found


def told(text: str) -> dict[str, Any]:
    """A candidate in words."""
    said: dict[str, Any] = masking.shown(orjson.loads(text))
    line = said["interaction"]
    return {
        **said,
        "identity": identity(said["identity"]),
        "handle": identity(said["handle"]),
        "reason": words.reason(said["reason"]),
        "why": words.EXPLAINED.get(said["reason"].removeprefix(words.REVIEW), ""),
        "together": said["state"] == "open" and said["customers"][0] == said["customers"][1],
        "trust": words.TRUST.get(said["trust"], ""),
        "seen": moment(said["seen_at"]),
        "decided": moment(said["decided_at"]) if said["decided_at"] else None,
        "line": line
        and {
            **line,
            "channel": words.CHANNELS.get(line["channel"], line["channel"]),
            "kind": words.KINDS.get(line["kind"], line["kind"]),
            "icon": words.ICONS_OF_KINDS.get(line["kind"]) or words.ICONS.get(line["channel"], "other"),
            "at": moment(line["occurred_at"]),
        },
    }


@page("GET", "HEAD", "POST", scope="write")
def candidate(request: HttpRequest, principal: Principal, candidate: str) -> HttpResponse:
    """`/candidates/{id}`: one question; answered it leads back to the card of `from`, or to the queue."""
    id_ = number_of(candidate)
    if id_ is None:
        raise Http404
    decision, reason, trouble = request.POST.get("decision", ""), reason_of(request), ""
    try:
        if request.method == "POST":
            if decision not in ("accept", "reject"):
                trouble = "decision"
            elif not reason:
                trouble = "reason"
            else:
                return decided(request, principal, id_, decision, reason)
    except merging.Refused:
        trouble = "refused"
    except NoSuchCandidate as error:
        raise Http404 from error
    return shown(request, principal, id_, trouble, reason)


def shown(request: HttpRequest, principal: Principal, id_: int, trouble: str, reason: str) -> HttpResponse:
    with cursor("reading") as sql:
        sql.execute(deciding.STATE, (id_,))
        row = sql.fetchone()
        found = deciding.listed(sql, state=row[0], limit=1, ids=[id_]) if row else []
        if row and not found:  # The two became one by other evidence: nothing is left to decide.
            return render(request, "customers/candidate_settled.html", {"back": back(request)})
        if not found:
            raise Http404
        ((_id, customers, text),) = found
        one = told(text)
        beside = sides(sql, sorted(customers))
        who = names_of(sql, [one["decided_by"]] if one["decided_by"] else [])
        log_views(sql, principal.viewer, customers, request.path)
    by_id = {side["id"]: side for side in beside.values()}
    context = {
        "one": one,
        "sides": side_by_side(one, by_id),
        "decided_by": who.get(one["decided_by"], ""),
        "back": back(request),
        "from": word(request.GET, "from", 64),
        "trouble": trouble,
        "reason": reason,
    }
    return render(request, "customers/candidate.html", context, status=409 if trouble == "refused" else 200)


def side_by_side(one: dict[str, Any], known: dict[str, dict[str, Any]]) -> list[dict[str, Any] | None]:
    """The short cards of both; one of them where they are one card now, None where the handle is nobody's yet."""
    first, second = [known.get(who["id"]) if who else None for who in one["customers"]]
    return [first] if first and second and first["id"] == second["id"] else [first, second]


def back(request: HttpRequest) -> str:
    """Where the question was found: a card, else the queue."""
    card = word(request.GET, "from", 64)
    return reverse("card", args=[card]) if card else reverse("queue")


def decided(request: HttpRequest, principal: Principal, id_: int, decision: str, reason: str) -> HttpResponse:
    work = deciding.accept if decision == "accept" else deciding.reject
    found = work(id_, by=principal.viewer, reason=reason)
    with cursor("reading") as sql:
        ids = public_ids(sql, found.customers)
        log_views(sql, principal.viewer, found.customers, request.path)
    card = word(request.GET, "from", 64)
    to = card if decision == "reject" and card in ids.values() else ids[found.customers[0]]
    if decision == "accept":
        take_back = reverse("undo", args=[to, found.link]) if found.link else ""
        return done(request, to, _("Accepted: one person now."), take_back=take_back)
    take_back = reverse("candidate", args=[id_]) + "?" + urlencode({"from": to})
    if found.still_connected_by:
        text = _("Rejected. Other evidence still connects the two: see the links.")
    else:
        text = _("Rejected: they stay two.")
    return done(request, to, text, take_back=take_back)
