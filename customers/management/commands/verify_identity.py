"""`manage.py verify_identity`: whether the database keeps the promises about identity."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from customers.verifying import verify_and_store


class Command(BaseCommand):
    help = "Compare what is cached with a replay of the standing links; exit code 1 when they differ."

    def handle(self, *args: Any, **options: Any) -> None:
        found = verify_and_store()
        for name, count in found.counts.items():
            self.stdout.write(f"{name:>16} {count}")
        for trouble in found.troubles:
            self.stderr.write(trouble)
        if found.total:
            self.stderr.write(f"{found.total} in trouble: {dict(found.by_rule)}")
            sys.exit(1)
        self.stdout.write(f"{'in trouble':>16} 0, in {found.seconds} s")
