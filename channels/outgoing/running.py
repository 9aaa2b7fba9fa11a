"""Beside the sweep: follow the feed every second, and send to each receiver in a thread of its own.

A receiver that hangs keeps its own thread for 15 seconds, and then pauses: the others do not notice.
"""

import logging
import threading
import time

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections

from channels.outgoing.delivering import Receiver, serve, take
from channels.outgoing.spreading import spread_all
from customers.sql import cursor

logger = logging.getLogger(__name__)

PAUSE = 1.0
THREADS = 8
HOUR = 3600.0
PRUNED = 5000

OLD = f"""
SELECT id FROM channels_message WHERE created_at < now() - make_interval(days => %s) ORDER BY id LIMIT {PRUNED}
"""


def keep_telling(stop: threading.Event) -> None:
    """Until told to stop; trouble with the database is waited out."""
    places = threading.BoundedSemaphore(THREADS)
    prune_at = 0.0
    while not stop.wait(PAUSE):
        try:
            if time.monotonic() >= prune_at:
                prune()
                prune_at = time.monotonic() + HOUR
            spread_all()
            hand_out(places)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("outgoing: %s", type(error).__name__)
            connections.close_all()
    connections.close_all()


def hand_out(places: threading.BoundedSemaphore) -> None:
    """A thread for each receiver for whom something is due, while there are places."""
    while places.acquire(blocking=False):
        receiver = None
        try:
            receiver = take()
        finally:
            if receiver is None:
                places.release()
        if receiver is None:
            return
        threading.Thread(target=in_its_own_thread, args=(receiver, places), daemon=True).start()


def in_its_own_thread(receiver: Receiver, places: threading.BoundedSemaphore) -> None:
    try:
        serve(receiver)
    except (DatabaseError, InterfaceError) as error:
        logger.warning("outgoing: %s", type(error).__name__)
    finally:
        connections.close_all()
        places.release()


def tell_all() -> int:
    """Everything that is due, one receiver after the other; returns how many messages were tried."""
    spread_all()
    tried = 0
    while receiver := take():
        tried += serve(receiver)
    return tried


def prune() -> int:
    """Messages and their attempts after the retention, whatever became of them; returns how many."""
    gone = 0
    while True:
        with cursor() as sql:
            sql.execute(OLD.encode(), (settings.CXHUB_OUTGOING_DAYS,))
            ids = [row[0] for row in sql.fetchall()]
            sql.execute("DELETE FROM channels_attempt WHERE message_id = ANY(%s)", (ids,))
            sql.execute("DELETE FROM channels_message WHERE id = ANY(%s)", (ids,))
        gone += len(ids)
        if len(ids) < PRUNED:
            return gone
