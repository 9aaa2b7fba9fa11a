"""A customer of 50,000 contacts: read to the first one, reached from any day, and as cheap to open as a short one."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from customers.console.timelines import FIRST
from tests.long_history import long_history
from tests.support import COMMITTED, Api, at, event, identifier, push_and_drain
from tests.test_console import HX, agent, customer, ids, link, ok

pytestmark = COMMITTED
LINES = int(os.environ.get("CXHUB_TEST_LONG") or 4_000)
"""50,000 in .ci/run; reading them takes minutes."""
ENOUGH = 10_000 if os.environ.get("CXHUB_TEST_LONG") else 4_000
"""For what does not have to go through all of them."""


def numbers(html: str) -> list[int]:
    return [int(one) for one in re.findall(r'class="said" dir="auto">contact (\d+)', html)]


def walked(client: Client, html: str, way: str) -> Iterator[list[int]]:
    while address := link(html, way):
        html = ok(client, address, **HX)
        yield numbers(html)


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is asked of the database, on both connections and by psycopg's own cursors, too."""
    import psycopg

    found: list[str] = []
    execute = psycopg.Cursor.execute

    def told(self: Any, query: Any, *args: Any, **more: Any) -> Any:
        found.append(str(query))
        return execute(self, query, *args, **more)

    psycopg.Cursor.execute = told  # type: ignore[method-assign]
    try:
        yield found
    finally:
        psycopg.Cursor.execute = execute  # type: ignore[method-assign]


@pytest.mark.slow
def test_a_long_history_is_read_to_the_first_contact(api: Api) -> None:
    _, who = long_history(api, LINES)
    client = agent()
    html = ok(client, f"/customers/{who}")
    assert len(numbers(html)) == FIRST
    seen = numbers(html)
    with statements() as asked:
        for page in walked(client, html, "older"):
            assert len(page) <= 40
            seen += page
    assert sorted(seen) == list(range(LINES))
    assert len(asked) / (LINES / 40) < 12
    assert not [one for one in asked if "OFFSET" in one.upper()]
    assert ids(ok(client, f"/customers/{who}", {"on": "1990-01-01"})) == []


def test_a_day_far_back_is_reached_and_left_both_ways(api: Api) -> None:
    _, who = long_history(api, ENOUGH)
    client = agent()
    day = (datetime.fromisoformat(at()) - timedelta(minutes=7 * ENOUGH // 4)).date()
    html = ok(client, f"/customers/{who}", {"on": day.isoformat()})
    here = numbers(html)
    assert re.search(r'data-day="([^"]+)"', html[html.index('id="lines"') :])[1] == day.isoformat()  # type: ignore[index]
    assert len(here) == 40
    assert abs(here[0] - ENOUGH // 2) < 420  # what a day has
    down = next(walked(client, html, "older"))
    up = next(walked(client, html, "newer"))
    around = up + here + down
    assert len(set(around)) == 120
    assert max(around) - min(around) < 124  # two share a moment, and those of one moment are not in this order
    plain = re.search(r'<nav class="more newer"[^>]*><a href="([^"]+)"', html)
    assert plain
    assert numbers(ok(client, unescape(plain[1]))) == up
    line = ids(html)[20]
    whole = ok(client, f"/customers/{who}", {"at": line})
    assert f'id="line-{line}" class="line here"' in whole
    assert len(ids(whole)) == 48


def test_such_a_card_asks_no_more_than_a_short_one(api: Api) -> None:
    number, long = long_history(api, ENOUGH)
    _, short = customer(api, text="x")
    client = agent()
    counts = {}
    for name, who in (("short", short), ("long", long)):
        for path in (f"/customers/{who}", f"/customers/{who}?q=contact", f"/customers/{who}?channel=sms"):
            ok(client, path)
            with statements() as asked:
                html = ok(client, path)
            counts[name, path.partition("?")[2]] = len(asked)
            assert len(html) < 250_000
    for asked_for in ("", "q=contact", "channel=sms"):
        assert counts["long", asked_for] <= counts["short", asked_for] + 2, counts
    push_and_drain(api, event(identifier("phone", number), text="contact 999999", occurred_at=at(5)))
    assert numbers(ok(client, f"/customers/{long}"))[0] == 999_999
