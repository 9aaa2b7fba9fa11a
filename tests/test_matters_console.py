"""Matters and the journey on the pages: what agents see and say, what managers read, whom each number leads to."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from customers.experience.following import follow
from tests.support import COMMITTED, Api, at, event, identifier, phone, push_and_drain
from tests.test_console import agent, ok, words_of
from tests.test_requests_api import ANN, MISSED, ago

pytestmark = COMMITTED


def customer(api: Api, *events: dict[str, Any], name: str = "Ada Byron") -> str:
    number = phone()
    push_and_drain(api, *(event(identifier("phone", number), name=name, **one) for one in events))
    follow()
    return str(api.card("phone", number)["id"])


def somebody(api: Api) -> str:
    return customer(
        api,
        {"subject": "Where is <b>AB-1</b>?", "text": "x", "thread": "a", "occurred_at": ago(30)},
        {"text": "Soon", "direction": "outbound", "agent": ANN, "thread": "a", "occurred_at": ago(29)},
        {"text": "And the other?", "thread": "a", "occurred_at": ago(3)},
        {**MISSED, "occurred_at": ago(2)},
    )


def post(client: Client, path: str, **fields: Any) -> Any:
    return client.post(path, fields, follow=True)


def test_whoever_waits_is_first_and_the_card_says_what_is_open(api: Api) -> None:
    who = somebody(api)
    reader = agent()
    html = ok(reader, "/requests")
    assert "Where is &lt;b&gt;AB-1&lt;/b&gt;?" in html
    assert "Ada Byron" in html
    text = words_of(html)
    assert "waits for 3 hours" in text.replace("\xa0", " ")
    assert "1 call nobody took" in text
    assert "Nothing fits" in words_of(ok(reader, "/requests", {"state": "solved"}) + ok(reader, "/requests?channel=vk"))
    card = ok(reader, f"/customers/{who}")
    assert "What is open" in card
    assert "The way so far" in card
    assert "first contact" in card


def test_agents_rule_on_the_page(api: Api) -> None:
    who = somebody(api)
    writer = agent()
    (found,) = api.ok(f"customers/{who}/requests")["results"]
    path = f"/customers/{who}/requests/{found['id']}"
    html = ok(writer, path)
    assert found["effort_parts"]["repeats"] == 20
    assert "came again 20" in words_of(html)
    answer = post(writer, path, do="solve", reason="Told him on the phone.")
    assert "Solved." in answer.content.decode()
    assert "It is open again" in answer.content.decode()
    assert post(writer, path, do="solve").status_code == 409
    assert "Open again." in post(writer, path, do="reopen").content.decode()
    lines = re.findall(r'name="line" value="([^"]+)"', ok(writer, path))
    assert len(lines) == 3
    parted = post(writer, path, do="split", line=lines[1:], reason="Another order.")
    new = parted.redirect_chain[0][0].partition("#")[0]
    assert new != path
    assert len(api.ok(f"customers/{who}/requests")["results"]) == 2
    joined = post(writer, new, do="merge", **{"with": found["id"]})
    assert joined.redirect_chain[0][0] == path
    assert len(api.ok(f"customers/{who}/requests")["results"]) == 1
    assert post(writer, path, do="split").status_code == 409
    assert post(writer, path, do="nonsense").status_code == 400
    assert writer.get(f"/customers/{who}/requests/{lines[0]}").status_code == 404


def test_a_masked_reader_sees_no_numbers_and_rules_nothing(api: Api) -> None:
    who = customer(api, {"subject": "Call +7 912 000-11-22", "occurred_at": ago(1)})
    (found,) = api.ok(f"customers/{who}/requests")["results"]
    reader = agent("masked")
    path = f"/customers/{who}/requests/{found['id']}"
    for page in (path, "/requests", f"/customers/{who}"):
        html = ok(reader, page)
        assert "000-11-22" not in html
        assert 'name="do"' not in html
    assert post(reader, path, do="solve").status_code in (403, 404)


def test_the_map_leads_from_numbers_to_lines(api: Api) -> None:
    who = customer(
        api,
        {"occurred_at": at(), "channel": "email", "kind": "email", "details": {"emotion": -1}},
        {"occurred_at": at(60), "channel": "store", "kind": "visit", "agent": ANN},
    )
    manager, days = agent("supervisor"), {"since": "2026-03-01", "until": "2026-03-31"}
    for path in ("/experience/journey", "/experience"):
        html = ok(manager, path, days)
        assert '<svg class="map"' in html
        assert "Places and things" in html
        assert "style=" not in html
    assert "1 left (100" in words_of(html)
    links = [unescape(one) for one in re.findall(r'href="(/experience/journey/customers\?[^"]+)"', html)]
    assert all(who in ok(manager, link) for link in links)
    (left,) = {link for link in links if "left=1" in link and "channel=store" in link}
    (line,) = re.findall(r"\?at=([0-9a-f-]+)", ok(manager, left))
    assert line in ok(manager, f"/customers/{who}", {"at": line})
    assert agent().get("/experience/journey").status_code == 403
    assert manager.get("/experience/journey/customers").status_code == 400


@pytest.mark.parametrize("language", ["ru", "lt"])
def test_in_other_languages(api: Api, language: str) -> None:
    who = somebody(api)
    (found,) = api.ok(f"customers/{who}/requests")["results"]
    reader = agent("supervisor", language=language)
    english = re.compile(r"\b(Matters|waits|effort|contacts|Journey map|The way so far|What is open|Nothing fits)\b")
    for path in ("/requests", f"/customers/{who}/requests/{found['id']}", "/experience/journey", f"/customers/{who}"):
        assert not english.findall(words_of(ok(reader, path))), path
