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


def part(text: str) -> tuple[int, int]:
    """`2/3` as numbers; raises ValueError."""
    mine, parts = map(int, text.split("/"))
    if not 1 <= mine <= parts:
        raise ValueError(text)
    return mine, parts


class Command(BaseCommand):
    help = "Fold every customer's lines anew into promises, requests, scores and the journey."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="no progress")
        parser.add_argument("--part", type=part, default=(1, 1), help="1/2, 2/2: processes that share the work")

    def handle(self, *args: Any, **options: Any) -> None:
        of, begun, done, after, number = frame(), time.monotonic(), 0, 0, 0
        mine, parts = options["part"]
        ids = Customer.objects.filter(merged_into=None).order_by("id").values_list("id", flat=True)
        total = ids.count()
        while batch := list(ids.filter(id__gt=after)[:AT_ONCE]):
            number, after = number + 1, batch[-1]
            if number % parts != mine % parts:
                continue
            fold_customers(batch, anew=True, of=of)
            done += len(batch)
            if not options["quiet"] and sys.stderr.isatty():
                self.stderr.write(f"\r{done} of {total} customers", ending="")
        if mine == 1:
            standing = ids.values("id")
            orphans = list(Experience.objects.exclude(customer_id__in=standing).values_list("customer_id", flat=True))
            fold_customers(orphans, anew=True, of=of)
        self.stdout.write(f"{done} customers folded in {time.monotonic() - begun:.1f} s")
