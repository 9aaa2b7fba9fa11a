"""`manage.py sweep`: finds waiting work every two seconds, without Redis, so that a lost nudge loses nothing."""

import logging
import signal
import threading
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError, connections

from channels.bodies import make_partitions
from channels.draining import drain_all
from channels.leasing import anything_waits, hurry
from channels.media import fetch_due
from channels.outgoing.running import keep_telling
from customers.experience.following import follow
from customers.figures import alive, keep_flushing

logger = logging.getLogger(__name__)

PAUSE = 2.0
HOUR = 3600.0
QUARTER = 15.0


class Command(BaseCommand):
    help = "Drain what waits, every two seconds; follow it with the experience; make the partitions of the days ahead."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="one round, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        if not options["once"]:
            signal.signal(signal.SIGTERM, lambda *_: stop.set())
            signal.signal(signal.SIGINT, lambda *_: stop.set())
            keep_flushing()
            threading.Thread(target=self.fetch, args=(stop,), name="media", daemon=True).start()
            threading.Thread(target=keep_telling, args=(stop,), name="outgoing", daemon=True).start()
        partitions_at = hurry_at = 0.0
        while not stop.is_set():
            try:
                if time.monotonic() >= partitions_at:
                    make_partitions()
                    partitions_at = time.monotonic() + HOUR
                if time.monotonic() >= hurry_at:
                    hurry()
                    hurry_at = time.monotonic() + QUARTER
                alive("sweep")
                drain_all(seconds=10)
                # The experience comes behind the timeline: while events wait it gets a twentieth of the time.
                follow(PAUSE, others_wait=anything_waits)
            except (DatabaseError, InterfaceError) as error:
                logger.warning("sweep: %s", type(error).__name__)
                connections.close_all()
            if options["once"]:
                return
            stop.wait(PAUSE)

    def fetch(self, stop: threading.Event) -> None:
        """Files are fetched beside the draining: one slow host must not hold up the lines."""
        while not stop.wait(PAUSE):
            try:
                fetch_due(limit=20)
            except (DatabaseError, InterfaceError) as error:
                logger.warning("media: %s", type(error).__name__)
                connections.close_all()
