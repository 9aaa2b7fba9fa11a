"""Contacts per channel and month: as numbers, and as a small picture, an image of its own because of the CSP."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import formats
from django.utils.translation import get_language

from customers.access import Principal, log_views
from customers.console import words
from customers.console.compiled import drawn as compiled
from customers.console.grouping import Grouped
from customers.console.pages import customer_of, is_htmx, page
from customers.console.sides import side
from customers.sql import Cursor, cursor

SHOWN = 24
WIDTH, HEIGHT, BAR = 8, 24, 6
BY_CHANNEL = """
SELECT k.channel, sum(k.count)::int AS count FROM customers_contactcount k
  JOIN customers_identity i ON i.id = k.identity_id
 WHERE i.customer_id = %(customer)s GROUP BY k.channel HAVING sum(k.count) > 0 ORDER BY k.channel
"""
"""In the order of the rows of the picture."""
COUNTS = """
SELECT k.channel, k.month, sum(k.count)::int AS count FROM customers_contactcount k
  JOIN customers_identity i ON i.id = k.identity_id
 WHERE i.customer_id = %(customer)s GROUP BY k.channel, k.month HAVING sum(k.count) > 0 ORDER BY k.channel, k.month
"""


@dataclass(frozen=True, slots=True)
class Months:
    """{channel: {month: contacts}} and the months shown, at most two years of them, the last one last."""

    counts: dict[str, dict[date, int]]
    shown: list[date]

    def names(self) -> list[str]:
        known = words.said(words.CHANNELS)
        return [known.get(channel, channel) for channel in self.counts]

    def table(self) -> list[tuple[str, list[int]]]:
        """(month, contacts per channel in the order of `names`), the newest first, without empty months."""
        found, language = [], get_language()
        for month in reversed(self.shown):
            counts = [of.get(month, 0) for of in self.counts.values()]
            if any(counts):
                found.append((named(month, language), counts))
        return found


@lru_cache(maxsize=1024)
def named(month: date, language: str | None) -> str:
    """In the language that is active."""
    return formats.date_format(month, "YEAR_MONTH_FORMAT")


def rows(counts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """A channel each, from the rows of BY_CHANNEL: its words, its total, where it stands in the picture."""
    known = words.said(words.CHANNELS)
    return [
        {"channel": of["channel"], "words": known.get(of["channel"], of["channel"]), "total": Grouped(of["count"])}
        for of in counts
    ]


def months(sql: Cursor, customer: int) -> Months:
    sql.execute(COUNTS, {"customer": customer}, prepare=True)
    counts: dict[str, dict[date, int]] = {}
    for channel, month, count in sql.fetchall():
        counts.setdefault(channel, {})[month] = count
    known = sorted({month for of in counts.values() for month in of})
    return Months(counts, between(known[0], known[-1])[-SHOWN:] if known else [])


def between(first: date, last: date) -> list[date]:
    """Every month from the first to the last, but no more than are shown."""
    number = last.year * 12 + last.month - 1
    start = max(first.year * 12 + first.month - 1, number - SHOWN + 1)
    return [date(one // 12, one % 12 + 1, 1) for one in range(start, number + 1)]


@page()
def by_month(request: HttpRequest, principal: Principal, customer: str) -> HttpResponse:
    """`/customers/{id}/contacts`: the picture as a table; a card that is open shows it in its place."""
    with cursor("reading") as sql:
        root = customer_of(sql, customer)
        found, one = months(sql, root), None if is_htmx(request) else side(sql, root)
        log_views(sql, principal.viewer, [root], request.path)
    table = compiled("customers/months.html", names=found.names(), table=found.table())
    if one is None:
        return HttpResponse(table)
    return render(request, "customers/months.html", {"one": one, "table": table})


@page()
def contacts(request: HttpRequest, principal: Principal, customer: str) -> HttpResponse:
    """`/customers/{id}/contacts.svg`, one row a channel; `#channel` shows one row alone."""
    with cursor("reading") as sql:
        found = months(sql, customer_of(sql, customer))
    return HttpResponse(drawn(found), content_type="image/svg+xml")


def drawn(found: Months) -> str:
    """Only numbers and names of ours get into it: rows are named by their place."""
    most = max((count for of in found.counts.values() for count in of.values()), default=1)
    wide, high = max(len(found.shown), 1) * WIDTH, max(len(found.counts), 1) * HEIGHT
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{HEIGHT}">']
    for row, of in enumerate(found.counts.values()):
        foot = (row + 1) * HEIGHT - 2
        parts.append(f'<view id="row{row}" viewBox="0 {row * HEIGHT} {wide} {HEIGHT}"/>')
        parts.append(f'<path d="M0 {foot + 0.5}H{wide}" stroke="#8a94a3" stroke-width="1"/>')
        for place, month in enumerate(found.shown):
            if count := of.get(month, 0):
                tall = max(2, round((HEIGHT - 4) * count / most))
                parts.append(
                    f'<rect x="{place * WIDTH + 1}" y="{foot - tall}" width="{BAR}" height="{tall}" fill="#3f7fd6"/>'
                )
    return "".join(parts) + "</svg>"
