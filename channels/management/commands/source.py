"""`manage.py source add`: connect a bot, number, mailbox or pushing system from the shell."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from channels.models import Source
from channels.providers import PROVIDERS
from channels.sources import BadSource, make_source, paste_of


class Command(BaseCommand):
    help = "Make and list sources."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        add = actions.add_parser("add", help="make a source and print what to enter at the provider")
        add.add_argument("provider", choices=sorted(PROVIDERS))
        add.add_argument("slug")
        add.add_argument("--region", default="", help="two letters, for national phone numbers")
        add.add_argument("--trust", default="asserted", choices=("claimed", "asserted", "verified"))
        add.add_argument("--address", action="append", default=[], dest="addresses", help="own number or address")
        add.add_argument("--secret", action="append", default=[], dest="secrets", metavar="NAME=VALUE")
        actions.add_parser("list", help="list the sources")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "list":
            for source in Source.objects.order_by("slug"):
                self.stdout.write(f"{source.slug:24} {source.provider:16} {source.region:2} {source.trust}")
            return
        try:
            source = make_source(
                options["provider"],
                options["slug"],
                region=options["region"].upper(),
                trust=options["trust"],
                addresses=options["addresses"],
                secrets=dict(pair.partition("=")[::2] for pair in options["secrets"]),
            )
        except BadSource as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{source.slug}\n{source.hook_url}\n{paste_of(source)}")
