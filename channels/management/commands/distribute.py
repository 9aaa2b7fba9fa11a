"""`manage.py distribute`: spread lines and raw bytes over a Citus cluster; stop cxhub before, see docs/scaling.md."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from channels import distributing
from channels.distributing import BACK, PREPARE, SHARDS, NotPossible, Step, distribute_steps


class Command(BaseCommand):
    """Prepares keys and ledger, then hands the tables to Citus; refuses where there is none."""

    help = "Spread lines, their parts and raw bytes over a Citus cluster (docs/scaling.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--dry-run", action="store_true", help="print the statements, run none")
        how.add_argument("--prepare", action="store_true", help="keys and ledger only: needs no Citus")
        how.add_argument("--back", action="store_true", help="undo what --prepare did")
        parser.add_argument("--shards", type=int, default=SHARDS, help=f"pieces of each table ({SHARDS})")

    def handle(self, *, dry_run: bool, prepare: bool, back: bool, shards: int, **_: Any) -> None:
        if not 1 <= shards <= 4096:
            raise CommandError("--shards must be from 1 to 4096.")
        if dry_run:
            self.tell("-- Keys and ledger, in one transaction", PREPARE)
            self.tell("-- Over the cluster", distribute_steps(shards))
            return
        if back:
            self.go_back()
            return
        if not prepare:
            try:
                self.stdout.write(f"{distributing.cluster()} servers take shards.")
            except NotPossible as error:
                raise CommandError(str(error)) from None
        if not distributing.prepared():
            distributing.run(PREPARE)
            self.stdout.write("Keys and ledger are made.")
        if not prepare:
            distributing.run(distribute_steps(shards))
            self.stdout.write("Lines, parts and raw bytes are spread.")
        if not settings.CXHUB_DISTRIBUTED:
            self.stdout.write("Now set CXHUB_DISTRIBUTED=1 for every process, and only then start them.")

    def go_back(self) -> None:
        if not distributing.prepared():
            raise CommandError("Nothing was prepared.")
        distributing.run(BACK)
        self.stdout.write("As before. Unset CXHUB_DISTRIBUTED for every process, and only then start them.")

    def tell(self, heading: str, steps: Sequence[Step]) -> None:
        self.stdout.write(heading)
        for step in steps:
            self.stdout.write(f"-- {step.why}\n{step.statement};")
