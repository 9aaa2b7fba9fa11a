"""`manage.py retain`: apply the rules of retention now, or count what would go (`--dry-run`)."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from customers import retention
from customers.models import RetentionRule


class Command(BaseCommand):
    help = "Apply the rules of retention; --dry-run only counts, also of rules that are not enabled yet."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count what each rule would take, and take nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        dry = options["dry_run"]
        rules = list(RetentionRule.objects.order_by("id")) if dry else retention.rules()
        if not rules:
            self.stdout.write("There are no rules of retention." if dry else "No rule of retention is enabled.")
            return
        told = 0

        def progress(done: retention.Done) -> None:
            nonlocal told
            told += 1
            if told % 100 == 0:
                self.stderr.write(f"{sum(done.lines.values())} contacts, up to identity {done.after}")

        done = retention.apply(rules, dry=dry, told=progress)
        for rule in rules:
            off = "" if rule.enabled else " (not enabled)"
            self.stdout.write(f"{rule}{off}: {done.lines.get(rule.pk, 0)} contacts {'would go' if dry else 'done'}")
