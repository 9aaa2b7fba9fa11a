"""An agent at work in Debian's Chromium, against a real server: by keyboard alone, live, without a loud console."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import connections

from customers.models import AgentProfile
from cxhub.ports import free_port
from tests.support import COMMITTED, Api, database_url, drained, event, everything, identifier, shop

CHROMIUM = "/usr/bin/chromium"
FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
FLAGS += " --disable-component-update --disable-sync"
pytestmark = [
    *COMMITTED,
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which(CHROMIUM), reason="SKIPPED: no /usr/bin/chromium; the console was not clicked"),
]

NUMBER = "+79126543210"
WORDS = {
    "en": ("Older contacts", "The note was added.", "Live:", "Not live:"),
    "ru": ("Более старые контакты", "Заметка добавлена.", "На связи:", "Нет связи:"),
    "lt": ("Senesni kontaktai", "Pastaba pridėta.", "Tiesiogiai:", "Ne tiesiogiai:"),
}


@pytest.fixture
def api(committed: None, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright keeps a loop running in this thread.
    shop()
    return everything()


@pytest.fixture
def site(api: Api, tmp_path: Path) -> Iterator[str]:
    """The address of a server of our own at the test database."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "DATABASE_URL": database_url(), "CXHUB_PUBLIC_URL": address}
    argv = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            [*argv, "cxhub.wsgi:application"],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            wait_for(address + "/login/")
            yield address
        finally:
            server.terminate()
            server.wait(20)
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)


def wait_for(address: str) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            urlopen(address, timeout=5).close()  # noqa: S310
        except (URLError, OSError):
            assert time.monotonic() < end
            time.sleep(0.2)
        else:
            return


@pytest.fixture
def page(site: str) -> Iterator[Any]:
    """A browser's page; whatever the browser complains of fails the test."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        page = browser.new_context(base_url=site, viewport={"width": 1280, "height": 800}).new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        browser.close()
        connections.close_all()  # Those of the loop are others than those of the thread.
    # What is said of a line that is cut, by the browser and by htmx.
    cut = ("ERR_CONNECTION", "ERR_INTERNET", "htmx:sendError", "htmx:afterRequest")
    assert not [one for one in complaints if not any(word in one for word in cut)], complaints


def signed_in(page: Any, language: str = "en") -> None:
    user = User.objects.create_user("agent", password="a long sentence")
    user.groups.add(Group.objects.get_or_create(name="agent")[0])
    AgentProfile.objects.create(user=user, language=language)
    page.goto("/login/")
    page.wait_for_selector("[name=username]:focus")
    page.keyboard.type("agent")
    page.keyboard.press("Tab")
    page.keyboard.type("a long sentence")
    page.keyboard.press("Enter")
    page.wait_for_selector("#q:focus")


def history(api: Api, lines: int) -> str:
    """The card of somebody with so many messages, one a day; the oldest is «message 0»."""
    start = datetime.now(UTC) - timedelta(days=lines)
    api.push(
        *(
            event(
                identifier("phone", NUMBER),
                name="Юлия Щербакова",
                text=f"message {number}",
                occurred_at=(start + timedelta(days=number)).isoformat(),
            )
            for number in range(lines)
        )
    )
    drained()
    return str(api.card("phone", NUMBER)["id"])


def push(api: Api, text: str) -> None:
    api.push(event(identifier("phone", NUMBER), text=text, occurred_at=datetime.now(UTC).isoformat()))
    drained()


@pytest.mark.parametrize("language", WORDS)
def test_a_day_by_keyboard_alone(page: Any, api: Api, language: str) -> None:
    """Half a number, the card, back to the first contact, a note that appears in place."""
    card = history(api, 100)
    older, added, *_ = WORDS[language]
    signed_in(page, language)
    assert page.get_attribute("html", "lang") == language
    page.keyboard.type("654-32", delay=20)
    page.wait_for_selector("#results[data-q='654-32'] a.hit")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/customers/{card}")
    assert page.locator("article").count() == 40
    for _ in range(60):
        page.keyboard.press("End")
        page.wait_for_timeout(100)
        if page.locator("article").count() == 100:
            break
    assert page.locator("article").count() == 100
    assert page.locator("article").last.inner_text().find("message 0") > 0
    assert page.get_by_role("link", name=older).count() == 0
    days = page.eval_on_selector_all("#lines .day", "days => days.map(day => day.dataset.day)")
    assert days == sorted(set(days), reverse=True)
    page.keyboard.press("Home")
    page.keyboard.press("/")
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "note":
            break
    page.keyboard.type("Обещала перезвонить")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("article:has-text('Обещала перезвонить')", timeout=5000)
    assert added in page.inner_text("form.note")
    assert page.locator("article").first.get_attribute("data-channel") == "note"


def test_what_arrives_appears_by_itself_and_nothing_moves(page: Any, api: Api) -> None:
    card = history(api, 60)
    signed_in(page)
    page.goto(f"/customers/{card}")
    page.wait_for_selector("#pulse:has-text('Live:')")
    began = time.monotonic()
    push(api, "I am at the door")
    page.wait_for_selector("article:has-text('I am at the door')", timeout=6000)
    assert time.monotonic() - began < 3
    assert "New contact: SMS" in page.inner_text("#said")
    page.evaluate("document.querySelectorAll('article')[12].scrollIntoView()")
    page.fill("#note", "half a sentence")
    page.evaluate("document.querySelectorAll('article')[12].scrollIntoView()")
    before = page.evaluate("document.querySelectorAll('article')[12].getBoundingClientRect().top")
    push(api, "Second message")
    page.wait_for_selector("article:has-text('Second message')", state="attached", timeout=6000)
    after = page.evaluate("document.querySelectorAll('article')[13].getBoundingClientRect().top")
    assert abs(after - before) < 2
    assert page.input_value("#note") == "half a sentence"
    assert page.evaluate("document.activeElement.id") == "note"


def test_it_says_when_it_is_not_live_and_comes_back(page: Any, api: Api) -> None:
    card = history(api, 3)
    signed_in(page)
    page.goto(f"/customers/{card}")
    page.wait_for_selector("#pulse:has-text('Live:')")
    page.context.set_offline(True)
    page.wait_for_selector("#pulse.dead:has-text('Not live:')")
    push(api, "while you were away")
    page.context.set_offline(False)
    page.wait_for_selector("article:has-text('while you were away')", timeout=20_000)
    page.wait_for_selector("#pulse:not(.dead):has-text('Live:')")


def test_one_contact_far_back_and_up_again(page: Any, api: Api) -> None:
    card = history(api, 120)
    lines = api.ok(f"customers/{card}/timeline", {"limit": 200})["results"]
    far = lines[80]["id"]
    signed_in(page)
    page.goto(f"/customers/{card}?at={far}")
    assert page.evaluate("document.activeElement.dataset.interaction") == far
    top = page.evaluate("document.querySelector('article.here').getBoundingClientRect().top")
    assert 0 < top < 800
    for _ in range(60):
        page.mouse.wheel(0, -400)
        page.wait_for_timeout(60)
        if not page.locator("nav.newer").count():
            break
    shown = page.eval_on_selector_all("article", "lines => lines.map(line => line.dataset.interaction)")
    assert shown[:80] == [line["id"] for line in lines[:80]]


def test_a_letter_is_shown_in_a_frame_that_may_do_nothing(page: Any, api: Api) -> None:
    card = history(api, 1)
    html = "<h2>Invoice</h2><script>parent.document.title = 'owned'</script>"
    html += f"<img src='http://127.0.0.1:{free_port()}/p.gif' alt='logo'>"
    letter = event(identifier("phone", NUMBER), channel="email", kind="email", details={"html": html})
    api.push({**letter, "occurred_at": datetime.now(UTC).isoformat()})
    drained()
    signed_in(page)
    page.goto(f"/customers/{card}")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.click("details.letter summary")
    frame = page.frame_locator("details.letter iframe")
    assert frame.locator("h2").inner_text() == "Invoice"
    assert not [url for url in asked if url.endswith("p.gif")]
    with page.expect_request("**/p.gif"):
        page.click("details.letter a")
    assert frame.locator("h2").inner_text() == "Invoice"
    assert "owned" not in page.title()


def test_now_is_live_too(page: Any, api: Api) -> None:
    history(api, 2)
    signed_in(page)
    page.goto("/now")
    page.wait_for_selector("#pulse:has-text('Live:')")
    push(api, "anybody there?")
    page.wait_for_selector("[data-group=waiting] article:has-text('anybody there?')", timeout=6000)


@pytest.mark.parametrize("width", [360, 2560])
def test_nothing_is_wider_than_the_screen(page: Any, api: Api, width: int) -> None:
    card = history(api, 3)
    push(api, "x" * 2000)
    push(api, "שלום " * 50 + "😀" * 60)
    signed_in(page)
    page.set_viewport_size({"width": width, "height": 800})
    for path in ("/", "/now", "/profile", f"/customers/{card}", "/?q=message"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_the_whole_history_without_javascript(page: Any, api: Api) -> None:
    card = history(api, 90)
    signed_in(page)
    bare = page.context.browser.new_context(
        java_script_enabled=False, storage_state=page.context.storage_state(), base_url=page.url
    ).new_page()
    bare.goto(f"/customers/{card}")
    seen = []
    while True:
        seen += re.findall(r"message \d+", bare.inner_text("#lines"))
        if not bare.locator("a[rel=next]").count():
            break
        bare.click("a[rel=next]")
    assert len(seen) == len(set(seen)) == 90
    bare.fill("#note", "no script at all")
    bare.click("form.note button")
    assert "no script at all" in bare.inner_text("article.here")
