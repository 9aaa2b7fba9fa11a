"""Places in lists across customers: the sort key of the last row, as an opaque token."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Page:
    """`customers`: whom the rows are of, row by row."""

    rows: list[dict[str, Any]]
    customers: list[int]
    next: str | None


def chosen(asked: object, conditions: Mapping[str, str]) -> tuple[list[str], dict[str, Any]]:
    """The conditions of all that is not None, and what is said in them."""
    said = {name: value for name in conditions if (value := getattr(asked, name)) is not None}
    return [conditions[name] for name in said], said


class BadToken(ValueError):
    """A cursor that this service did not make for this list."""


def token(*key: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([str(one) for one in key])).rstrip(b"=").decode()


def place(said: str | None, parts: int) -> list[str] | None:
    """The parts of a token, None for the beginning; raises BadToken."""
    if said is None:
        return None
    try:
        raw = base64.b64decode(said + "=" * (-len(said) % 4), altchars=b"-_", validate=True)
        found = orjson.loads(raw)
    except (ValueError, binascii.Error) as error:
        raise BadToken("This cursor was not made by this service.") from error
    if not isinstance(found, list) or len(found) != parts or not all(isinstance(one, str) for one in found):
        raise BadToken("This cursor was made for another list.")
    return found
