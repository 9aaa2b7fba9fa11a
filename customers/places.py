"""Places between lines, the tokens that stand for them, and the page that lies at one."""

import base64
import binascii
import struct
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import orjson

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TOKEN = struct.Struct(">cqq16s")
Order = Literal["asc", "desc"]


class BadToken(ValueError):
    """A cursor that we did not make, or that was made for another order."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place between lines, and on which side of it the page lies."""

    sorted_at: datetime
    rank: int
    id: UUID
    backwards: bool = False  # towards the beginning of the list: what `previous` asks for

    def token(self, order: Order) -> str:
        kind = {("desc", False): b"d", ("desc", True): b"D", ("asc", False): b"a", ("asc", True): b"A"}[
            order, self.backwards
        ]
        micros = (self.sorted_at - EPOCH) // timedelta(microseconds=1)
        return base64.urlsafe_b64encode(TOKEN.pack(kind, micros, self.rank, self.id.bytes)).rstrip(b"=").decode()

    @classmethod
    def of(cls, token: str, order: Order) -> "Position":
        """Raises BadToken."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            kind, micros, rank, id_ = TOKEN.unpack(raw)
            moment = EPOCH + timedelta(microseconds=micros)
        except (binascii.Error, struct.error, ValueError, OverflowError) as error:
            raise BadToken("This cursor was not made by this service.") from error
        if kind not in ((b"d", b"D") if order == "desc" else (b"a", b"A")):
            raise BadToken("This cursor was made for the other order.")
        return cls(moment, rank, UUID(bytes=id_), kind in (b"D", b"A"))


@dataclass(frozen=True, slots=True)
class Page:
    """`results` is a JSON array as bytes, in the order asked for; the tokens are None at the ends."""

    results: bytes
    next: str | None
    previous: str | None
    changes: str
    customer_id: int

    @classmethod
    def of(
        cls,
        results: bytes,
        first: tuple[Any, ...],
        last: tuple[Any, ...],
        found: int,
        limit: int,
        at: Position | None,
        order: Order,
        changes: str = "",
        customer_id: int = 0,
    ) -> "Page":
        """A page from the sort keys at its ends, and from how many of `limit` + 1 lines were found."""
        back = at is not None and at.backwards
        has_next = at is not None if back else found > limit
        has_previous = found > limit if back else at is not None
        before = (
            Position(first[0], first[1], first[2], backwards=True) if first[0] else at and replace(at, backwards=True)
        )
        after = Position(last[0], last[1], last[2]) if last[0] else at and replace(at, backwards=False)
        return cls(
            results,
            after.token(order) if has_next and after else None,
            before.token(order) if has_previous and before else None,
            changes,
            customer_id,
        )

    def json(self) -> bytes:
        """The answer's object."""
        tokens = {"next": self.next, "previous": self.previous, "changes": self.changes or None}
        return b'{"results": %b, %b' % (self.results, orjson.dumps(tokens)[1:])
