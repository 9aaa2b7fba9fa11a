"""Hands one message to its receiver: a POST to a checked address, no redirects, 15 seconds, the answer's beginning."""

import http.client
import select
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult

from django.conf import settings

from channels.fetching import Address, Clock, FetchError, Pinned, origin, path_of, reasons, resolve, split

SECONDS = 15.0
KEPT = 500
"""Bytes of an answer that are read and kept."""
LONGEST_WAIT = 86_400.0


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is None where there was no answer; `said` is its beginning, or why there was none."""

    status: int | None
    said: str
    milliseconds: int
    retry_after: float | None = None

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        return self.status == 410


class Wire:
    """The connection to a receiver, kept from one message to the next as long as both sides want it.

    Each message is checked as if it opened one: the host is resolved anew, and a connection is used again only if it
    leads to one of the addresses that were found and allowed just now.
    """

    def __init__(self) -> None:
        self.open: Pinned | None = None

    def close(self) -> None:
        if self.open is not None:
            self.open.close()
            self.open = None

    def take(self, target: SplitResult, addresses: list[Address], clock: Clock) -> Pinned | None:
        """The connection that is open, if it may carry this message."""
        kept, self.open = self.open, None
        if kept is None:
            return None
        if kept.sock is None or origin(kept.url) != origin(target) or kept.peer not in addresses or stirs(kept):
            kept.close()
            return None
        kept.sock.settimeout(clock.left())
        kept.clock, clock.sock = clock, kept.sock
        return kept


def stirs(connection: Pinned) -> bool:
    """Whether something came though nothing was asked: its end, or what must not pass for the next answer."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def send(url: str, headers: Mapping[str, str], body: bytes, wire: Wire | None = None) -> Answer:
    """Never raises for what the receiver or the network does."""
    started, clock = time.monotonic(), Clock(SECONDS)
    try:
        with closing(Wire()) as own, reasons(clock):
            status, said, wait = post(url, headers, body, clock, wire or own)
        clock.check()
    except FetchError as error:
        status, said, wait = None, str(error), None
    finally:
        clock.timer.cancel()
    return Answer(status, said, round((time.monotonic() - started) * 1000), wait)


def post(url: str, headers: Mapping[str, str], body: bytes, clock: Clock, wire: Wire) -> tuple[int, str, float | None]:
    target = split(url, settings.CXHUB_OUTGOING_INSIDE)
    addresses = resolve(target, clock, settings.CXHUB_OUTGOING_INSIDE)
    told = {"Content-Type": "application/json", "User-Agent": "cxhub", "Accept-Encoding": "identity", **headers}
    kept = wire.take(target, addresses, clock)
    if kept is not None:
        try:
            return speak(kept, target, body, told, wire)
        except TimeoutError:
            raise
        except (OSError, AttributeError, http.client.HTTPException):
            # The receiver had enough of it meanwhile. If it took the message after all, it knows the id.
            clock.check()
    return speak(Pinned(target, addresses, clock), target, body, told, wire)


def speak(
    connection: Pinned, target: SplitResult, body: bytes, told: Mapping[str, str], wire: Wire
) -> tuple[int, str, float | None]:
    """One message and the answer to it; the connection stays open where that was read to its end."""
    with ExitStack() as ended:
        ended.callback(connection.close)
        connection.request("POST", path_of(target), body, told)
        with closing(connection.getresponse()) as response:
            said = b""
            with suppress(OSError, AttributeError, http.client.HTTPException):  # What it said is not what counts.
                said = response.read1(KEPT)
                if not response.will_close and response.length == 0:  # Of an answer in chunks the length is not known.
                    ended.pop_all()
                    wire.open = connection
            return response.status, legible(said), wait_of(response)


def wait_of(response: http.client.HTTPResponse) -> float | None:
    """`Retry-After`, in seconds: a number, or a date."""
    value = response.getheader("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    seconds = (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), LONGEST_WAIT)


def legible(raw: bytes) -> str:
    """As text that shows and does nothing."""
    text = raw[:KEPT].decode("utf-8", "replace")
    return "".join(char if char.isprintable() else " " for char in text).strip()
