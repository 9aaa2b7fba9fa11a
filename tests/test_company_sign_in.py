"""The company's own sign-in, against a small OpenID provider that talks HTTP and signs with RS256."""

import base64
import hashlib
import json
import re
import secrets
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth.models import User
from django.test import Client, override_settings

from customers.access import principal_of_user
from tests.support import COMMITTED
from tests.test_console import words_of

pytestmark = COMMITTED
CLIENT, SECRET = "cxhub-at-work", "kept between the two"
NINA = {"sub": "u-1", "email": "nina@work.example", "email_verified": True, "preferred_username": "nina"}


class Provider:
    """An issuer: who asks with the right secret and verifier gets a token about `claims`."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.claims: dict[str, Any] = dict(NINA)
        self.token: dict[str, Any] = {}  # what is otherwise in it
        self.signing: dict[str, Any] = {"key": self.key, "algorithm": "RS256", "headers": {"kid": "one"}}
        self.userinfo: dict[str, Any] | None = None
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        provider = self

        class Door(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answered(*provider.get(self.path, self.headers.get("Authorization", "")))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.answered(*provider.exchange({name: values[0] for name, values in parse_qs(body).items()}))

            def answered(self, status: int, body: Any) -> None:
                raw = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def get(self, path: str, bearer: str) -> tuple[int, Any]:
        self.asked.append(path)
        if path == "/.well-known/openid-configuration":
            found = {"issuer": self.url, "authorization_endpoint": f"{self.url}/authorize"}
            found |= {"token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/keys"}
            return 200, found | ({"userinfo_endpoint": f"{self.url}/me"} if self.userinfo is not None else {})
        if path == "/keys":
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
            return 200, {"keys": [{"kty": "oct", "k": "AA"}, {**public, "kid": "one", "use": "sig", "alg": "RS256"}]}
        if path == "/me" and bearer == "Bearer a-token":
            return 200, self.userinfo
        return 404, {}

    def authorize(self, address: str) -> str:
        """What the browser is sent back with, once somebody signed in there."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert set(asked["scope"].split()) == {"openid", "profile", "email"}
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?code={code}&state={asked['state']}"

    def exchange(self, form: dict[str, str]) -> tuple[int, Any]:
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proven = asked and asked["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if not proven or (form["client_id"], form["client_secret"]) != (CLIENT, SECRET):
            return 400, {"error": "invalid_grant"}
        assert asked is not None
        now = int(time.time())
        told = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        return 200, {"access_token": "a-token", "token_type": "Bearer", "id_token": self.signed(told)}

    def signed(self, told: dict[str, Any]) -> str:
        said = {name: value for name, value in {**told, **self.claims, **self.token}.items() if value is not None}
        return jwt.encode(said, **self.signing)


@pytest.fixture
def provider(committed: None) -> Iterator[Provider]:
    provider = Provider()
    known = {"CXHUB_OIDC_URL": provider.url, "CXHUB_OIDC_CLIENT_ID": CLIENT, "CXHUB_OIDC_CLIENT_SECRET": SECRET}
    quick = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    ours = {"CXHUB_OIDC_NAME": "Work", "CXHUB_PUBLIC_URL": "http://testserver", "PASSWORD_HASHERS": quick}
    with override_settings(**known, **ours):
        yield provider
    provider.server.shutdown()
    provider.server.server_close()


def came(provider: Provider, client: Client | None = None, path: str = "/login/oidc") -> tuple[Client, Any]:
    """The answer to whoever went there and came back."""
    client = client or Client()
    there = client.get(path)
    assert there.status_code == 302, there.content
    assert there["Location"].startswith(f"{provider.url}/authorize?")
    back = urlsplit(provider.authorize(there["Location"]))
    assert back.path == "/login/oidc/callback"
    return client, client.get(f"{back.path}?{back.query}")


def refused(answer: Any, status: int, words: str) -> None:
    assert answer.status_code == status, answer.content
    assert words in words_of(answer.content.decode())
    assert answer["Cache-Control"] == "private, no-store"


def nina(**more: Any) -> User:
    given = {"email": "Nina@work.example", "password": "seven grey herons", **more}
    return User.objects.create_user("nina.l", **given)


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


NOBODY, FAILED = "You may not use cxhub yet.", "Signing in did not work."


def test_without_an_issuer_there_is_no_button(committed: None) -> None:
    assert "oidc" not in Client().get("/login/").content.decode()
    for path in ("/login/oidc", "/login/oidc/callback?code=1&state=2"):
        assert Client().get(path).status_code == 404


def test_a_known_user_comes_in_by_his_proven_address(provider: Provider) -> None:
    user = nina()
    page = Client().get("/login/?next=/now").content.decode()
    assert "Sign in with Work" in words_of(page)
    found = re.search(r'href="(/login/oidc[^"]*)"', page)
    assert found
    client, answer = came(provider, path=found[1])
    assert answer["Location"] == "/now"
    assert client.session["_auth_user_id"] == str(user.pk)
    user.refresh_from_db()
    assert user.has_usable_password()  # as before, and no other role
    assert not user.groups.exists()
    # From then on by his number there, whatever his address.
    provider.claims = {"sub": "u-1", "email": "somebody@else.example", "email_verified": False}
    client, _ = came(provider)
    assert client.session["_auth_user_id"] == str(user.pk)


def test_what_userinfo_says_counts_if_it_is_about_the_same_person(provider: Provider) -> None:
    user = nina()
    provider.claims, provider.userinfo = {"sub": "u-1"}, dict(NINA)
    client, _ = came(provider)
    assert client.session["_auth_user_id"] == str(user.pk)
    SocialAccount.objects.all().delete()
    provider.userinfo = {**NINA, "sub": "u-2"}
    client, answer = came(provider)
    refused(answer, 502, FAILED)
    # An address of one answer is not proven by the word of the other.
    provider.claims, provider.userinfo = {"sub": "u-1", "email_verified": True}, {**NINA, "email_verified": False}
    client, answer = came(provider)
    refused(answer, 403, "Your address is not confirmed.")
    assert not signed_in(client)


@pytest.mark.parametrize("said", [False, None, "false", 0, "yes"])
def test_an_address_that_is_not_proven_opens_nothing(provider: Provider, said: Any) -> None:
    nina()
    provider.claims["email_verified"] = said
    with override_settings(CXHUB_OIDC_ROLES=[("staff", "admin")]):
        provider.claims["groups"] = ["staff"]
        client, answer = came(provider)
    refused(answer, 403, "Your address is not confirmed.")
    assert not signed_in(client)
    assert not SocialAccount.objects.exists()
    assert User.objects.count() == 1


def test_who_is_nobody_here_stays_out(provider: Provider) -> None:
    client, answer = came(provider)
    refused(answer, 403, NOBODY)
    assert not signed_in(client)
    assert not User.objects.exists()


def test_whoever_was_made_inactive_stays_out(provider: Provider) -> None:
    user = nina(is_active=False)
    client, answer = came(provider)
    refused(answer, 403, "Your account is switched off.")
    user.is_active = True
    user.save()
    assert came(provider)[1]["Location"] == "/"
    user.is_active = False
    user.save()
    client, answer = came(provider)
    refused(answer, 403, "Your account is switched off.")
    assert not signed_in(client)


def test_an_address_that_went_to_somebody_else_there_opens_nothing(provider: Provider) -> None:
    nina()
    came(provider)
    provider.claims["sub"] = "u-77"
    client, answer = came(provider)
    refused(answer, 403, NOBODY)
    assert not signed_in(client)


ROLES = [("cx-admins", "admin"), ("cx-leads", "supervisor"), ("cx", "agent"), ("cx-temps", "agent masked")]


@override_settings(CXHUB_OIDC_ROLES=ROLES)
@pytest.mark.parametrize(
    ("groups", "scopes", "staff"),
    [
        (["other", "cx"], {"read", "write"}, False),
        (["cx", "cx-leads"], {"read", "write"}, False),
        (["cx-admins"], {"read", "write", "admin"}, True),
        ("cx-temps", {"read", "write", "read:masked"}, False),
    ],
)
def test_a_new_user_has_the_role_of_his_claims(provider: Provider, groups: Any, scopes: set[str], staff: bool) -> None:
    User.objects.create_user("nina", password="another heron")  # the same name is no proof
    provider.claims |= {"groups": groups, "given_name": "Nina"}
    client, answer = came(provider)
    assert answer["Location"] == "/"
    user = User.objects.get(pk=client.session["_auth_user_id"])
    assert (user.username, user.email, user.first_name) == ("nina-2", "nina@work.example", "Nina")
    assert user.is_staff == user.is_superuser == staff
    assert not user.has_usable_password()
    principal = principal_of_user(user)
    assert principal is not None
    assert principal.scopes == scopes
    if groups == ["cx", "cx-leads"]:
        assert "supervisor" in principal.roles


@override_settings(CXHUB_OIDC_ROLES=ROLES, CXHUB_OIDC_CLAIM="realm_access.roles")
def test_his_role_follows_his_claims(provider: Provider) -> None:
    provider.claims["realm_access"] = {"roles": ["cx-admins"]}
    client, _ = came(provider)
    user = User.objects.get(pk=client.session["_auth_user_id"])
    assert user.is_superuser
    provider.claims["realm_access"] = {"roles": ["cx"]}
    came(provider)
    user = User.objects.get(pk=user.pk)
    assert not user.is_superuser
    assert [group.name for group in user.groups.all()] == ["agent"]
    provider.claims["realm_access"] = {"roles": []}
    client, answer = came(provider)
    refused(answer, 403, NOBODY)
    assert not signed_in(client)


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "somebody-else"},
        {"iss": "https://far.example"},
        {"exp": 1_700_000_000},
        {"iat": None},
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"sub": None},
    ],
    ids=lambda wrong: "-".join(wrong),
)
def test_a_token_that_is_not_right_opens_nothing(provider: Provider, wrong: dict[str, Any]) -> None:
    nina()
    provider.token = wrong
    client, answer = came(provider)
    refused(answer, 502, FAILED)
    assert not signed_in(client)


@pytest.mark.parametrize("how", ["other key", "no key", "secret", "unknown kid", "rubbish"])
def test_a_token_that_the_issuer_did_not_sign_opens_nothing(provider: Provider, how: str) -> None:
    nina()
    known = {"kid": "one"}
    signings: dict[str, dict[str, Any]] = {
        "other key": {
            "key": rsa.generate_private_key(public_exponent=65537, key_size=2048),
            "algorithm": "RS256",
            "headers": known,
        },
        "no key": {"key": None, "algorithm": "none", "headers": known},
        "secret": {"key": SECRET * 2, "algorithm": "HS256", "headers": known},
        "unknown kid": {**provider.signing, "headers": {"kid": "two"}},
        "rubbish": provider.signing,
    }
    provider.signing = signings[how]
    if how == "rubbish":
        provider.signed = lambda told: "a.b.c"  # type: ignore[method-assign]
    client, answer = came(provider)
    refused(answer, 502, FAILED)
    assert not signed_in(client)


def test_only_who_went_comes_back(provider: Provider) -> None:
    """A code that somebody else was given, or the same twice, signs nobody in."""
    nina()
    client = Client()
    back = urlsplit(provider.authorize(client.get("/login/oidc")["Location"]))
    victim = Client()
    refused(victim.get(f"{back.path}?{back.query}"), 502, FAILED)
    assert not signed_in(victim)
    assert client.get(f"{back.path}?{back.query}")["Location"] == "/"
    refused(client.get(f"{back.path}?{back.query}"), 502, FAILED)
    refused(Client().get("/login/oidc/callback?code=1"), 502, FAILED)


def test_nothing_else_is_listened_to(provider: Provider) -> None:
    """Neither scopes nor the linking of accounts, nor another site to go to."""
    user = nina()
    client, answer = came(provider, path="/login/oidc?scope=admin&process=connect&next=https://far.example/")
    assert answer["Location"] == "/"
    assert client.session["_auth_user_id"] == str(user.pk)


def test_who_changes_his_mind_is_told_so(provider: Provider) -> None:
    client = Client()
    state = parse_qs(urlsplit(client.get("/login/oidc")["Location"]).query)["state"][0]
    answer = client.get(f"/login/oidc/callback?error=access_denied&state={state}")
    refused(answer, 400, "You did not sign in.")


def test_an_issuer_that_is_away_is_a_page(provider: Provider) -> None:
    nina()
    client = Client()
    back = urlsplit(provider.authorize(client.get("/login/oidc")["Location"]))
    provider.server.shutdown()
    provider.server.server_close()
    refused(client.get(f"{back.path}?{back.query}"), 502, FAILED)
    refused(Client().get("/login/oidc"), 502, FAILED)


def test_his_second_factor_is_still_asked_for(provider: Provider) -> None:
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    user = nina()
    with override_settings(CXHUB_MFA=True):
        TOTP.activate(user, generate_totp_secret())
        client, answer = came(provider)
    assert answer["Location"] == "/login/code"
    assert not signed_in(client)


def test_the_number_of_another_issuer_is_another_person(provider: Provider) -> None:
    nina()
    came(provider)
    other = Provider()
    other.claims = {"sub": "u-1", "email": "mallory@work.example", "email_verified": True}
    try:
        with override_settings(CXHUB_OIDC_URL=other.url):
            client, answer = came(other)
        refused(answer, 403, NOBODY)
        assert not signed_in(client)
    finally:
        other.server.shutdown()
        other.server.server_close()
