"""Query parameters: only known ones, each read once, bad values answered with their name."""

from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID

from django.http import QueryDict

from customers.api.problems import Problem

MANY = 50


class Query:
    """The parameters of one request; raises Problem (400) for unknown names and bad values."""

    def __init__(self, given: QueryDict, *known: str) -> None:
        self.given = given
        for name in given:
            if name not in known:
                raise Problem("invalid_value", f"There is no parameter «{name[:60]}» here.", field=name[:60])
        for name, values in given.lists():
            if len(values) > MANY:
                raise Problem("invalid_value", f"«{name}» is given more than {MANY} times.", field=name)
            for value in values:
                if "\x00" in value or len(value) > 4000:
                    raise Problem("invalid_value", "A value is too long or has a NUL character.", field=name)

    def text(self, name: str) -> str | None:
        values = self.given.getlist(name)
        if len(values) > 1:
            raise Problem("invalid_value", f"«{name}» is given more than once.", field=name)
        return str(values[0]) if values else None

    def many(self, name: str) -> list[str]:
        values = [str(value) for value in self.given.getlist(name)]
        if any(not value for value in values):
            raise Problem("invalid_value", f"«{name}» is empty.", field=name)
        return values

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        value = self.text(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdigit() and len(value) < 10 and least <= int(value) <= most):
            raise Problem("invalid_value", f"«{name}» must be a whole number from {least} to {most}.", field=name)
        return int(value)

    def choice(self, name: str, choices: Collection[str], default: str) -> str:
        value = self.text(name)
        if value is not None and value not in choices:
            raise Problem("invalid_value", f"«{name}» must be one of {', '.join(choices)}.", field=name)
        return value or default

    def flag(self, name: str) -> bool:
        return self.choice(name, ("0", "1", "false", "true"), "0") in ("1", "true")

    def moment(self, name: str) -> datetime | None:
        """RFC 3339 with an offset; a space stands for the `+` that a URL lost."""
        value = self.text(name)
        if value is None:
            return None
        try:
            found = datetime.fromisoformat(value.strip().replace(" ", "+") if "T" in value else value)
            if found.tzinfo is None:
                raise ValueError
            return found.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            detail = f"«{name}» must be an RFC 3339 time with an offset, e.g. 2026-11-22T10:15:00Z."
            raise Problem("invalid_value", detail, field=name) from error


def uuid_of(text: str, field: str = "") -> UUID:
    """An id in a path or body; raises Problem (404 in a path, 400 for a named field)."""
    try:
        return UUID(text)
    except ValueError as error:
        raise Problem("invalid_value" if field else "not_found", "This is no id.", field=field) from error
