"""The rules of an agent's session: its cookie, its end, and that nobody else's page can use it."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from customers.models import Session
from customers.pruning import prune
from tests.matrix import Row, rows
from tests.support import COMMITTED, Api, event, everything, identifier, phone, problem_of, push_and_drain, shop

pytestmark = COMMITTED
PASSWORD = "correct horse battery"
POSTED = [row for row in rows() if row.methods & {"POST", "PUT", "PATCH", "DELETE"} and "hooks" not in row.route]
NOWHERE = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
def ann(committed: None) -> User:
    user = User.objects.create_user("ann", password=PASSWORD)
    user.groups.add(Group.objects.get_or_create(name="admin")[0])
    return user


def token(client: Client, path: str = "/login/") -> str:
    client.get(path, secure=True)
    return client.cookies["csrftoken"].value


def sign_in(client: Client, password: str = PASSWORD, **more: Any) -> Any:
    said = {"username": "ann", "password": password, "csrfmiddlewaretoken": token(client)}
    return client.post("/login/", said | more, secure=True, headers={"Referer": "https://testserver/login/"})


def strict() -> Client:
    return Client(enforce_csrf_checks=True)


def address(row: Row) -> str:
    path = row.route
    for name in ("<int:number>", "<int:segment>"):
        path = path.replace(name, "1")
    while "<" in path:
        path = path[: path.index("<")] + NOWHERE + path[path.index(">") + 1 :]
    return f"/{path}"


def test_cookies(ann: User, settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    client = strict()
    assert sign_in(client).status_code == 302
    session, csrf = client.cookies["sessionid"], client.cookies["csrftoken"]
    assert (session["httponly"], session["secure"], session["samesite"]) == (True, True, "Lax")
    assert (csrf["secure"], csrf["samesite"]) == (True, "Lax")
    assert not session["domain"]


def test_https_turns_the_flags_on() -> None:
    from cxhub import settings as ours

    assert (ours.SESSION_COOKIE_SECURE, ours.CSRF_COOKIE_SECURE) == (ours.HTTPS, ours.HTTPS)


def test_a_session_begins_anew_at_login_and_ends_at_logout(ann: User) -> None:
    client = strict()
    client.get("/login/")
    planted = "z" * 32
    client.cookies["sessionid"] = planted
    before = token(client)
    sign_in(client)
    mine = client.cookies["sessionid"].value
    assert mine not in ("", planted)
    assert client.cookies["csrftoken"].value != before
    assert client.get("/profile").status_code == 200
    assert client.get("/logout/").status_code == 405, "a link or a picture ends nobody's work"
    assert client.get("/profile").status_code == 200
    assert client.post("/logout/").status_code == 403, "nor does another site's form"
    assert client.get("/profile").status_code == 200
    headers = {"X-CSRFToken": token(client, "/profile")}
    assert client.post("/logout/", headers=headers).status_code == 302
    assert not Session.objects.filter(session_key=mine).exists()
    stolen = Client()
    stolen.cookies["sessionid"] = mine
    assert stolen.get("/profile").status_code == 302


def test_a_new_password_and_an_inactive_user_end_every_session(ann: User) -> None:
    one, other = strict(), strict()
    sign_in(one)
    sign_in(other)
    assert other.get("/profile").status_code == 200
    ann.set_password("another horse battery")
    ann.save()
    assert other.get("/profile").status_code == 302
    sign_in(one, "another horse battery")
    assert one.get("/profile").status_code == 200
    User.objects.update(is_active=False)
    assert one.get("/profile").status_code == 302
    assert problem_of(one.get("/api/v1/customers", {"q": "x"}))[0] == 401


def test_a_session_is_its_users_whatever_its_row_says(ann: User) -> None:
    """The column is for speed: what was signed into the data decides, and a row of before has no user at all."""
    client, other = strict(), User.objects.create_user("eve", password=PASSWORD)
    sign_in(client)
    mine = client.cookies["sessionid"].value
    assert Session.objects.get(session_key=mine).user_id == ann.pk
    for user_id in (other.pk, None, 2**40, ann.pk):
        Session.objects.filter(session_key=mine).update(user_id=user_id)
        assert client.get("/profile").wsgi_request.user == ann
    Session.objects.filter(session_key=mine).update(expire_date=timezone.now())
    assert client.get("/profile").status_code == 302
    assert prune()["customers_session"] == 1
    assert not Session.objects.filter(session_key=mine).exists()


def test_whoever_was_deleted_is_signed_out(ann: User) -> None:
    client = strict()
    sign_in(client)
    ann.delete()
    assert client.get("/profile").status_code == 302


@pytest.mark.parametrize("backends", [["axes.backends.AxesStandaloneBackend"], []])
def test_a_way_to_sign_in_that_is_closed_lets_nobody_in(ann: User, settings: Any, backends: list[str]) -> None:
    client = strict()
    sign_in(client)
    settings.AUTHENTICATION_BACKENDS = [*backends, "django.contrib.auth.backends.ModelBackend"]
    assert client.get("/profile").status_code == 302


@pytest.mark.parametrize("target", ["https://spy.example/", "//spy.example", "/\\spy.example", "javascript:alert(1)"])
def test_login_leads_to_our_own_pages_only(ann: User, target: str) -> None:
    answer = sign_in(strict(), next=target)
    assert answer.status_code == 302
    assert "spy" not in answer["Location"]
    assert "script" not in answer["Location"]


def test_whatever_writes_needs_the_token(ann: User) -> None:
    """Every address that takes more than GET, in the console and, with a session, in the API."""
    client = strict()
    client.force_login(ann, backend="customers.signin.users.Users")
    for row in POSTED:
        for method in sorted(row.methods & {"POST", "PUT", "PATCH", "DELETE"}):
            path = address(row)
            answer = client.generic(method, path, b"{}", content_type="application/json")
            assert answer.status_code == 403, (method, path, answer.status_code)
            if row.is_api:
                assert problem_of(answer)[1] == "forbidden"
    assert len(POSTED) > 40


def test_another_sites_request_is_refused_though_it_has_the_token(ann: User) -> None:
    client = strict()
    sign_in(client)
    headers = {"X-CSRFToken": token(client, "/profile")}
    for foreign in ({"Origin": "https://spy.example"}, {"Referer": "https://spy.example/profile"}, {"Origin": "null"}):
        answer = client.post("/profile", {"language": "lt"}, secure=True, headers={**headers, **foreign})
        assert answer.status_code == 403, foreign
    ours = {**headers, "Origin": "https://testserver"}
    assert client.post("/profile", {"language": "lt"}, secure=True, headers=ours).status_code == 302


def test_a_key_needs_no_token_and_a_session_helps_no_key(committed: None, ann: User) -> None:
    shop()
    api = everything()
    (receipt,) = push_and_drain(api, event(identifier("phone", phone())))
    path = f"/api/v1/customers/{receipt['customer']}/notes"
    client = strict()
    client.force_login(ann, backend="customers.signin.users.Users")
    key = {"Authorization": f"Bearer {Api('read').plain}"}
    refused = client.post(path, {"text": "x"}, content_type="application/json", headers=key)
    assert problem_of(refused)[:2] == (403, "forbidden"), "the key counts, not the session beside it"
    writing = {"Authorization": f"Bearer {Api('write').plain}"}
    assert strict().post(path, {"text": "x"}, content_type="application/json", headers=writing).status_code == 201


def test_no_other_origin_reads_the_api(committed: None) -> None:
    asked = {"Origin": "https://spy.example", "Access-Control-Request-Method": "POST"}
    answer = Client().options("/api/v1/customers", headers=asked)
    assert not [name for name in answer.headers if name.startswith("Access-Control")]
