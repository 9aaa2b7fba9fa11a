"""Every address × every method × everybody: who is let in, as the table in `tests/matrix.py` has it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import orjson
import pytest
from django.contrib.auth.models import Group, User
from django.test import Client, override_settings

from channels.models import Subscription
from channels.outgoing.subscribing import begin
from customers.access import revoke
from customers.models import ApiKey, Segment
from tests.matrix import EVERYBODY, Row, routes, rows
from tests.support import LONG, Api, everything, problem_of, unique, wipe
from tests.whole_world import World, whole_world

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")
ROLES = {
    "nobody's role": (),
    "masked": ("masked",),
    "masked agent": ("agent", "masked"),
    "agent": ("agent",),
    "supervisor": ("supervisor",),
    "administrator": ("admin",),
}
TABLE = list(rows())
Everybody = dict[str, Client]


def signed_in(name: str, *roles: str) -> Client:
    staff = "admin" in roles
    user = User.objects.create_user(name.replace("'", ""), is_staff=staff, is_superuser=staff)
    user.groups.set([Group.objects.get_or_create(name=role)[0] for role in roles])
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def clients() -> Everybody:
    found: Everybody = {"nobody": Client(raise_request_exception=False)}
    for name, roles in ROLES.items():
        found[name] = signed_in(name, *roles)
    for name in (one.removeprefix("key ") for one in EVERYBODY if one.startswith("key ")):
        scopes = [one if one != "masked" else "read:masked" for one in name.split(", ")]
        found[f"key {name}"] = Api(*scopes, source="shop", safe=True).client  # type: ignore[arg-type]
    revoked, expired = Api("admin", "ingest", safe=True), Api("admin", "ingest", safe=True)
    revoke(revoked.key)
    ApiKey.objects.filter(pk=expired.key.pk).update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    found |= {"a key that was revoked": revoked.client, "a key that expired": expired.client}
    found["an agent who was made inactive"] = signed_in("inactive", "admin")
    User.objects.filter(username="inactive").update(is_active=False)
    assert set(found) == set(EVERYBODY)
    return found


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Made once: nothing here changes it, since what is written has a field that nobody knows."""
    with django_db_blocker.unblock():
        try:
            yield whole_world(everything())
        finally:
            wipe()


@pytest.fixture(scope="module")
def everybody(world: World) -> Everybody:
    return clients()


NUMBERED = ("segment", "identity", "handle", "link", "candidate")


def absent_number(row: Row) -> dict[str, str]:
    return {"number": "99999999" if "<int:number>" in row.route else str(uuid4()), "interaction": str(uuid4())}


def new_segment() -> str:
    return str(Segment.objects.create(name=unique("segment"), filter={"all": []}).pk)


def new_subscription() -> str:
    return str(begin(Subscription(url="https://127.0.0.1/"), "test").pk)


def ask(client: Client, method: str, path: str, params: Any = None) -> Any:
    """What is written has a field that no form and no body has."""
    if method in ("GET", "HEAD"):
        piece = {"HX-Request": "true"} if path.endswith(("/side", "/lines", "/conversation")) else {}
        answer = client.generic(method, path, QUERY_STRING=urlencode(params or {}), headers=piece)
        answer.close()
        return answer
    if path.startswith("/api/"):
        return client.generic(method, path, orjson.dumps({"unheard_of": 1}), content_type="application/json")
    return client.generic(method, path, "unheard_of=1", content_type="application/x-www-form-urlencoded")


def outcome(answer: Any) -> str:
    """One of: let in, absent, told to sign in, refused, and what must not be."""
    if answer.status_code == 302 and answer["Location"].startswith("/login/"):
        return "sign in"
    if answer.status_code == 401:
        assert answer["WWW-Authenticate"].startswith("Bearer")
        return "sign in"
    told = {403: "refused", 404: "absent", 405: "no such method"}
    if answer.status_code in told:
        return told[answer.status_code]
    return "let in" if answer.status_code < 500 else str(answer.status_code)


def expected(row: Row, name: str) -> str:
    if name in row.may:
        return "let in"
    known = name in ROLES or (row.is_api and name.startswith("key "))
    return "refused" if known else "sign in"


def same_class(answer: Any, row: Row) -> None:
    """Answers of the API are problems, and pages are pages, whatever becomes of the request."""
    if row.is_api and answer.status_code >= 400 and answer.request["REQUEST_METHOD"] != "HEAD":
        problem_of(answer)


def test_each_route_has_its_rows_and_each_row_its_route() -> None:
    """New here? Say in `tests/matrix.py` who may come in, and by which methods."""
    real = {route for route, _ in routes()}
    named = {row.route for row in TABLE if "**" not in row.route}
    whole = [row.route.removesuffix("**") for row in TABLE if "**" in row.route]
    assert not named - real
    assert not [route for route in real - named if not route.startswith(tuple(whole))]
    assert not [one for one in whole if not any(route.startswith(one) for route in real)]
    twice = [(row.route, method) for row in TABLE for method in row.methods]
    assert len(twice) == len(set(twice))


def test_everybody_may_something_and_nobody_all() -> None:
    for name in EVERYBODY:
        if name != "nobody":
            assert {name in row.may for row in TABLE} == {True, False}, name


def called(row: Row) -> str:
    return f"{'+'.join(sorted(row.methods))} {row.route}"


TRIED = [row for row in TABLE if "**" not in row.route and row.route != "logout/" and row.may]


@pytest.mark.parametrize("row", TRIED, ids=called)
@override_settings(CXHUB_MASKED_LOOKUPS=10**6)
def test_who_is_let_in(world: World, everybody: Everybody, row: Row) -> None:
    for method in sorted(row.methods):
        for name, client in everybody.items():
            names = {"segment": new_segment(), "subscription": new_subscription()} if method == "DELETE" else {}
            answer = ask(client, method, world.path(row.route, **names), world.params(row.route))
            if row.route == "api/v1/receipts/<str:receipt>" and name == "key ingest":
                assert outcome(answer) == "absent", "another key pushed it"
                continue
            assert outcome(answer) == expected(row, name), (method, name, answer.status_code)
            same_class(answer, row)
            if name in row.may and method == "GET":
                assert answer.status_code in (200, 302), (name, answer.status_code)


@pytest.mark.parametrize("row", [one for one in TRIED if "<" in one.route], ids=called)
@override_settings(CXHUB_MASKED_LOOKUPS=10**6)
def test_what_is_not_there_is_told_to_those_who_may_ask_only(world: World, everybody: Everybody, row: Row) -> None:
    """Whoever is refused is refused alike whether there is such a thing or not."""
    absent = {name: str(uuid4()) for name in world.names} | dict.fromkeys(NUMBERED, "99999999")
    for method in sorted(row.methods):
        for name, client in everybody.items():
            answer = ask(client, method, world.path(row.route, **absent, **absent_number(row)), world.params(row.route))
            if name in row.may:
                assert outcome(answer) in ("absent", "let in"), (method, name)
                assert answer.status_code in (400, 404), (method, name, answer.status_code)
            else:
                assert outcome(answer) == expected(row, name), (method, name)
            same_class(answer, row)


WITHOUT_BODY = {"assign/undo", "share", "unshare", "unblock", "replay", "<uuid:promise>/reopen"}
"""They read nothing of what is sent."""
BY_KEY = [row for row in TRIED if row.is_api and row.may & {"key admin", "key ingest"}]
WRITING = sorted({(row.route, one) for row in BY_KEY for one in row.methods & {"POST", "PUT", "PATCH"}})


@pytest.mark.parametrize(("route", "method"), WRITING)
def test_no_body_sets_what_it_is_not_asked_for(world: World, everybody: Everybody, route: str, method: str) -> None:
    if route.endswith(tuple(WITHOUT_BODY)):
        return
    events = route.endswith("events")
    client, path = everybody["key ingest" if events else "key admin"], world.path(route)
    for name in ("id", "customer_id", "created_by", "is_superuser"):
        answer = client.generic(method, path, orjson.dumps({name: 1}), content_type="application/json")
        if events:
            (receipt,) = answer.json()["receipts"]
            assert receipt["status"] == "rejected"
            found = receipt["problem"]
        else:
            problem_of(answer)
            found = answer.json()
        assert found["code"] in ("invalid_value", "missing_field"), found
        assert found["field"], found


@pytest.mark.parametrize("route", sorted({row.route for row in TABLE if row.methods}))
def test_other_methods_do_nothing(world: World, everybody: Everybody, route: str) -> None:
    allowed = set().union(*(row.methods for row in TABLE if row.route == route))
    if route in ("login/", "logout/"):
        allowed.add("OPTIONS")
    asking = ["nobody", "administrator", "key admin", "key ingest"]
    if not LONG:  # Somebody who may much, and nobody.
        asking = ["nobody", "key admin" if route.startswith("api/") else "administrator"]
    for method in (one for one in METHODS if one not in allowed):
        for name in asking:
            answer = ask(everybody[name], method, world.path(route))
            assert 400 <= answer.status_code < 500 or outcome(answer) == "sign in", (method, name, answer.status_code)


@pytest.mark.long
def test_the_administration_is_the_administrators(world: World, everybody: Everybody) -> None:
    """Every address of it, of every model; a reader of masked identifiers stays out, whatever else he is."""
    seen = 0
    for route, _ in routes():
        if not route.startswith("admin/") or "logout" in route:
            continue
        path = "/" + re.sub(r"<[^>]+>|\(\?P<.*$", "1", route)
        for name in ("administrator", "nobody", "nobody's role", "masked agent", "supervisor", "key admin"):
            client = everybody[name]
            for method in ("GET", "POST"):
                if name == "administrator":
                    answer = ask(client, method, path)
                    assert outcome(answer) not in ("sign in", "500"), (method, path)
                    seen += answer.status_code == 200
                    continue
                wanted = "refused" if name in ROLES else "sign in"
                answer = ask(client, method, path)
                if answer.status_code == 302 and answer["Location"].startswith("/admin/login/"):
                    answer = client.get(answer["Location"])
                assert outcome(answer) == wanted, (method, path, name)
    assert seen > 20
    both = signed_in("both", "admin", "masked")
    assert outcome(both.get("/admin/", follow=True)) == "refused"
