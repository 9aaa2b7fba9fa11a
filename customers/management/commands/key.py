"""`manage.py key add`: issue an API key from the shell."""

from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from customers.access import SCOPES, issue_key, revoke
from customers.models import ApiKey


class Command(BaseCommand):
    help = "Issue, list and revoke API keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        add = actions.add_parser("add", help="issue a key and print it once")
        add.add_argument("name")
        add.add_argument("--scope", action="append", choices=SCOPES, required=True, dest="scopes")
        add.add_argument("--source", default="", help="the slug of the key's own source")
        add.add_argument("--allow", action="append", default=[], help="another slug it may push for; * for all")
        add.add_argument("--days", type=int, help="valid for so many days")
        actions.add_parser("list", help="list the keys")
        actions.add_parser("revoke", help="revoke a key at once").add_argument("prefix")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "add":
            expires_at = datetime.now(UTC) + timedelta(days=options["days"]) if options["days"] else None
            _, plain = issue_key(
                options["name"],
                options["scopes"],
                source=options["source"],
                sources=options["allow"],
                expires_at=expires_at,
                created_by="manage.py",
            )
            self.stdout.write(plain)
        elif options["action"] == "list":
            for key in ApiKey.objects.order_by("pk"):
                state = "revoked" if key.revoked_at else "valid"
                self.stdout.write(f"{key.prefix}…  {state:8} {','.join(key.scopes):16} {key.source:16} {key.name}")
        else:
            found = list(ApiKey.objects.filter(prefix__startswith=options["prefix"][:10], revoked_at=None))
            if len(found) != 1:
                raise CommandError(f"{len(found)} valid keys begin with {options['prefix'][:10]}")
            revoke(found[0])
            self.stdout.write(f"revoked {found[0]}")
