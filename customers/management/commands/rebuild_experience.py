"""`manage.py rebuild_experience`: fold every customer's lines from the beginning; the rows come out the same."""

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from customers.experience.folding import fold_customers
from customers.experience.framing import frame
from customers.models import Customer, Experience

AT_ONCE = 100


class Command(BaseCommand):
    help = "Fold every customer's lines anew into promises, requests, scores and the journey."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="no progress")

    def handle(self, *args: Any, **options: Any) -> None:
        of, begun, done, after = frame(), time.monotonic(), 0, 0
        ids = Customer.objects.filter(merged_into=None).order_by("id").values_list("id", flat=True)
        total = ids.count()
        while batch := list(ids.filter(id__gt=after)[:AT_ONCE]):
            fold_customers(batch, anew=True, of=of)
            done, after = done + len(batch), batch[-1]
            if not options["quiet"] and sys.stderr.isatty():
                self.stderr.write(f"\r{done} of {total} customers", ending="")
        standing = ids.values("id")
        orphans = list(Experience.objects.exclude(customer_id__in=standing).values_list("customer_id", flat=True))
        fold_customers(orphans, anew=True, of=of)
        self.stdout.write(f"{done} customers folded in {time.monotonic() - begun:.1f} s")
