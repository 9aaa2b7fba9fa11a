"""`manage.py ensure_demo`: users, keys, sources, hours and segments of `make demo`; run again, it changes nothing."""

import json
import secrets as random
import sys
from argparse import ArgumentParser
from datetime import UTC, date, datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand
from django.db import transaction

from channels.models import Source
from channels.providers import PROVIDERS
from channels.sources import make_source
from customers.access import ANY_SOURCE, ROLES, digest_of, issue_key, revoke
from customers.models import AgentProfile, ApiKey, BusinessHours, Segment

MADE_BY = "ensure_demo"
LANGUAGES = {"agent": "ru", "supervisor": "lt", "admin": "en", "masked": "en"}
ZONES = {"agent": "Asia/Yekaterinburg", "supervisor": "Europe/Vilnius", "admin": "", "masked": "Europe/Vilnius"}
KEYS: dict[str, dict[str, Any]] = {
    "ingest": {"scopes": ["ingest"], "source": "demo", "sources": [ANY_SOURCE]},
    "read": {"scopes": ["read"]},
    "write": {"scopes": ["write"]},
    "admin": {"scopes": ["admin"]},
}
# Name → provider, region, own numbers and addresses (invented), and the secrets that have a fixed value.
SOURCES: dict[str, dict[str, Any]] = {
    "demo": {"provider": "push", "region": "RU"},
    "vilnius": {"provider": "push", "region": "LT"},
    "telegram": {"provider": "telegram"},
    "voice": {"provider": "twilio_voice", "addresses": ["+73433000000", "+37052000000"]},
    "sms": {"provider": "twilio_sms", "addresses": ["+73433000000", "+37052000000"]},
    "mail": {
        "provider": "email",
        "addresses": ["support@demo.example", "pagalba@demo.example", "shop@demo.example"],
        "secrets": {"authserv_id": "mx.demo.example"},
    },
}


HOURS: dict[str, tuple[str, str, str]] = {
    "": ("Asia/Yekaterinburg", "mon tue wed thu fri sat", "09:00 20:00"),
    "vilnius": ("Europe/Vilnius", "mon tue wed thu fri", "09:00 18:00"),
}
"""Source, or all others → its zone, days and hours."""
SEGMENTS: dict[str, Any] = {
    "Ждут обещанного": {"field": "open_promises", "op": "least", "value": 1},
    "Довольны и покупали не раз": {
        "all": [{"field": "nps", "op": "least", "value": 9}, {"field": "purchases", "op": "least", "value": 2}]
    },
    "Seniai nepirkę": {
        "all": [
            {"field": "days_since_purchase", "op": "least", "value": 60},
            {"not": {"field": "stage", "op": "is", "value": "left"}},
        ]
    },
}


class Command(BaseCommand):
    help = "Make sure of the demo's users, keys and sources. Reads its own last answer from stdin, if there is one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="answer with one JSON object, plain keys included")

    def handle(self, *args: Any, **options: Any) -> None:
        before = "" if sys.stdin.isatty() else sys.stdin.read()
        with transaction.atomic():
            made = ensure(json.loads(before or "{}"))
        if options["json"]:
            self.stdout.write(json.dumps(made))
            return
        for role, user in made["users"].items():
            self.stdout.write(f"{role:12} {user['username']} / {user['password']}")
        for name, plain in made["keys"].items():
            self.stdout.write(f"{name:12} {plain}")
        for name, source in made["sources"].items():
            self.stdout.write(f"{name:12} {source['hook_url']}")


def ensure(before: dict[str, Any]) -> dict[str, Any]:
    """What stands now. Keys and passwords are stored hashed, so the plain ones are those of `before`, else new."""
    kept = {name: before.get(name, {}) for name in ("keys", "users", "hashes")}
    made = {
        "keys": {name: key(name, kept["keys"].get(name, "")) for name in KEYS},
        "users": {role: user(role, kept["users"].get(role, {}), kept["hashes"].get(role, "")) for role in ROLES},
        "sources": {
            name: source(name, **wanted) for name, wanted in SOURCES.items() if wanted["provider"] in PROVIDERS
        },
    }
    hashes = (
        get_user_model().objects.filter(username__in=ROLES).order_by("username").values_list("username", "password")
    )
    hours_and_segments()
    return made | {"hashes": dict(hashes)}


def hours_and_segments() -> None:
    """Once: whoever tries the demo may change them and take them away."""
    if not BusinessHours.objects.exists():
        year = datetime.now(UTC).year
        free = [date(one, 12, 25) for one in (year - 1, year)] + [date(one, 1, 1) for one in (year, year + 1)]
        for source_, (zone, days, hours) in HOURS.items():
            open_ = {day: [hours.split()] for day in days.split()}
            BusinessHours.objects.create(source=source_, time_zone=zone, hours=open_, holidays=free)
    if not Segment.objects.exists():
        for name, said in SEGMENTS.items():
            Segment.objects.create(name=name, filter=said, created_by=MADE_BY)


def key(name: str, plain: str) -> str:
    title = f"demo {name}"
    standing = ApiKey.objects.filter(name=title, created_by=MADE_BY, revoked_at=None)
    if plain and standing.filter(digest=digest_of(plain)).exists():
        return plain
    for lost in standing:  # Nobody has its plain form any more.
        revoke(lost)
    _, plain = issue_key(title, **KEYS[name], created_by=MADE_BY)
    return plain


def user(role: str, kept: dict[str, str], hashed: str) -> dict[str, str]:
    """A user named like his role; a password that is not known any more is replaced.

    One whose hash is still the same needs no check, which takes a third of a second.
    """
    password = kept.get("password", "")
    account, fresh = get_user_model().objects.get_or_create(
        username=role, defaults={"is_staff": role == "admin", "is_superuser": role == "admin"}
    )
    known = password and not fresh and (account.password == hashed or account.check_password(password))
    if not known:
        password = random.token_urlsafe(12)
        account.set_password(password)
        account.save(update_fields=["password"])
    account.groups.add(Group.objects.get_or_create(name=role)[0])
    AgentProfile.objects.get_or_create(user=account, defaults={"language": LANGUAGES[role], "time_zone": ZONES[role]})
    return {"username": role, "password": password, "language": LANGUAGES[role]}


def source(name: str, **wanted: Any) -> dict[str, Any]:
    """The source as it stands: its secrets are kept in the database."""
    found = Source.objects.filter(slug=name).first()
    if found is None:
        # Those that a person would copy from the provider's console are invented.
        needed = [one.name for one in PROVIDERS[wanted["provider"]].secrets if one.required and not one.generated]
        wanted["secrets"] = {secret: random.token_hex(16) for secret in needed} | wanted.get("secrets", {})
        found = make_source(slug=name, **wanted)
    said: dict[str, Any] = {"slug": found.slug, "hook_url": found.hook_url, **found.secrets}
    return said | ({"addresses": found.addresses} if found.addresses else {})
