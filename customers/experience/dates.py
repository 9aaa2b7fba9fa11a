"""Birthdays and anniversaries of the next days, by the company's calendar.

Who was born, or bought first, on 29 February is thought of on the 28th in other years: a day early is better than late.
"""

from calendar import isleap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from customers.experience.periods import company_zone
from customers.sql import Cursor, as_json

MOST: Final = 366
YEARS: Final = 60
"""How far back a first purchase is looked for."""
LIMIT: Final = 1000
# A birthday is a claim of many sources: the winner of the card is the one that counts.
BIRTHDAYS = """
SELECT w.customer_id, c.public_id, w.value #>> '{}' FROM (
    SELECT DISTINCT ON (i.customer_id) i.customer_id, a.value
      FROM customers_attributeclaim a JOIN customers_identity i ON i.id = a.identity_id
     WHERE a.key = 'birthday' ORDER BY i.customer_id, a.trust DESC, a.claimed_at DESC, a.id) w
  JOIN customers_customer c ON c.id = w.customer_id AND c.erased_at IS NULL
 WHERE substr(w.value #>> '{}', 6, 5) = ANY(%(days)s) AND w.value #>> '{}' ~ '^\\d{4}-\\d{2}-\\d{2}$'
 LIMIT %(limit)s
"""
ANNIVERSARIES = """
SELECT e.customer_id, c.public_id, e.first_purchase_at
  FROM json_to_recordset(%(spans)s::json) AS y(since timestamptz, until timestamptz)
  JOIN customers_experience e ON e.first_purchase_at >= y.since AND e.first_purchase_at < y.until
  JOIN customers_customer c ON c.id = e.customer_id AND c.erased_at IS NULL LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Day:
    """Something to think of; `years` is how old he becomes, or since when he is a customer."""

    on: date
    what: str  # birthday, anniversary
    years: int
    customer_id: int
    customer: UUID
    since: date


def due(sql: Cursor, days: int, *, today: date | None = None) -> list[Day]:
    """What is due today and in the days after, the nearest first."""
    zone = company_zone()
    first = today or datetime.now(zone).date()
    wanted = [first + timedelta(days=number) for number in range(min(days, MOST))]
    found = [*birthdays(sql, wanted), *anniversaries(sql, wanted, zone)]
    return sorted(found, key=lambda one: (one.on, one.what, one.customer_id))


def birthdays(sql: Cursor, wanted: list[date]) -> Iterator[Day]:
    on = {name: day for day in reversed(wanted) for name in names(day)}
    sql.execute(BIRTHDAYS, {"days": sorted(on), "limit": LIMIT})
    for id_, public, text in sql.fetchall():
        try:
            born = date.fromisoformat(text)
        except ValueError:
            continue
        day = on[text[5:]]
        if born <= day:
            yield Day(day, "birthday", day.year - born.year, id_, public, born)


def anniversaries(sql: Cursor, wanted: list[date], zone: ZoneInfo) -> Iterator[Day]:
    spans = [
        {"since": midnight(day, zone), "until": midnight(day + timedelta(days=1), zone)}
        for day in {back for one in wanted for back in earlier(one)}
    ]
    sql.execute(ANNIVERSARIES, {"spans": as_json(sorted(spans, key=lambda one: one["since"])), "limit": LIMIT})
    on = {name: day for day in reversed(wanted) for name in names(day)}
    for id_, public, at in sql.fetchall():
        since = at.astimezone(zone).date()
        day = on[since.strftime("%m-%d")]
        if day.year > since.year:
            yield Day(day, "anniversary", day.year - since.year, id_, public, since)


def names(day: date) -> list[str]:
    """The days of the year that are thought of on a day: on 28 February, where there is no 29th, both."""
    own = day.strftime("%m-%d")
    return [own, "02-29"] if own == "02-28" and not isleap(day.year) else [own]


def earlier(day: date) -> Iterator[date]:
    """The days of earlier years that are thought of on a day."""
    for name in names(day):
        month, number = int(name[:2]), int(name[3:])
        for year in range(day.year - 1, day.year - YEARS, -1):
            if (month, number) != (2, 29) or isleap(year):
                yield date(year, month, number)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), zone)
