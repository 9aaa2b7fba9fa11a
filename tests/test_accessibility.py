"""axe-core reports nothing on any page, narrow and enlarged ones scroll in one direction, and the focus is seen.

The pages are those of `tests/matrix.py`, so of the service itself: a new one is looked at without anybody's doing, or
says below why it is none. One of the six pairs of language and scheme; all of them where CXHUB_TEST_LONG is set.
"""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Group, User

from customers.models import AgentProfile
from tests.browsing import BROWSED, PASSWORD, browser, chromium, patient, site
from tests.matrix import rows
from tests.support import LONG, Api, drained, event, everything, identifier
from tests.test_second_factor import totp
from tests.whole_world import World, whole_world

__all__ = ["browser", "chromium", "site"]
pytestmark = BROWSED

NUMBER, OTHER = "+79126543210", "+79126543299"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOK = """async (tags) => {
    const found = await axe.run(document, { runOnly: tags, iframes: false });
    return found.violations.map((one) => [one.id, one.help, one.nodes.slice(0, 4).map((node) => node.html)]);
}"""
EVERY_PAIR = [(language, scheme) for scheme in ("light", "dark") for language in ("en", "ru", "lt")]
PAIRS = EVERY_PAIR if LONG else [("ru", "dark")]
WIDTHS = {320: "reflow at 400 %", 360: "a telephone", 640: "1280 at 200 %"}
TOO_WIDE = """() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const scrolls = (one) => one && (['auto', 'scroll', 'hidden'].includes(getComputedStyle(one).overflowX) ||
        scrolls(one.parentElement));
    return [...document.body.querySelectorAll('*')]
        .filter((one) => one.getBoundingClientRect().right > width + 1 && !scrolls(one.parentElement))
        .slice(0, 3).map((one) => one.outerHTML.slice(0, 160));
}"""
UNSEEN = """() => {
    const able = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')];
    return able.filter((one) => {
        one.focus();
        if (document.activeElement !== one) return false;
        const style = getComputedStyle(one);
        return style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2;
    }).slice(0, 4).map((one) => one.outerHTML.slice(0, 160));
}"""

NO_PAGES = {
    "healthz": "for machines",
    "readyz": "for machines",
    "metrics": "for machines",
    "login/oidc": "goes elsewhere; its refusal is looked at below",
    "login/oidc/callback": "goes elsewhere",
    "customers/<customer>/side": "a piece of the card",
    "customers/<customer>/lines": "a piece of the card",
    "customers/<customer>/news": "a piece of the card",
    "customers/<customer>/lines/<interaction>/letter": "somebody else's letter in a frame",
    "customers/<customer>/contacts.svg": "a picture",
    "customers/<customer>/export": "a file",
    "segments/<int:number>/export": "a file",
}
ELSEWHERE = {
    "login/": "test_signing_in",
    "login/code": "test_signing_in",
    "profile/again": "test_signing_in",
    "profile/again/code": "test_signing_in",
    "profile/factor": "test_signing_in",
    "profile/factor/off": "test_signing_in",
    "profile/recovery": "test_signing_in",
    "profile/recovery/new": "test_signing_in",
    "customers/<customer>/clear": "test_pages_of_whoever_may_not",
}


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """Every page is there, and the company's sign-in cannot be reached."""
    names = ("CXHUB_OIDC_CLIENT_ID", "CXHUB_OIDC_CLIENT_SECRET", "CXHUB_OIDC_NAME")
    return {"CXHUB_MFA": "1", "CXHUB_OIDC_URL": "http://127.0.0.1:1", **dict.fromkeys(names, "Example")}


@pytest.fixture
def api(committed: None) -> Api:
    return everything()


@pytest.fixture
def world(api: Api) -> World:
    return whole_world(api)


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
    assert api.post(f"customers/{card['id']}/hold", {"held": True, "reason": "Claim 17"}).status_code == 200
    entries = api.ok(f"customers/{card['id']}/timeline", {"limit": 50})["results"]
    ids = {entry["kind"]: entry["id"] for entry in entries} | {"identity": card["identities"][0]["id"]}
    return str(card["id"]), str(api.card("phone", OTHER)["id"]), ids


class Look:
    """What was found amiss, by page."""

    def __init__(self, page: Any) -> None:
        self.page, self.found = page, {}

    found: dict[str, list[str]]

    def at(self, name: str, *, focus: bool = False) -> None:
        """The page that is open now, with all that is folded away, wide and narrow."""
        from axe_playwright_python.base import AXE_SCRIPT

        page = self.page
        page.wait_for_load_state()  # A click returns when the next page begins.
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        page.evaluate(AXE_SCRIPT)
        said = [f"{id_}: {says}: {nodes}" for id_, says, nodes in page.evaluate(LOOK, TAGS)]
        if focus:
            page.keyboard.press("Tab")
            said += [f"focus is not seen: {one}" for one in page.evaluate(UNSEEN)]
        for width, why in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": 800})
            said += [f"scrolls sideways, {why}: {one}" for one in page.evaluate(TOO_WIDE)]
        page.set_viewport_size({"width": 1280, "height": 900})
        if said:
            self.found[name] = said

    def nothing(self) -> None:
        told = (f"{name}\n   " + "\n   ".join(said) for name, said in self.found.items())
        assert not self.found, "\n".join(told)


def user(role: str, language: str = "") -> User:
    user = User.objects.create_user(role, password=PASSWORD)
    user.groups.add(Group.objects.get_or_create(name=role)[0])
    user.is_staff = user.is_superuser = role == "admin"
    user.save()
    AgentProfile.objects.create(user=user, language=language)
    return user


def signed_in(browser: Any, site: str, role: str, language: str, **how: Any) -> Any:
    user(role, language)
    page = patient(browser.new_context(base_url=site, viewport={"width": 1280, "height": 900}, **how)).new_page()
    entered(page, role)
    page.wait_for_selector("#q")
    return page


def entered(page: Any, name: str, password: str = PASSWORD) -> None:
    page.goto("/login/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_load_state()


def routes() -> list[str]:
    """Every page that is read: what the table has beside the API and the doors."""
    others = ("api/", "hooks/", "admin/", "^")
    return [row.route for row in rows() if "GET" in row.methods and not row.route.startswith(others)]


def variants(card: str, other: str, ids: dict[str, str]) -> list[str]:
    """The same pages in other states; what is not there answers 404, which is a page as well."""
    return [
        "/?q=654-32",
        "/?q=order",
        "/?q=nobody-of-that-name",
        "/?q=%2B79990001122",
        "/lookup?phone=%2B79990001122",
        "/lookup?q=Юлия",
        f"/customers/{card}",
        f"/customers/{card}?at={ids['email']}",
        f"/customers/{card}?q=order",
        f"/customers/{card}?channel=viber",
        f"/customers/{card}?thread=t1",
        f"/customers/{card}/lines/{ids['message']}",
        f"/customers/{card}/merge?with={other}",
        f"/customers/{card}/merge",
        f"/customers/{card}/handles/{ids['identity']}",
        f"/customers/{card}/hold",
        "/queue/views?customer=Юлия",
        "/nothing/here",
        f"/customers/{other[:-4]}0000",
    ]


def test_every_page_is_looked_at_or_says_why_not() -> None:
    known = set(routes())
    assert not set(NO_PAGES) - known
    assert not set(ELSEWHERE) - known
    assert len(known - set(NO_PAGES) - set(ELSEWHERE)) > 35


def test_what_is_wrong_is_found(browser: Any, site: str) -> None:
    page = patient(browser.new_context(base_url=site, viewport={"width": 1280, "height": 900})).new_page()
    page.goto("/login/")
    page.evaluate("""() => {
        const [wide, picture, link] = ['div', 'img', 'a'].map((name) => document.createElement(name));
        wide.style.width = '900px';
        wide.append('wide');
        link.href = '/';
        link.append('unseen');
        link.style.setProperty('outline', 'none', 'important');
        document.querySelector('main').append(wide, picture, link);
    }""")
    look = Look(page)
    look.at("login", focus=True)
    (said,) = look.found.values()
    assert [one.partition(":")[0] for one in said if "image" in one] == ["image-alt"]
    assert len([one for one in said if one.startswith("scrolls sideways")]) == 3
    assert len([one for one in said if one.startswith("focus is not seen")]) == 1


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("language", "scheme"), PAIRS)
def test_every_page(browser: Any, site: str, world: World, language: str, scheme: str) -> None:
    page = signed_in(browser, site, "supervisor", language, color_scheme=scheme)
    look = Look(page)
    addresses = [
        f"{world.path(route)}?{urlencode(world.params(route))}".rstrip("?")
        for route in dict.fromkeys(routes())
        if route not in {**NO_PAGES, **ELSEWHERE}
    ]
    for address in [*addresses, *variants(*story(world.api))]:
        page.goto(address)
        assert page.locator("main h1").count(), address
        look.at(address, focus=(language, scheme) == PAIRS[0])
    look.nothing()


@pytest.mark.parametrize(("language", "scheme"), PAIRS)
def test_signing_in(browser: Any, site: str, language: str, scheme: str) -> None:
    """Signing in, mistyped, by the company's sign-in, with a second factor, and setting one up."""
    name = user("agent", language).username
    how = {"base_url": site, "color_scheme": scheme, "locale": language}
    page = patient(browser.new_context(**how, viewport={"width": 1280, "height": 900})).new_page()
    look = Look(page)
    page.goto("/login/")
    look.at("login", focus=True)
    entered(page, name, "wrong")
    look.at("mistyped")
    page.goto("/login/oidc")
    look.at("the company's sign-in is away", focus=True)
    entered(page, name)
    page.goto("/profile/factor")
    look.at("again, by password", focus=True)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_selector("code.key")
    look.at("a second factor", focus=True)
    secret = page.inner_text("code.key")
    assert page.evaluate("document.querySelector('.qr').naturalWidth") > 0  # the policy lets the picture through
    page.fill("[name=code]", "000000")
    page.press("[name=code]", "Enter")
    page.wait_for_selector(".errorlist")
    look.at("a wrong first code")
    page.fill("[name=code]", totp(secret, time.time()))
    page.press("[name=code]", "Enter")
    page.wait_for_selector("ul.codes")
    look.at("recovery codes", focus=True)
    recovery = page.inner_text("ul.codes li:first-child")
    for path in (
        "/profile",
        "/profile/recovery",
        "/profile/recovery/new",
        "/profile/factor/off",
        "/profile/again/code",
    ):
        page.goto(path)
        look.at(path, focus=True)
    look.page = other = patient(browser.new_context(**how, viewport={"width": 1280, "height": 900})).new_page()
    entered(other, name)
    other.wait_for_selector("[name=code]")
    look.at("code", focus=True)
    other.fill("[name=code]", recovery)
    other.press("[name=code]", "Enter")
    other.wait_for_selector("#q")
    look.nothing()


@pytest.mark.parametrize(("language", "scheme"), PAIRS)
def test_pages_of_whoever_may_not(browser: Any, site: str, world: World, language: str, scheme: str) -> None:
    """Locked out, refused, out of look-ups, and asking to see in the clear."""
    bare = patient(browser.new_context(base_url=site, color_scheme=scheme, locale=language)).new_page()
    for _ in range(11):
        entered(bare, "nobody", "wrong")
        if not bare.locator("[name=username]").count():
            break
    assert not bare.locator("[name=username]").count()
    look = Look(bare)
    look.at("locked out")
    look.page = page = signed_in(browser, site, "masked", language, color_scheme=scheme)
    card = world.path("customers/<customer>")
    for path in ("/", "/admin/", "/queue", card, f"{card}/clear"):
        page.goto(path)
        look.at(f"masked {path}", focus=True)
    page.fill("#reason", "The courier asks")
    page.press("#reason", "Enter")
    page.wait_for_selector(".notice")
    look.at("in the clear")
    look.nothing()


def test_the_administration(browser: Any, site: str, world: World) -> None:
    """Django's own pages as they are, and those that we added to them."""
    page = signed_in(browser, site, "admin", "ru")
    look = Look(page)
    for path in ("/admin/", "/admin/channels/source/add/", "/admin/channels/source/add/?provider=twilio_sms"):
        page.goto(path)
        look.at(path)
    page.goto("/admin/channels/source/")
    page.click("#result_list tbody a")
    page.wait_for_selector("code.paste")
    look.at("a source")
    assert re.search(r"/api/v1/events", page.inner_text("code.paste"))
    page.goto("/admin/auth/user/")
    look.at("users")
    page.goto("/admin/auth/user/add/")
    look.at("a new user")
    look.nothing()
