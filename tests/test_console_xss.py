"""Whatever comes in by whichever door is words on every page: nothing of it becomes a part of the page."""

import re
from collections import deque
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from tests import hostile
from tests.hostile import CORPUS
from tests.support import COMMITTED, LONG, Api, drained
from tests.test_console import HX, Tags, agent, ids, words_of

pytestmark = COMMITTED
SCRIPTS = {"/static/django_htmx/htmx-2.min.js", "/static/customers/console.js"}
OURS = {"icon", "map"}
"""Pictures that our own templates draw."""
NEVER = ("object", "embed", "base", "math", "style", "template", "frame", "frameset", "marquee", "animate", "noscript")
PAGES = 30 if LONG else 10
"""Pages of ours that are followed from a card, at most."""
DOORS = {"telegram": hostile.telegram, "sms": hostile.twilio_sms, "voice": hostile.twilio_voice, "email": hostile.mail}
KINDS = {"telegram": "telegram", "sms": "phone", "voice": "phone", "email": "email"}
BY = [(name, door) for place, name in enumerate(CORPUS) for door in (DOORS if LONG else [list(DOORS)[place % 4]])]
"""Each text by each door, or each by one of them in turn."""


class Page(Tags):
    """Counts what a browser would make of it, too."""

    def __init__(self, html: str) -> None:
        self.tags: list[str] = []
        self.svgs: list[str] = []
        self.frames: list[str] = []
        self.links: list[str] = []
        super().__init__(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if tag == "svg":
            self.svgs.append(given.get("class", ""))
        if tag == "iframe":
            self.frames.append(given.get("src", ""))
        if tag == "a":
            self.links.append(given.get("href", ""))
        self.handlers += [name for name in given if name.startswith(("hx-on", "data-hx-on"))]
        super().handle_starttag(tag, attrs)


def harmless(path: str, html: str) -> Page:
    page = Page(html)
    assert not page.handlers, (path, page.handlers)
    assert set(page.scripts) <= SCRIPTS, (path, page.scripts)
    assert set(page.svgs) <= OURS, (path, page.svgs)
    assert not [tag for tag in page.tags if tag in NEVER], path
    assert all(re.match(r"/customers/[^/]+/lines/[^/]+/letter$", one) for one in page.frames), (path, page.frames)
    assert all(re.match(r"[/?#]", one) and not one.startswith("//") for one in page.addresses), (path, page.addresses)
    assert "49" not in re.findall(r"Ада (\S+)", unescape(html)), path
    return page


def letter(client: Client, path: str) -> None:
    for params in ({}, {"images": "1"}):
        answer = client.get(path, params)
        assert "sandbox" in answer["Content-Security-Policy"]
        assert "script-src" not in answer["Content-Security-Policy"]
        page = Page(answer.content.decode())
        assert not page.handlers
        assert not page.scripts
        assert not [tag for tag in page.tags if tag in (*NEVER, "svg", "iframe", "form", "input", "button")]
        assert all(re.match(r"(https?:|mailto:|tel:|data:image/|/static/)", one) for one in page.addresses)


def pages_of(client: Client, card: str, evil: str, most: int) -> list[tuple[str, dict[str, Any], dict[str, str]]]:
    """(path, parameters, headers) of what shows a customer, each reached as a reader reaches it."""
    html = client.get(card).content.decode()
    lines = ids(html)
    found: list[tuple[str, dict[str, Any], dict[str, str]]] = [
        (card, {"q": evil, "thread": evil, "since": evil, "channel": evil, "cursor": ""}, {}),
        (f"{card}/news", {"since": "1.0"}, {}),
        (f"{card}/side", {}, HX),
        ("/", {"q": evil}, {}),
        ("/", {"q": evil}, HX),
        ("/now", {}, {}),
        ("/lookup", {"phone": evil}, {}),
        ("/lookup", {"call_id": evil, "q": evil}, HX),
        *((path, {}, {}) for path in ("/queue", "/queue/views", "/queue/sources", "/queue/deliveries") if most),
        *((f"{card}/lines/{line}", {}, {}) for line in lines[: 4 if most else 1]),
        *((f"{card}/lines/{line}/conversation", {}, HX) for line in lines[: 2 if most else 1]),
    ]
    seen: set[str] = {card}
    queue = deque(Page(html).links)
    while queue and len(seen) <= most:
        path = queue.popleft()
        path = f"{card}{path}" if path.startswith("?") else path
        if path in seen or path.startswith(("/api/", "/static/", "#", "/admin/")) or "/export" in path:
            continue
        seen.add(path)
        found.append((path, {}, {}))
    return found


def check(client: Client, card: str, evil: str, most: int = 0) -> None:
    answer = client.get(card)
    harmless(card, answer.content.decode())
    for path, params, headers in pages_of(client, card, evil, most):
        answer = client.get(path, params, headers=headers)
        assert answer.status_code < 500, (path, params)
        harmless(path, answer.content.decode())
    for path in set(re.findall(r'src="(/customers/[^"]+/letter)"', client.get(card).content.decode())):
        letter(client, path)


def seen_as_words(client: Client, card: str, evil: str) -> None:
    def plain(text: str) -> str:
        return re.sub(r"[\s\x00-\x20]+", " ", text).strip()

    html = client.get(card).content.decode()
    shown = plain(words_of(html.replace("<wbr>", "")))
    assert plain(" ".join(unescape(re.sub(r"<[^>]*>", " ", escaped(evil))).split())) in shown


def escaped(text: str) -> str:
    from django.utils.html import escape

    return str(escape(text))


@pytest.mark.parametrize("evil", CORPUS.values(), ids=CORPUS)
def test_what_is_pushed(api: Api, evil: str) -> None:
    number = hostile.push(api, evil)
    drained()
    card = f"/customers/{api.card('phone', number)['id']}"
    client = agent("supervisor")
    check(client, card, evil, PAGES)
    seen_as_words(client, card, evil)


@pytest.mark.parametrize(("name", "door"), BY)
def test_what_comes_by_the_other_doors(api: Api, name: str, door: str) -> None:
    evil = CORPUS[name]
    value = DOORS[door](evil)
    drained(waiting=True)
    client = agent("supervisor")
    (found,) = api.ok("customers", {KINDS[door]: value})["results"]
    card = f"/customers/{found['id']}"
    check(client, card, evil)
    if door != "voice":
        seen_as_words(client, card, evil)


@pytest.mark.parametrize("evil", CORPUS.values(), ids=CORPUS)
def test_what_an_agent_writes_himself(api: Api, evil: str) -> None:
    client = agent(name=f"a{evil[:100]}")
    key = "0190f3f0-0000-7000-8000-000000000000"
    answer = client.post("/lookup/note", {"phone": "+79126543210", "text": evil, "key": key})
    assert answer.status_code == 302
    card = answer["Location"].partition("?")[0]
    check(client, card, evil)
    seen_as_words(client, card, evil)
    refused = client.post("/lookup/note", {"phone": evil, "text": evil, "key": key})
    harmless("/lookup/note", refused.content.decode())
    harmless("login", Client().get(f"/login/?next={quote(evil)}").content.decode())
