"""Two cards are one person: find the other, look at what a merge would do, confirm it with a reason."""

from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from customers import merging, previewing
from customers.access import Principal, log_views
from customers.console import words
from customers.console.outcomes import done, key_of, public_ids, reason_of
from customers.console.pages import customer_of, page, word
from customers.console.personal import identity, plain
from customers.console.sides import others, side, sides
from customers.console.suggestions import of_customer
from customers.recording import attempt
from customers.sql import Cursor, cursor


@page("GET", "HEAD", "POST", scope="write")
def merge(request: HttpRequest, principal: Principal, customer: str) -> HttpResponse:
    """`/customers/{id}/merge`: `q` finds the other one, `with` shows what would happen, a POST does it."""
    if request.method == "POST":
        return merged(request, principal, customer)
    if other := word(request.GET, "with", 64):
        return preview(request, principal, customer, other)
    sought = word(request.GET, "q")
    with cursor("reading") as sql:
        root = customer_of(sql, customer)
        one = side(sql, root)
        found = others(sql, sought, {root}, principal, request.path) if sought else []
        maybe = [] if sought else suggested(of_customer(sql, root, one["id"]))
        log_views(sql, principal.viewer, [root], request.path)
    context = {"one": one, "sought": sought, "found": found, "maybe": maybe}
    return render(request, "customers/merge_find.html", context)


def suggested(candidates: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The others whom something speaks for, each once."""
    found = {one["other"]["id"]: one for one in candidates if one["other"]}
    return list(found.values())


def preview(
    request: HttpRequest, principal: Principal, customer: str, other: str, trouble: str = "", reason: str = ""
) -> HttpResponse:
    with cursor("reading") as sql:
        roots = [customer_of(sql, customer), customer_of(sql, other)]
        if roots[0] == roots[1]:
            return render(request, "customers/merge_one.html", {"customer": customer})
        found = previewing.preview(sql, *roots)
        stands, goes = side(sql, found["stands"]), side(sql, found["goes"])
        log_views(sql, principal.viewer, roots, request.path)
    context = {
        "customer": customer,
        "other": other,
        "stands": stands,
        "goes": goes,
        "versions": [f"{side['id']}:{side['version']}" for side in (stands, goes)],
        "moves": {**found["moves"], "identities": [identity(one) for one in found["moves"]["identities"]]},
        "clashes": [clash(one) for one in found["clashes"]],
        "evidence": [speaks(one) for one in found["for"]],
        "against": [words.EXPLAINED.get(one["reason"], one["reason"]) for one in found["against"]],
        "key": uuid4(),
        "trouble": trouble,
        "reason": reason,
    }
    return render(request, "customers/merge.html", context, status=409 if trouble in ("changed", "refused") else 200)


def clash(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "field": field(one["key"]),
        "values": [said(value) for value in one["values"]],
        "wins": said(one["wins"]),
    }


def field(key: str) -> str:
    """What an attribute is called."""
    if key.startswith("tag:"):
        return _("Tag «%(tag)s»") % {"tag": key[4:]}
    return str(words.ATTRIBUTES.get(key, _("Name") if key == "name" else key))


def said(value: object) -> str:
    return _("nothing") if value is None else plain(value)


def speaks(one: dict[str, Any]) -> str:
    """A piece of evidence in a sentence."""
    if one["kind"] == "name":
        return _("Their names are alike: %(one)s, %(other)s.") % dict(zip(("one", "other"), one["value"], strict=True))
    if one["kind"] == "birthday":
        return _("They have the same birthday.")
    handle = identity(one)
    return _("%(kind)s %(value)s came together with the other; not linked: %(reason)s.") % {
        "kind": handle["kind"],
        "value": handle["value"],
        "reason": words.reason(one["refused"]),
    }


def merged(request: HttpRequest, principal: Principal, customer: str) -> HttpResponse:
    """Refusals and cards that changed lead back to the preview, which says so and shows them as they are now."""
    other, reason, key = word(request.POST, "with", 64), reason_of(request), key_of(request)
    versions = dict(one.partition(":")[::2] for one in request.POST.getlist("version")[:2])
    if not reason:
        return preview(request, principal, customer, other, "reason")

    def work() -> merging.Merged | None:
        with cursor("reading") as sql:
            roots = [customer_of(sql, customer), customer_of(sql, other)]
            if roots[0] != roots[1] and changed(sql, roots, versions):
                return None
        return merging.merge(*roots, reason=reason, by=principal.viewer, key=key)

    try:
        found = attempt(work)
    except merging.Refused:
        return preview(request, principal, customer, other, "refused", reason)
    if found is None:
        return preview(request, principal, customer, other, "changed", reason)
    with cursor("reading") as sql:
        to = public_ids(sql, [found.customer])[found.customer]
        log_views(sql, principal.viewer, [found.customer], request.path)
    if not found.link:
        return done(request, to, _("They are one person already."))
    return done(request, to, _("Merged: one person now."), take_back=reverse("undo", args=[to, found.link]))


def changed(sql: Cursor, roots: list[int], versions: dict[str, str]) -> bool:
    """Whether a card is not the one any more that the agent saw."""
    now = {side["id"]: side["version"] for side in sides(sql, roots).values()}
    return any(now[id_] != version for id_, version in versions.items() if id_ in now)
