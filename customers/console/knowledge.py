"""What is known of a customer: every claim with its source and trust, and the agent's own word."""

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from pydantic import TypeAdapter, ValidationError

from customers import attributes
from customers.access import Principal, log_views
from customers.api.attributes import LONGEST, Key
from customers.attributes import BIRTHDAY, TAG
from customers.byhand import card_beside_founder
from customers.cards import TRUST
from customers.console import words
from customers.console.outcomes import done, public_ids
from customers.console.pages import Refused, Unreadable, clean, customer_of, page
from customers.console.personal import MINE, identity, plain, source
from customers.console.sides import side
from customers.merging import holding
from customers.recording import attempt
from customers.sql import cursor

NAME, TAGS = 300, 60
CLAIMED = f"""
SELECT DISTINCT ON (a.key) a.key, a.value, a.source, {TRUST.format("a")} AS trust, a.claimed_at
  FROM customers_attributeclaim a JOIN customers_identity i ON i.id = a.identity_id
 WHERE i.customer_id = %(customer)s ORDER BY a.key, a.trust DESC, a.claimed_at DESC, a.id
"""
"""The best word on the name, each attribute and tag: what `cards` says of them, read at once."""


@page("GET", "HEAD", "POST", scope="write")
def known(request: HttpRequest, principal: Principal, customer: str) -> HttpResponse:
    """`/customers/{id}/known`: a POST corrects one thing, or hides it. Nobody corrects what he sees masked."""
    if principal.masked:
        raise Refused
    trouble, said = "", dict[str, Any]()
    if request.method == "POST":
        said, trouble = said_in(request)
        if not trouble:
            version = request.POST.get("version", "")
            to = attempt(lambda: claimed(principal, customer, version, said))
            if to:
                return done(request, to, _("Corrected."))
            trouble = "changed"
    with cursor("reading") as sql:
        root = customer_of(sql, customer)
        one = side(sql, root)
        claims = grouped(attributes.claims(sql, root))
        log_views(sql, principal.viewer, [root], request.path)
    context = {
        "one": one,
        "name": next((of for of in claims if of["key"] == "name"), None),
        "attributes": [of for of in claims if of["key"] != "name" and not of["tag"]],
        "tags": [of for of in claims if of["tag"]],
        "trouble": trouble,
        "given": request.POST.dict(),
        "fields": [(key, name) for key, name in words.ATTRIBUTES.items() if key != "timezone"],
    }
    status = {"": 200, "changed": 409}.get(trouble, 400)
    return render(request, "customers/known.html", context, status=status)


def said_in(request: HttpRequest) -> tuple[dict[str, Any], str]:
    """({key: value}, what is wrong with it); a value of None hides what is known."""
    given = request.POST
    value = clean(given.get("value", "")).strip()
    hide, about = given.get("done") == "hide", given.get("about", "")
    if about == "tag":
        tag = value[:TAGS]
        return ({TAG + tag: None if hide else True}, "") if tag else ({}, "empty")
    key = clean(given.get("key", "")).strip().casefold() if about == "attribute" else about
    if about == "name":
        return ({"name": value[:NAME]}, "") if value else ({}, "empty")
    if about != "attribute":
        raise Unreadable
    try:
        TypeAdapter(Key).validate_python(key)
    except ValidationError:
        return {}, "key"
    if key == "name" or key.startswith(TAG):
        return {}, "key"
    if hide:
        return {key: None}, ""
    if key == BIRTHDAY and not (value := attributes.birthday(value)):
        return {}, "birthday"
    if not value:
        return {}, "empty"
    return ({key: value}, "") if len(orjson.dumps(value)) <= LONGEST else ({}, "long")


def claimed(principal: Principal, customer: str, version: str, said: dict[str, Any]) -> str:
    """The card on which it now stands; nothing if the card changed since the agent saw it."""
    with cursor("reading") as sql:
        root = customer_of(sql, customer)
    with holding(root) as (sql, _homes):
        one = side(sql, root)
        if one["version"] != version:
            return ""
        card, _handle = card_beside_founder(sql, root, by=principal.viewer)
        attributes.claim(sql, card, said)
        return public_ids(sql, [root])[root]


def grouped(claims: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One entry a key, with all that was said of it, the winner first."""
    found: dict[str, dict[str, Any]] = {}
    for claim in claims:
        key = claim["key"]
        tag = key.startswith(TAG)
        name = key[len(TAG) :] if tag else words.ATTRIBUTES.get(key, key)
        of = found.setdefault(key, {"key": key, "tag": tag, "name": name, "claims": []})
        of["claims"].append(
            {
                "value": plain(claim["value"]) if claim["value"] is not None else "",
                "hidden": claim["value"] is None,
                "source": source(claim["source"]),
                "mine": claim["source"] == MINE,
                "trust": words.TRUST.get(claim["trust"], ""),
                "at": claim["claimed_at"],
                "by": identity({**claim["identity"], "value": ""})["kind"],
            }
        )
    for of in found.values():
        of["wins"] = of["claims"][0]
        of["others"] = of["claims"][1:]
    return list(found.values())


def named_and_known(claims: list[dict[str, Any]]) -> dict[str, Any]:
    """Name and attributes in the shape of a card, from the rows of CLAIMED."""
    said = {one["key"]: one for one in claims if one["value"] is not None and not one["key"].startswith(TAG)}
    name = said.pop("name", None)
    return {"name": name and name["value"], "attributes": said}


def tags(claims: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tags that a card shows, each with its source and trust, from the same rows."""
    return [
        {
            "tag": one["key"].removeprefix(TAG),
            "source": source(one["source"]),
            "trust": words.TRUST.get(one["trust"], ""),
        }
        for one in claims
        if one["value"] is True and one["key"].startswith(TAG)
    ]
