"""An agent's day in a real browser, by keyboard alone, from signing in to signing out."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.browsing import BROWSED, browser, chromium, environment, page, signs_in, site
from tests.support import LONG, Api, drained, event, identifier

__all__ = ["browser", "chromium", "environment", "page", "site"]
pytestmark = BROWSED

CALLER, ADDRESS = "+79126540077", "yulia@klient.example"
SAID = {
    "en": ("Nobody yet", "missed", "The note was added.", "Live:"),
    "ru": ("Пока никто", "пропущен", "Заметка добавлена.", "На связи:"),
    "lt": ("Kol kas niekas", "praleistas", "Pastaba pridėta.", "Tiesiogiai:"),
}


def tab_to(page: Any, selector: str, most: int = 250) -> None:
    """Press Tab until the focus is there, and see that it shows."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            break
    else:
        raise AssertionError(f"Tab does not lead to {selector}")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", "the focus must show"


def from_the_top(page: Any) -> None:
    page.keyboard.press("Home")
    page.keyboard.press("/")
    page.wait_for_selector("#q:focus")


def known_before(api: Api) -> None:
    """Somebody who wrote a letter last week; nobody knows his number."""
    told = (datetime.now(UTC) - timedelta(days=7)).isoformat()
    letter = {"channel": "email", "kind": "email", "subject": "Invoice", "text": "Where is my invoice?"}
    api.push(event(identifier("email", ADDRESS), name="Юлия Щербакова", occurred_at=told, **letter))
    drained()


def calls(api: Api) -> None:
    """An unknown number; what the caller types in the menu is his address, which only he says."""
    call = {"channel": "phone", "kind": "call", "details": {"call": {"status": "missed", "duration_s": 14}}}
    claimed = identifier("email", ADDRESS, verified=False)
    now = datetime.now(UTC).isoformat()
    api.push(event(identifier("phone", CALLER), claimed, name="Юлия", occurred_at=now, text="My invoice!", **call))
    drained()


@pytest.mark.parametrize("language", SAID if LONG else ["lt"])
def test_a_day(page: Any, api: Api, language: str) -> None:
    """A call pops up before its event has come; it is read, noted, joined with who it is, taken back; good night."""
    nobody, missed, noted, live = SAID[language]
    known_before(api)
    signs_in(page, language)

    page.goto(f"/lookup?phone={CALLER.replace('+', '%2B')}")  # as the telephone system opens it
    page.wait_for_selector(f"h1:has-text('{nobody}')")
    calls(api)
    page.wait_for_url("**/customers/*")
    assert page.get_attribute("html", "lang") == language
    assert missed in page.inner_text("article[data-channel=phone]")
    page.wait_for_selector(f"#pulse:has-text('{live}')")

    now = datetime.now(UTC).isoformat()
    api.push(event(identifier("phone", CALLER), text="It is urgent", occurred_at=now))
    drained()
    page.wait_for_selector("article:has-text('It is urgent')")

    from_the_top(page)
    tab_to(page, "#note")
    page.keyboard.type("Обещала прислать счёт")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("article[data-channel=note]:has-text('Обещала прислать счёт')")
    assert noted in page.inner_text("form.note")

    from_the_top(page)
    assert "Where is my invoice?" not in page.inner_text("#lines")
    tab_to(page, "[id^=candidate-]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#reason")
    tab_to(page, "#reason")
    page.keyboard.type("she said so")
    tab_to(page, "#do-accept")
    page.keyboard.press("Enter")
    page.wait_for_selector("#take-back")
    assert "Where is my invoice?" in page.inner_text("#lines")
    assert page.locator("article").count() == 4

    from_the_top(page)
    tab_to(page, "#take-back")
    page.keyboard.press("Enter")
    page.wait_for_selector("#do-undo")
    tab_to(page, "#reason")
    page.keyboard.type("a mistake")
    tab_to(page, "#do-undo")
    page.keyboard.press("Enter")
    page.wait_for_url("**/customers/*")
    page.wait_for_selector("#pulse")
    assert page.locator("article").all_inner_texts()[0].count("Where is my invoice?") == 1
    assert page.locator("article").count() == 1, "each has his own again"
    texts = [line["text"] for line in api.timeline("phone", CALLER)]
    assert texts == ["Обещала прислать счёт", "It is urgent", "My invoice!"]

    from_the_top(page)
    tab_to(page, "header.top form[method=post] button")
    page.keyboard.press("Enter")
    page.wait_for_selector("[name=username]")
    page.goto("/now")
    assert "/login/" in page.url
