"""`manage.py renormalise`: after the normal form of a kind of handle has changed."""

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand

from customers.handles import NORMALISER_VERSION
from customers.renormalising import renormalise


class Command(BaseCommand):
    help = "Link identities of an older normal form to their new one; each link can be undone like any other."

    def handle(self, *args: Any, **options: Any) -> None:
        counts: Counter[str] = Counter()
        for found in renormalise():
            counts[found.what] += 1
            if found.what not in ("same", "linked", "born"):
                self.stdout.write(f"identity {found.identity}: {found.what}")
        told = ", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "nothing to do"
        self.stdout.write(f"version {NORMALISER_VERSION}: {told}")
