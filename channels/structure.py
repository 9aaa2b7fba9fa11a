"""Counts the parts, the depth and the headers of a mail on its raw bytes, before any parser sees them.

Format: RFC 2046 section 5.1 (multipart), RFC 3464 section 2.1 (delivery-status blocks). The standard library's
parser is quadratic or worse on what is refused here (python/cpython#75630, #136063).
"""

import re
from dataclasses import dataclass

from channels.bounded import Refused

MAX_SIZE = 30 * 1024 * 1024
MAX_PARTS = 500
MAX_DEPTH = 20
MAX_HEADERS = 500
MAX_HEADER_BYTES = 64 * 1024

BLANK_LINE = re.compile(rb"^\r?\n", re.MULTILINE)
DASHES = re.compile(rb"^--", re.MULTILINE)
BLOCK = re.compile(rb"\n\r?\n")
LINE_OF_HEADER = re.compile(rb"^[^ \t\r\n]", re.MULTILINE)
FOLDED = re.compile(rb"\r?\n[ \t]")
CONTENT_TYPE = re.compile(rb"^content-type[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
BOUNDARY = re.compile(rb'boundary(?:\*0?\*?)?[ \t]*=[ \t]*(?:"([^"\r\n]{1,200})"|([^\s";]{1,200}))', re.IGNORECASE)


@dataclass(slots=True)
class Structure:
    """What a mail is made of; `structured` is the longest header that has to be taken apart."""

    size: int
    parts: int = 0
    depth: int = 0
    header_bytes: int = 0
    structured: int = 0

    def heavy(self) -> bool:
        """True if parsing could cost more than a moment: then a bounded child does it."""
        return self.size > 256 * 1024 or self.parts > 50 or self.header_bytes > 32 * 1024 or self.structured > 2048


def measure(raw: bytes) -> Structure:
    """The structure of a mail; raises Refused for a bomb. Every byte is looked at a fixed number of times."""
    found = Structure(len(raw))
    if found.size > MAX_SIZE:
        raise Refused(f"{found.size} bytes, more than {MAX_SIZE}")
    open_boundaries: list[bytes] = []
    position = part(raw, 0, found, open_boundaries)
    while match := DASHES.search(raw, position):
        end = raw.find(b"\n", match.end())
        end = len(raw) if end < 0 else end + 1
        line = raw[match.end() : min(end, match.end() + 300)].rstrip()
        position = end
        if line in open_boundaries:
            del open_boundaries[open_boundaries.index(line) + 1 :]
            position = part(raw, end, found, open_boundaries)
        elif line.endswith(b"--") and line[:-2] in open_boundaries:
            del open_boundaries[open_boundaries.index(line[:-2]) :]
    return found


def part(raw: bytes, position: int, found: Structure, open_boundaries: list[bytes]) -> int:
    """Reads the headers of one part, and those of the messages nested in it; returns where its body starts."""
    nested = 0
    while True:
        found.parts += 1
        end = end_of_headers(raw, position)
        kind = headers(raw[position:end], found)
        blank = raw.find(b"\n", end)
        position = len(raw) if blank < 0 else blank + 1
        if kind.startswith(b"multipart/") and (boundary := BOUNDARY.search(kind)):
            open_boundaries.append((boundary.group(1) or boundary.group(2)).rstrip())
        if kind.lower().startswith(b"message/delivery-status"):
            found.parts += count_blocks(raw, position)
        nested += kind.lower().startswith((b"message/rfc822", b"message/global"))
        found.depth = max(found.depth, len(open_boundaries) + nested)
        check(found)
        if not kind.lower().startswith((b"message/rfc822", b"message/global")) or position >= len(raw):
            return position


def end_of_headers(raw: bytes, position: int) -> int:
    """Where the blank line after a header block starts; a block that never ends is cut off, and refused."""
    window = position + MAX_HEADER_BYTES + 2
    blank = BLANK_LINE.search(raw, position, window)
    if blank:
        return blank.start()
    return min(len(raw), window)


def headers(block: bytes, found: Structure) -> bytes:
    """Counts one header block; returns the value of its Content-Type, unfolded, in lower case up to the parameters."""
    if len(block) > MAX_HEADER_BYTES:
        raise Refused(f"a header block of more than {MAX_HEADER_BYTES} bytes")
    number = len(LINE_OF_HEADER.findall(block))
    if number > MAX_HEADERS:
        raise Refused(f"{number} headers in one part, more than {MAX_HEADERS}")
    found.header_bytes += len(block)
    unfolded = FOLDED.sub(b" ", block)
    for line in unfolded.splitlines():
        if line[:8].lower() == b"content-":
            found.structured = max(found.structured, len(line))
    match = CONTENT_TYPE.search(unfolded)
    if not match:
        return b""
    kind, semicolon, parameters = match.group(1).partition(b";")
    return kind.strip().lower() + semicolon + parameters


def count_blocks(raw: bytes, position: int) -> int:
    """Each block of a delivery report becomes a message of its own in the standard library."""
    end = raw.find(b"\n--", position)
    return len(BLOCK.findall(raw, position, len(raw) if end < 0 else end))


def check(found: Structure) -> None:
    if found.parts > MAX_PARTS:
        raise Refused(f"more than {MAX_PARTS} parts")
    if found.depth > MAX_DEPTH:
        raise Refused(f"nested more than {MAX_DEPTH} deep")
    if found.header_bytes > MAX_SIZE // 10:
        raise Refused("more than 3 MB of headers")
