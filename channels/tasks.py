"""Celery carries no data: a task says «there is work», and may be lost, doubled or late."""

import logging
import threading
import time

from celery import shared_task
from django.db.models import Min

logger = logging.getLogger(__name__)

PAUSE = 0.05
"""Seconds between two nudges of one process: at most 20 a second."""


@shared_task(name="channels.tasks.drain", ignore_result=True)
def drain() -> None:
    from channels.draining import drain_all
    from customers.figures import alive

    drain_all(seconds=60)
    alive("worker")


@shared_task(name="channels.tasks.heartbeat", ignore_result=True)
def heartbeat() -> None:
    """That beat sends, that the broker passes on, and that a worker takes."""
    from customers.figures import alive

    alive("beat")


@shared_task(name="channels.tasks.prune", ignore_result=True)
def prune() -> None:
    from channels.bodies import prune as prune_bodies
    from channels.models import Subscription
    from customers.pruning import prune as prune_logs

    prune_bodies()
    prune_logs(followed=Subscription.objects.filter(enabled=True).aggregate(least=Min("txid"))["least"])


@shared_task(name="channels.tasks.fetch_media", ignore_result=True)
def fetch_media() -> None:
    from channels.media import fetch_due

    fetch_due(limit=20)


@shared_task(name="channels.tasks.retain", ignore_result=True)
def retain() -> None:
    from customers.retention import nightly

    nightly()


@shared_task(name="channels.tasks.verify_identity", ignore_result=True)
def verify_identity() -> None:
    from customers.verifying import verify_and_store

    verify_and_store()


class Nudge:
    """One thread a process publishes nudges, so that no request ever waits for the broker."""

    def __init__(self) -> None:
        self.wanted = threading.Event()
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None

    def __call__(self) -> None:
        self.wanted.set()
        if self.thread is None or not self.thread.is_alive():
            with self.lock:
                if self.thread is None or not self.thread.is_alive():
                    self.thread = threading.Thread(target=self.publish, name="nudge", daemon=True)
                    self.thread.start()

    def publish(self) -> None:
        while True:
            self.wanted.wait()
            self.wanted.clear()
            try:
                drain.apply_async(expires=10, retry=False)
            except Exception as error:  # The broker may be gone: sweep finds the work without it.
                logger.warning("nudge not published: %s", type(error).__name__)
                time.sleep(1)
            time.sleep(PAUSE)


nudge = Nudge()
