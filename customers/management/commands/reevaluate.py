"""`manage.py reevaluate`: after the rules, or the list of blocked handles, were tightened."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from customers.reevaluating import reevaluate
from customers.rules import RULES_VERSION


class Command(BaseCommand):
    help = "Put links that today's rules would refuse up for review; nothing is undone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="also the links that today's version made")
        parser.add_argument("--dry-run", action="store_true", help="only list them")

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        for doubt in reevaluate(every=options["all"], dry_run=options["dry_run"]):
            count += 1
            self.stdout.write(
                f"link {doubt.link} of customer {doubt.customer}, rules {doubt.rules_version}: {doubt.reason}"
            )
        told = "would be put up for review" if options["dry_run"] else "put up for review"
        self.stdout.write(f"rules {RULES_VERSION}: {count} {told}")
