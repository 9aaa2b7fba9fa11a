"""A pushed body into events, not yet checked: unzip, decode, cut; what cannot be read harms no neighbour."""

import json
import math
import re
import zlib
from dataclasses import dataclass
from typing import Any, NoReturn

import orjson

from customers.api.problems import Problem
from customers.legible import legible

MOST_EVENTS, MOST_BYTES = 2_500, 5 * 1024 * 1024
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-lines")
TYPES = ("application/json", *NDJSON)
SUSPECT = re.compile(rb"\\u0000|\\u[dD][89a-fA-F]|\d{16}")
"""What only the slow way reads safely: NULs, surrogates, numbers beyond 2^53."""
# A string without an end reaches to the end: else each of its quotes would be looked at as a beginning.
TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[\[\]{},]', re.DOTALL)
DIGITS = 18
"""An integer of more digits stays the text that it is: reading it takes quadratic time."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """In place of an event that cannot be read."""

    code: str
    detail: str


TOO_DEEP = Unreadable("invalid_value", "The event is nested too deep.")


def gunzipped(body: bytes) -> bytes:
    """At most 5 MB, whatever a small body swells to; raises Problem."""
    stream = zlib.decompressobj(wbits=31)
    try:
        plain = stream.decompress(body, MOST_BYTES + 1)
    except zlib.error:
        raise Problem("not_json", "The body says that it is gzip, and is not.") from None
    if len(plain) > MOST_BYTES:
        raise Problem("too_large", "A request may have 5 MB after gunzip.")
    if not stream.eof:
        raise Problem("not_json", "The gzip body ends too early.")
    return plain


def cut(body: bytes, content_type: str) -> list[Any]:
    """The events of a body; raises Problem when nothing of it can be read."""
    if content_type in NDJSON:
        lines = [line for line in body.split(b"\n") if line.strip()]
        return counted([readable(line) for line in lines] if len(lines) <= MOST_EVENTS else lines)
    try:
        value = decoded(body)
    except RecursionError:
        return counted(apart(body))
    except ValueError:
        raise not_json() from None
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list):
        raise Problem("not_json", "The body must be a JSON object, or an array of them.")
    return counted(value)


def counted(events: list[Any]) -> list[Any]:
    if not events:
        raise Problem("not_json", "The body is empty.")
    if len(events) > MOST_EVENTS:
        raise Problem("too_many_events", f"A request may have {MOST_EVENTS} events, not {len(events)}.")
    return events


def not_json() -> Problem:
    return Problem("not_json", "The body is not JSON.")


def readable(line: bytes) -> Any:
    try:
        return decoded(line)
    except RecursionError:
        return TOO_DEEP
    except ValueError:
        return Unreadable("not_json", "This line is not JSON.")


def decoded(text: bytes) -> Any:
    """A JSON value that PostgreSQL can hold; raises ValueError for none, RecursionError for one too deep."""
    if not SUSPECT.search(text):
        try:
            return orjson.loads(text)
        except ValueError:  # No JSON, or JSON that is too deep for orjson, or 1e400: the slow way tells.
            pass
    found = json.loads(text.decode("utf-8"), parse_constant=refused, parse_int=whole, parse_float=fraction)
    return legible(found)


def refused(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def whole(text: str) -> int | str:
    return int(text) if len(text) <= DIGITS else text


def fraction(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def apart(body: bytes) -> list[Any]:
    """The items of an array that is too deep as a whole, each read on its own; raises Problem when it is no array."""
    text = body.strip()
    commas: list[int] = []
    depth = end = 0
    for token in TOKEN.finditer(text):
        mark = token.group()
        depth += DEPTH.get(mark, 0)
        end = token.end()
        if mark == b"," and depth == 1:
            commas.append(token.start())
        elif depth == 0:
            break
    if depth or end != len(text) or text[:1] not in (b"[", b"{"):
        raise not_json()
    if text[:1] == b"{":
        return [TOO_DEEP]
    starts = [1, *(comma + 1 for comma in commas)]
    items = [readable(text[start:stop]) for start, stop in zip(starts, [*commas, len(text) - 1], strict=True)]
    if any(isinstance(item, Unreadable) and item is not TOO_DEEP for item in items):
        raise not_json()
    return items


DEPTH = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}
