"""Who may do what: keys that expire and are revoked, scopes that imply each other, agents, and the log of views."""

import io
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection
from django.test import Client

from customers.access import Scope, revoke
from customers.models import ApiKey, CardView
from tests.support import (
    COMMITTED,
    Api,
    event,
    identifier,
    phone,
    problem_of,
    push_and_drain,
)

pytestmark = COMMITTED


GETS = (
    "customers?q=ada",
    "lookup?phone=1",
    "search?q=x",
    "customers/{id}",
    "customers/{id}/timeline",
    "customers/{id}/changes",
)
MATRIX: list[tuple[str, str, Any, str]] = [
    *(("GET", path, None, "read") for path in GETS),
    ("POST", "customers/{id}/notes", {"text": "note"}, "write"),
    ("POST", "keys", {"name": "new", "scopes": ["read"]}, "admin"),
    ("POST", "sources", {"provider": "push", "slug": "made"}, "admin"),
    ("GET", "deliveries", None, "admin"),
    ("POST", "deliveries/{receipt}/replay", {}, "admin"),
    ("POST", "events", {}, "ingest"),
]
IMPLIES = {"read": {"read"}, "write": {"read", "write"}, "admin": {"read", "write", "admin"}, "ingest": {"ingest"}}


@pytest.mark.parametrize(("method", "path", "body", "needed"), MATRIX)
def test_the_lattice_of_scopes(api: Api, method: str, path: str, body: Any, needed: str) -> None:
    (receipt,) = push_and_drain(api, event(identifier("phone", phone())))
    path = path.format(id=receipt["customer"], receipt=receipt["receipt"])
    for scope, implied in IMPLIES.items():
        key = Api(scope, source="shop")  # type: ignore[arg-type]
        answer = key.get(path) if method == "GET" else key.post(path, body)
        if needed in implied:
            assert answer.status_code in (200, 201, 202), (scope, answer.content)
        else:
            assert problem_of(answer)[:2] == (403, "forbidden"), scope
    nobody = Client().generic(method, f"/api/v1/{path}", b"{}", content_type="application/json")
    assert problem_of(nobody)[:2] == (401, "unauthenticated")
    assert nobody.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_key_is_random_and_only_its_hash_is_kept(api: Api) -> None:
    assert len(api.plain) > 40
    key = ApiKey.objects.get()
    assert bytes(key.digest) == sha256(api.plain.encode()).digest()
    assert api.plain.startswith(key.prefix)
    assert len(key.prefix) < 13
    assert api.plain not in str(vars(key))


def test_a_key_expires(api: Api) -> None:
    soon = Api("read", expires_at=datetime.now(UTC) + timedelta(hours=1))
    assert soon.get("customers?q=ada").status_code == 200
    ApiKey.objects.filter(pk=soon.key.pk).update(expires_at=datetime.now(UTC))
    assert problem_of(soon.get("customers?q=ada"))[:2] == (401, "unauthenticated")


def test_a_key_is_revoked_at_once(api: Api) -> None:
    key = Api("read")
    assert key.get("customers?q=ada").status_code == 200
    revoke(key.key)
    assert problem_of(key.get("customers?q=ada"))[:2] == (401, "unauthenticated")


def test_the_last_use_is_noted(api: Api) -> None:
    key = Api("read")
    assert ApiKey.objects.get(pk=key.key.pk).last_used_at is None
    key.get("customers?q=ada")
    used = ApiKey.objects.get(pk=key.key.pk).last_used_at
    assert used
    assert datetime.now(UTC) - used < timedelta(minutes=1)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Basic YTpi",
        "bearer: x",
        "Bearer \u00ff",
        "Bearer " + "x" * 5000,
        "Bearer cx_\x01",
    ],
)
def test_other_headers_are_no_key(api: Api, header: str) -> None:
    answer = Client().get("/api/v1/customers?q=ada", headers={"Authorization": header})
    assert problem_of(answer)[:2] == (401, "unauthenticated")
    lower = Client().get("/api/v1/customers?q=ada", headers={"Authorization": f"bearer  {api.plain}"})
    assert lower.status_code == 200, "the scheme has no case"


def test_keys_are_issued_over_the_api(api: Api) -> None:
    later = "2126-01-01T00:00:00+03:00"
    body = {"name": "crm", "scopes": ["ingest", "read"], "source": "shop", "sources": ["second"], "expires_at": later}
    answer = api.post("keys", body)
    assert answer.status_code == 201
    assert "no-store" in answer.headers["Cache-Control"]
    made = answer.json()
    assert made["key"].startswith(made["prefix"])
    assert (set(made["scopes"]), made["source"], made["sources"]) == ({"ingest", "read"}, "shop", ["second"])
    assert datetime.fromisoformat(made["expires_at"]) == datetime.fromisoformat(later)
    client = Client(headers={"Authorization": f"Bearer {made['key']}"})
    assert client.get("/api/v1/customers?q=ada").status_code == 200
    assert client.post("/api/v1/events", [event()], content_type="application/json").status_code == 202
    assert client.get("/api/v1/deliveries").status_code == 403


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["root"]}, "scopes"),
        ({"scopes": "read"}, "scopes"),
        ({"scopes": None}, "scopes"),
        ({"name": ""}, "name"),
        ({"name": 5}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"expires_at": "2126-01-01T00:00:00"}, "expires_at"),
        ({"expires_at": 1900000000}, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-14:00"}, "expires_at"),
        ({"expires_at": "0000-01-01T00:00:00Z"}, "expires_at"),
        ({"sources": "shop"}, "sources"),
        ({"sources": [5]}, "sources"),
        ({"unheard_of": 1}, "unheard_of"),
    ],
)
def test_bad_keys_are_400(api: Api, fields: dict[str, Any], field: str) -> None:
    status, code, at_fault = problem_of(api.post("keys", {"name": "x", "scopes": ["read"], **fields}))
    assert (status, code) == (400, "invalid_value")
    assert at_fault.startswith(field)
    assert ApiKey.objects.count() == 1


def test_keys_from_the_shell(api: Api) -> None:
    out = io.StringIO()
    call_command("key", "add", "shell", "--scope", "read", "--days", "1", stdout=out)
    plain = out.getvalue().strip()
    client = Client(headers={"Authorization": f"Bearer {plain}"})
    assert client.get("/api/v1/customers?q=ada").status_code == 200
    call_command("key", "revoke", plain[:10], stdout=out)
    assert client.get("/api/v1/customers?q=ada").status_code == 401


def test_sources_are_made_over_the_api(api: Api) -> None:
    answer = api.post(
        "sources",
        {"provider": "push", "slug": "crm", "region": "LT", "trust": "verified", "addresses": ["+37052000001"]},
    )
    assert answer.status_code == 201
    made = answer.json()
    assert set(made) == {"slug", "key", "hook_url", "paste"}
    assert made["slug"] == "crm"
    assert made["key"] in made["hook_url"]
    push_and_drain(api, event(identifier("phone", "8 612 34567", verified=True), source="crm"))
    assert api.card("phone", "+37061234567")["identities"][0]["trust"] == "verified"
    assert problem_of(api.post("sources", {"provider": "push", "slug": "crm"}))[:2] == (409, "conflict")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"provider": "pigeon"}, "provider"),
        ({"provider": None}, "provider"),
        ({"slug": "Not A Slug"}, "slug"),
        ({"slug": ""}, "slug"),
        ({"slug": "x" * 64}, "slug"),
        ({"slug": "a\n"}, "slug"),
        ({"region": "Russia"}, "region"),
        ({"region": "ru"}, "region"),
        ({"trust": "total"}, "trust"),
        ({"addresses": "x"}, "addresses"),
        ({"secrets": {"unheard_of": "x"}}, "secrets"),
        ({"secrets": []}, "secrets"),
        ({"unheard_of": 1}, "unheard_of"),
    ],
)
def test_bad_sources_are_400(api: Api, fields: dict[str, Any], field: str) -> None:
    status, code, at_fault = problem_of(api.post("sources", {"provider": "push", "slug": "fresh", **fields}))
    assert (status, code) == (400, "invalid_value")
    assert at_fault.startswith(field)


def agent(role: str) -> Client:
    user = User.objects.create_user(f"{role or 'nobody'}-{uuid4()}", password="x")
    if role:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    client = Client(enforce_csrf_checks=True)
    client.force_login(user, backend="customers.signin.users.Users")
    return client


def test_agents_read_by_their_role(api: Api) -> None:
    (receipt,) = push_and_drain(api, event(identifier("phone", phone())))
    for role, status in (("agent", 200), ("supervisor", 200), ("admin", 200), ("", 403)):
        client = agent(role)
        assert client.get(f"/api/v1/customers/{receipt['customer']}").status_code == status
        assert client.get("/api/v1/deliveries").status_code == (200 if role == "admin" else 403)
        pushed = client.post("/api/v1/events", [event()], content_type="application/json")
        assert pushed.status_code == 403, "events are pushed with a key"


def test_what_an_agent_changes_needs_the_csrf_token(api: Api) -> None:
    (receipt,) = push_and_drain(api, event(identifier("phone", phone())))
    path = f"/api/v1/customers/{receipt['customer']}/notes"
    client = agent("agent")
    assert problem_of(client.post(path, {"text": "x"}, content_type="application/json"))[:2] == (403, "forbidden")
    client.get("/login/")
    token = client.cookies["csrftoken"].value if "csrftoken" in client.cookies else "x" * 32
    client.cookies["csrftoken"] = token
    answer = client.post(path, {"text": "x"}, content_type="application/json", headers={"X-CSRFToken": token})
    assert answer.status_code == 201


def views() -> list[tuple[str, int]]:
    return sorted(CardView.objects.values_list("viewer", "customer_id"))


def test_every_way_to_see_a_card_is_logged_once_in_five_minutes(api: Api) -> None:
    number = phone()
    (receipt,) = push_and_drain(api, event(identifier("phone", number), name="Ada Lovelace", text="difference engine"))
    id_ = receipt["customer"]
    CardView.objects.all().delete()
    for path in (
        f"customers/{id_}",
        f"customers/{id_}/timeline",
        f"customers?phone={number[1:]}",
        "customers?q=lovelace",
        f"lookup?phone={number[1:]}",
        "search?q=engine",
        f"receipts/{receipt['receipt']}",
    ):
        reader = Api("read")
        for _ in range(3):
            assert reader.get(path).status_code == 200, path
        (row,) = CardView.objects.filter(viewer=f"key:{reader.key.pk}")
        assert path.startswith(row.path.removeprefix("/api/v1/")), path
    before = CardView.objects.count()
    reader = Api("read")
    reader.get(f"customers/{id_}")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_cardview SET period = period - interval '5 minutes'")
    reader.get(f"customers/{id_}")
    assert CardView.objects.count() == before + 2, "and again five minutes later"


def test_what_is_not_seen_is_not_logged(api: Api) -> None:
    reader = Api("read")
    push_and_drain(api, event(identifier("phone", phone())))
    CardView.objects.all().delete()
    reader.get(f"customers/{uuid4()}")
    reader.get("customers?phone=79120000000")
    Api("ingest").get("customers?q=ada")
    assert views() == []


def test_who_viewed_is_told_apart(api: Api) -> None:
    (receipt,) = push_and_drain(api, event(identifier("phone", phone())))
    CardView.objects.all().delete()
    one, other, person = Api("read"), Api("read"), agent("agent")
    for client in (one.client, other.client, person):
        client.get(f"/api/v1/customers/{receipt['customer']}")
    user = User.objects.get()
    assert [viewer for viewer, _ in views()] == sorted([f"key:{one.key.pk}", f"key:{other.key.pk}", f"user:{user.pk}"])


@pytest.mark.parametrize("path", ["nothing", "customers/", "events/1", "v2"])
def test_unknown_addresses_are_problems_too(api: Api, path: str) -> None:
    assert problem_of(api.get(path))[:2] == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "customers"), ("PUT", "events"), ("PATCH", "keys"), ("GET", "keys")]
)
def test_other_methods_are_405(api: Api, method: str, path: str) -> None:
    answer = api.client.generic(method, f"/api/v1/{path}")
    assert problem_of(answer)[0] == 405
    assert answer.headers["Allow"]


def test_health_needs_no_key_and_no_database(committed: None) -> None:
    from tests.support import database_away

    with database_away():
        assert Client().get("/healthz").status_code == 200
        assert problem_of(Client().get("/api/v1/customers?q=x", headers={"Authorization": "Bearer x"}))[0] == 503


def scopes_of(*scopes: Scope) -> Api:
    return Api(*scopes, source="shop")


def test_ingest_stands_apart(api: Api) -> None:
    both = scopes_of("ingest", "read")
    assert both.post("events", [event()]).status_code == 202
    assert both.get("customers?q=ada").status_code == 200
    assert scopes_of("admin").post("events", [event()]).status_code == 403
