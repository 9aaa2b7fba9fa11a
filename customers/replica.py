"""Whether a read may come from the replica: one that answers, is hardly behind, and has what the reader wrote."""

import logging
import os
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import psycopg
from django.conf import settings
from django.db import connections

logger = logging.getLogger(__name__)

ALIAS = "replica"
PAUSE, PATIENCE = 0.5, 3.0
"""Seconds between two looks at the servers, and how long an answer may take before the replica counts as down."""

# As bytes since the cluster was made: numbers that only grow.
WRITTEN = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"
REPLAYED = "SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint"


@dataclass(slots=True)
class Reader:
    """Whoever asks, for as long as his request takes: he sees at least what stood at `floor` in the log of writes."""

    floor: int = 0
    primary: bool = False  # he writes, or asks for what must be the newest


READER: ContextVar[Reader | None] = ContextVar("reader", default=None)
"""Outside of requests nobody reads from the replica: what works, works on what is."""


@contextmanager
def reader(floor: int = 0, *, primary: bool = False) -> Iterator[Reader]:
    """Within, reads may come from the replica."""
    one = Reader(floor, primary)
    token = READER.set(one)
    try:
        yield one
    finally:
        with suppress(ValueError):  # A stream may be closed by another context than began it.
            READER.reset(token)


def stay_on_primary() -> None:
    """From here on this request reads what is, e.g. because it writes."""
    if (one := READER.get()) is not None:
        one.primary = True


def at_least(floor: int) -> None:
    """Whoever asks wrote at this place: he must find it."""
    if (one := READER.get()) is not None:
        one.floor = max(one.floor, floor)


def serves() -> bool:
    """Whether this read may come from the replica."""
    one = READER.get()
    return one is not None and not one.primary and configured() and WATCH.serves(one.floor)


def configured() -> bool:
    return ALIAS in connections.settings


def position() -> int:
    """How far the primary has written: a floor that covers all that was committed before."""
    from customers.sql import cursor

    with cursor("noting") as sql:
        sql.execute(WRITTEN, prepare=True)
        return int((sql.fetchone() or (0,))[0])


@dataclass(frozen=True, slots=True)
class Status:
    """`lag` in seconds and `behind` in bytes; None while the replica does not answer."""

    lag: float | None
    behind: int | None

    @property
    def good(self) -> bool:
        return self.lag is not None and self.lag <= settings.CXHUB_REPLICA_LAG


def status() -> Status | None:
    """For /metrics and /readyz; None where there is no replica."""
    if not configured():
        return None
    WATCH.begin()
    WATCH.looked.wait(PATIENCE)
    return WATCH.status()


@dataclass
class Watch:
    """One thread a process looks at both servers, so that no request waits for a replica that is silent."""

    looked: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    thread: threading.Thread | None = None
    process: int = 0
    answered: float = -PATIENCE
    replayed: int = 0
    falls: int = 0
    written: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=7200))
    busy: dict[int, psycopg.Connection[Any]] = field(default_factory=dict)

    def begin(self) -> None:
        """Start the thread, once a process (a forked one has none)."""
        if self.process != os.getpid() or self.thread is None or not self.thread.is_alive():
            with self.lock:
                if self.process != os.getpid() or self.thread is None or not self.thread.is_alive():
                    self.process, self.answered, self.busy = os.getpid(), -PATIENCE, {}
                    self.thread = threading.Thread(target=self.run, name="replica", daemon=True)
                    self.thread.start()

    def serves(self, floor: int) -> bool:
        self.begin()
        return self.answers() and self.replayed >= floor and self.lag() <= settings.CXHUB_REPLICA_LAG

    def answers(self) -> bool:
        return time.monotonic() - self.answered < PATIENCE

    def lag(self) -> float:
        """For how long it has been behind: since the oldest place of the primary that it has not reached."""
        return next((time.monotonic() - at for at, place in list(self.written) if place > self.replayed), 0.0)

    def status(self) -> Status:
        if not self.answers():
            return Status(None, None)
        return Status(self.lag(), max(0, self.written[-1][1] - self.replayed) if self.written else 0)

    def failed(self) -> None:
        """Somebody found it down: nobody asks it again before it has answered the thread."""
        self.answered = -PATIENCE
        self.falls += 1

    @contextmanager
    def using(self, connection: psycopg.Connection[Any]) -> Iterator[None]:
        """A statement runs there: it is cut off if the replica falls silent."""
        self.busy[id(connection)] = connection
        try:
            yield
        finally:
            self.busy.pop(id(connection), None)

    def run(self) -> None:
        primary: psycopg.Connection[Any] | None = None
        replica: psycopg.Connection[Any] | None = None
        up = None
        while configured():
            try:
                primary = primary or connect("default")
                self.written.append((time.monotonic(), ask(primary, WRITTEN)))
            except (OSError, psycopg.Error):
                close(primary)
                primary = None
            begun = time.monotonic()
            try:
                replica = replica or connect(ALIAS)
                self.replayed = ask(replica, REPLAYED)
                while len(self.written) > 1 and self.written[0][1] <= self.replayed:
                    self.written.popleft()
                self.answered, now = begun, True
            except (OSError, psycopg.Error):
                self.failed()
                self.cut()
                close(replica)
                replica, now = None, False
            if now is not up:
                up = now
                logger.log(logging.INFO if up else logging.WARNING, "the replica %s", "answers" if up else "is away")
            self.looked.set()
            time.sleep(PAUSE)
        close(primary)
        close(replica)

    def cut(self) -> None:
        """End the statements that wait for it, so that they are asked of the primary."""
        for connection in list(self.busy.values()):
            with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as wire:
                wire.shutdown(socket.SHUT_RDWR)


def connect(alias: str) -> psycopg.Connection[Any]:
    """A connection of the thread's own."""
    wrapper = connections.create_connection(alias)
    parameters = {**wrapper.get_connection_params(), "connect_timeout": 2}
    for name in ("cursor_factory", "context", "prepare_threshold"):
        parameters.pop(name, None)
    return psycopg.connect(**parameters, autocommit=True)


def close(connection: psycopg.Connection[Any] | None) -> None:
    if connection is not None:
        with suppress(OSError, psycopg.Error):
            connection.close()


def ask(connection: psycopg.Connection[Any], statement: str) -> int:
    """One number, or OSError when there is no answer in time: a frozen server would keep us for ever."""
    wire, until = connection.pgconn, time.monotonic() + PATIENCE
    wire.send_query(statement.encode())
    wire.flush()
    while wire.is_busy():
        if not select.select([wire.socket], [], [], max(0, until - time.monotonic()))[0]:
            raise TimeoutError
        wire.consume_input()
    answer = wire.get_result()
    while wire.get_result() is not None:
        pass
    value = answer.get_value(0, 0) if answer is not None and answer.ntuples == 1 else None
    if value is None:
        raise OSError("no position")
    return int(value)


WATCH = Watch()
