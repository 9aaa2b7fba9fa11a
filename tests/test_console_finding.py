"""Find and screen pop: by the numbers of other systems, and what becomes of a number that nobody knows."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from customers import search
from customers.console.numbers import COUNTRIES, LINES, number
from customers.incoming import line_id
from customers.models import BlockedHandle, CardView, Customer, Identity
from customers.sql import cursor
from tests.support import COMMITTED, Api, at, event, identifier, phone, push_and_drain, shop
from tests.test_console import HX, agent, customer, ids, ok, words_of

pytestmark = COMMITTED


def call(**fields: Any) -> Any:
    return {"channel": "phone", "kind": "call", "details": {"call": {"status": "completed"}}, **fields}


def test_a_call_pops_up_by_its_id(api: Api) -> None:
    source = shop("pbx")
    number, who = customer(api, call(id="1732.55", source="pbx"), {"text": "before", "occurred_at": at(-5)})
    line = str(line_id(source.id, "1732.55"))
    client = agent()
    answer = client.get("/lookup", {"call_id": "1732.55", "queue": "7"})
    assert (answer.status_code, answer["Location"]) == (302, f"/customers/{who}?at={line}")
    assert f'id="line-{line}" class="line here"' in ok(client, answer["Location"])
    assert client.get("/lookup", {"call_id": "1732.55", "phone": phone()})["Location"] == answer["Location"]
    assert client.get("/lookup", {"call_id": "9", "phone": number})["Location"] == f"/customers/{who}"
    (found,) = api.ok("lookup", {"call_id": "1732.55"})["results"]
    assert found["customer"]["id"] == who
    assert api.ok("lookup", {"call_id": "other"})["results"] == []
    assert CardView.objects.filter(path="/lookup").exists()


def test_a_leg_pops_up_the_call_that_details_tell_of(api: Api) -> None:
    legs = {"call": {"status": "completed", "legs": [{"id": "leg-1"}, {"id": "leg-2", "status": "completed"}]}}
    _, who = customer(api, call(details=legs))
    assert agent().get("/lookup", {"call_id": "LEG-2"})["Location"].startswith(f"/customers/{who}?at=")


def test_the_pop_waits_for_the_calls_own_event(api: Api) -> None:
    client = agent()
    waiting = ok(client, "/lookup", {"call_id": "77.1"})
    assert "Nobody yet" in waiting
    asked = re.search(r'data-waits hx-get="([^"]+)" hx-trigger="every 2s"', waiting)
    assert asked
    path = unescape(asked[1])
    assert "Nobody yet" in ok(client, path, **HX)
    _, who = customer(api, call(id="77.1"))
    assert client.get(path, headers=HX)["HX-Redirect"].startswith(f"/customers/{who}?at=")


def test_one_id_in_two_systems_is_a_choice(api: Api) -> None:
    for slug in ("pbx", "pbx2"):
        shop(slug)
    _, one = customer(api, call(id="5", source="pbx"))
    _, other = customer(api, call(id="5", source="pbx2"))
    html = ok(agent(), "/lookup", {"call_id": "5"})
    assert one in html
    assert other in html
    assert "Who of them is it?" in html


def test_orders_and_words_are_found(api: Api) -> None:
    order = {"order": {"number": "AB-20 417", "total": 12}}
    _, buyer = customer(api, {"channel": "web", "kind": "purchase", "details": order, "name": "Ада"})
    _, asker = customer(api, {"text": "Где мой заказ АБВ-77, уже неделя?", "name": "Юлия"})
    client = agent()
    for q in ("AB-20417", "ab20417", "AB-20 417"):
        html = ok(client, "/", {"q": q})
        assert f'href="/customers/{buyer}?at=' in html, q
        assert "Where it was said" in html
        assert "Ада" in html
    for q in ("АБВ-77", "абв-77", "заказы неделя"):
        assert f'href="/customers/{asker}?at=' in ok(client, "/", {"q": q}), q
    told = {"text": "about AB-20417", "occurred_at": at(9)}
    _, third = customer(api, told)
    html = ok(client, "/", {"q": "AB-20417"})
    assert html.index(buyer) < html.index(third)
    assert len(re.findall(r'<a class="hit"', html)) == 2


def test_a_search_for_names_ends_in_time_and_says_so(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    number, who = customer(api, {"name": "Ада"})
    client = agent()
    assert "Too many are alike" not in ok(client, "/", {"q": number})
    monkeypatch.setattr(search, "ALIKE", "SELECT i.id, 1.0 FROM customers_identity i, pg_sleep(600)")
    html = ok(client, "/", {"q": number})
    assert "Too many are alike" in html
    assert f'href="/customers/{who}' in html


def test_a_list_that_was_cut_says_so(api: Api) -> None:
    push_and_drain(api, *(event(identifier("phone", phone()), name="Дарья Кузнецова") for _ in range(21)))
    _, who = customer(api, {"name": "Ада"})
    client, cut = agent("supervisor"), "Too many are alike"
    for path, name in (("/", "q"), ("/lookup", "q"), (f"/customers/{who}/merge", "q"), ("/queue/views", "customer")):
        assert cut in ok(client, path, {name: "кузнецова"}), path
        assert cut not in ok(client, path, {name: "Уве Закревский"}), path
    found = api.ok("customers", {"q": "кузнецова"})
    assert (len(found["results"]), found["incomplete"]) == (20, True)
    assert api.ok("customers", {"q": "Ада"})["incomplete"] is False


@pytest.mark.parametrize(("statement", "fold"), [("BEGINNING", "zk"), ("HOLDING", "ivanov"), ("ALIKE", "ivonov")])
def test_names_are_found_by_their_index_and_only_so_many_weighed(api: Api, statement: str, fold: str) -> None:
    with cursor() as sql, sql.connection.transaction(force_rollback=True):
        sql.execute("SET LOCAL enable_seqscan = off")
        sql.execute("ALTER TABLE customers_attributeclaim DROP CONSTRAINT attribute_claim")  # It is as good for so few.
        asked = {"fold": fold, "like": search.like(fold), "limit": 20}
        sql.execute(f"EXPLAIN (FORMAT TEXT) {getattr(search, statement)}".encode(), asked)
        plan = "\n".join(row[0] for row in sql.fetchall())
    assert "Bitmap Index Scan on attribute_claim_trgm" in plan, plan
    assert f"LIMIT {search.MOST}" in getattr(search, statement)


def test_two_letters_begin_a_word(api: Api) -> None:
    _, one = customer(api, {"name": "Юлия Жук"})
    _, other = customer(api, {"name": "Зоя Межуева"})
    html = ok(agent(), "/", {"q": "жу"})
    assert f'href="/customers/{one}' in html
    assert f'href="/customers/{other}' not in html


def test_an_unknown_number_shows_the_card_it_would_become(api: Api) -> None:
    client = agent()
    html = ok(client, "/", {"q": "8 (343) 344-34-20"}, **HX)
    assert 'href="/lookup?phone=%2B73433443420"' in html
    page = ok(client, "/lookup", {"phone": "8 (343) 344-34-20"})
    text = words_of(page)
    for said in ("+7 343 344-34-20", "Russia", "landline", "UTC+05:00", "Nothing is known of it yet"):
        assert said in text, said
    assert not Customer.objects.exists()
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key
    form = {"key": key[1], "phone": "+73433443420", "text": "Asks for <b>wholesale</b> prices"}
    for _ in range(2):
        answer = client.post("/lookup/note", form)
        assert answer.status_code == 302
    who = api.card("phone", "+73433443420")["id"]
    assert answer["Location"].startswith(f"/customers/{who}?at=")
    card = ok(client, answer["Location"])
    assert card.count('<p class="said" dir="auto">Asks for &lt;b&gt;wholesale&lt;/b&gt; prices') == 1
    assert Identity.objects.filter(kind="phone").count() == 1
    push_and_drain(api, event(identifier("phone", "+7 343 344-34-20"), text="It is me", occurred_at=at(1)))
    assert len(ids(ok(client, f"/customers/{who}"))) == 2


def test_a_number_that_called_meanwhile_gets_the_note(api: Api) -> None:
    client = agent()
    number = phone()
    page = ok(client, "/lookup", {"phone": number})
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key
    push_and_drain(api, event(identifier("phone", number), text="hello"))
    who = api.card("phone", number)["id"]
    answer = client.post("/lookup/note", {"key": key[1], "phone": number, "text": "noted"})
    assert answer["Location"].startswith(f"/customers/{who}?at=")
    assert len(ids(ok(client, f"/customers/{who}"))) == 2


def test_what_founds_nobody(api: Api) -> None:
    BlockedHandle.objects.create(kind="phone", value="+73433443421", why="blocked", source_id=0)
    client = agent()
    key = "0190f3f0-0000-7000-8000-000000000000"
    good = {"key": key, "phone": "+73433443420", "text": "x"}
    for change, said in (
        ({"phone": "12"}, "cannot be a customer"),
        ({"phone": "<script>"}, "cannot be a customer"),
        ({"text": " "}, "Write something first."),
        ({"text": "x" * 50_001}, "50,000"),
    ):
        answer = client.post("/lookup/note", {**good, **change})
        assert answer.status_code == 400, change
        assert said in answer.content.decode()
    assert client.post("/lookup/note", {**good, "key": "x"}).status_code == 400
    assert client.get("/lookup/note").status_code == 405
    assert agent(role="").post("/lookup/note", good).status_code == 403
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/lookup/note", good).status_code in (302, 403)
    assert not Customer.objects.exists()
    assert client.post("/lookup/note", good).status_code == 302
    assert "already sent with other words" in client.post("/lookup/note", {**good, "text": "y"}).content.decode()
    assert Customer.objects.count() == 1


@pytest.mark.parametrize(
    ("sought", "country", "line"),
    [
        ("+37060012345", "Lithuania", "mobile"),
        ("+12015550123", "United States", "landline or mobile"),
        ("+442079460958", "United Kingdom", "landline"),
        ("+78005553535", "Russia", "free of charge for the caller"),
        ("+33612345678", "France", "mobile"),
        ("+50622123456", "CR", "landline"),
    ],
)
def test_what_a_number_says(api: Api, sought: str, country: str, line: str) -> None:
    found = number(sought)
    assert found
    assert (found.value, found.country, found.line) == (sought, country, line)


def test_what_is_no_number_says_nothing(api: Api) -> None:
    for sought in ("", "Ада", "12", "+1", "x" * 500):
        assert number(sought) is None
    assert len(COUNTRIES) > 40
    assert len(LINES) == 8
