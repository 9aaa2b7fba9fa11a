"""Where so many requests wait for the database that hardly a thread is left, somebody asks whether it still lives.

Reads have a long patience, because a question may be a long one. Before a frozen server all threads of a process would
have it at once, and whoever pushes could not even be told «not stored» in time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic

from customers import patience
from cxhub.environment import env_int

LONG = 0.4
"""Seconds after which a wait counts."""
ANSWER = 0.3
"""Seconds that a living server may take for a question that is none: together with LONG and the patience of the doors
less than the two seconds that a sender was promised."""


class Crowd:
    """The requests of this process that have waited for long for one server, and when it was found silent."""

    def __init__(self, many: int, *, tells: bool) -> None:
        self.many = many
        self.tells = tells
        self.size = 0
        self.silent_at = -patience.AFTERWARDS
        self._counting, self._asking = Lock(), Lock()

    @contextmanager
    def joined(self) -> Iterator[None]:
        with self._counting:
            self.size += 1
        try:
            yield
        finally:
            with self._counting:
                self.size -= 1

    def hopeless(self, answers: Callable[[], bool]) -> bool:
        """Whether too many wait for a server that says nothing; one of them `answers` for all within a second."""
        if self.size < self.many:
            return False
        if monotonic() - self.silent_at > patience.AFTERWARDS and self._asking.acquire(blocking=False):
            try:
                if not answers():
                    self.silent_at = monotonic()
                    if self.tells:
                        patience.found_silent()
            finally:
                self._asking.release()
        return monotonic() - self.silent_at <= patience.AFTERWARDS


HALF = max(1, env_int("CXHUB_WEB_THREADS", 8) // 2)
PRIMARY, REPLICA = Crowd(HALF, tells=True), Crowd(HALF, tells=False)
"""Of a replica that is silent the doors need not know."""
