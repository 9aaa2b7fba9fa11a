"""What each answer says to browsers, over every address: policy, caching, origins."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client, override_settings

from tests.matrix import rows
from tests.support import Api, everything, wipe
from tests.test_matrix import signed_in
from tests.whole_world import World, whole_world

TABLE = [row for row in rows() if "**" not in row.route]
FRAMED = {"customers/<customer>/lines/<interaction>/letter"}
"""Shown in a frame of our own pages, without a right of their own."""


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with django_db_blocker.unblock():
        try:
            yield whole_world(everything())
        finally:
            wipe()


def answers(world: World, route: str) -> Iterator[tuple[str, Any]]:
    """What an administrator, a key and nobody hear; on `/api/` both ways in."""
    path, params = world.path(route), world.params(route)
    key = Api("admin", "ingest", source="shop", safe=True).client
    for name, client in (("nobody", Client()), ("administrator", ADMINISTRATOR[0]), ("key", key)):
        for method in ("get", "post", "delete"):
            if route == "logout/" and name == "administrator":
                continue
            client.raise_request_exception = False
            given = params if method == "get" else b"{}"
            more = {} if method == "get" else {"content_type": "application/json"}
            answer = getattr(client, method)(path, given, secure=True, **more)
            if answer.streaming:
                b"".join(answer)
            answer.close()
            yield f"{name} {method} {answer.status_code}", answer


ADMINISTRATOR: list[Client] = []


@pytest.fixture(scope="module", autouse=True)
def administrator(world: World) -> Iterator[None]:
    ADMINISTRATOR.append(signed_in("head", "admin"))
    yield
    ADMINISTRATOR.clear()


@pytest.mark.parametrize("route", sorted({row.route for row in TABLE}))
@override_settings(CXHUB_METRICS_TOKEN="x" * 32, SECURE_HSTS_SECONDS=31_536_000)
def test_each_answer_says_whom_it_is_for(world: World, route: str) -> None:
    for name, answer in answers(world, route):
        said = answer.headers
        policy = said["Content-Security-Policy"]
        assert "default-src 'none'" in policy, name
        assert route in FRAMED or "unsafe" not in policy, (name, policy)
        if "sandbox" not in policy:
            for part in ("frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"):
                assert part in policy or route in FRAMED, (name, policy)
        assert said["X-Content-Type-Options"] == "nosniff", name
        assert said["X-Frame-Options"] in ("DENY", *(["SAMEORIGIN"] if route in FRAMED else [])), name
        assert said["Referrer-Policy"] in ("same-origin", "no-referrer"), name
        assert said["Cross-Origin-Opener-Policy"] == "same-origin", name
        assert said["Cross-Origin-Resource-Policy"] == "same-origin", name
        assert "camera=()" in said["Permissions-Policy"], name
        assert "max-age=31536000" in said["Strict-Transport-Security"], name
        assert "no-store" in said["Cache-Control"], (name, said["Cache-Control"])
        assert "public" not in said["Cache-Control"], name
        assert "Server" not in said
        assert "X-Powered-By" not in said
        assert "Access-Control-Allow-Origin" not in said, name
