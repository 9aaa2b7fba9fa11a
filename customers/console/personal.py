"""What a card says in words: handles, attributes, what is open, the customer's local time."""

from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from django.utils import timezone
from django.utils.translation import gettext as _
from phonenumbers import PhoneNumberFormat
from phonenumbers import timezone as zones

from customers import masking
from customers.console import words
from customers.console.lines import moment


def described(card: dict[str, Any]) -> dict[str, Any]:
    """The card's parts in words."""
    names, trusts, channels = words.said(words.ATTRIBUTES), words.said(words.TRUST), words.said(words.CHANNELS)
    return {
        "identities": [identity(one) for one in card["identities"]],
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
        "zone": zone_of(card),
    }


def identity(one: dict[str, Any]) -> dict[str, Any]:
    anonymous = one["kind"] == "anonymous"
    return {
        "id": one.get("id", ""),
        "anonymous": anonymous,
        "kind": _("Unknown caller") if anonymous else words.said(words.HANDLES).get(one["kind"], one["kind"]),
        "value": "" if anonymous else readable(one["kind"], one["value"]),
        "scope": one.get("scope"),
        "shared": one.get("shared", False),
        "trust": words.said(words.TRUST).get(one.get("trust", ""), ""),
        "verified": one.get("trust") == "verified",
    }


def readable(kind: str, value: str) -> str:
    """A phone number in groups, all else as it is."""
    if kind != "phone" or masking.STAR in value:
        return value
    try:
        return phonenumbers.format_number(phonenumbers.parse(value), PhoneNumberFormat.INTERNATIONAL)
    except phonenumbers.NumberParseException:
        return value


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
    except (OSError, ValueError, KeyError):  # an unknown zone is a KeyError
        return None
    if zone is None:
        return None
    now = timezone.now().astimezone(zone)
    offset = f"{now:%z}"  # The library's name for the zone may be a neighbour's capital.
    return {"name": f"UTC{offset[:3]}:{offset[3:5]}", "now": now.replace(tzinfo=None)}


def zones_of_number(value: str) -> tuple[str, ...]:
    if masking.STAR in value:
        return ()
    try:
        return tuple(zones.time_zones_for_number(phonenumbers.parse(value)))
    except phonenumbers.NumberParseException:
        return ()
