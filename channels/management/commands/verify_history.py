"""`manage.py verify_history`: what was acknowledged against what the timelines have, with the difference."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from channels.verifying import compare


class Command(BaseCommand):
    help = "Whether every acknowledged event is in exactly one timeline exactly once; exit code 1 if not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--ledger",
            type=Path,
            help="a file with a receipt a line, or JSON lines with «receipt»: what a sender was told",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = compare(None if options["ledger"] is None else ledger(options["ledger"]))
        states = ", ".join(f"{count} {state}" for state, count in sorted(found.states.items()))
        self.stdout.write(f"{found.receipts} receipts: {states or 'none'}")
        for line in found.told:
            self.stdout.write(line)
        if found.total:
            self.stdout.write(", ".join(f"{count} {what}" for what, count in sorted(found.wrong.items())))
            sys.exit(1)
        self.stdout.write("each is in one timeline, once")


def ledger(path: Path) -> list[UUID]:
    """The receipts of a file; raises CommandError with the line that is none."""
    found = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        text = line.strip()
        if not text:
            continue
        try:
            found.append(UUID(json.loads(text)["receipt"] if text.startswith("{") else text))
        except (ValueError, KeyError, TypeError):
            raise CommandError(f"{path}:{number} has no receipt") from None
    return list(dict.fromkeys(found))
