"""Hands one message to its receiver: a POST to a checked address, no redirects, 15 seconds, the answer's beginning."""

import http.client
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from django.conf import settings

from channels.fetching import Clock, FetchError, Pinned, path_of, reasons, resolve, split

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


def send(url: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Never raises for what the receiver or the network does."""
    started, clock = time.monotonic(), Clock(SECONDS)
    try:
        with reasons(clock):
            status, said, wait = post(url, headers, body, clock)
        clock.check()
    except FetchError as error:
        status, said, wait = None, str(error), None
    finally:
        clock.timer.cancel()
    return Answer(status, said, round((time.monotonic() - started) * 1000), wait)


def post(url: str, headers: Mapping[str, str], body: bytes, clock: Clock) -> tuple[int, str, float | None]:
    target = split(url, settings.CXHUB_OUTGOING_INSIDE)
    addresses = resolve(target, clock, settings.CXHUB_OUTGOING_INSIDE)
    told = {"Content-Type": "application/json", "User-Agent": "cxhub", "Accept-Encoding": "identity", **headers}
    with closing(Pinned(target, addresses, clock)) as connection:
        connection.request("POST", path_of(target), body, told)
        with closing(connection.getresponse()) as response:
            said = b""
            with suppress(OSError, AttributeError, http.client.HTTPException):  # What it said is not what counts.
                said = response.read1(KEPT)
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
