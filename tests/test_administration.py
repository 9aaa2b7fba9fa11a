"""The administration: who gets in, users with roles, sources step by step and their test, keys, lock-out."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client, override_settings
from pytest_django.live_server_helper import LiveServer

from channels import trials
from channels.models import Delivery, Source
from channels.providers import PROVIDERS
from channels.sources import make_source
from customers.access import principal_of_key, principal_of_user
from customers.models import AgentProfile, ApiKey, Customer, Interaction
from tests.support import COMMITTED, LONG, drained, unique
from tests.test_console import agent, words_of

pytestmark = COMMITTED
SECRETS = {"auth_token": "0123456789abcdef", "secret_token": "kept-by-us", "authserv_id": "mx.example"}


@pytest.fixture
def admin(committed: None) -> Client:
    client = agent("admin", name="root")
    User.objects.filter(username="root").update(is_staff=True, is_superuser=True)
    return client


def made(provider: str, **more: Any) -> Source:
    known = {one.name: SECRETS[one.name] for one in PROVIDERS[provider].secrets if one.name in SECRETS}
    return make_source(provider, unique(provider.replace("_", "-")), secrets=known, **more)


def errors(html: str) -> list[str]:
    return re.findall(r'class="errorlist[^"]*"[^>]*><li>(.*?)</li>', html, re.DOTALL)


@pytest.mark.parametrize("role", ["agent", "supervisor", "masked", ""])
def test_only_administrators_get_in(committed: None, role: str) -> None:
    client = agent(role, name="curious")
    User.objects.filter(username="curious").update(is_staff=True)
    for path in ("/admin/", "/admin/auth/user/", "/admin/channels/source/add/"):
        answer = client.get(path, follow=True)
        assert answer.status_code == 403, path
        assert "Your role may not see this." in answer.content.decode()


def test_an_administrator_in_the_masked_role_stays_out(admin: Client) -> None:
    from django.contrib.auth.models import Group

    User.objects.get(username="root").groups.add(Group.objects.get_or_create(name="masked")[0])
    assert admin.get("/admin/", follow=True).status_code == 403


def test_whoever_is_not_signed_in_signs_in_first(committed: None) -> None:
    answer = Client().get("/admin/channels/source/", follow=True)
    assert answer.redirect_chain[-1][0] == "/login/?next=/admin/channels/source/"


def test_every_page_of_it_opens(admin: Client) -> None:
    source = made("telegram")
    index = admin.get("/admin/").content.decode()
    paths = set(re.findall(r'href="(/admin/[a-z]+/[a-z]+/)"', index))
    assert len(paths) > 8
    for path in sorted(paths):
        assert admin.get(path).status_code == 200, path
        assert admin.get(f"{path}add/").status_code in (200, 403), path
    assert admin.get(f"/admin/channels/source/{source.pk}/change/").status_code == 200
    assert "unsafe-inline" not in admin.get("/admin/")["Content-Security-Policy"]


ROLES = [
    ("agent", {"read", "write"}, False),
    ("supervisor", {"read", "write"}, False),
    ("admin", {"read", "write", "admin"}, True),
    ("masked", {"read", "read:masked"}, False),
    ("agent masked", {"read", "write", "read:masked"}, False),
]


@pytest.mark.parametrize(("role", "scopes", "staff"), ROLES)
def test_a_user_is_made_with_role_language_and_zone(admin: Client, role: str, scopes: set[str], staff: bool) -> None:
    given = {"username": "nina", "password1": "seven grey herons", "password2": "seven grey herons"}
    given |= {"role": role, "language": "lt", "time_zone": "Europe/Vilnius"}
    answer = admin.post("/admin/auth/user/add/", given)
    assert answer.status_code == 302, errors(answer.content.decode())
    user = User.objects.get(username="nina")
    principal = principal_of_user(user)
    assert principal is not None
    assert principal.scopes == scopes
    assert user.is_staff == user.is_superuser == staff
    assert user.agent_profile.language == "lt"
    path = f"/admin/auth/user/{user.pk}/change/"
    html = admin.get(path).content.decode()
    assert re.search(rf'<input[^>]*value="{role}"[^>]*checked', html)
    changed = admin.post(path, {"username": "nina", "is_active": "on", "role": "agent", "language": "ru"})
    assert changed.status_code == 302, errors(changed.content.decode())
    user = User.objects.get(username="nina")
    assert not user.is_superuser
    assert [group.name for group in user.groups.all()] == ["agent"]
    client = Client()
    assert client.post("/login/", {"username": "nina", "password": "seven grey herons"}).status_code == 302


def test_two_colleagues_do_not_share_a_name(admin: Client) -> None:
    vera, rita = (User.objects.create_user(name) for name in ("vera", "rita"))
    for user in (vera, rita):
        path = f"/admin/auth/user/{user.pk}/change/"
        given = {"username": user.username, "is_active": "on", "role": "agent"}
        answer = admin.post(path, {**given, "aliases": " desk 7 \nDESK 7\n\n"})
        if user is vera:
            assert answer.status_code == 302
            assert AgentProfile.objects.get(user=vera).aliases == ["DESK 7"]
            assert ">\nDESK 7</textarea>" in admin.get(path).content.decode()
        else:
            assert "DESK 7" in answer.content.decode() or "desk 7" in answer.content.decode()
            assert answer.status_code == 200
        assert admin.post(path, {**given, "aliases": "x" * 201}).status_code == 200
    assert admin.post(path, {**given, "aliases": "Vera"}).status_code == 200
    assert not AgentProfile.objects.filter(user=rita).exists()


@pytest.mark.parametrize("password", ["short", "nina nina", "password123456", "4711471147114711"])
def test_passwords_have_rules(admin: Client, password: str) -> None:
    given = {"username": "nina nina".replace(" ", "."), "password1": password, "password2": password, "role": "agent"}
    answer = admin.post("/admin/auth/user/add/", given)
    assert answer.status_code == 200
    assert errors(answer.content.decode())
    assert not User.objects.filter(username="nina.nina").exists()


def test_first_the_provider_then_only_its_fields(admin: Client) -> None:
    html = admin.get("/admin/channels/source/add/").content.decode()
    for name, provider in PROVIDERS.items():
        assert f'href="?provider={name}"' in html
        form = admin.get("/admin/channels/source/add/", {"provider": name}).content.decode()
        asked = set(re.findall(r'name="secret_(\w+)"', form))
        assert asked == {one.name for one in provider.secrets if not one.generated}
        assert f'name="provider" value="{name}"' in form


def test_a_source_is_connected(admin: Client) -> None:
    add = "/admin/channels/source/add/?provider=twilio_sms"
    given = {"provider": "twilio_sms", "slug": "hotline", "region": "lt", "trust": "asserted"}
    refused = admin.post(add, given).content.decode()
    assert "This source cannot work without it." in refused
    given |= {"secret_auth_token": "0123456789abcdef", "addresses": "+37052000000\0\n+37052000001\n"}
    answer = admin.post(add, given, follow=True)
    source = Source.objects.get(slug="hotline")
    assert answer.redirect_chain[-1][0] == f"/admin/channels/source/{source.pk}/change/"
    assert (source.region, source.addresses) == ("LT", ["+37052000000", "+37052000001"])
    assert source.secrets == {"auth_token": "0123456789abcdef"}
    html = answer.content.decode()
    assert source.hook_url in words_of(html)
    assert "0123456789abcdef" not in html
    kept = {"provider": "twilio_sms", "trust": "claimed", "region": "", "addresses": "", "secret_auth_token": ""}
    assert admin.post(f"/admin/channels/source/{source.pk}/change/", kept).status_code == 302
    source.refresh_from_db()
    assert (source.slug, source.trust, source.addresses) == ("hotline", "claimed", [])
    assert source.secrets == {"auth_token": "0123456789abcdef"}
    again = admin.post(add, given).content.decode()
    assert errors(again)


def test_what_to_paste_has_the_secrets_that_we_made(admin: Client) -> None:
    given = {"provider": "telegram", "slug": "bot", "trust": "asserted"}
    html = admin.post("/admin/channels/source/add/?provider=telegram", given, follow=True).content.decode()
    source = Source.objects.get(slug="bot")
    assert source.secrets["secret_token"] in html
    assert source.hook_url in html


@pytest.mark.django_db(transaction=True, databases="__all__")  # sessions are read on another connection
@pytest.mark.parametrize("provider", sorted(trials.HOOKS))
def test_a_test_goes_through_the_door_and_into_no_history(
    admin: Client, live_server: LiveServer, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = made(provider)
    monkeypatch.setattr(trials, "nudge", drained)
    with override_settings(CXHUB_PUBLIC_URL=live_server.url):
        html = admin.post(f"/admin/channels/source/{source.pk}/test/", follow=True).content.decode()
        delivery = Delivery.objects.get(source=source)
        assert delivery.state == Delivery.IGNORED
        assert f"The test came in. The door says: 200 OK. Receipt {delivery.pk}: ignored." in words_of(html)
        assert not Interaction.objects.exists()
        assert not Customer.objects.exists()
        Source.objects.filter(pk=source.pk).update(secrets={})
        html = admin.post(f"/admin/channels/source/{source.pk}/test/", follow=True).content.decode()
        assert "The test did not come in. The door says: 403" in words_of(html)


def test_a_door_that_cannot_be_reached_says_so(admin: Client) -> None:
    source = made("telegram")
    with override_settings(CXHUB_PUBLIC_URL="http://127.0.0.1:9"):
        html = admin.post(f"/admin/channels/source/{source.pk}/test/", follow=True).content.decode()
    assert "The test did not come in. The door says: http://127.0.0.1:9: ConnectionError" in words_of(html)
    assert "/hooks/" not in re.sub(r"<code.*?</code>", "", html)


def test_what_cannot_be_tested_is_not_offered(admin: Client) -> None:
    source = made("push")
    html = admin.get(f"/admin/channels/source/{source.pk}/change/").content.decode()
    assert "Send a test" not in html
    assert f"{settings.CXHUB_PUBLIC_URL}/api/v1/events" in words_of(html)
    assert admin.post(f"/admin/channels/source/{source.pk}/test/").status_code == 404
    mail = made("email", addresses=["help@shop.example"])
    assert "Send a test" in admin.get(f"/admin/channels/source/{mail.pk}/change/").content.decode()


def test_a_key_is_shown_once(admin: Client) -> None:
    given = {"name": "crm", "scopes": ["read:masked", "ingest"], "source": "shop", "sources": "till\0\nbot\n"}
    html = admin.post("/admin/customers/apikey/add/", given, follow=True).content.decode()
    (plain,) = set(re.findall(r"cx_[A-Za-z0-9_-]{43}", html))
    principal = principal_of_key(plain)
    assert principal is not None
    assert principal.masked
    assert principal.sources == ("bot", "till")
    key = ApiKey.objects.get()
    assert plain not in admin.get(f"/admin/customers/apikey/{key.pk}/change/").content.decode()
    assert admin.post("/admin/customers/apikey/add/", {"name": "x", "scopes": ["all"]}).status_code == 200
    assert ApiKey.objects.count() == 1


LOCKED = {
    "en": ("That was wrong too often.", "Wait 15 minutes"),
    "ru": ("Слишком много неверных попыток.", "Подождите 15 минут"),
    "lt": ("Per daug neteisingų bandymų.", "Palaukite 15 minučių"),
}


@override_settings(AXES_FAILURE_LIMIT=3)
@pytest.mark.parametrize("language", LOCKED if LONG else ["lt"])
def test_the_page_of_whoever_is_locked_out(committed: None, language: str) -> None:
    """The same for a user that exists and for one that does not."""
    User.objects.create_user("nina", password="seven grey herons")
    for name in ("nina", "nobody"):
        client = Client(headers={"Accept-Language": language})
        for _ in range(settings.AXES_FAILURE_LIMIT):
            answer = client.post("/login/", {"username": name, "password": "wrong"})
        assert answer.status_code == 429
        answer = client.post("/login/", {"username": name, "password": "seven grey herons"})
        assert answer.status_code == 429
        assert 0 < int(answer["Retry-After"]) <= 900
        html = answer.content.decode()
        assert f'<html lang="{language}">' in html
        for said in LOCKED[language]:
            assert said in words_of(html)
