"""How long a request waits for the database in all: its sender hears «not stored» in time, whatever the database does.

The server's own limits of time do not help where it is frozen, or where a COMMIT hangs. What was given up may still be
committed: the sender comes again, and meets what he has sent.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from time import monotonic

DOORS = 1.2
"""Seconds for what answers a sender, who was promised to hear within two: the rest is for work on a busy machine."""
SHORT = 0.1
READS, SHORT_READS = 5.0, 1.0
"""Seconds for what is only read."""
COUNTING = 20.0
"""Seconds for what is counted over everybody: years of millions of contacts are a long read, and no sign of trouble."""
WRITES = 60.0
"""Seconds for whatever else a person or an integration waits for."""
AFTERWARDS = 1.0
"""After the doors found the database silent, for as many seconds a request waits for it only a moment: else all
threads of the process would stand in line before a database that is gone."""


@dataclass(slots=True)
class Patience:
    """Seconds that a request may still wait, and whether the database is silent when they are over."""

    left: float
    tells: bool

    def waited(self, seconds: float) -> None:
        self.left = max(0.0, self.left - seconds)


LEFT: ContextVar[Patience | None] = ContextVar("patience", default=None)
silent_at = -AFTERWARDS


@contextmanager
def patience(seconds: float = DOORS, short: float = SHORT, *, tells: bool = True) -> Iterator[None]:
    """All waits for the database in this block take no longer than that together; else they raise OperationalError.

    `short` is for while it is known to be silent. Of what may take long by itself nobody learns that (not `tells`).
    """
    silent = monotonic() - silent_at <= AFTERWARDS
    token = LEFT.set(Patience(min(seconds, short) if silent else seconds, tells and not silent))
    try:
        yield
    finally:
        LEFT.reset(token)


def ran_out(patience: Patience) -> None:
    """Only a request that had waited in full says that the database is silent."""
    if patience.tells:
        found_silent()


def found_silent() -> None:
    global silent_at
    silent_at = monotonic()
