"""The agents' pages against the real database: what they show, how deep they go, whom they let in."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.utils import timezone

from customers.console.letters import cleaned
from customers.console.looking import LOOK
from customers.console.timelines import FIRST
from customers.models import AgentProfile, CardView, LastLook
from customers.sql import cursor
from tests.support import (
    COMMITTED,
    LONG,
    Api,
    at,
    drained,
    event,
    identifier,
    phone,
    push_and_drain,
    unique,
)

pytestmark = COMMITTED

HX = {"HX-Request": "true"}
XSS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "javascript:alert(1)",
    "{{7*7}}{% debug %}",
    "</textarea><svg onload=alert(1)>",
    "<!--<title><script>",
    "&lt;b&gt;",
]


class Tags(HTMLParser):
    """What a browser would run or fetch."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.handlers: list[str] = []
        self.scripts: list[str] = []
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.handlers += [name for name in given if name.startswith("on") or name in ("style", "srcdoc")]
        if tag == "script":
            self.scripts.append(given.get("src", ""))
        self.addresses += [given[name] for name in ("href", "src", "action") if name in given]


def agent(role: str = "agent", language: str = "", zone: str = "", name: str = "") -> Client:
    """Somebody who signed in."""
    user = User.objects.create_user(name or unique("user"))
    if role:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    if language or zone:
        AgentProfile.objects.create(user=user, language=language, time_zone=zone)
    client = Client()
    client.force_login(user)
    return client


def ok(client: Client, path: str, params: Any = None, **headers: str) -> str:
    answer = client.get(path, params, headers=headers)
    assert answer.status_code == 200, (path, params, answer.status_code)
    assert answer["Cache-Control"] == "private, no-store"
    return answer.content.decode()


def ids(html: str) -> list[str]:
    return re.findall(r'data-interaction="([^"]+)"', html)


def link(html: str, kind: str) -> str:
    """The address that the link to older or newer lines asks for in place, without an unescaped ampersand."""
    found = re.search(rf'<nav class="more {kind}".*?hx-get="([^"]+)"', html, re.DOTALL)
    return unescape(found[1]) if found else ""


def words_of(html: str) -> str:
    """What a reader sees of a page."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def customer(api: Api, *events: Any, **fields: Any) -> tuple[str, str]:
    """(number, public id) of somebody new with these events."""
    number = phone()
    given = events or (fields,)
    push_and_drain(api, *(event(identifier("phone", number), **one) for one in given))
    return number, api.card("phone", number)["id"]


def test_a_card_tells_the_story_in_words(api: Api) -> None:
    number, who = customer(
        api,
        {"name": "Ада Лавлейс", "text": "Где заказ?", "details": {"order": {"number": "AB-1", "total": 12}}},
        {
            "channel": "phone",
            "kind": "call",
            "occurred_at": at(1),
            "details": {"call": {"status": "missed", "duration_s": 38, "legs": [{"id": "1", "status": "missed"}]}},
        },
        {
            "channel": "phone",
            "kind": "call",
            "direction": "outbound",
            "occurred_at": at(2),
            "agent": {"id": "7", "name": "Анна"},
            "details": {"call": {"status": "completed", "talk_s": 468}},
        },
        {"direction": "outbound", "occurred_at": at(3), "text": "Уже едет", "state": "delivered", "thread": "t/1 &"},
    )
    html = ok(agent(), f"/customers/{who}")
    assert '<html lang="en">' in html
    text = words_of(html)
    for said in ("Ада Лавлейс", "stated", "Где заказ?", "order AB-1, 12", "missed", "answered", "talked 7:48", "Анна"):
        assert said in text
    assert "delivered" in text
    assert "0:38 in all" in text
    assert "leg: missed" in text
    assert "thread=t%2F1%20%26" in html
    assert len(ids(html)) == 4
    assert re.search(r'<article[^>]*data-channel="phone" data-direction="inbound"', html)
    assert html.count('class="day"') == 1
    assert "That is the first contact." in text
    assert re.sub(r"\D", "", number)[-4:] in re.sub(r"\D", "", text)
    assert CardView.objects.filter(viewer__startswith="user:").exists()


def test_edits_deletions_and_quotes_are_seen(api: Api) -> None:
    number = phone()
    first = event(identifier("phone", number), text="Пять чашек", revision=1)
    push_and_drain(api, first)
    push_and_drain(api, {**first, "text": "Шесть чашек", "revision": 2})
    push_and_drain(api, {**first, "text": "Шесть чашек", "revision": 3, "deleted": True})
    letter = event(identifier("phone", number), channel="email", kind="email", subject="Re: чашки", text="Спасибо")
    letter["details"] = {
        "quoted": "> Сколько?",
        "html": "<p>Спасибо<script>alert(1)</script></p><img src='https://spy.example/p.gif'>",
        "participants": [{"role": "from", "address": "a@klient.example", "name": "Ада"}],
        "authentication": {"dmarc": "pass"},
    }
    push_and_drain(api, letter)
    who = api.card("phone", number)["id"]
    client = agent()
    html = ok(client, f"/customers/{who}")
    text = words_of(html)
    for said in ("edited", "deleted", "Пять чашек", "What it said before (2 edits)", "> Сколько?", "sender verified"):
        assert said in text, said
    assert "Ада <a@klient.example>" in text
    (path,) = set(re.findall(r'src="(/customers/[^"]+/letter)"', html))
    answer = client.get(path)
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "img-src data:;" in policy + ";"
    assert "script-src" not in policy
    body = answer.content.decode()
    assert "Спасибо" in body
    assert "alert" not in body
    assert "spy.example" not in body
    assert "Show pictures" in html
    assert f'href="{path}?images=1" target="letter-' in html
    asked = client.get(path, {"images": "1"})
    assert "spy.example" in asked.content.decode()
    assert "img-src data: https: http:" in asked["Content-Security-Policy"]


def test_nothing_of_a_letter_runs_or_reaches_out() -> None:
    hostile = (
        "<b onclick=x>b</b><iframe src=//e></iframe><form action=//e><input name=p></form><a href='javascript:x'>j</a>"
        "<style>@import '//e'</style><link rel=stylesheet href=//e><svg><script>x</script></svg><base href=//e>"
        "<table background=//e.example><tr><td style='background:url(//e)'>t</td></tr></table>"
        "<video src=//e poster=//e>"
        "<meta http-equiv=refresh content='0;url=//e'><object data=//e></object><img srcset='//e 2x' src='//e'>"
    )
    left = cleaned(hostile)
    assert "//e" not in left
    for word in ("onclick", "iframe", "form", "input", "javascript", "style", "link", "svg", "base", "meta", "object"):
        assert word not in left, word
    assert "<b>b</b>" in left


@pytest.mark.parametrize("evil", XSS)
def test_whatever_comes_in_is_shown_as_text(api: Api, evil: str) -> None:
    number = phone()
    dirty = event(identifier("phone", number), identifier("crm_id", evil), name=f"Ада {evil}", text=evil, subject=evil)
    dirty["customer"]["attributes"] = {"city": evil, evil[:60]: [evil, {evil[:30]: evil}]}
    dirty |= {"thread": evil, "agent": {"id": evil, "name": evil}}
    dirty["attachments"] = [{"name": evil, "content_type": evil, "url": evil}]
    dirty["details"] = {
        "call": {"legs": [{"id": evil, "agent": evil, "status": evil}]},
        "order": {"number": evil},
        "campaign": {"name": evil},
        "reactions": {evil: [evil]},
        "poll": {"question": evil, "options": [{"text": evil}, evil]},
        "location": {"latitude": evil, "longitude": evil},
        "quoted": evil,
        "html": evil,
        "participants": [{"role": evil, "address": evil, "name": evil}, evil],
        "bounce": {"diagnostic": evil},
    }
    push_and_drain(api, dirty, {**dirty, "text": "later", "revision": 2})
    who = api.card("phone", number)["id"]
    client = agent()
    for html in (
        ok(client, f"/customers/{who}"),
        ok(client, f"/customers/{who}", {"q": evil, "thread": evil, "since": evil, "channel": evil}),
        ok(client, "/", {"q": evil}),
        ok(client, "/", {"q": number}),
        ok(client, "/now"),
        client.get("/lookup", {"phone": evil, "q": evil}, follow=True).content.decode(),
        ok(client, "/lookup", {"phone": evil}),
    ):
        assert "Ада 49" not in html
        page = Tags(html)
        assert not page.handlers
        assert set(page.scripts) <= {"/static/django_htmx/htmx-2.min.js", "/static/customers/console.js"}
        assert all(re.match(r"[/?#]", address) for address in page.addresses), page.addresses
    assert evil in words_of(ok(client, f"/customers/{who}")) or evil.startswith("<!--")


def test_one_reads_to_the_first_contact_and_back(api: Api) -> None:
    made = [{"text": f"line {number}", "occurred_at": at(number)} for number in range(130)]
    _, who = customer(api, *made)
    client = agent()
    html = ok(client, f"/customers/{who}")
    seen = ids(html)
    while address := link(html, "older"):
        html = ok(client, address, **HX)
        seen += ids(html)
    assert len(seen) == len(set(seen)) == 130
    assert "first contact" in html
    last = seen[-1]
    html = ok(client, f"/customers/{who}", {"at": last})
    assert f'id="line-{last}" class="line here"' in html
    back = ids(html)
    while address := link(html, "newer"):
        html = ok(client, address, **HX)
        back = ids(html) + back
    assert back == seen
    plain = re.search(r'href="([^"]+)" rel="next"', ok(client, f"/customers/{who}"))
    assert plain
    assert ids(ok(client, unescape(plain[1])))[0] == seen[FIRST]


def test_filters_live_in_the_address(api: Api) -> None:
    _, who = customer(
        api,
        {"text": "кофемолка свистит", "occurred_at": at(0), "thread": "one"},
        {"text": "ответ", "direction": "outbound", "occurred_at": at(60 * 24 * 2), "thread": "one"},
        {"text": "визит", "channel": "store", "kind": "visit", "occurred_at": at(60 * 24 * 4)},
    )
    client = agent()
    every = ids(ok(client, f"/customers/{who}"))
    day = (datetime.fromisoformat(at(60 * 24 * 2))).date().isoformat()

    def shown(**params: str) -> list[int]:
        return [every.index(one) for one in ids(ok(client, f"/customers/{who}", params))]

    assert shown(channel="store") == [0]
    assert shown(kind="message") == [1, 2]
    assert shown(direction="outbound") == [1]
    assert shown(thread="one") == [1, 2]
    assert shown(q="кофемолки") == [2]
    assert shown(since=day) == [0, 1]
    assert shown(until=day) == [1, 2]
    assert shown(since=day, until=day) == [1]
    assert shown(on=day) == [1, 2]
    assert "Nothing fits." in ok(client, f"/customers/{who}", {"channel": "viber"})
    assert shown(kind="nonsense", since="yesterday", direction="up", at="x", on="9999-99-99") == [0, 1, 2]


def test_the_day_is_that_of_the_reader(api: Api) -> None:
    _, who = customer(api, occurred_at="2026-03-02T22:30:00Z", text="late")
    assert "Tuesday, March 3, 2026" in words_of(ok(agent(zone="Asia/Yekaterinburg"), f"/customers/{who}"))
    assert "Monday, March 2, 2026" in words_of(ok(agent(), f"/customers/{who}"))
    far = agent(zone="Asia/Yekaterinburg")
    assert len(ids(ok(far, f"/customers/{who}", {"since": "2026-03-03"}))) == 1
    assert len(ids(ok(far, f"/customers/{who}", {"until": "2026-03-02"}))) == 0


def test_find_by_half_a_number_a_name_and_words(api: Api) -> None:
    number, who = customer(api, {"name": "Юлия Щербакова", "text": "Привезите «Эфиопию» к субботе"})
    client = agent()
    for q in (number, number[-6:], "шербакова", "Sherbakova", number.replace("+7", "8 ")):
        html = ok(client, "/", {"q": q})
        assert f"/customers/{who}" in html, q
    said = ok(client, "/", {"q": "эфиопия"}, **HX)
    assert "<html" not in said
    assert "Where it was said" in said
    assert f"/customers/{who}?at=" in said
    assert "Nobody is known by that." in ok(client, "/", {"q": "zzzzqqqq"})
    unknown = words_of(ok(client, "/", {"q": "8 (343) 344-34-20"}))
    assert "This number is not known yet." in unknown
    assert "+7 343 344-34-20 gets a card with its first contact." in unknown
    assert "Seen lately" not in ok(client, "/")
    ok(client, f"/customers/{who}")
    assert "Юлия Щербакова" in ok(client, "/")


def test_the_screen_pops(api: Api) -> None:
    number, who = customer(api, {"name": "Ада"})
    _, other = customer(api, {"name": "Ада Вторая"})
    client = agent()
    answer = client.get("/lookup", {"phone": number.replace("+7", "8"), "extension": "12"})
    assert (answer.status_code, answer["Location"]) == (302, f"/customers/{who}")
    assert client.get("/lookup", {"identifier": f"phone:{number}"})["Location"] == f"/customers/{who}"
    choice = ok(client, "/lookup", {"q": "Ада"})
    assert who in choice
    assert other in choice
    fresh = phone()
    nobody = ok(client, "/lookup", {"phone": fresh})
    assert "Nobody yet" in nobody
    asked = re.search(r'hx-get="([^"]+)" hx-trigger="every', nobody)
    assert asked
    push_and_drain(api, event(identifier("phone", fresh)))
    found = client.get(unescape(asked[1]), headers=HX)
    assert found["HX-Redirect"] == f"/customers/{api.card('phone', fresh)['id']}"
    assert "The address must say whom to look up" in ok(client, "/lookup")
    for junk in ({"identifier": "x"}, {"phone": "\x00"}, {"telegram": "a" * 5000}, {"email": ["@"] * 60}):
        assert client.get("/lookup", junk).status_code == 200


def test_a_note_is_added_once(api: Api) -> None:
    _, who = customer(api, text="hello")
    client = agent()
    key = re.search(r'name="key" value="([^"]+)"', ok(client, f"/customers/{who}"))
    assert key
    form = {"key": key[1], "text": "Обещал <b>перезвонить</b>"}
    for _ in range(2):
        answer = client.post(f"/customers/{who}/notes", form)
        assert answer.status_code == 302
    html = ok(client, answer["Location"])
    assert html.count('<p class="said" dir="auto">Обещал &lt;b&gt;перезвонить') == 1
    assert 'class="line here"' in html
    done = client.post(f"/customers/{who}/notes", {**form, "text": "other"}, headers=HX).content.decode()
    assert "already sent with other words" in done
    empty = client.post(f"/customers/{who}/notes", {"key": key[1], "text": " "})
    assert empty.status_code == 400
    assert "Write something first." in empty.content.decode()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.first() or User())
    assert strict.post(f"/customers/{who}/notes", form).status_code == 403
    assert agent(role="").post(f"/customers/{who}/notes", form).status_code == 403


def test_what_is_new_comes_by_itself(api: Api) -> None:
    number, who = customer(api, text="first")
    client = agent()
    html = ok(client, f"/customers/{who}")
    token = re.search(r'data-since="([^"]+)"', html)
    assert token
    path, since = f"/customers/{who}/news", token[1]
    same = client.get(path, {"since": since}, headers={"If-None-Match": f'"{since}"'})
    assert (same.status_code, same.content) == (304, b"")
    push_and_drain(api, event(identifier("phone", number), text="second", occurred_at=at(5)))
    fresh = client.get(path, {"since": since}, headers={"If-None-Match": f'"{since}"'})
    assert "second" in fresh.content.decode()
    assert len(ids(fresh.content.decode())) == 1
    follows = re.search(r'data-next="([^"]+)"', fresh.content.decode())
    assert follows
    assert fresh["ETag"] == f'"{follows[1]}"'
    assert follows[1] != since
    filtered = ok(client, path, {"since": since, "channel": "viber"})
    assert not ids(filtered)
    assert "data-gone" in filtered
    assert client.get(path, {"since": "nonsense"}).status_code == 400


def test_new_since_one_last_looked(api: Api) -> None:
    number, who = customer(api, text="first")
    client = agent()
    mark = "new since you last looked"
    assert mark not in ok(client, f"/customers/{who}")
    LastLook.objects.update(
        looked_at=timezone.now() - timedelta(hours=1), seen_until=timezone.now() - timedelta(hours=2)
    )
    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_interaction SET recorded_at = now() - interval '90 minutes'")
    push_and_drain(api, event(identifier("phone", number), text="second", occurred_at=at(5)))
    for _ in range(2):
        assert ok(client, f"/customers/{who}").count(mark) == 1
    assert mark not in ok(agent(), f"/customers/{who}")


@pytest.mark.parametrize(("ago", "again", "seen"), [(9, False, 3600), (11, True, 3600), (601, True, 601)])
def test_a_card_that_is_opened_again_at_once_is_one_look(api: Api, ago: int, again: bool, seen: int) -> None:
    """`seen`: so many seconds ago, what came until then was seen. One transaction has one time, however slow it is."""
    _, who = customer(api)
    ok(agent(), f"/customers/{who}")
    with cursor() as sql, sql.connection.transaction():
        sql.execute(
            "UPDATE customers_lastlook SET looked_at = now() - make_interval(secs => %s),"
            " seen_until = now() - interval '1 hour' RETURNING user_id, customer_id",
            (ago,),
        )
        user, root = sql.fetchone() or (0, 0)
        sql.execute(LOOK, {"user": user, "customer": root})
        sql.execute("SELECT looked_at = now(), extract(epoch FROM now() - seen_until)::int FROM customers_lastlook")
        assert sql.fetchall() == [(again, seen)]


def test_now_has_those_who_wait_first(api: Api) -> None:
    recent = datetime.now(UTC) - timedelta(hours=5)

    def ago(minutes: float) -> str:
        return (recent - timedelta(minutes=minutes)).isoformat()

    _, answered = customer(
        api,
        {"text": "вопрос", "occurred_at": ago(50), "thread": "a"},
        {"text": "ответ", "occurred_at": ago(1), "direction": "outbound", "thread": "a"},
    )
    _, waits = customer(api, text="где?", occurred_at=ago(40))
    missed = {"call": {"status": "missed"}}
    _, rang = customer(api, channel="phone", kind="call", occurred_at=ago(45), details=missed)
    client = agent()
    answer = client.get("/now")
    html = answer.content.decode()
    owners = re.findall(r'<a class="when" href="/customers/([^?]+)', html)
    assert owners == [rang, waits, answered, answered]
    assert len(ids(html)) == len(set(ids(html)))
    tag = client.get("/now", headers=HX)["ETag"]
    assert client.get("/now", headers={**HX, "If-None-Match": tag}).status_code == 304
    customer(api, text="новое", occurred_at=ago(0))
    assert client.get("/now", headers={**HX, "If-None-Match": tag}).status_code == 200


def test_the_card_has_a_picture_and_the_same_as_a_table(api: Api) -> None:
    _, who = customer(api, {"occurred_at": "2026-01-05T10:00:00Z"}, {"occurred_at": "2026-03-05T10:00:00Z"})
    client = agent()
    html = ok(client, f"/customers/{who}")
    assert "contacts.svg#row0" in html
    assert f'href="/customers/{who}/contacts"' in html
    table = ok(client, f"/customers/{who}/contacts")
    assert "January 2026" in table
    assert "<h1>" in table
    assert "<h1>" not in client.get(f"/customers/{who}/contacts", headers=HX).content.decode()
    picture = client.get(f"/customers/{who}/contacts.svg")
    assert picture["Content-Type"] == "image/svg+xml"
    assert picture.content.decode().count("<rect") == 2


def test_long_texts_open_whole(api: Api) -> None:
    _, who = customer(api, text="слово " * 15_000)
    client = agent()
    html = ok(client, f"/customers/{who}")
    assert len(html) < 60_000
    assert "more characters" in html
    (line,) = ids(html)
    assert html.count(f'/customers/{who}/lines/{line}"') == 1
    assert len(ok(client, f"/customers/{who}/lines/{line}")) > 85_000
    assert "<html" not in ok(client, f"/customers/{who}/lines/{line}", **HX)


def test_who_may_not_is_told_so(api: Api) -> None:
    _, who = customer(api, text="x")
    assert Client().get(f"/customers/{who}")["Location"] == f"/login/?next=/customers/{who}"
    nobody = agent(role="")
    for path in ("/", "/now", "/lookup", f"/customers/{who}", f"/customers/{who}/news", f"/customers/{who}/lines"):
        answer = nobody.get(path)
        assert answer.status_code == 403
        assert "Your role may not see this." in answer.content.decode()
    client = agent()
    unknown = "0190f3f0-0000-7000-8000-000000000000"
    for path in (
        f"/customers/{unknown}",
        "/customers/nonsense",
        f"/customers/{who}/lines/x",
        "/nowhere",
        "/customers/",
    ):
        answer = client.get(path)
        assert answer.status_code == 404, path
        assert "There is nothing here." in answer.content.decode(), path
    assert client.post(f"/customers/{who}").status_code == 405
    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_customer SET erased_at = now() WHERE public_id = %s", [who])
    answer = client.get(f"/customers/{who}")
    assert answer.status_code == 410
    assert "This person was erased." in answer.content.decode()


JUNK = ["\x00", "'", "%", "\\", "a" * 5000, "-1", "9" * 40, "2026-99-99", "0001-01-01", "😀", "\ud800", "..", "[]"]


@pytest.mark.parametrize("junk", JUNK)
def test_garbage_is_no_trouble_of_ours(api: Api, junk: str) -> None:
    _, who = customer(api, text="x")
    client = agent()
    params = ("channel", "kind", "direction", "thread", "since", "until", "q", "cursor", "at", "on", "images", "phone")
    for path in ("/", "/now", "/lookup", f"/customers/{who}", f"/customers/{who}/lines", f"/customers/{who}/news"):
        for name in params if LONG else params[JUNK.index(junk) % 3 :: 3]:
            assert client.get(path, {name: junk.encode("utf-8", "replace").decode()}).status_code < 500, (path, name)


def test_languages_and_settings_of_the_agent(api: Api) -> None:
    _, who = customer(api, {"text": "x", "channel": "phone", "kind": "call", "details": {"call": {"status": "missed"}}})
    russian = ok(agent(language="ru"), f"/customers/{who}")
    assert '<html lang="ru">' in russian
    for said in ("пропущен", "Звонок", "понедельник, 2 марта 2026", "Это первый контакт."):
        assert said.lower() in words_of(russian).lower()
    lithuanian = ok(agent(language="lt"), f"/customers/{who}")
    assert '<html lang="lt">' in lithuanian
    for said in ("praleistas", "skambutis", "pirmadienis"):
        assert said in words_of(lithuanian).lower()
    client = agent(language="lt")
    answer = client.post("/profile", {"language": "ru", "time_zone": "Europe/Vilnius"})
    assert answer.status_code == 302
    assert "Ваши настройки" in ok(client, "/profile")
    assert client.post("/profile", {"language": "xx"}).status_code == 400
    assert client.post("/profile", {"time_zone": "../etc/passwd"}).status_code == 400


@pytest.mark.parametrize(
    ("language", "said"), [("ru", ["1 клиент", "2 клиента"]), ("lt", ["1 klientas", "2 klientai"])]
)
def test_plurals(api: Api, language: str, said: list[str]) -> None:
    client = agent(language=language)
    for count in said:
        customer(api, {"name": "Пантелеймон"})
        assert count in words_of(ok(client, "/", {"q": "Пантелеймон"}))


def test_no_page_needs_what_the_policy_forbids(api: Api) -> None:
    _, who = customer(api, text="x")
    client = agent()
    for path in ("/", "/now", "/profile", f"/customers/{who}", "/lookup"):
        answer = client.get(path)
        html = answer.content.decode()
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=", html)
        assert "hx-on" not in html
        assert html.count("<h1") == 1
        assert len(re.findall(r'\sid="([^"]+)"', html)) == len(set(re.findall(r'\sid="([^"]+)"', html)))


def test_a_line_that_moved_is_followed(api: Api) -> None:
    _, one = customer(api, text="mine")
    _, other = customer(api, text="yours")
    client = agent()
    (line,) = ids(ok(client, f"/customers/{other}"))
    answer = client.get(f"/customers/{one}", {"at": line})
    assert answer["Location"] == f"/customers/{other}?at={line}"
    gone = "0190f3f0-0000-7000-8000-000000000000"
    assert "That contact is not here any more." in ok(client, f"/customers/{one}", {"at": gone})
    drained()
