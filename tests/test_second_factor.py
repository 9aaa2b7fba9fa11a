"""A second factor: enrolled by oneself, asked for at each sign-in, each code once, and counted where they are wrong."""

import base64
import hmac
import re
import struct
import time
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from axes.models import AccessAttempt
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client, override_settings

from tests.support import COMMITTED, problem_of, unique
from tests.test_console import agent, words_of

pytestmark = COMMITTED
PASSWORD = "seven grey herons"
START = int(time.time()) // 30 * 30 + 10  # sessions end by the clock of the database, so it begins now
WRONG = "This code is wrong, too old or already used."


def totp(secret: str, at: float) -> str:
    """RFC 6238, written from the RFC."""
    key = base64.b32decode(secret.replace(" ", ""))
    digest = hmac.new(key, struct.pack(">Q", int(at) // 30), "sha1").digest()
    offset = digest[-1] & 15
    (number,) = struct.unpack(">I", digest[offset : offset + 4])
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06}"


@pytest.fixture(autouse=True)
def clock(committed: None) -> Iterator[Any]:
    quick = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with time_machine.travel(START, tick=False) as clock, override_settings(CXHUB_MFA=True, PASSWORD_HASHERS=quick):
        yield clock


def somebody(role: str = "agent") -> User:
    user = User.objects.create_user(unique("user"), password=PASSWORD)
    user.groups.add(Group.objects.get_or_create(name=role)[0])
    return user


def entered(user: User, **more: Any) -> tuple[Client, Any]:
    """The answer to his name and password."""
    client = Client(**more)
    return client, client.post("/login/", {"username": user.username, "password": PASSWORD})


def signed_in(user: User) -> Client:
    client, answer = entered(user)
    assert answer["Location"] == "/"
    return client


def enrolled(client: Client) -> tuple[str, list[str]]:
    """(the key, the recovery codes) of whoever set a second factor up, as the pages led him."""
    asked = client.get("/profile/factor")
    assert asked["Location"] == "/profile/again?next=%2Fprofile%2Ffactor"
    answer = client.post("/profile/again", {"password": PASSWORD, "next": "/profile/factor"})
    assert answer["Location"] == "/profile/factor"
    page = client.get("/profile/factor").content.decode()
    assert re.search(r'<img class="qr" src="data:image/svg\+xml;base64,', page)
    found = re.search(r'class="key"[^>]*>([A-Z2-7 ]+)<', page)
    assert found
    secret = found[1]
    wrong = client.post("/profile/factor", {"code": "000000"})
    assert "This code is wrong." in wrong.content.decode()
    answer = client.post("/profile/factor", {"code": totp(secret, START)}, follow=True)
    assert answer.redirect_chain[-1][0] == "/profile/recovery"
    codes = re.findall(r"<li><code>(\d+)</code>", answer.content.decode())
    assert len(set(codes)) == 10
    return secret, codes


def open_to(client: Client) -> bool:
    return bool(client.get("/now").status_code == 200)


def test_the_sign_in_asks_for_a_code_from_then_on(clock: Any) -> None:
    user = somebody()
    client = signed_in(user)
    assert "/profile/factor" in client.get("/profile").content.decode()
    secret, _ = enrolled(client)
    clock.shift(60)
    other, answer = entered(user)
    assert answer["Location"] == "/login/code"
    assert not open_to(other)
    assert other.get("/api/v1/customers").status_code == 401
    page = other.get("/login/code")
    assert page["Cache-Control"] == "private, no-store"
    assert 'autocomplete="one-time-code"' in page.content.decode()
    assert WRONG in words_of(other.post("/login/code", {"code": "12"}).content.decode())
    assert not open_to(other)
    spaced = totp(secret, START + 60)
    answer = other.post("/login/code", {"code": f"{spaced[:3]} {spaced[3:]}"})
    assert answer["Location"] == "/"
    assert open_to(other)


def test_where_he_was_going_he_goes(clock: Any) -> None:
    user = somebody()
    secret, _ = enrolled(signed_in(user))
    clock.shift(60)
    for wanted, reached in (("/queue?state=open", "/queue?state=open"), ("https://far.example/", "/")):
        client = Client()
        client.post("/login/", {"username": user.username, "password": PASSWORD, "next": wanted})
        clock.shift(30)
        answer = client.post("/login/code", {"code": totp(secret, time.time())})
        assert answer["Location"] == reached


def test_a_code_counts_once(clock: Any) -> None:
    """Also for another session, and also the one that enrolled; the next one counts again."""
    user = somebody()
    secret, _ = enrolled(signed_in(user))
    client, _ = entered(user)
    assert WRONG in words_of(client.post("/login/code", {"code": totp(secret, START)}).content.decode())
    clock.shift(60)
    code = totp(secret, START + 60)
    assert client.post("/login/code", {"code": code})["Location"] == "/"
    for _ in range(2):
        thief, _ = entered(user)
        assert WRONG in words_of(thief.post("/login/code", {"code": code}).content.decode())
        assert not open_to(thief)
        # Nor one from before it.
        assert thief.post("/login/code", {"code": totp(secret, START + 30)}).status_code == 200
    clock.shift(30)
    assert thief.post("/login/code", {"code": totp(secret, START + 90)})["Location"] == "/"


def test_an_old_code_is_none(clock: Any) -> None:
    user = somebody()
    secret, _ = enrolled(signed_in(user))
    clock.shift(300)
    client, _ = entered(user)
    for at in (START + 210, START + 390):
        assert client.post("/login/code", {"code": totp(secret, at)}).status_code == 200
    assert client.post("/login/code", {"code": totp(secret, START + 330)})["Location"] == "/"  # the clock runs ahead


def test_a_recovery_code_counts_once(clock: Any) -> None:
    user = somebody()
    _, codes = enrolled(signed_in(user))
    client, _ = entered(user)
    assert client.post("/login/code", {"code": codes[3]})["Location"] == "/"
    assert open_to(client)
    other, _ = entered(user)
    assert WRONG in words_of(other.post("/login/code", {"code": codes[3]}).content.decode())
    assert other.post("/login/code", {"code": codes[4]})["Location"] == "/"


def test_recovery_codes_are_shown_once_and_made_anew(clock: Any) -> None:
    user = somebody()
    client = signed_in(user)
    _, codes = enrolled(client)
    again = client.get("/profile/recovery").content.decode()
    assert not any(code in again for code in codes)
    assert "10 codes are left." in again
    answer = client.post("/profile/recovery/new", follow=True)
    fresh = re.findall(r"<li><code>(\d+)</code>", answer.content.decode())
    assert len(fresh) == 10
    other, _ = entered(user)
    assert other.post("/login/code", {"code": codes[0]}).status_code == 200
    assert other.post("/login/code", {"code": fresh[0]})["Location"] == "/"


def test_ten_wrong_codes_lock_the_door(clock: Any) -> None:
    user = somebody()
    secret, codes = enrolled(signed_in(user))
    clock.shift(60)
    client, _ = entered(user)
    answers = [client.post("/login/code", {"code": f"{number:06}"}).status_code for number in range(10)]
    assert answers == [200] * 9 + [429]
    for right in (totp(secret, START + 60), codes[0]):
        assert client.post("/login/code", {"code": right}).status_code == 429
    assert not open_to(client)
    _, answer = entered(user)
    assert answer.status_code == 429
    noted = "".join(f"{one.post_data}{one.get_data}" for one in AccessAttempt.objects.all())
    assert "000009" not in noted
    assert user.username not in noted
    clock.shift(16 * 60)
    back, _ = entered(user)
    assert back.post("/login/code", {"code": totp(secret, time.time())})["Location"] == "/"


def test_another_address_gives_no_more_than_twenty(clock: Any) -> None:
    """Axes counts by name and address; whoever has the password may come from anywhere."""
    user = somebody()
    secret, _ = enrolled(signed_in(user))
    clock.shift(60)
    answers = []
    for number in range(24):
        client, _ = entered(user, REMOTE_ADDR=f"198.51.100.{number // 4}")
        answers.append(client.post("/login/code", {"code": f"{number:06}"}).status_code)
    assert answers == [200] * 20 + [429] * 4
    fresh, _ = entered(user, REMOTE_ADDR="203.0.113.9")
    assert fresh.post("/login/code", {"code": totp(secret, START + 60)}).status_code == 429


def test_it_is_taken_away_only_by_himself_or_an_administrator(clock: Any) -> None:
    user = somebody()
    client = signed_in(user)
    secret, _ = enrolled(client)
    clock.shift(600)  # the proof of who he is has grown old
    for path in ("/profile/factor/off", "/profile/recovery", "/profile/recovery/new"):
        for ask in (client.get, client.post)[: 1 if path == "/profile/recovery" else 2]:
            assert ask(path)["Location"].startswith("/profile/again")
    assert "This is not your password." in client.post("/profile/again", {"password": "wrong"}).content.decode()
    assert client.get("/profile/factor/off")["Location"].startswith("/profile/again")
    by_code = "/profile/again/code?next=/profile/factor/off"
    assert client.post(by_code, {"code": totp(secret, START + 600)})["Location"] == "/profile/factor/off"
    assert client.post("/profile/factor/off")["Location"] == "/profile"
    assert entered(user)[1]["Location"] == "/"


def test_an_administrator_helps_who_lost_his_telephone(clock: Any) -> None:
    user = somebody()
    enrolled(signed_in(user))
    admin = agent("admin", name="root")
    User.objects.filter(username="root").update(is_staff=True, is_superuser=True)
    given = {"action": "take_factor_away", "_selected_action": user.pk}
    answer = admin.post("/admin/auth/user/", given, follow=True)
    import re as r

    print(r.findall(r"messagelist.*?</ul>", answer.content.decode(), r.S), answer.redirect_chain)
    assert "1 user has none now." in answer.content.decode()
    assert entered(user)[1]["Location"] == "/"
    assert "second factor" in LogEntry.objects.get().change_message


def test_the_key_is_not_readable_in_the_database(clock: Any) -> None:
    from allauth.mfa.models import Authenticator

    secret, codes = enrolled(signed_in(somebody()))
    kept = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret.replace(" ", "") not in kept
    assert not any(code in kept for code in codes)
    assert kept.count("gAAAA") == 2  # both encrypted


def test_off_until_configured(clock: Any) -> None:
    """Nothing of it is to be seen; whoever has one from before is asked in any case, and can take it away."""
    user, had = somebody(), somebody()
    secret, _ = enrolled(signed_in(had))
    clock.shift(60)
    with override_settings(CXHUB_MFA=False):
        client = signed_in(user)
        assert "factor" not in client.get("/profile").content.decode()
        for path in ("/profile/factor", "/profile/again", "/profile/recovery", "/profile/factor/off"):
            assert client.get(path).status_code == 404
        other, answer = entered(had)
        assert answer["Location"] == "/login/code"
        other.post("/login/code", {"code": totp(secret, START + 60)})
        assert other.get("/profile/factor/off")["Location"].startswith("/profile/again")


@pytest.mark.parametrize("role", ["admin", "supervisor", "agent"])
def test_a_role_may_demand_it(clock: Any, role: str) -> None:
    user = somebody(role)
    with override_settings(CXHUB_MFA=True, CXHUB_MFA_REQUIRED=frozenset({"admin", "supervisor"})):
        client = signed_in(user)
        if role == "agent":
            assert open_to(client)
            return
        for path in ("/", "/now", "/queue", "/profile", "/admin/"):
            assert client.get(path, follow=True).redirect_chain[-1][0].startswith("/profile/again"), path
        assert problem_of(client.get("/api/v1/customers?phone=%2B79120000000"))[0] == 401
        _, codes = enrolled(client)
        assert open_to(client)
        assert client.get("/api/v1/customers?phone=%2B79120000000").status_code == 200
        refused = client.post("/profile/factor/off").content.decode()
        assert "Your role is only for people with a second factor." in refused
        other, answer = entered(user)
        assert answer["Location"] == "/login/code"
        assert other.post("/login/code", {"code": codes[0]})["Location"] == "/"


def test_only_what_is_needed_of_allauth_has_an_address(clock: Any) -> None:
    client = signed_in(somebody())
    for path in (
        "signup/",
        "accounts/signup/",
        "password/reset/",
        "email/",
        "2fa/",
        "3rdparty/",
        "login/code/confirm/",
    ):
        for one in (client, Client()):
            assert one.get(f"/{path}").status_code == 404
    from django.urls import NoReverseMatch, reverse

    for name in ("account_signup", "account_reset_password", "account_email", "socialaccount_connections"):
        with pytest.raises(NoReverseMatch):
            reverse(name)


def test_the_policy_of_its_pages_stays_strict(clock: Any) -> None:
    client = signed_in(somebody())
    client.post("/profile/again", {"password": PASSWORD})
    answer = client.get("/profile/factor")
    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "img-src 'self' data:" in policy
    html = answer.content.decode()
    assert " style=" not in html
    assert not re.search(r"<script(?![^>]* src=)", html)
