"""Subscriptions over the API: made, changed, tried, replaced secrets, and what was told told again."""

import html
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from channels.models import Message, Subscription
from channels.outgoing import running
from channels.outgoing.spreading import spread_all
from tests.receiver import receiving
from tests.support import COMMITTED, Api, event, everything, identifier, phone, problem_of, push_and_drain, shop
from tests.test_console import agent

pytestmark = COMMITTED


@pytest.fixture
def api(committed: None, settings: Settings) -> Api:
    settings.CXHUB_FETCH_ALLOW_LOOPBACK = True
    shop()
    return everything()


def made(api: Api, url: str, **fields: Any) -> Any:
    answer = api.post("subscriptions", {"url": url, **fields})
    assert answer.status_code == 201, answer.content
    return answer.json()


def call(api: Api, method: str, path: str, body: Any) -> Any:
    return api.client.generic(method, f"/api/v1/{path}", body, content_type="application/json")


def test_from_the_first_message_to_the_last(api: Api) -> None:
    with receiving() as receiver:
        one = made(api, receiver.url, description="CRM", types=["interaction.recorded"], sources=["shop"])
        assert one["secret"].startswith("whsec_")
        (listed,) = api.ok("subscriptions")["results"]
        assert "secret" not in listed
        assert listed == api.ok(f"subscriptions/{one['id']}")
        assert (listed["enabled"], listed["pending"], listed["description"]) == (True, 0, "CRM")

        attempt = api.post(f"subscriptions/{one['id']}/test", {}).json()
        assert (attempt["status"], attempt["said"]) == (204, "")
        for _ in range(3):
            push_and_drain(api, event(identifier("phone", phone())))
            spread_all()
        assert api.ok(f"subscriptions/{one['id']}")["pending"] == 3
        running.tell_all()

        page = api.ok(f"subscriptions/{one['id']}/messages", {"limit": 2})
        rest = api.ok(f"subscriptions/{one['id']}/messages", {"limit": 2, "cursor": page["next"]})
        messages = page["results"] + rest["results"]
        assert [message["type"] for message in messages] == ["interaction.recorded"] * 3 + ["cxhub.test"]
        assert rest["next"] is None
        told = [message.headers["webhook-id"] for message in receiver.told]
        assert [message["id"] for message in messages] == told[::-1]
        assert {message["attempts"][0]["status"] for message in messages} == {204}

        again = api.post(f"subscriptions/messages/{told[1]}/redeliver", {})
        assert (again.status_code, again.json()["state"]) == (202, "pending")
        running.tell_all()
        assert receiver.told[-1].headers["webhook-id"] == told[1]
        assert api.post(f"subscriptions/{one['id']}/redeliver", {"since": "2026-01-01T00:00:00Z"}).json() == {
            "count": 4
        }
        failed = {"since": "2026-01-01T00:00:00Z", "state": "failed"}
        assert api.post(f"subscriptions/{one['id']}/redeliver", failed).json() == {"count": 0}

        secret = api.post(f"subscriptions/{one['id']}/rotate", {"keep_hours": 1}).json()["secret"]
        running.tell_all()
        assert receiver.told[-1].verified(secret) == receiver.told[-1].verified(one["secret"])


def test_it_is_changed_and_forgotten(api: Api) -> None:
    with receiving() as receiver:
        one = made(api, receiver.url)
        path = f"subscriptions/{one['id']}"
        changed = call(api, "PATCH", path, b'{"enabled": false, "types": ["promise.broken"]}')
        assert changed.status_code == 200, changed.content
        assert (changed.json()["enabled"], changed.json()["types"]) == (False, ["promise.broken"])
        Subscription.objects.update(disabled_why="gone", failures=3)
        assert api.ok(path)["disabled_why"] == "gone"
        on = call(api, "PATCH", path, b'{"enabled": true}').json()
        assert (on["enabled"], on["disabled_why"], on["failures"], on["url"]) == (True, "", 0, receiver.url)
        api.post(f"{path}/test", {})
        assert call(api, "DELETE", path, b"").json()["id"] == one["id"]
        assert problem_of(api.get(path)) == (404, "not_found", "")
        assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "ftp://crm.example/"}, "url"),
        ({"url": "https://user:word@crm.example/"}, "url"),
        ({"url": "nothing"}, "url"),
        ({"url": "https://crm.example/", "types": ["interaction.exploded"]}, "types"),
        ({"url": "https://crm.example/", "sources": ["nobody"]}, "sources"),
        ({"url": "https://crm.example/", "secret": "whsec_mine"}, "secret"),
    ],
)
def test_what_cannot_be_is_refused(api: Api, body: Any, field: str) -> None:
    assert problem_of(api.post("subscriptions", body)) == (400, "invalid_value", field)
    one = made(api, "https://crm.example/")
    if field != "secret":
        changed = {name: value for name, value in body.items() if name == field}
        answer = call(api, "PATCH", f"subscriptions/{one['id']}", orjson.dumps(changed))
        assert problem_of(answer)[2] == field


def test_an_address_inside_is_kept_but_never_told(api: Api, settings: Settings) -> None:
    """Names change where they lead: what counts is where they lead when something is sent."""
    settings.CXHUB_FETCH_ALLOW_LOOPBACK = False
    one = made(api, "https://127.0.0.1/hook")
    attempt = api.post(f"subscriptions/{one['id']}/test", {}).json()
    assert (attempt["status"], attempt["said"]) == (None, "the host is not public")


@pytest.mark.parametrize("cursor", ["x", "-1", "9" * 30])
def test_a_strange_cursor_is_a_problem(api: Api, cursor: str) -> None:
    one = made(api, "https://crm.example/")
    assert api.refused(f"subscriptions/{one['id']}/messages", {"cursor": cursor}) == (400, "invalid_value", "cursor")


def test_the_administration_makes_tries_and_replaces(api: Api) -> None:
    client = agent("admin", name="root")
    User.objects.filter(username="root").update(is_staff=True, is_superuser=True)
    path = "/admin/channels/subscription/"
    refused = client.post(f"{path}add/", {"url": "ftp://crm.example/", "enabled": "on"})
    assert "Nothing can be sent there." in refused.content.decode()
    with receiving() as receiver:
        answer = client.post(f"{path}add/", {"url": receiver.url, "enabled": "on", "sources": "shop"}, follow=True)
        one = Subscription.objects.get()
        assert (one.sources, one.created_by) == (["shop"], f"user:{User.objects.get(username='root').pk}")
        assert one.secret in html.unescape(answer.content.decode())
        tried = client.post(f"{path}{one.pk}/test/", follow=True).content.decode()
        assert "The receiver answered 204" in tried
        assert "cxhub.test" in tried
        rotated = client.post(f"{path}{one.pk}/rotate/", follow=True).content.decode()
        before = one.secret
        one.refresh_from_db()
        assert one.previous_secret == before
        assert one.secret in html.unescape(rotated)
        assert client.get(f"{path}{one.pk}/test/").status_code == 405
        again = {"action": "again", "_selected_action": [str(Message.objects.get().pk)]}
        client.post("/admin/channels/message/", again)
        assert running.tell_all() == 1
        assert client.get(f"/admin/channels/message/{Message.objects.get().pk}/change/").status_code == 200
        assert len(receiver.told) == 2
    Subscription.objects.update(enabled=False, disabled_why="gone")
    assert "it wants nothing any more" in client.get(f"{path}{one.pk}/change/").content.decode()
    client.post(f"{path}{one.pk}/change/", {"url": one.url, "enabled": "on"})
    one.refresh_from_db()
    assert (one.enabled, one.disabled_why, one.sources) == (True, "", [])
    assert client.post(f"{path}{one.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Subscription.objects.exists()
