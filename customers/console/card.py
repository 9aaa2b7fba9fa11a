"""The card: who a customer is, what is open, and the timeline beside it."""

from datetime import datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import orjson
import phonenumbers
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from phonenumbers import PhoneNumberFormat
from phonenumbers import timezone as zones

from customers import timeline
from customers.access import Principal
from customers.cards import cards
from customers.console import words
from customers.console.asked import Asked
from customers.console.lines import moment
from customers.console.pages import customer_of, page, user_id
from customers.console.pictures import months
from customers.console.timelines import read
from customers.sql import Cursor, cursor

LOOKED = """
INSERT INTO customers_lastlook (user_id, customer_id, seen_until, looked_at) VALUES (%s, %s, now(), now())
    ON CONFLICT (user_id, customer_id) DO UPDATE SET looked_at = now(), seen_until = CASE
        WHEN customers_lastlook.looked_at < now() - interval '10 minutes' THEN customers_lastlook.looked_at
        ELSE customers_lastlook.seen_until END
RETURNING seen_until
"""
"""A page that is loaded again does not make everything old at once."""


@page()
def card(request: HttpRequest, principal: Principal, customer: str) -> HttpResponse:
    """`/customers/{id}`, with filters, `cursor`, `on` (a day) or `at` (a contact)."""
    asked = Asked.of(request.GET)
    with cursor("reading") as sql:
        root = customer_of(sql, customer)
        shown = cards(sql, [root])
        if root not in shown:
            raise Http404
        who = orjson.loads(shown[root])
        seen_until = looked(sql, user_id(principal), root)
        found = read(sql, root, who["id"], asked, principal, request.path, seen_until)
        counts = months(sql, root)
    if found.missing and asked.at and (moved := moved_to(asked, who["id"])):
        return redirect(moved)
    return render(
        request,
        "customers/card.html",
        {
            "card": who,
            "profile": described(who),
            "asked": asked,
            "found": found,
            "counts": counts,
            "channels": [(slug, words.CHANNELS.get(slug, slug)) for slug in who["counts"]],
            "kinds": list(words.KINDS.items()),
            "directions": list(words.DIRECTIONS.items()),
            "note_key": uuid4(),
            "up": True,
            "down": True,
            "live": f"{reverse('news', args=[who['id']])}?{asked.query()}",
            "filtered": asked.filtered,
            "may_write": principal.may("write"),
            **found.context(who["id"]),
        },
    )


def looked(sql: Cursor, user: int, customer: int) -> datetime:
    """Until when the agent had seen this customer's contacts; notes that he looks again."""
    sql.execute(LOOKED, (user, customer))
    row = sql.fetchone()
    assert row is not None
    found: datetime = row[0]
    return found


def moved_to(asked: Asked, customer: str) -> str:
    """The address of a line that belongs to somebody else by now; nothing if there is no such line."""
    assert asked.at is not None
    owner = timeline.customers_of([asked.at]).get(asked.at)
    return f"{reverse('card', args=[owner])}?at={asked.at}" if owner and str(owner) != customer else ""


def described(card: dict[str, Any]) -> dict[str, Any]:
    """The card's parts in words."""
    return {
        "identities": [identity(one) for one in card["identities"]],
        "attributes": [
            (words.ATTRIBUTES.get(key, key), plain(said["value"]), said["source"], words.TRUST.get(said["trust"], ""))
            for key, said in card["attributes"].items()
        ],
        "candidates": [
            {**identity(one), "reason": words.REASONS.get(one["reason"], one["reason"]), "source": one["source"]}
            for one in card["candidates"]
        ],
        "open": [
            {
                "channel": words.CHANNELS.get(one["channel"], one["channel"]),
                "since": moment(one["since"]),
                "interaction": one["interaction"],
            }
            for one in card["open_threads"]
        ],
        "first": moment(card["first_contact"]) if card["first_contact"] else None,
        "last": moment(card["last_contact"]) if card["last_contact"] else None,
        "zone": zone_of(card),
    }


def identity(one: dict[str, Any]) -> dict[str, Any]:
    anonymous = one["kind"] == "anonymous"
    return {
        "kind": _("Unknown caller") if anonymous else words.HANDLES.get(one["kind"], one["kind"]),
        "value": "" if anonymous else readable(one["kind"], one["value"]),
        "scope": one["scope"],
        "shared": one.get("shared", False),
        "trust": words.TRUST.get(one.get("trust", ""), ""),
        "verified": one.get("trust") == "verified",
    }


def readable(kind: str, value: str) -> str:
    """A phone number in groups, all else as it is."""
    if kind != "phone":
        return value
    try:
        return phonenumbers.format_number(phonenumbers.parse(value), PhoneNumberFormat.INTERNATIONAL)
    except phonenumbers.NumberParseException:
        return value


def plain(value: object) -> str:
    """What a source said of an attribute, as one would write it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(plain(one) for one in value[:50])
    if isinstance(value, dict):
        return ", ".join(f"{key}: {plain(one)}" for key, one in list(value.items())[:50])
    return str(value)[:2000]


def zone_of(card: dict[str, Any]) -> dict[str, Any] | None:
    """The customer's local time: of the zone that he named, else of his numbers if they lie in one zone only."""
    said = card["attributes"]
    named = next((said[key]["value"] for key in ("time_zone", "timezone") if key in said), None)
    names = {named} if isinstance(named, str) else set()
    if not names:
        for one in card["identities"]:
            if one["kind"] == "phone" and not one["shared"]:
                names.update(zones_of_number(one["value"]))
    try:
        zone = ZoneInfo(names.pop()) if len(names) == 1 else None
    except (OSError, ValueError):
        return None
    if zone is None:
        return None
    now = timezone.now().astimezone(zone)
    offset = f"{now:%z}"  # The library's name for the zone may be a neighbour's capital.
    return {"name": f"UTC{offset[:3]}:{offset[3:5]}", "now": now.replace(tzinfo=None)}


def zones_of_number(value: str) -> tuple[str, ...]:
    try:
        return tuple(zones.time_zones_for_number(phonenumbers.parse(value)))
    except phonenumbers.NumberParseException:
        return ()
