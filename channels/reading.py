"""What providers send, read by the type it must have: JSON objects, forms, times; shared by their files."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl

import orjson

from channels.provider import StoredDelivery, Unreadable
from customers.incoming import ChannelEvent

MAX_FIELDS = 2_000
MAX_SECONDS = 2**33
MAX_NAME = 60


class Json(dict[str, Any]):
    """An object of JSON; an optional field that is missing or of another type is empty."""

    @classmethod
    def read(cls, body: bytes) -> "Json":
        try:
            found = orjson.loads(body)
        except ValueError:
            raise Unreadable("not JSON") from None
        if not isinstance(found, dict):
            raise Unreadable("not an object")
        return cls(found)

    def node(self, name: str) -> "Json":
        value = self.get(name)
        return Json(value) if isinstance(value, dict) else Json()

    def nodes(self, name: str) -> list["Json"]:
        value = self.get(name)
        return [Json(item) for item in value if isinstance(item, dict)] if isinstance(value, list) else []

    def text(self, name: str) -> str:
        value = self.get(name)
        return value if isinstance(value, str) else ""

    def whole(self, name: str) -> int | None:
        value = self.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def number(self, name: str) -> int:
        value = self.whole(name)
        if value is None:
            raise Unreadable(f"no {name}")
        return value

    def seconds(self, name: str) -> int:
        """Unix seconds."""
        value = self.number(name)
        if not 0 < value < MAX_SECONDS:
            raise Unreadable(f"{name} is no time")
        return value


class Form(dict[str, str]):
    """An urlencoded form; of a repeated field the first value, of a missing one the empty text."""

    @classmethod
    def read(cls, body: bytes) -> "Form":
        try:
            fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
        except ValueError:
            raise Unreadable("too many fields") from None
        return cls(reversed(fields))

    def __missing__(self, name: str) -> str:
        return ""

    def whole(self, name: str) -> int | None:
        """A count; what is no number, or no count, is nothing."""
        value = self[name]
        return int(value) if value.isascii() and value.isdigit() and len(value) <= 15 else None

    def moment(self, name: str) -> datetime | None:
        """A time as mail writes it (RFC 2822); without a zone it is UTC."""
        try:
            found = parsedate_to_datetime(self[name])
            found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
        return found if 0 < found.timestamp() < MAX_SECONDS else None


def moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def named(name: str) -> str:
    """The name of a thing that nobody handles yet, unless it is no name."""
    plain = name.replace("-", "_").replace(".", "_")
    return name if plain.isidentifier() and name.isascii() and len(name) <= MAX_NAME else "unknown"


def some(**said: Any) -> dict[str, Any]:
    """What was said, without what is missing or empty."""
    return {name: value for name, value in said.items() if value not in (None, "", {}, [])}


def event(delivery: StoredDelivery, **said: Any) -> ChannelEvent:
    """An event of this delivery: where it came from is filled in (the drain adds its origin)."""
    source = delivery.source
    return ChannelEvent(
        source_id=source.id,
        source=source.slug,
        region=source.region,
        received_at=delivery.received_at,
        **said,
    )
