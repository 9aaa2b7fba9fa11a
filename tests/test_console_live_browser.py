"""In a real browser: what happens elsewhere reaches an open card by itself, and nobody loses his place."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.browsing import BROWSED, browser, chromium, environment, page, signed_in, site
from tests.identity_support import did
from tests.support import Api, drained, event, identifier
from tests.test_console_browser import NUMBER, history

__all__ = ["browser", "chromium", "environment", "page", "site"]
pytestmark = BROWSED

OTHER = "other@klient.example"
TOP = "line => document.getElementById('line-' + line).getBoundingClientRect().top"


def somebody_else(api: Api, text: str = "from somebody else", minutes: float = 90) -> str:
    told = (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()
    letter = event(identifier("email", OTHER), channel="email", kind="email", text=text, occurred_at=told)
    api.push(letter)
    drained()
    return str(api.card("email", OTHER)["id"])


def soon(page: Any, condition: Callable[[], Any]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        page.wait_for_timeout(50)


def live(page: Any, path: str) -> None:
    page.goto(path)
    page.wait_for_selector("#pulse:has-text('Live:')")


def scrolled_to(page: Any, place: int) -> str:
    """The id of the line that is read, after older ones were loaded."""
    while page.locator("article").count() < place + 10:
        page.keyboard.press("End")
        page.wait_for_timeout(60)
    page.evaluate(f"document.querySelectorAll('article')[{place}].scrollIntoView()")
    return str(page.evaluate(f"document.querySelectorAll('article')[{place}].dataset.interaction"))


def test_a_merge_and_its_undo_appear_and_nothing_moves(page: Any, api: Api) -> None:
    card = history(api, 120)
    other = somebody_else(api)
    signed_in(page)
    live(page, f"/customers/{card}")
    read = scrolled_to(page, 60)
    page.fill("#note", "half a sentence")
    page.evaluate(f"document.getElementById('line-{read}').scrollIntoView()")
    before = page.evaluate(TOP, read)
    link = did(api, f"customers/{card}/merge", {"with": other}, 201)["link"]
    soon(page, lambda: OTHER in page.inner_text("aside.card"))
    assert abs(page.evaluate(TOP, read) - before) < 2
    assert page.input_value("#note") == "half a sentence"
    assert page.evaluate("document.activeElement.id") == "note"
    for _ in range(40):
        page.keyboard.press("Control+Home")
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_timeout(60)
        if not page.locator("nav.newer").count():
            break
    page.wait_for_selector("article:has-text('from somebody else')")
    ids = page.eval_on_selector_all("article", "lines => lines.map(line => line.dataset.interaction)")
    assert len(ids) == len(set(ids))
    did(api, f"links/{link}/undo", {"reason": "two after all"})
    soon(page, lambda: not page.locator("article:has-text('from somebody else')").count())
    assert OTHER not in page.inner_text("aside.card")
    page.wait_for_selector("#pulse:has-text('Live:')")


def test_a_card_that_was_merged_into_another_goes_on(page: Any, api: Api) -> None:
    card = history(api, 3)
    other = somebody_else(api)
    signed_in(page)
    live(page, f"/customers/{other}")
    assert "Юлия" not in page.inner_text("aside.card")
    did(api, f"customers/{card}/merge", {"with": other}, 201)
    soon(page, lambda: "Юлия" in page.inner_text("aside.card"))
    assert "Юлия" in page.title()
    api.push(event(identifier("phone", NUMBER), text="after the merge", occurred_at=datetime.now(UTC).isoformat()))
    drained()
    soon(page, lambda: page.locator("article:has-text('after the merge')").count())


def test_a_contact_that_was_split_away_is_followed(page: Any, api: Api) -> None:
    card = history(api, 3)
    other = somebody_else(api)
    link = did(api, f"customers/{card}/merge", {"with": other}, 201)["link"]
    mail = next(one for one in api.ok(f"customers/{card}/timeline")["results"] if one["channel"] == "email")["id"]
    signed_in(page)
    live(page, f"/customers/{card}?at={mail}")
    did(api, f"links/{link}/undo", {})
    page.wait_for_url(f"**/customers/{other}?at={mail}")
    page.wait_for_selector("article.here:has-text('from somebody else')")


def test_whoever_writes_a_note_is_asked_before_he_follows(page: Any, api: Api) -> None:
    card = history(api, 3)
    other = somebody_else(api)
    link = did(api, f"customers/{card}/merge", {"with": other}, 201)["link"]
    mail = next(one for one in api.ok(f"customers/{card}/timeline")["results"] if one["channel"] == "email")["id"]
    signed_in(page)
    live(page, f"/customers/{card}?at={mail}")
    page.fill("#note", "half a sentence")
    page.evaluate("scrollTo(0, 0)")
    did(api, f"links/{link}/undo", {})
    page.wait_for_selector("a.above:has-text('another card')")
    assert page.input_value("#note") == "half a sentence"
    page.click("a.above")
    page.wait_for_url(f"**/customers/{other}?at={mail}")


def test_an_edit_leaves_open_what_was_opened(page: Any, api: Api) -> None:
    said = event(identifier("phone", NUMBER), text="five cups", thread="t", revision=1)
    answer = event(identifier("phone", NUMBER), text="of which kind?", thread="t", direction="outbound")
    api.push({**said, "details": {"quoted": "> an older letter"}}, answer)
    drained()
    signed_in(page)
    live(page, f"/customers/{api.card('phone', NUMBER)['id']}")
    line = page.locator("article:has-text('five cups')")
    line.locator("summary:has-text('Quoted text')").click()
    line.locator("a.talk").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("details.talk[open] li[aria-current]")
    assert page.locator("details.talk li").count() == 2
    page.wait_for_selector("details.talk summary:focus")
    api.push({**said, "text": "six cups", "revision": 2, "details": {"quoted": "> an older letter"}})
    drained()
    soon(page, lambda: page.locator("article > .said:has-text('six cups')").count())
    line = page.locator("article:has(> .said:has-text('six cups'))")
    assert line.locator("details.quoted[open]").count() == 1
    assert line.locator("details.edits:not([open])").count() == 1
    page.wait_for_selector("details.talk li:has-text('six cups')")
    assert line.locator("details.talk[open] li").count() == 2


def test_what_is_open_beside_the_timeline_is_told_by_itself(page: Any, api: Api) -> None:
    card = history(api, 1)
    signed_in(page)
    live(page, f"/customers/{card}")
    page.click("aside a:has-text('By month')")
    page.wait_for_selector("aside .months:focus")
    answer = {"direction": "outbound", "text": "answered", "occurred_at": datetime.now(UTC).isoformat()}
    assert "Waiting for an answer" in page.inner_text("aside")
    api.push(event(identifier("phone", NUMBER), **answer))
    drained()
    soon(page, lambda: "Waiting for an answer" not in page.inner_text("aside"))
    page.wait_for_selector("aside .months")


def test_the_first_contact_opens_the_card_but_not_over_a_note(page: Any, api: Api) -> None:
    signed_in(page)
    page.goto("/lookup?phone=89126543210&call_id=55.1")
    page.wait_for_selector("#pulse:has-text('Live:')")
    page.fill("#note", "wants a call back")
    assert not page.is_visible("#came")
    call = event(identifier("phone", NUMBER), channel="phone", kind="call", id="55.1", details={"call": {}})
    api.push(call)
    drained()
    page.wait_for_selector("#came:visible")
    assert page.input_value("#note") == "wants a call back"
    page.click("section.card button")
    page.wait_for_selector("article.here:has-text('wants a call back')")
    assert page.locator("article").count() == 2
    page.goto("/lookup?call_id=55.2")
    page.wait_for_selector("#pulse:has-text('Live:')")
    api.push({**call, "id": "55.2"})
    drained()
    page.wait_for_selector("article.here[data-channel=phone]")


def test_nobody_yet_says_when_it_is_not_live(page: Any, api: Api) -> None:
    signed_in(page)
    page.goto("/lookup?phone=89126543210")
    page.wait_for_selector("#pulse:has-text('Live:')")
    page.context.set_offline(True)
    page.wait_for_selector("#pulse.dead:has-text('Not live:')")
    page.context.set_offline(False)
    page.wait_for_selector("#pulse:not(.dead):has-text('Live:')")
