"""Decisions about a card in Debian's Chromium: by keyboard, without JavaScript, and on the open card of a colleague."""

import re
from typing import Any

import pytest

from customers.models import Link
from tests.browsing import BROWSED, browser, chromium, environment, page, signed_in, site, without_scripts
from tests.identity_support import came, mail
from tests.support import Api, phone

__all__ = ["browser", "chromium", "environment", "page", "site"]
pytestmark = BROWSED


@pytest.fixture(autouse=True)
def rules(settings: Any) -> None:
    settings.CXHUB_RULES = True


def two(api: Api) -> tuple[str, str]:
    number, address = phone(), mail()
    one = came(api, ("phone", number), name="Иван Петров", text="mine")["customer"]
    other = came(api, ("email", address), name="Мария Петрова", text="yours")["customer"]
    came(api, ("phone", number), ("email", address), text="both")
    return one, other


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.id"))


def test_a_candidate_is_accepted_and_taken_back_while_a_colleague_watches(page: Any, api: Api) -> None:
    one, other = two(api)
    signed_in(page)
    colleague = page.context.new_page()
    colleague.goto(f"/customers/{other}")
    colleague.wait_for_selector("#pulse:has-text('Live:')")
    page.goto(f"/customers/{one}")
    page.focus("[id^=candidate-]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#do-accept")
    page.focus("#reason")
    page.keyboard.type("she said so")
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert Link.objects.filter(cause="agent").count() == 0, "Enter in a reason decides nothing"
    page.keyboard.press("Tab")
    assert focused(page) == "do-accept"
    page.keyboard.press("Enter")
    page.wait_for_selector(".message:focus")
    assert "Accepted: one person now." in page.inner_text(".message")
    colleague.wait_for_selector("article:has-text('mine')")
    assert colleague.locator("article").count() == 3
    page.keyboard.press("Tab")
    assert focused(page) == "take-back"
    page.keyboard.press("Enter")
    page.wait_for_selector("#do-undo")
    assert "Where everything goes" in page.inner_text("main")
    page.focus("#reason")
    page.keyboard.type("a mistake")
    page.keyboard.press("Enter")
    page.wait_for_selector(".message:has-text('they are two again')")
    colleague.wait_for_selector("article:has-text('mine')", state="detached")
    assert colleague.locator("article").count() == 1


def test_a_merge_without_javascript(page: Any, api: Api, site: str) -> None:
    one, other = two(api)
    signed_in(page)
    bare = without_scripts(page, site)
    bare.goto(f"/customers/{one}")
    bare.click("#merge")
    bare.fill("#other", "Мария Петрова")
    bare.press("#other", "Enter")
    bare.click("a.hit")
    bare.fill("#reason", "one and the same")
    bare.press("#reason", "Enter")
    assert "Merged: one person now." in bare.inner_text(".message")
    bare.click("#take-back")
    bare.fill("#reason", "no")
    bare.click("#do-undo")
    assert "they are two again" in bare.inner_text(".message")
    bare.goto(f"/customers/{other}")
    assert bare.locator("article").count() == 1


@pytest.mark.parametrize("width", [360, 2560])
def test_no_page_of_a_decision_is_wider_than_the_screen(page: Any, api: Api, width: int) -> None:
    one, other = two(api)
    both = came(api, ("phone", phone()), ("email", f"{'long' * 15}@{'mail' * 12}.example"), name="Ё" * 300)
    wide = both["customer"]
    signed_in(page, "ru")
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"/customers/{one}")
    candidate = page.get_attribute("[id^=candidate-]", "href")
    page.goto(f"/customers/{wide}")
    handles = page.eval_on_selector_all("[id^=handle-]", "links => links.map(link => link.getAttribute('href'))")
    move = page.get_attribute("a[href*='/move/']", "href")
    page.goto(f"/customers/{wide}/links")
    undo = page.get_attribute("#links a[href$=undo]", "href")
    chosen = re.sub(r".*/handles/", "", handles[1])
    for path in (
        candidate,
        undo,
        move,
        f"{move}?with={one}",
        *handles,
        f"/customers/{wide}/known",
        f"/customers/{wide}/links",
        f"/customers/{wide}/merge?q=Иван",
        f"/customers/{one}/merge?with={other}",
        f"/customers/{wide}/merge?with={other}",
        f"/customers/{wide}/split",
        f"/customers/{wide}/split?chosen=1&identity={chosen}",
    ):
        page.goto(path)
        assert page.locator("h1").count() == 1, path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
