"""In a real browser: hostile words stay words, and odd names, long texts and narrow screens break no page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests import hostile
from tests.browsing import BROWSED, browser, chromium, environment, page, signed_in, site
from tests.hostile import CORPUS
from tests.support import LONG, Api, drained, event, identifier
from tests.test_console_browser import NUMBER, history

__all__ = ["browser", "chromium", "environment", "page", "site"]
pytestmark = BROWSED

NAMES = {
    "300 characters": "Wolfeschlegelsteinhausenbergerdorff" * 9,
    "right to left": "محمد بن عبد الله שלום עולם",
    "emoji": "🐈‍⬛👩‍👩‍👧‍👦 🇱🇹 ☎️" * 20,
    "no break": "ы" * 300,
    "combining": "Z̸̗͍̎ą̵͛l̶͎͝g̷̛̱ȯ̴͙" * 12,
}
ALL_WIDTHS = [name for name in NAMES.values() if len(name) > 250] if LONG else [NAMES["300 characters"]]


def fits(page: Any) -> bool:
    """Whether nothing is wider than the window, and nothing is cut off at its sides."""
    return bool(
        page.evaluate(
            """() => document.documentElement.scrollWidth <= innerWidth
            && [...document.querySelectorAll("main *, header *")].every(one => {
                const box = one.getBoundingClientRect();
                return !box.width || one.closest(".hidden, .skip, .scroll, table, .pulse, svg")
                    || (box.right <= innerWidth + 1 && box.left >= -1);
            })"""
        )
    )


def somebody(api: Api, name: str) -> str:
    start = datetime.now(UTC) - timedelta(hours=2)
    said: list[dict[str, Any]] = [
        {"text": name, "subject": name, "thread": "t"},
        {"text": "https://shop.example/" + "x" * 2000, "direction": "outbound", "agent": {"name": name}},
        {"text": "слово " * 17_000, "channel": "email", "kind": "email"},
        {"channel": "phone", "kind": "call", "details": {"call": {"status": "missed", "legs": [{"agent": name}]}}},
    ]
    said[0]["attachments"] = [{"name": name, "content_type": "application/pdf", "url": "https://files.example/1"}]
    for minutes, one in enumerate(said):
        at = (start + timedelta(minutes=minutes)).isoformat()
        known = (identifier("phone", NUMBER), identifier("telegram", name[:60]))
        (told,) = api.push(event(*known, name=name, occurred_at=at, **one))
        assert told["receipt"], told["problem"]["detail"] + told["problem"].get("field", "")
    drained()
    return f"/customers/{api.card('phone', NUMBER)['id']}"


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_no_name_and_no_text_breaks_a_page(page: Any, api: Api, name: str) -> None:
    card = somebody(api, name)
    signed_in(page)
    widths = ((360, "light"), (1280, "dark"), (2560, "light"))
    for width, scheme in widths if name in ALL_WIDTHS else widths[:1]:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        for path in (card, "/", f"/?q={NUMBER[1:]}", "/now", "/lookup?phone=%2B37060012345", "/lookup?q=x"):
            page.goto(path)
            assert fits(page), (width, path)
        page.goto(card)
        for summary in page.locator("#lines summary").all():
            summary.click()
        page.locator("a.talk").first.click()
        page.wait_for_selector("details.talk[open]")
        assert fits(page), (width, "opened")
    name_of = page.locator("#name bdi")
    assert name_of.evaluate("one => getComputedStyle(one).unicodeBidi") == "isolate"
    said = page.locator(f"article .said:has-text('{name[:6]}')").first
    assert said.get_attribute("dir") == "auto"
    way = "rtl" if name == NAMES["right to left"] else "ltr"
    assert said.evaluate("one => getComputedStyle(one).direction") == way


def test_at_twice_the_size_everything_is_reached(page: Any, api: Api) -> None:
    """200 % zoom of a window of 1280 pixels leaves 640 of them to the page; 400 % (WCAG 1.4.10) leave 320."""
    card = history(api, 3)
    signed_in(page)
    for width, height in ((640, 400), (320, 256)):
        page.set_viewport_size({"width": width, "height": height})
        for path in ("/", "/?q=message", "/now", f"/customers/{card}", "/lookup?phone=%2B37060012345", "/profile"):
            page.goto(path)
            assert fits(page), (width, path)
    page.goto(f"/customers/{card}")
    page.locator("nav[aria-label=Main] a").last.focus()
    assert page.locator("nav[aria-label=Main] a").last.is_visible()


def test_letters_twice_as_large_are_not_cut_off(page: Any, api: Api) -> None:
    card = history(api, 3)
    signed_in(page)
    page.set_viewport_size({"width": 1280, "height": 800})
    for path in ("/", "/now", f"/customers/{card}", "/lookup?phone=%2B37060012345"):
        page.goto(path)
        page.evaluate("document.documentElement.style.setProperty('font-size', '32px')")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        cut = page.evaluate(
            """() => [...document.querySelectorAll("main *")].filter(one => getComputedStyle(one).overflow === "hidden"
               && !one.closest(".hidden") && one.scrollHeight > one.clientHeight + 1 && one.clientHeight).length"""
        )
        assert not cut, path


def test_a_message_of_200_kb_is_folded_and_opens_in_place(page: Any, api: Api) -> None:
    card = somebody(api, "Ада")
    signed_in(page)
    page.goto(card)
    line = page.locator("article:has(> .said:has-text('слово'))")
    assert len(line.inner_text()) < 4_000
    line.locator("a.whole").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => [...document.querySelectorAll('.said')].some(one => one.textContent.length > 100000)")
    assert page.url.endswith(card)
    page.wait_for_selector("article:focus")


def test_every_state_says_what_it_is(page: Any, api: Api) -> None:
    signed_in(page)
    page.goto("/now")
    assert "Everybody has been answered." in page.inner_text("main")
    assert "Nothing yet." in page.inner_text("main")
    page.goto("/")
    assert "Who is it?" in page.inner_text("main")
    card = history(api, 2)
    page.goto(f"/customers/{card}?channel=viber")
    assert "Nothing fits." in page.inner_text("main")
    page.wait_for_selector("#pulse:has-text('Live:')")
    api.push(event(identifier("phone", NUMBER), channel="viber", text="now it does"))
    drained()
    page.wait_for_selector("article:has-text('now it does')")
    assert "Nothing fits." not in page.inner_text("main")


def test_a_player_seeks_in_a_recording(page: Any, api: Api) -> None:
    """The browser asks for parts; without them a recording could only be heard from its beginning."""
    from customers import attachments
    from customers.models.attachment import Attachment

    call = event(identifier("phone", NUMBER), channel="phone", kind="call")
    call["attachments"] = [{"name": "call.wav", "content_type": "audio/wav", "url": "https://files.example/1"}]
    api.push(call)
    drained()
    seconds, rate = 600, 8000
    data = bytes([128]) * (seconds * rate)
    head = b"RIFF" + (36 + len(data)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    head += (1).to_bytes(2, "little") + (1).to_bytes(2, "little") + rate.to_bytes(4, "little") * 2
    head += (1).to_bytes(2, "little") + (8).to_bytes(2, "little") + b"data" + len(data).to_bytes(4, "little")
    attachments.store(Attachment.objects.get(), [head, data])
    signed_in(page)
    page.goto(f"/customers/{api.card('phone', NUMBER)['id']}")
    answers: list[int] = []
    page.on("response", lambda answer: answers.append(answer.status) if "/attachments/" in answer.url else None)
    reached = page.evaluate(
        """() => new Promise((done, failed) => {
            const player = document.querySelector("article audio");
            player.onerror = () => failed(new Error("cannot be played"));
            player.onseeked = () => done([player.currentTime, player.duration]);
            player.onloadedmetadata = () => { player.currentTime = 540; };
            player.preload = "metadata";
            player.load();
        })"""
    )
    assert reached == [540, 600]
    assert 206 in answers


@pytest.mark.long
def test_hostile_words_are_words(page: Any, api: Api, site: str) -> None:
    """All of them at once, by every door: no dialog, nothing refused by the policy, no request to anybody else."""
    known = []
    for evil in CORPUS.values():
        known.append(("phone", hostile.push(api, evil)))
    everything = "\n".join(CORPUS.values())
    known += [("telegram", hostile.telegram(everything[:2000])), ("phone", hostile.twilio_sms(everything))]
    known += [("phone", hostile.twilio_voice(CORPUS["handler"])), ("email", hostile.mail(CORPUS["svg"]))]
    drained(waiting=True)
    dialogs: list[str] = []
    outside: list[str] = []

    def closed(dialog: Any) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", closed)
    page.on("request", lambda one: None if one.url.startswith((site, "data:")) else outside.append(one.url))
    signed_in(page)
    for kind, value in known:
        (found,) = api.ok("customers", {kind: value})["results"]
        page.goto(f"/customers/{found['id']}")
        for part in page.locator("#lines summary").all():
            part.click()
        for talk in page.locator("a.talk").all()[:1]:
            talk.click()
            page.wait_for_selector("details.talk[open]")
    for evil in CORPUS.values():
        page.goto("/")
        page.fill("#q", evil)
        page.wait_for_function("() => document.querySelector('#results').dataset.q !== undefined")
    page.goto("/now")
    page.wait_for_selector("#pulse:has-text('Live:')")
    assert not dialogs
    assert not outside
