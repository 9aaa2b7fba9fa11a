"""A reader of masked identifiers is shown those of one card: with a reason, for a while, so often, and noted."""

import re
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.test import Client, override_settings
from django.utils import timezone

from customers.models import CardView, Unmasking
from tests.support import COMMITTED, Api, at, event, identifier, problem_of, push_and_drain
from tests.test_console import agent, words_of

pytestmark = COMMITTED

PHONE, EMAIL, OTHER = "+73433443420", "iolanta@client.example", "+73433443499"
WHY = "The courier asks for her number"


@pytest.fixture
def who(api: Api) -> str:
    handles = [identifier("phone", PHONE), identifier("email", EMAIL)]
    said = f"Call {PHONE} or 8 912 333 44 55"
    push_and_drain(
        api, event(*handles, name="Iolanta", text=said), event(identifier("phone", OTHER), occurred_at=at(1))
    )
    return str(api.card("phone", PHONE)["id"])


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.content.decode()


def whole(html: str) -> list[str]:
    return [one for one in ("+7 343 344-34-20", PHONE, EMAIL) if one in html]


def asked(client: Client, who: str, reason: str = WHY) -> Any:
    return client.post(f"/customers/{who}/clear", {"reason": reason})


def test_with_a_reason_one_card_is_open_for_some_minutes(api: Api, who: str) -> None:
    client = agent("masked", name="temp")
    other = str(api.card("phone", OTHER)["id"])
    address = f"/customers/{who}/clear"
    assert f'href="{address}"' in page(client, f"/customers/{who}")
    assert not whole(page(client, address))
    assert asked(client, who)["Location"] == address
    assert whole(page(client, address)) == ["+7 343 344-34-20", EMAIL]
    # Nothing else, and nobody else.
    assert not whole(page(client, f"/customers/{who}"))
    assert "344-34-99" not in page(client, f"/customers/{other}/clear")
    assert not whole(page(agent("masked"), address))
    answer = client.get(f"/api/v1/customers/{who}").content.decode()
    assert EMAIL not in answer
    assert PHONE not in answer
    Unmasking.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert not whole(page(client, address))


@pytest.mark.parametrize("reason", ["", "   ", "abcd", "a  \x00 b", "x" * 501])
def test_without_a_reason_it_stays_masked(api: Api, who: str, reason: str) -> None:
    client = agent("masked")
    answer = asked(client, who, reason)
    assert answer.status_code == 400
    assert "Say why in a few words." in words_of(answer.content.decode())
    assert not whole(answer.content.decode())
    assert not Unmasking.objects.exists()


def test_it_is_noted_where_supervisors_and_the_person_read_it(api: Api, who: str) -> None:
    client = agent("masked", name="temp")
    page(client, f"/customers/{who}")
    looked = CardView.objects.count()
    asked(client, who, f"{WHY} <b>1</b>")
    assert CardView.objects.filter(path=f"/customers/{who}/clear").exists()
    assert CardView.objects.count() > looked
    listed = page(agent("supervisor"), "/queue/clear")
    assert re.search(r"temp.*Iolanta.*The courier asks for her number &lt;b&gt;", listed, re.DOTALL)
    for role in ("agent", "masked"):
        assert agent(role).get("/queue/clear").status_code == 403
    answer = api.get(f"customers/{who}/dossier")
    (noted,) = orjson.loads(b"".join(answer.streaming_content))["shown_in_the_clear"]
    assert noted["reason"] == f"{WHY} <b>1</b>"
    assert noted["viewer"] == Unmasking.objects.get().viewer
    erased = api.post(f"customers/{who}/erase", {"reason": "asked"})
    assert erased.status_code in (200, 201), erased.content
    assert Unmasking.objects.get().reason == ""
    assert "erased" in words_of(page(agent("supervisor"), "/queue/clear"))
    assert client.get(f"/customers/{who}/clear").status_code == 410


@override_settings(CXHUB_UNMASKED_CARDS=2)
def test_so_many_cards_an_hour(api: Api, who: str) -> None:
    push_and_drain(api, event(identifier("phone", "+73433443498"), occurred_at=at(2)))
    cards = [who, *(str(api.card("phone", one)["id"]) for one in (OTHER, "+73433443498"))]
    client = agent("masked")
    for one in (*cards[:2], who, who):  # the same one again, while it is open, is free
        assert asked(client, one).status_code == 302
    answer = asked(client, cards[2])
    assert answer.status_code == 429
    assert 3500 < int(answer["Retry-After"]) <= 3601
    assert asked(agent("masked"), cards[2]).status_code == 302
    Unmasking.objects.update(at=timezone.now() - timedelta(minutes=61))
    assert asked(client, cards[2]).status_code == 302


def test_a_company_may_do_without(api: Api, who: str) -> None:
    client = agent("masked")
    with override_settings(CXHUB_UNMASKED_CARDS=0):
        assert "do-clear" not in page(client, f"/customers/{who}/clear")
        assert asked(client, who).status_code == 403
        assert problem_of(Api("read:masked", "unmask").post(f"customers/{who}/clear", {"reason": WHY}))[0] == 403
    assert not Unmasking.objects.exists()


def test_whoever_is_not_masked_needs_no_reason(api: Api, who: str) -> None:
    client = agent("agent")
    assert 'id="clear"' not in page(client, f"/customers/{who}")
    for answer in (client.get(f"/customers/{who}/clear"), asked(client, who)):
        assert answer["Location"] == f"/customers/{who}"
    assert not Unmasking.objects.exists()


def test_a_key_needs_the_scope(api: Api, who: str) -> None:
    path = f"customers/{who}/clear"
    for scopes in (("read:masked",), ("read", "unmask"), ("unmask",), ("write", "unmask")):
        key = Api(*scopes)
        assert problem_of(key.post(path, {"reason": WHY}))[:2] == (403, "forbidden"), scopes
        assert key.get(path).status_code == 403
    key = Api("read:masked", "unmask")
    masked = key.ok(path)
    assert masked["until"] is None
    assert "***" in masked["identities"][0]["value"]
    answer = key.post(path, {"reason": WHY})
    assert answer.status_code == 201
    assert {one["value"] for one in answer.json()["identities"]} == {PHONE, EMAIL}
    assert {one["value"] for one in key.ok(path)["identities"]} == {PHONE, EMAIL}
    assert EMAIL not in key.get(f"customers/{who}").content.decode()
    assert problem_of(key.post(path, {"reason": "x"}))[1:] == ("invalid_value", "reason")
    assert problem_of(key.post(path, {}))[1:] == ("missing_field", "reason")
    with override_settings(CXHUB_UNMASKED_CARDS=1):
        answer = key.post(f"customers/{api.card('phone', OTHER)['id']}/clear", {"reason": WHY})
        assert problem_of(answer)[:2] == (429, "throttled")
        assert int(answer["Retry-After"]) > 0
