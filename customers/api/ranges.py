"""Parts of a stored file, so that a player can seek: one range of bytes as RFC 9110 has it, anything else is whole."""

import re
from dataclasses import dataclass
from typing import IO

ONE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


class Unsatisfiable(ValueError):
    """Nothing of the file lies in the range."""


@dataclass(frozen=True, slots=True)
class Range:
    """Both ends are inclusive."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


def wanted(header: str, if_range: str, size: int, etag: str) -> Range | None:
    """The range that is asked for; None for the whole file, which also answers several ranges and what is none.

    Raises Unsatisfiable. `If-Range` counts only with our own strong tag: there are no dates.
    """
    found = ONE.fullmatch(header)
    if found is None or (if_range and if_range.strip() != etag):
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:
        if not int(last) or not size:
            raise Unsatisfiable
        return Range(max(0, size - int(last)), size - 1)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise Unsatisfiable
    return Range(int(first), min(int(last), size - 1) if last else size - 1)


class Slice:
    """A file that begins and ends where the range does; without a size of its own for others to guess from."""

    def __init__(self, file: IO[bytes], part: Range) -> None:
        self.file, self.left = file, part.length
        file.seek(part.first)

    def read(self, most: int = -1) -> bytes:
        chunk = self.file.read(self.left if most < 0 else min(most, self.left))
        self.left -= len(chunk)
        return chunk

    def close(self) -> None:
        self.file.close()
