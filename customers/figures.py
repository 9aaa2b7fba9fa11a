"""Counts of what happens: gathered in memory, and added to one table every ten seconds, for all processes together.

Any web process can then answer for all of them on all hosts, and a restart sets nothing back. A process that is
killed takes its last ten seconds of counts along; nothing but figures depends on them.
"""

import atexit
import logging
import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import orjson
from django.db import DatabaseError, InterfaceError, connections, transaction

from customers.sql import cursor

logger = logging.getLogger(__name__)

EVERY = 10.0
"""Seconds between two additions."""
AT_END = 1.0
BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Upper bounds in seconds of what is observed; the last bucket is what takes even longer."""
PLACES: Final = tuple(str(place) for place in range(len(BOUNDS) + 1))
ALIVE = "alive"
PAUSE = 5.0
"""A process says at most so often that it is alive."""

ADD = """
INSERT INTO customers_figure (series, value) SELECT series, value FROM unnest(%s::text[], %s::float8[]) x(series, value)
 ORDER BY series ON CONFLICT (series) DO UPDATE SET value = customers_figure.value + excluded.value
"""
NOW = """
INSERT INTO customers_figure (series, value) VALUES (%s, extract(epoch FROM clock_timestamp()))
    ON CONFLICT (series) DO UPDATE SET value = excluded.value
"""
Series = tuple[str, ...]


class Gathered:
    """The counts of this process that the table does not have yet."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.counts: dict[Series, float] = {}

    def add(self, series: Series, by: float) -> None:
        with self.lock:
            self.counts[series] = self.counts.get(series, 0.0) + by

    def observe(self, place: Series, total: Series, seconds: float) -> None:
        with self.lock:
            self.counts[place] = self.counts.get(place, 0.0) + 1.0
            self.counts[total] = self.counts.get(total, 0.0) + seconds

    def take(self) -> dict[Series, float]:
        with self.lock:
            taken, self.counts = self.counts, {}
        return taken


gathered = Gathered()
said_alive: dict[str, float] = {}
flushing: list[tuple[threading.Event, threading.Thread]] = []


def add(*series: str, by: float = 1.0) -> None:
    """Count: `series` is a name and the values of its labels. Costs a microsecond and never fails."""
    gathered.add(series, by)


def add_later(*series: str, by: float = 1.0) -> None:
    """Count what is done once the transaction that is open commits; what is rolled back was not."""
    if by:
        transaction.on_commit(partial(gathered.add, series, by))


def observe(*series: str, seconds: float) -> None:
    """Count a duration: its bucket and its length."""
    gathered.observe((*series, PLACES[bisect_left(BOUNDS, seconds)]), (*series, "sum"), seconds)


def observe_all(*series: str, seconds: Sequence[float]) -> None:
    """Many durations at once."""
    for place, count in Counter(bisect_left(BOUNDS, one) for one in seconds).items():
        gathered.add((*series, PLACES[place]), count)
    if seconds:
        gathered.add((*series, "sum"), sum(seconds))


def flush() -> None:
    """Add what was gathered; what cannot be added now is kept for the next time."""
    taken = gathered.take()
    if not taken:
        return
    try:
        with cursor() as sql:
            sql.execute(ADD, ([orjson.dumps(series).decode() for series in taken], list(taken.values())))
    except (DatabaseError, InterfaceError):
        for series, by in taken.items():
            gathered.add(series, by)
        raise


def keep_flushing(stop: threading.Event | None = None) -> None:
    """From now on, in a thread of its own: whoever serves calls this once, after it was forked."""
    ended = stop or threading.Event()
    thread = threading.Thread(target=_flush_until, args=(ended,), name="figures", daemon=True)
    flushing.append((ended, thread))
    thread.start()


@atexit.register
def end() -> None:
    """Before the database goes, or the interpreter takes the log away; what is silent is waited for only a moment."""
    for ended, _ in flushing:
        ended.set()
    for _, thread in flushing:
        thread.join(AT_END)


def _flush_until(ended: threading.Event) -> None:
    while not ended.wait(EVERY):
        try:
            flush()
        except Exception as error:  # Whatever it is, counting goes on.
            if not ended.is_set():
                logger.warning("figures wait: %s", type(error).__name__)
        finally:
            connections.close_all()  # Ten seconds of an idle connection cost more than a new one.


def alive(process: str) -> None:
    """Note that this kind of process gets its work done; by the clock of the database, that all compare with."""
    now = time.monotonic()
    if now - said_alive.get(process, -PAUSE) >= PAUSE:
        with cursor() as sql:
            sql.execute(NOW, (orjson.dumps((ALIVE, process)).decode(),))
        said_alive[process] = now


def read() -> Mapping[Series, float]:
    """All of them."""
    with cursor("reading") as sql:
        sql.execute("SELECT series, value FROM customers_figure")
        return {tuple(orjson.loads(series)): value for series, value in sql.fetchall()}
