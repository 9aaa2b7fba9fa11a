"""`manage.py rebuild_experience`: fold every customer's lines from the beginning; the rows come out the same."""

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from customers.experience.folding import fold_customers
from customers.experience.following import AT_ONCE, in_batches
from customers.experience.framing import frame
from customers.models import Customer, Experience
from customers.sql import Cursor, cursor

READ = 2000
STANDING = """
SELECT c.id, (SELECT coalesce(sum(k.count), 0)::int FROM customers_identity i
                JOIN customers_contactcount k ON k.identity_id = i.id WHERE i.customer_id = c.id)
  FROM customers_customer c WHERE c.id > %s AND c.merged_into_id IS NULL ORDER BY c.id LIMIT %s
"""


def standing(sql: Cursor, after: int) -> list[tuple[int, int]]:
    """The next customers, with how many lines each has: whoever has many is folded alone."""
    sql.execute(STANDING, (after, READ))
    return sql.fetchall()


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
        of, begun, done, after = frame(), time.monotonic(), 0, 0
        mine, parts = options["part"]
        ids = Customer.objects.filter(merged_into=None).order_by("id").values_list("id", flat=True)
        total = ids.count()
        with cursor() as sql:
            while found := standing(sql, after):
                after = found[-1][0]
                for batch in in_batches((one for one in found if one[0] % parts == mine % parts), AT_ONCE):
                    fold_customers(batch, anew=True, of=of)
                    done += len(batch)
                    if not options["quiet"] and sys.stderr.isatty():
                        self.stderr.write(f"\r{done} of {total} customers", ending="")
        if mine == 1:
            kept = ids.values("id")
            orphans = list(Experience.objects.exclude(customer_id__in=kept).values_list("customer_id", flat=True))
            fold_customers(orphans, anew=True, of=of)
        self.stdout.write(f"{done} customers folded in {time.monotonic() - begun:.1f} s")
