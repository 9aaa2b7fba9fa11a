"""What opens within a line: conversations, the pictures of letters, what was said in a call, whole texts."""

import re
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest

from channels.accepting import accept
from channels.media import fetch_due
from channels.sources import make_source
from customers import attachments
from customers.console import letters
from customers.console.letters import cleaned
from customers.console.timelines import FIRST, LIMIT
from customers.console.transcripts import transcript
from customers.models import CardView
from customers.models.attachment import Attachment
from tests.support import COMMITTED, Api, at, drained, event, identifier, phone, push_and_drain
from tests.test_console import HX, agent, customer, ids, link, ok, words_of

pytestmark = COMMITTED

PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


def test_a_conversation_opens_under_its_line(api: Api) -> None:
    said = [
        {"text": f"word {number}", "direction": way, "thread": "chat 1/&", "occurred_at": at(number)}
        for number, way in enumerate(["inbound", "outbound"] * 4)
    ]
    other = {"text": "of another one", "thread": "chat 2", "occurred_at": at(3.5)}
    elsewhere = {"text": "same name, other channel", "thread": "chat 1/&", "channel": "viber", "occurred_at": at(4.5)}
    _, who = customer(api, *said, other, elsewhere)
    client = agent()
    html = ok(client, f"/customers/{who}")
    line = ids(html)[-3]
    found = re.search(rf'<a class="talk" href="([^"]+at={line})" hx-get="([^"]+)"', html)
    assert found
    plain, path = (unescape(one) for one in found.groups())
    opened = ok(client, path, **HX)
    assert re.findall(r"word \d", opened) == [f"word {number}" for number in range(8)]
    assert "of another one" not in opened
    assert "other channel" not in opened
    assert opened.count('aria-current="true"') == 1
    assert not ids(opened)  # a line has one article on a page
    answer = client.get(path)
    assert answer.status_code == 302
    for address in (plain, answer["Location"]):
        alone = ok(client, address)
        assert len(ids(alone)) == 8
        assert f'id="line-{line}" class="line here"' in alone
    assert CardView.objects.exists()


def test_a_long_conversation_opens_around_its_line(api: Api) -> None:
    _, who = customer(api, *({"text": f"word {n:03}", "thread": "t", "occurred_at": at(n)} for n in range(160)))
    client = agent()
    newest = ids(ok(client, f"/customers/{who}"))[0]
    opened = ok(client, f"/customers/{who}/lines/{newest}/conversation", **HX)
    assert re.findall(r"word \d+", opened) == [f"word {n}" for n in range(110, 160)]
    assert "Earlier in this conversation" in opened
    assert "Later in this conversation" not in opened
    page = ok(client, f"/customers/{who}")
    older = ids(ok(client, link(page, "older"), **HX))[-1]
    opened = ok(client, f"/customers/{who}/lines/{older}/conversation", **HX)
    place = 160 - FIRST - LIMIT
    assert re.findall(r"word \d+", opened) == [f"word {n:03}" for n in range(place - 49, place + 51)]
    assert "Earlier in this conversation" in opened
    assert "Later in this conversation" in opened


def test_what_is_no_conversation_is_not_there(api: Api) -> None:
    _, who = customer(api, text="alone")
    _, other = customer(api, text="x", thread="t")
    client = agent()
    (line,) = ids(ok(client, f"/customers/{who}"))
    (theirs,) = ids(ok(client, f"/customers/{other}"))
    for one in (line, theirs, "x", "0190f3f0-0000-7000-8000-000000000000"):
        assert client.get(f"/customers/{who}/lines/{one}/conversation", headers=HX).status_code == 404
    assert agent(role="").get(f"/customers/{other}/lines/{theirs}/conversation").status_code == 403


def test_the_pictures_of_a_stored_letter_are_in_its_frame(api: Api) -> None:
    mailbox = make_source("email", "mail", addresses=["help@shop.example"])
    picture = PIXEL + bytes(12_000)
    raw = (
        b"From: Ada <ada@klient.example>\r\nTo: help@shop.example\r\nMessage-ID: <m1@klient.example>\r\n"
        b"Subject: Broken\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n"
        b'--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Look:</p><img src="cid:cup%401" alt=cup>'
        b"<img src='cid:unknown' alt=lost><img src='https://spy.example/p.gif'><a href='cid:cup@1'>x</a>\r\n"
        b"--b\r\nContent-Type: image/gif\r\nContent-ID: <cup@1>\r\nContent-Disposition: inline; filename=cup.gif\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + b64encode(picture) + b"\r\n"
        b"--b\r\nContent-Type: image/svg+xml\r\nContent-ID: <unknown>\r\nContent-Disposition: inline\r\n\r\n"
        b"<svg onload='alert(1)'/>\r\n--b--\r\n"
    )
    envelope = {"mail-from": "ada@klient.example", "rcpt-to": "help@shop.example"}
    accept(mailbox, body=raw, headers=envelope, received_at=datetime.now(UTC))
    drained()
    client = agent()
    who = api.card("email", "ada@klient.example")["id"]
    (line,) = ids(ok(client, f"/customers/{who}"))
    path = f"/customers/{who}/lines/{line}/letter"
    before = client.get(path).content.decode()
    assert "data:" not in before
    assert 'alt="cup"' in before
    assert fetch_due() == 2
    for images in ("", "1"):
        answer = client.get(path, {"images": images})
        shown = answer.content.decode()
        assert f'src="data:image/gif;base64,{b64encode(picture).decode()}"' in shown
        assert shown.count("data:") == 1
        assert "svg" not in shown
        assert 'href="cid' not in shown
        assert ("spy.example" in shown) == bool(images)
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert ("https:" in policy) == bool(images)
        assert "img-src data:" in policy
    html = ok(client, f"/customers/{who}")
    assert html.count("<img loading=") == 1  # the picture itself, below the words
    assert "cup.gif" in html


def test_ornaments_of_letters_are_only_named(api: Api) -> None:
    number = phone()
    letter = event(identifier("phone", number), channel="email", kind="email", text="Hello")
    urls = [f"https://files.example/{name}.gif" for name in ("logo", "cup", "photo")]
    letter["attachments"] = [{"name": url[-8:], "content_type": "image/gif", "url": url} for url in urls]
    letter["details"] = {"html": "<img src='cid:logo'>", "inline": {"logo": urls[0], "cup": urls[1], "x": ["y"]}}
    push_and_drain(api, letter)
    for row in Attachment.objects.all():
        attachments.store(row, [PIXEL + bytes(20_000 if "cup" in row.url else 0)])
    client = agent()
    who = api.card("phone", number)["id"]
    html = ok(client, f"/customers/{who}")
    assert html.count("<img loading=") == 2  # the cup is large, the photo stands beside the text
    (line,) = ids(html)
    assert "data:image/gif;base64," in ok(client, f"/customers/{who}/lines/{line}/letter")


@pytest.mark.parametrize(
    "evil",
    [
        "<img src='data:image/svg+xml;base64,PHN2Zz4='>",
        "<img src='data:text/html,<script>alert(1)</script>'>",
        "<a href='data:text/html,x'>x</a>",
        "<img src=' cid:a\nonerror=alert(1)'>",
        "<img src='//e.example/x'><img src='/api/v1/customers'>",
        "<img src='file:///etc/passwd'><img src='blob:x'><img src='vbscript:x'>",
    ],
)
def test_only_our_own_pictures_are_data(evil: str) -> None:
    left = cleaned(evil, {"known": "data:image/gif;base64,AA=="})
    assert "src=" not in left
    assert "href=" not in left
    assert "src=" not in cleaned(evil, images=True)


def test_a_picture_that_is_too_large_stays_a_file(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    number = phone()
    letter = event(identifier("phone", number), channel="email", kind="email")
    urls = [f"https://files.example/{size}.gif" for size in (100, 200, 400)]
    letter["attachments"] = [{"name": "p.gif", "content_type": "image/gif", "url": url} for url in urls]
    inline = {str(place): url for place, url in enumerate(urls)}
    letter["details"] = {"html": "".join(f"<img src='cid:{one}'>" for one in inline), "inline": inline}
    push_and_drain(api, letter)
    for row in Attachment.objects.all():
        attachments.store(row, [bytes(int(row.url.rpartition("/")[2][:3]))])
    monkeypatch.setattr(letters, "PICTURES_MOST", 350)
    who = api.card("phone", number)["id"]
    client = agent()
    (line,) = ids(ok(client, f"/customers/{who}"))
    assert ok(client, f"/customers/{who}/lines/{line}/letter").count("data:") == 2


def test_what_was_said_in_a_call_is_read(api: Api) -> None:
    said: list[Any] = [{"speaker": "agent", "at_s": 2, "text": "Зёрнышко, добрый день"}, 7, {"text": ["x"]}]
    said.append({"speaker": "Юлия", "at_s": 65.2, "text": "<b>Где заказ?</b>"})
    call = {"status": "completed", "transcript": said}
    _, who = customer(api, channel="phone", kind="call", details={"call": call})
    text = words_of(ok(agent(), f"/customers/{who}"))
    assert "What was said 0:02 Agent : Зёрнышко, добрый день 1:05 Юлия : <b>Где заказ?</b>" in text
    _, who = customer(api, channel="phone", kind="call", details={"transcript": "слово " * 3_000})
    client = agent()
    html = ok(client, f"/customers/{who}")
    assert html.count("слово") < 1_000
    assert "All that was said" in html
    (line,) = ids(html)
    assert ok(client, f"/customers/{who}/lines/{line}").count("слово") == 3_000


@pytest.mark.parametrize("odd", [None, 7, {}, [], [[]], [None], {"text": "x"}, "  ", [{"text": None}]])
def test_what_is_no_transcript_is_none(odd: Any) -> None:
    for details in ({"transcript": odd}, {"call": {"transcript": odd}}, {"call": {"recording": {"transcript": odd}}}):
        assert transcript(details, whole=False) is None


def test_times_of_turns_are_lengths() -> None:
    found = transcript({"transcript": [{"text": "a", "at_s": -1}, {"text": "b", "at_s": "x"}, "c"]}, whole=True)
    assert found
    assert [(one.at, one.text) for one in found.turns] == [("", "a"), ("", "b"), ("", "c")]
