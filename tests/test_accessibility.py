"""axe-core reports nothing on any page: in light and dark, in three languages, on a wide screen and a narrow one."""

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connections

from customers.models import AgentProfile
from tests.support import COMMITTED, Api, drained, event, everything, identifier, shop
from tests.test_console_browser import CHROMIUM, FLAGS, site

__all__ = ["site"]
pytestmark = [
    *COMMITTED,
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which(CHROMIUM), reason="SKIPPED: no /usr/bin/chromium; axe-core looked at nothing"),
]

NUMBER, OTHER = "+79126543210", "+79126543299"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOK = """async (tags) => {
    const found = await axe.run(document, { runOnly: tags, iframes: false });
    return found.violations.map((one) => [one.id, one.help, one.nodes.slice(0, 4).map((node) => node.html)]);
}"""


@pytest.fixture
def api(committed: None, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright keeps a loop running in this thread.
    shop()
    return everything()


@pytest.fixture
def browser(site: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield browser
        browser.close()
        connections.close_all()


def story(api: Api) -> tuple[str, str, dict[str, str]]:
    """A customer with one contact of each sort, and somebody else who may be the same; the ids of some lines."""
    ago = datetime.now(UTC) - timedelta(days=40)
    phone, mail = identifier("phone", NUMBER), identifier("email", "yulia@klient.example")
    call = {"status": "missed", "duration_s": 12, "legs": [{"id": "1", "name": "Анна", "status": "no-answer"}]}
    letter = {
        "html": "<h2>Invoice</h2><p>Thank you</p><img src='https://far.example/p.gif'>",
        "quoted": "> What is it?",
        "participants": [{"role": "from", "address": "yulia@klient.example", "name": "Юлия"}],
        "authentication": {"dmarc": "pass"},
    }
    said = "Hello " * 800
    given: list[dict[str, Any]] = [
        {"text": "Where is my order AB-20417?", "thread": "t1", "attachments": [{"name": "a.png"}]},
        {"channel": "phone", "kind": "call", "details": {"call": call}},
        {"channel": "phone", "kind": "call", "direction": "outbound", "details": {"call": {"status": "completed"}}},
        {"channel": "email", "kind": "email", "subject": "Счёт", "text": "Спасибо", "details": letter},
        {"text": said, "direction": "outbound", "state": "failed", "agent": {"id": "7", "name": "Анна"}},
        {"channel": "web", "kind": "form", "text": "שלום"},
        {"channel": "reviews", "kind": "review", "details": {"score": {"metric": "stars", "value": 2, "max": 5}}},
        {"channel": "store", "kind": "purchase", "details": {"order": {"number": "AB-1", "total": 12}}},
        {"text": "Later", "revision": 1, "thread": "t1"},
    ]
    lines = [
        event(phone, mail, name="Юлия Щербакова", **{"occurred_at": (ago + timedelta(days=n)).isoformat(), **one})
        for n, one in enumerate(given)
    ]
    lines[0]["customer"]["attributes"] = {"city": "Vilnius", "birthday": "1990-05-17", "vip": True}
    claimed = {**mail, "verified": False}
    other = event(identifier("phone", OTHER), claimed, name="Юлия Щербакова", text="Is my coffee ready?")
    api.push(*lines, other)
    drained()
    api.push({**lines[-1], "text": "Now", "revision": 2})
    drained()
    card = api.card("phone", NUMBER)
    entries = api.ok(f"customers/{card['id']}/timeline", {"limit": 50})["results"]
    ids = {entry["kind"]: entry["id"] for entry in entries} | {"identity": card["identities"][0]["id"]}
    return str(card["id"]), str(api.card("phone", OTHER)["id"]), ids


def signed_in(browser: Any, site: str, role: str, language: str, **how: Any) -> Any:
    user = User.objects.create_user(role, password="a long sentence")
    user.groups.add(Group.objects.get_or_create(name=role)[0])
    user.is_staff = user.is_superuser = role == "admin"
    user.save()
    AgentProfile.objects.create(user=user, language=language)
    page = browser.new_context(base_url=site, viewport={"width": 1280, "height": 900}, **how).new_page()
    page.goto("/login/")
    page.fill("[name=username]", role)
    page.fill("[name=password]", "a long sentence")
    page.press("[name=password]", "Enter")
    page.wait_for_selector("#q")
    return page


def report(page: Any) -> list[str]:
    from axe_playwright_python.base import AXE_SCRIPT

    page.evaluate(AXE_SCRIPT)
    return [f"{id_}: {says}: {nodes}" for id_, says, nodes in page.evaluate(LOOK, TAGS)]


def opened(page: Any) -> None:
    """What is folded away is looked at, too."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


def paths(card: str, other: str, ids: dict[str, str]) -> list[str]:
    """Every page of a supervisor; what is not there (yet) answers 404, which is a page as well."""
    return [
        "/",
        "/?q=654-32",
        "/?q=order",
        "/?q=nobody-of-that-name",
        "/?q=%2B79990001122",
        "/now",
        "/profile",
        "/lookup?phone=%2B79990001122",
        "/lookup?q=Юлия",
        "/lookup",
        f"/customers/{card}",
        f"/customers/{card}?at={ids['email']}",
        f"/customers/{card}?q=order",
        f"/customers/{card}?channel=viber",
        f"/customers/{card}?thread=t1",
        f"/customers/{card}/lines/{ids['message']}",
        f"/customers/{card}/merge?with={other}",
        f"/customers/{card}/merge",
        f"/customers/{card}/split",
        f"/customers/{card}/links",
        f"/customers/{card}/known",
        f"/customers/{card}/handles/{ids['identity']}",
        "/queue",
        "/queue/deliveries",
        "/queue/sources",
        "/queue/views",
        "/promises",
        "/feedback",
        "/segments",
        "/segments/new",
        "/experience",
        "/experience/scores",
        "/experience/left",
        "/experience/matters",
        "/experience/journey",
        "/requests",
        "/nothing/here",
        f"/customers/{other[:-4]}0000",
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ru", "lt"])
def test_every_page(browser: Any, site: str, api: Api, language: str, scheme: str) -> None:
    page = signed_in(browser, site, "supervisor", language, color_scheme=scheme)
    found: dict[str, list[str]] = {}
    for path in paths(*story(api)):
        page.goto(path)
        opened(page)
        if said := report(page):
            found[path] = said
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto("/now")
    if said := report(page):
        found["/now, narrow"] = said
    assert not found, "\n".join(f"{path}\n   " + "\n   ".join(said) for path, said in found.items())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_whoever_may_not(browser: Any, site: str, api: Api, scheme: str) -> None:
    """Signing in, mistyped, refused, locked out, out of look-ups."""
    found: dict[str, list[str]] = {}
    bare = browser.new_context(base_url=site, color_scheme=scheme, locale="lt").new_page()
    bare.goto("/login/")
    found["login"] = report(bare)
    for attempt in range(11):
        bare.fill("[name=username]", "nobody")
        bare.fill("[name=password]", "wrong")
        bare.press("[name=password]", "Enter")
        bare.wait_for_load_state()
        if attempt == 0:
            found["mistyped"] = report(bare)
        if not bare.locator("[name=username]").count():
            break
    assert not bare.locator("[name=username]").count()
    found["locked out"] = report(bare)
    page = signed_in(browser, site, "masked", "en", color_scheme=scheme)
    for path in ("/", "/admin/", "/queue"):
        page.goto(path)
        found[f"masked {path}"] = report(page)
    assert not [said for said in found.items() if said[1]]


def test_the_administration(browser: Any, site: str, api: Api) -> None:
    """Django's own pages as they are, and those that we added to them."""
    page = signed_in(browser, site, "admin", "ru")
    found: dict[str, list[str]] = {}
    for path in ("/admin/", "/admin/channels/source/add/", "/admin/channels/source/add/?provider=twilio_sms"):
        page.goto(path)
        found[path] = report(page)
    page.goto("/admin/channels/source/")
    page.click("#result_list tbody a")
    found["a source"] = report(page)
    assert not [said for said in found.items() if said[1]]
    assert re.search(r"/api/v1/events", page.inner_text("code.paste"))
