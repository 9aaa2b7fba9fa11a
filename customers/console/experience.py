"""The manager's page: where we lose people, and why; each number leads to the lines and customers behind it."""

import hashlib
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import get_language

from customers.access import Principal
from customers.console import meanings, words
from customers.console.pages import Unreadable, is_htmx, page, word
from customers.console.parts import PARTS, titles
from customers.console.spans import Asked
from customers.experience.periods import Period, company_zone
from customers.patience import COUNTING, patience
from customers.sql import Cursor, cursor

LONG, TIMES, LONGEST = 0.25, 60, 900.0
"""What took so many seconds to count is shown again for so many times as long, at most so long."""
MANY = 200_000
"""Rows from which on the page stands at once and its parts come one after the other."""
ROWS = """
SELECT coalesce(sum(reltuples), 0) FROM pg_class
 WHERE oid = ANY(ARRAY['customers_touch', 'customers_request']::regclass[])
"""
# From one channel to the next in the index, not over all rows.
CHANNELS = """
WITH RECURSIVE found AS (
  (SELECT stage, channel FROM customers_touch ORDER BY stage, channel LIMIT 1)
  UNION ALL
  SELECT n.stage, n.channel FROM found f CROSS JOIN LATERAL (
    SELECT stage, channel FROM customers_touch t WHERE (t.stage, t.channel) > (f.stage, f.channel)
     ORDER BY stage, channel LIMIT 1) n
)
SELECT DISTINCT channel FROM found
"""


@page(supervisors=True)
def experience(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/experience`, with `since`, `until`, `period` and `channel`; `now=1`: not what was counted a while ago.

    `part=map`: this part alone, for the page that stands already or for whoever has no JavaScript.
    """
    asked = Asked.of(request.GET)
    within, anew, alone = asked.period(), bool(request.GET.get("now")), word(request.GET, "part", 20)
    if alone and alone not in PARTS:
        raise Unreadable
    with patience(COUNTING, tells=False), cursor("reading") as sql:
        wanted = [alone] if alone else list(PARTS)
        waits = not alone and plenty(sql)
        found = [part(sql, request, name, asked, within, anew=anew, waits=waits) for name in wanted]
        if alone and is_htmx(request):
            return HttpResponse(found[0]["html"])
        channels = {*channels_of(sql), asked.channel} - {""}
    times = [one["counted_at"] for one in found if one["counted_at"]]
    context = {
        "tab": "overview",
        "asked": asked,
        "counted_at": timezone.localtime(min(times)) if times else None,
        "parts": found,
        "grains": meanings.GRAINS.items(),
        "channels": sorted(((one, words.CHANNELS.get(one, one)) for one in channels), key=lambda one: str(one[1])),
        "from": within.day(within.since),
        "to": within.day(within.until - timedelta(microseconds=1)),
        "zone": within.zone.key,
    }
    return render(request, "customers/experience.html", context)


def part(
    sql: Cursor, request: HttpRequest, name: str, asked: Asked, within: Period, *, anew: bool, waits: bool
) -> dict[str, Any]:
    """One part, as it was counted a while ago or now; `waits`: if it was not, the page asks for it later."""
    zone = timezone.get_current_timezone_name()
    key = hashed(f"experience {name} {get_language()} {zone} {asked} {company_zone()}")
    counted_at, html = (None if anew else cache.get(key)) or (None, None)
    if html is None and not waits:
        begun = time.monotonic()
        template, numbers = PARTS[name]
        html = render_to_string(template, {**numbers(sql, asked, within), "asked": asked, "query": asked.query()})
        took = time.monotonic() - begun
        if took >= LONG:
            cache.set(key, (datetime.now(UTC), html), min(TIMES * took, LONGEST))
    query = asked.query(period=asked.grain, part=name, **({"now": 1} if anew else {}))
    safe = mark_safe(html or "")  # nosec B308 B703 # noqa: S308 - our own template's
    return {"name": name, "title": titles()[name], "html": safe, "counted_at": counted_at, "query": query}


def plenty(sql: Cursor) -> bool:
    sql.execute(ROWS)
    (rows,) = sql.fetchone() or (0,)
    return bool(rows >= MANY)


def channels_of(sql: Cursor) -> set[str]:
    sql.execute(CHANNELS)
    return {channel for (channel,) in sql.fetchall()}


def hashed(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
