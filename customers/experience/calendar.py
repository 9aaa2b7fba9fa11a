"""Business hours and holidays by source: when somebody is there, and how long he was there between two moments."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from customers.experience.contacts import micros, moment
from customers.models import BusinessHours

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FAR = 400
"""Days after which a calendar without an open hour counts as none."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Open hours of each weekday (Monday first) as pairs of local times; a span may not cross midnight."""

    zone: ZoneInfo
    days: tuple[tuple[tuple[time, time], ...], ...]
    holidays: frozenset[date] = frozenset()

    def spans(self, day: date) -> Iterator[tuple[int, int]]:
        """The open spans of a local day in microseconds; a clock change makes them shorter or longer, as it is."""
        if day in self.holidays:
            return
        for opens, closes in self.days[day.weekday()]:
            start = micros(datetime.combine(day, opens, self.zone))
            end = micros(end_of(day, closes, self.zone))
            if end > start:
                yield start, end

    def day_of(self, at: int) -> date:
        return moment(at).astimezone(self.zone).date()

    def between(self, start: int, end: int) -> int:
        """Open microseconds between two moments."""
        if end <= start:
            return 0
        total, day, last = 0, self.day_of(start), self.day_of(end)
        while day <= last:
            total += sum(max(0, min(end, to) - max(start, since)) for since, to in self.spans(day))
            day += timedelta(days=1)
        return total

    def after(self, start: int, open_for: int) -> int:
        """When `open_for` microseconds of open time have passed since `start`; calendar time if it never opens."""
        left, day = open_for, self.day_of(start)
        for _ in range(FAR):
            for since, to in self.spans(day):
                begin = max(start, since)
                if to > begin:
                    if to - begin >= left:
                        return begin + left
                    left -= to - begin
            day += timedelta(days=1)
        return start + open_for


def end_of(day: date, closes: time, zone: ZoneInfo) -> datetime:
    """24:00 is written as 00:00."""
    return datetime.combine(day + timedelta(days=1) if closes == time(0) else day, closes, zone)


@dataclass(frozen=True, slots=True)
class Calendars:
    """The calendars by source; a source without one has that of all others, and without that the clock's."""

    by_source: Mapping[str, Calendar] = field(default_factory=dict)

    def of(self, source: str) -> Calendar | None:
        return self.by_source.get(source) or self.by_source.get("")

    def between(self, source: str, start: int, end: int) -> int:
        calendar = self.of(source)
        return calendar.between(start, end) if calendar else max(0, end - start)

    def after(self, source: str, start: int, open_for: int) -> int:
        calendar = self.of(source)
        return calendar.after(start, open_for) if calendar else start + open_for


def calendars() -> Calendars:
    """As the admin has them; rows that cannot be read count for nothing."""
    found = {}
    for row in BusinessHours.objects.order_by("source"):
        if (calendar := calendar_of(row)) is not None:
            found[row.source] = calendar
    return Calendars(found)


def calendar_of(row: BusinessHours) -> Calendar | None:
    try:
        days = tuple(tuple(span(pair) for pair in row.hours.get(day, ())) for day in DAYS)
        return Calendar(zone_of(row.time_zone), days, frozenset(row.holidays))
    except (ValueError, TypeError, AttributeError, ZoneInfoNotFoundError):
        return None


def span(pair: Sequence[str]) -> tuple[time, time]:
    """`["09:00", "18:00"]`; raises ValueError."""
    opens, closes = pair
    return time.fromisoformat(opens), time(0) if closes == "24:00" else time.fromisoformat(closes)


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    return ZoneInfo(name)
