"""What supervisors see: questions, deliveries that need a person, sources, and who looked; agents see none of it."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from channels.console import sources
from channels.console.deliveries import harmless
from channels.console.sources import first_id
from channels.models import Delivery, DeliveryBody, Source
from channels.sources import make_source
from customers.models import Candidate, CardView
from customers.sql import cursor
from cxhub import standing
from tests.identity_support import came, card, mail
from tests.support import COMMITTED, Api, drained, everything, phone, shop
from tests.test_console import agent, customer, ok, words_of

pytestmark = COMMITTED
PATHS = ("/queue", "/queue/views", "/queue/deliveries", "/queue/sources")


@pytest.fixture
def api(committed: None, settings: Any) -> Api:
    settings.CXHUB_RULES = True
    shop()
    return everything()


@pytest.mark.parametrize("path", PATHS)
def test_only_supervisors_and_administrators(api: Api, path: str) -> None:
    for role, status in (("supervisor", 200), ("admin", 200), ("agent", 403), ("", 403)):
        client = agent(role)
        answer = client.get(path)
        assert answer.status_code == status, (role, path)
        assert ('href="/queue"' in answer.content.decode()) == (status == 200), "who may not is not led there"
        if status == 403:
            assert "Your role may not see this." in words_of(answer.content.decode())
    anonymous = Client().get(path)
    assert anonymous.status_code == 302
    assert anonymous["Location"].startswith("/login/")


@pytest.mark.parametrize("path", PATHS)
def test_empty_pages_say_so(api: Api, path: str) -> None:
    Source.objects.all().delete()
    said = words_of(ok(agent("supervisor"), path))
    empty = ("Nothing waits", "Nobody has looked yet", "No source is connected yet", "everything was read")
    assert any(words in said for words in empty), said


def refused(api: Api) -> tuple[str, str]:
    number, address = phone(), mail()
    one = came(api, ("phone", number), name="Иван Петров", text="mine")["customer"]
    other = came(api, ("email", address), name="Мария Петрова", text="yours")["customer"]
    came(api, ("phone", number), ("email", address), text="we share a telephone")
    return one, other


def test_a_question_shows_both_cards_and_is_answered_in_place(api: Api) -> None:
    one, other = refused(api)
    client = agent("supervisor")
    CardView.objects.all().delete()
    html = ok(client, "/queue")
    said = words_of(html)
    for words in ("Different names or birthdays.", "Иван Петров", "Мария Петрова", "we share a telephone", "shop"):
        assert words in said
    assert CardView.objects.count() == 2
    (action,) = re.findall(r'action="(/candidates/\d+)"', html)
    answer = client.post(action, {"decision": "reject", "reason": "a couple"})
    assert answer.status_code == 302
    assert card(api, other)["id"] == other
    assert "every question is answered" in words_of(ok(client, "/queue"))
    rejected = words_of(ok(client, "/queue", {"state": "rejected"}))
    assert "« a couple »" in rejected
    assert "rejected user-" in rejected
    assert client.post(action, {"decision": "accept", "reason": "one, after all"}).status_code == 302
    assert card(api, other)["id"] == one


def test_questions_are_filtered_and_paged_by_key(api: Api) -> None:
    refused(api)
    make_source("push", "form", region="RU", trust="claimed")
    for _ in range(12):
        came(api, ("phone", phone()), ("email", mail()), source="form")
    assert Candidate.objects.filter(reason="claimed").count() == 12
    client = agent("supervisor")
    seen: list[str] = []
    path = "/queue?reason=claimed"
    while path:
        html = ok(client, path)
        seen += re.findall(r'id="question-(\d+)"', html)
        older = re.search(r'rel="next" href="([^"]+)"', html)
        path = "/queue" + unescape(older[1]) if older else ""
    assert len(seen) == len(set(seen)) == 12
    assert seen == sorted(seen, key=int, reverse=True)
    assert "Nothing fits." in words_of(ok(client, "/queue", {"reason": "cap"}))
    ok(client, "/queue", {"reason": "\x00", "state": "nonsense", "before": "x"})


def quarantined(api: Api, *bodies: bytes) -> Source:
    source = make_source("telegram", "bot")
    secret = {"X-Telegram-Bot-Api-Secret-Token": source.secrets["secret_token"]}
    for body in bodies:
        answer = Client().post(f"/hooks/telegram/{source.key}", body, content_type="application/json", headers=secret)
        assert answer.status_code == 200
    drained()
    return source


def test_quarantined_deliveries_show_their_reason_and_what_they_said(api: Api) -> None:
    evil = '{"update_id": <script>alert(1)</script> \u202e\x1b[2J'.encode()
    quarantined(api, evil, b"not json", b'{"update_id": 1}')
    client = agent("supervisor")
    html = ok(client, "/queue/deliveries")
    said = words_of(html)
    assert "not JSON" in said
    assert "bot · 2 deliveries" in said
    delivery = Delivery.objects.filter(state=Delivery.QUARANTINED).order_by("pk").first()
    assert delivery is not None
    page = ok(client, f"/queue/deliveries/{delivery.pk}")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; ··[2J" in page
    assert "secret" not in page.casefold(), "no headers, no keys"
    only = words_of(ok(client, "/queue/deliveries", {"reason": "not JSON", "source": "bot"}))
    assert "Only a part is shown." in only
    assert "Nothing fits." in words_of(ok(client, "/queue/deliveries", {"source": "shop"}))


def test_one_delivery_is_played_again(api: Api) -> None:
    """As after a fix of the code: what is stored can be read now, and the line appears."""
    source = quarantined(api, b"not json")
    (delivery,) = Delivery.objects.all()
    good = b'{"update_id":7,"message":{"message_id":5,"date":1792000000,"text":"now I can be read",'
    good += b'"from":{"id":4242,"first_name":"Ada","is_bot":false},"chat":{"id":4242,"type":"private"}}}'
    DeliveryBody.objects.filter(delivery_id=delivery.pk).update(body=good)
    client = agent("supervisor")
    path = f"/queue/deliveries/{delivery.pk}"
    assert 'id="do-replay"' in ok(client, path)
    answer = client.post(path)
    assert answer["Location"] == path
    assert "It is read again" in words_of(ok(client, path))
    drained()
    page = ok(client, path)
    assert "recorded" in words_of(page)
    assert 'id="do-replay"' not in page
    assert "now I can be read" in words_of(ok(client, unescape(re.findall(r'href="(/customers/[^"]+)"', page)[0])))
    assert "It was not played again" in words_of(client.post(path, follow=True).content.decode())
    assert source.slug in page


def test_all_of_a_reason_are_played_again(api: Api) -> None:
    quarantined(api, b"not json", b"nor this", b"[]", b"")
    before = dict(Delivery.objects.filter(state=Delivery.QUARANTINED).values_list("pk", "reason"))
    client = agent("supervisor")
    form = {"state": "quarantined", "source": "bot", "reason": "not JSON"}
    answer = client.post("/queue/deliveries/replay", form, follow=True)
    count = sum(reason == "not JSON" for reason in before.values())
    assert count >= 2
    assert f"{count} deliveries are read again." in words_of(answer.content.decode())
    replayed = set(Delivery.objects.filter(replays=1).values_list("pk", flat=True))
    assert replayed == {pk for pk, reason in before.items() if reason == "not JSON"}
    assert client.post("/queue/deliveries/replay", {**form, "state": "recorded"}).status_code == 400
    assert agent().post("/queue/deliveries/replay", form).status_code == 403
    assert agent().post(f"/queue/deliveries/{next(iter(before))}").status_code == 403


def test_deliveries_are_paged_by_key(api: Api) -> None:
    quarantined(api, *(b"not json " + bytes([65 + number % 26]) * (number + 1) for number in range(33)))
    client = agent("supervisor")
    first = ok(client, "/queue/deliveries")
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older
    second = ok(client, "/queue/deliveries" + unescape(older[1]))
    seen = re.findall(r'href="/queue/deliveries/([0-9a-f-]{36})"', first + second)
    assert len(seen) == len(set(seen)) == 33
    assert [UUID(one) for one in seen] == sorted(map(UUID, seen), reverse=True)


def test_contents_that_were_pruned_are_said_to_be_gone(api: Api) -> None:
    quarantined(api, b"not json")
    DeliveryBody.objects.all().delete()
    client = agent("supervisor")
    page = ok(client, f"/queue/deliveries/{Delivery.objects.get().pk}")
    assert "The contents are not kept any more." in words_of(page)
    assert 'id="do-replay"' not in page


@pytest.mark.parametrize("junk", ["x", "0" * 40, "'", "\x00", "9" * 400])
def test_garbage_in_the_queue_is_no_trouble_of_ours(api: Api, junk: str) -> None:
    client = agent("supervisor")
    assert client.get(f"/queue/deliveries/{junk.replace(chr(0), '%00')}").status_code == 404
    for path in PATHS:
        names = ("state", "source", "reason", "before", "customer", "viewer", "day")
        ok(client, path, dict.fromkeys(names, junk))


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"a\x00b\x1b]0;title\x07", "a·b·]0;title·"),
        ("right\u202eto\u2066left\u200b".encode(), "right·to·left·"),
        (b"\xff\xfe", "��"),
        (b"one\r\ntwo\rthree\tfour", "one\ntwo\nthree\tfour"),
        (b"x" * 9000, "x" * 4000),
    ],
)
def test_what_came_in_is_made_harmless(raw: bytes, shown: str) -> None:
    assert harmless(raw) == shown


def test_sources_tell_their_last_delivery_and_their_silence(api: Api) -> None:
    customer(api, text="one")
    customer(api, text="two")
    make_source("push", "till")
    quiet = make_source("push", "quiet")
    long_ago = datetime.now(UTC) - timedelta(days=3)
    for hour in range(5):
        at = long_ago - timedelta(hours=hour)
        received = {"received_at": at, "due_at": at, "state": Delivery.RECORDED}
        id_ = UUID(int=first_id(at).int + hour)
        Delivery.objects.create(id=id_, source=quiet, push=True, external_id=str(hour), digest=b"", size=1, **received)
    html = ok(agent("supervisor"), "/queue/sources")
    found = re.findall(r'<tr><th scope="row"><bdi>(\w+)</bdi>(.*?)</tr>', html, re.DOTALL)
    rows = {name: words_of(row) for name, row in found}
    assert re.search(r"2 2 0 0$", rows["shop"])
    assert "silent" not in rows["shop"]
    assert "never" in rows["till"]
    assert "silent for 3 days" in rows["quiet"]
    assert "usually every 1 hour" in rows["quiet"]
    assert re.search(r"0 5 0 0$", rows["quiet"])
    assert next(iter(rows)) == "quiet", "what is silent comes first"
    for statement in (sources.SOURCES, standing.SOURCES):
        (asked,) = re.findall(r"SELECT d\.received_at FROM .*? LIMIT", statement, re.DOTALL)
        with cursor() as sql, sql.connection.transaction(force_rollback=True):
            for way in ("seqscan", "bitmapscan", "sort"):
                sql.execute(f"SET LOCAL enable_{way} = off".encode())
            asked = f"EXPLAIN (COSTS off) SELECT x.* FROM channels_source s, LATERAL ({asked} 50) x"
            sql.execute(asked.encode())
            plan = "\n".join(row[0] for row in sql.fetchall())
        assert "Index Scan Backward using delivery_source on channels_delivery" in plan, plan
        assert "Index Cond: ((source_id >= s.id) AND (source_id <= s.id))" in plan, "never all deliveries, backwards"


def test_who_looked_is_found_by_customer_viewer_and_day(api: Api) -> None:
    number, one = customer(api, text="secret wish")
    _, other = customer(api, text="another")
    curious, boss = agent(name="curious"), agent("supervisor")
    CardView.objects.all().delete()
    ok(curious, f"/customers/{one}")
    ok(curious, f"/customers/{other}")

    def rows(**params: str) -> list[str]:
        html = ok(boss, "/queue/views", params)
        return [words_of(row) for row in re.findall(r"<tr><td>.*?</tr>", html)]

    assert len(rows()) == 2
    assert all("curious" in row for row in rows())
    for sought in (one, number, f"https://cxhub.example.org/customers/{one}"):
        found = rows(customer=sought)
        assert len([row for row in found if "curious" in row]) == 1, sought
        assert all(f"/customers/{one}" in row or "/queue/views" in row for row in found)
    viewer = CardView.objects.filter(path=f"/customers/{one}").values_list("viewer", flat=True)[0]
    assert len(rows(viewer=viewer)) == 2
    assert len(rows(viewer=viewer, day=datetime.now(UTC).date().isoformat())) == 2
    assert rows(viewer=viewer, day="2001-01-01") == []
    assert rows(viewer="user:0") == []


def test_who_looked_follows_a_merge_and_is_paged_by_key(api: Api) -> None:
    one, other = refused(api)
    CardView.objects.all().delete()
    ok(agent(name="before"), f"/customers/{other}")
    api.post(f"customers/{one}/merge", {"with": other})
    boss = agent("supervisor")
    assert "before" in words_of(ok(boss, "/queue/views", {"customer": one})), "who saw the card that went into this"
    start = datetime.now(UTC)
    (id_,) = set(CardView.objects.filter(viewer="user:1").values_list("customer_id", flat=True)) or {1}
    CardView.objects.bulk_create(
        CardView(viewer="user:77", customer_id=id_, period=start - timedelta(minutes=n), viewed_at=start, path="/x")
        for n in range(120)
    )
    seen, path = 0, "/queue/views?viewer=user:77"
    while path:
        html = ok(boss, path)
        seen += len(re.findall(r"<tr><td>", html))
        older = re.search(r'rel="next" href="([^"]+)"', html)
        path = "/queue/views" + unescape(older[1]) if older else ""
    assert seen == 120
