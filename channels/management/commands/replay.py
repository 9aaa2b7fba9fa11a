"""`manage.py replay`: parse stored deliveries again, one by one, by source, or by time."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from channels.models import Delivery
from channels.receipts import replay

CHUNK = 500


def moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class Command(BaseCommand):
    help = "Put deliveries back to work: what they say now replaces what they said."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("receipts", nargs="*", type=UUID)
        parser.add_argument("--source", help="the slug of a source")
        parser.add_argument(
            "--since", type=moment, help="received at or after (ISO 8601, UTC unless it says otherwise)"
        )
        parser.add_argument("--until", type=moment, help="received before")
        parser.add_argument("--status", action="append", choices=[s for s in Delivery.STATES if s not in Delivery.OPEN])

    def handle(self, *args: Any, **options: Any) -> None:
        if not (options["receipts"] or options["source"] or options["since"] or options["until"] or options["status"]):
            raise CommandError("name receipts, a source, a time or a status")
        found = Delivery.objects.exclude(state__in=Delivery.OPEN).order_by("pk")
        if options["receipts"]:
            found = found.filter(pk__in=options["receipts"])
        if options["source"]:
            found = found.filter(source__slug=options["source"])
        if options["since"]:
            found = found.filter(received_at__gte=options["since"])
        if options["until"]:
            found = found.filter(received_at__lt=options["until"])
        if options["status"]:
            found = found.filter(state__in=options["status"])
        ids = list(found.values_list("pk", flat=True))
        done = 0
        for start in range(0, len(ids), CHUNK):
            done += replay(Delivery.objects.filter(pk__in=ids[start : start + CHUNK]))
            self.stderr.write(f"{done} of {len(ids)}")
        self.stdout.write(f"{done} deliveries will be replayed")
