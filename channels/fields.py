"""What the shapes of pushed events are made of: times with an offset, bounded words, numbers that are numbers."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)\Z", re.ASCII)


def moment(value: object) -> datetime:
    """An RFC 3339 time with its offset, as UTC."""
    if not isinstance(value, str) or not RFC3339.match(value):
        raise ValueError("must be an RFC 3339 time with an offset, e.g. 2026-11-22T10:15:00+03:00")
    try:
        return datetime.fromisoformat(value.upper().replace("Z", "+00:00")).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("is no time that exists between the years 1 and 9999") from error


def text_of(value: object) -> object:
    """Ids are often numbers at the sender: we keep them as text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Moment = Annotated[datetime, BeforeValidator(moment)]
Short = Annotated[str, StringConstraints(max_length=200)]
Line = Annotated[str, StringConstraints(max_length=1000)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Open(BaseModel):
    """Free, but what is named here is checked."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
