"""Spans of time as the company counts them: days, weeks and months of its own zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from customers.experience.calendar import calendars

Grain = Literal["day", "week", "month"]
GRAINS: Final[tuple[Grain, ...]] = ("day", "week", "month")
MOST: Final = 400
"""Buckets of a period; more would be no picture."""


def company_zone() -> ZoneInfo:
    """The zone of the calendar for all sources; UTC while there is none."""
    calendar = calendars().of("")
    return calendar.zone if calendar else ZoneInfo("UTC")


def starts(day: date, grain: Grain) -> date:
    """The first day of the bucket in which a day lies; weeks begin on Monday."""
    if grain == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if grain == "week" else day


def following(day: date, grain: Grain) -> date:
    """The first day of the next bucket."""
    if grain == "month":
        return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return day + timedelta(days=7 if grain == "week" else 1)


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` (inclusive) to `until` (exclusive), cut into buckets of the company's zone."""

    since: datetime
    until: datetime
    grain: Grain
    zone: ZoneInfo

    def buckets(self) -> list[date]:
        """The first days of all buckets that it touches; the earliest are left out if there are too many."""
        day, last = self.day(self.since), self.day(self.until - timedelta(microseconds=1))
        found = [starts(day, self.grain)]
        while (following_one := following(found[-1], self.grain)) <= last:
            found.append(following_one)
        return found[-MOST:]

    def day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def bounds(self) -> list[tuple[date, datetime, datetime]]:
        """(first day, begins, ends) of each bucket, cut at the period."""
        return [
            (day, max(self.since, self.midnight(day)), min(self.until, self.midnight(following(day, self.grain))))
            for day in self.buckets()
        ]

    def midnight(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)


def period(since: datetime | None, until: datetime | None, grain: Grain = "month", *, days: int = 365) -> Period:
    """What was asked for; the last `days` days by default, the first bucket whole."""
    zone = company_zone()
    end = until or datetime.now(UTC)
    if since is None:
        day = starts((end - timedelta(days=days)).astimezone(zone).date(), grain)
        since = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    return Period(since, end, grain, zone)
