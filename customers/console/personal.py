"""What a card says in words: handles, attributes, what is open, the customer's local time."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from django.utils import timezone
from django.utils.translation import gettext as _
from phonenumbers import PhoneNumber, PhoneNumberFormat
from phonenumbers import timezone as zones

from customers import masking
from customers.console import words
from customers.console.lines import moment


def described(card: dict[str, Any]) -> dict[str, Any]:
    """The card's parts in words."""
    names, trusts, channels = words.said(words.ATTRIBUTES), words.said(words.TRUST), words.said(words.CHANNELS)
    numbers = {one["id"]: number_of(one["value"]) for one in card["identities"] if one["kind"] == "phone"}
    return {
        "identities": [identity(one, numbers.get(one["id"])) for one in card["identities"]],
        "attributes": [
            (
                names.get(key, key),
                plain(said["value"]),
                source(said["source"]),
                trusts.get(said["trust"], ""),
            )
            for key, said in card["attributes"].items()
        ],
        "open": [
            {
                "channel": channels.get(one["channel"], one["channel"]),
                "since": moment(one["since"]),
                "interaction": one["interaction"],
            }
            for one in card["open_threads"]
        ],
        "first": moment(card["first_contact"]) if card["first_contact"] else None,
        "last": moment(card["last_contact"]) if card["last_contact"] else None,
        "zone": zone_of(card, numbers),
    }


def identity(one: dict[str, Any], number: PhoneNumber | None = None) -> dict[str, Any]:
    """`number`: its phone number, where it was read already."""
    anonymous = one["kind"] == "anonymous"
    return {
        "id": one.get("id", ""),
        "anonymous": anonymous,
        "kind": _("Unknown caller") if anonymous else words.said(words.HANDLES).get(one["kind"], one["kind"]),
        "value": "" if anonymous else readable(one["kind"], one["value"], number),
        "scope": one.get("scope"),
        "shared": one.get("shared", False),
        "trust": words.said(words.TRUST).get(one.get("trust", ""), ""),
        "verified": one.get("trust") == "verified",
    }


def readable(kind: str, value: str, number: PhoneNumber | None = None) -> str:
    """A phone number in groups, all else as it is."""
    number = number or (number_of(value) if kind == "phone" else None)
    return value if number is None else phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)


def number_of(value: str) -> PhoneNumber | None:
    """Of a number as it is kept; None for a masked one, too."""
    try:
        return None if masking.STAR in value else phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        return None


MINE = "cxhub"
"""The source of what agents say."""


def source(name: str) -> str:
    return str(_("an agent")) if name == MINE else name


def plain(value: object) -> str:
    """What a source said of an attribute, as one would write it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(plain(one) for one in value[:50])
    if isinstance(value, dict):
        return ", ".join(f"{key}: {plain(one)}" for key, one in list(value.items())[:50])
    return str(value)[:2000]


def zone_of(card: dict[str, Any], numbers: Mapping[str, PhoneNumber | None] | None = None) -> dict[str, Any] | None:
    """The customer's local time: of the zone that he named, else of his numbers if they lie in one zone only.

    `numbers`: those of his identities, where they were read already.
    """
    known = numbers or {}
    said = card["attributes"]
    named = next((said[key]["value"] for key in ("time_zone", "timezone") if key in said), None)
    names = {named} if isinstance(named, str) else set()
    if not names:
        for one in card["identities"]:
            if one["kind"] == "phone" and not one["shared"]:
                names.update(zones_of_number(known.get(one.get("id", "")) or number_of(one["value"])))
    try:
        zone = ZoneInfo(names.pop()) if len(names) == 1 else None
    except (OSError, ValueError, KeyError):  # an unknown zone is a KeyError
        return None
    if zone is None:
        return None
    now = timezone.now().astimezone(zone)
    offset = f"{now:%z}"  # The library's name for the zone may be a neighbour's capital.
    return {"name": f"UTC{offset[:3]}:{offset[3:5]}", "now": now.replace(tzinfo=None)}


def zones_of_number(number: PhoneNumber | None) -> tuple[str, ...]:
    return () if number is None else tuple(zones.time_zones_for_number(number))
