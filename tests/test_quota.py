"""Whoever tries one number after the other comes to an end; whoever works does not, and Redis may be away."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings

from customers import quota
from customers.models import Lookup
from tests.support import COMMITTED, Api, event, everything, identifier, phone, push_and_drain, shop
from tests.test_console import agent

pytestmark = COMMITTED


@pytest.fixture
def api(committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """On a machine that is at work elsewhere an answer may take longer than service would wait."""
    shop()
    monkeypatch.setattr(quota, "SECONDS", 2.0)
    quota.broker.cache_clear()
    quota.asleep_until = 0.0
    yield everything()
    quota.asleep_until = 0.0
    quota.broker.cache_clear()


@override_settings(CXHUB_KEY_LOOKUPS=3)
def test_a_key_that_tries_all_numbers(api: Api) -> None:
    number = phone()
    push_and_drain(api, event(identifier("phone", number)))
    key = Api("read")
    for _ in range(5):
        assert len(key.ok("lookup", {"phone": number})["results"]) == 1
    key.ok("customers", {"phone": ["+79130000001", "+79130000002"]})
    refused = key.get("lookup", {"phone": "+79130000003"})
    assert refused.status_code == 429
    assert refused.json()["code"] == "throttled"
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert key.get("customers", {"q": "Ada"}).status_code == 429
    assert key.get("search", {"q": "Ada"}).status_code == 200, "what was said is no look-up"
    assert Api("read").get("lookup", {"phone": number}).status_code == 200, "each has his own"
    told = Lookup.objects.get(viewer=f"key:{key.key.pk}")
    assert (told.granted, told.asked) == (False, "")


@override_settings(CXHUB_AGENT_LOOKUPS=2)
def test_an_agent_who_tries_all_numbers(api: Api) -> None:
    client = agent()
    assert [client.get("/", {"q": f"+7912000000{n}"}).status_code for n in range(4)] == [200, 200, 429, 429]
    assert client.get("/api/v1/lookup", {"phone": "+79120000009"}).status_code == 429
    assert client.get("/lookup", {"phone": "+79120000009"}).status_code == 429
    assert client.get("/").status_code == 200
    assert client.get("/now").status_code == 200


@override_settings(CXHUB_KEY_LOOKUPS=0)
def test_no_quota(api: Api) -> None:
    key = Api("read")
    assert {key.get("lookup", {"phone": f"+791200000{n}"}).status_code for n in range(10, 30)} == {200}


def asked_of(url: str, settings: Any) -> None:
    settings.REDIS_URL = url
    quota.broker.cache_clear()


def test_service_goes_on_without_redis(api: Api, settings: Any) -> None:
    settings.CXHUB_KEY_LOOKUPS = 1
    asked_of("redis://127.0.0.1:1/0", settings)
    key = Api("read")
    assert {key.get("lookup", {"phone": f"+791200000{n}"}).status_code for n in range(10, 15)} == {200}
    assert quota.asleep_until > 0


def test_a_redis_that_hangs_is_asked_once(api: Api, settings: Any) -> None:
    settings.CXHUB_KEY_LOOKUPS = 1
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)
        asked_of(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", settings)
        key = Api("read")
        assert {key.get("lookup", {"phone": f"+791200000{n}"}).status_code for n in range(10, 20)} == {200}
        silent.settimeout(0)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()
