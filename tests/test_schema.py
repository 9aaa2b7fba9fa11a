"""The OpenAPI schema: made without a warning, complete, and true of what the service answers to whatever is sent."""

from collections.abc import Iterator
from copy import deepcopy
from itertools import count
from typing import Any

import pytest
import schemathesis
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation.hypothesis.builder import HypothesisTestConfig, HypothesisTestMode, create_test
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from customers.api.problems import CODES
from cxhub.wsgi import application
from tests.support import LONG, Api, at, event, everything, identifier, push_and_drain, shop

WRITES = ("post", "put", "patch", "delete")
KNOWN = {"customer": "", "receipt": ""}
KEY: dict[str, str] = {}
Operation = APIOperation[Any, Any, Any, Any]
EVENTS = count()
PARTS = 10
"""For several workers to have some."""


@pytest.fixture(scope="module")
def made() -> Any:
    GENERATOR_STATS.reset()
    return SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]


def operations(schema: Any) -> Iterator[tuple[str, str, Any]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_it_is_made_without_a_warning(made: Any) -> None:
    complaints = {**GENERATOR_STATS._error_cache, **GENERATOR_STATS._warn_cache}
    assert not complaints, "\n".join(complaints)
    validate_schema(made)  # type: ignore[no-untyped-call]


def test_it_has_every_address(made: Any) -> None:
    assert {
        ("/api/v1/events", "post"),
        ("/api/v1/receipts/{receipt}", "get"),
        ("/api/v1/deliveries", "get"),
        ("/api/v1/deliveries/{receipt}/replay", "post"),
        ("/api/v1/customers", "get"),
        ("/api/v1/customers/{customer}", "get"),
        ("/api/v1/customers/{customer}/timeline", "get"),
        ("/api/v1/customers/{customer}/changes", "get"),
        ("/api/v1/customers/{customer}/brief", "get"),
        ("/api/v1/customers/{customer}/notes", "post"),
        ("/api/v1/lookup", "get"),
        ("/api/v1/search", "get"),
        ("/api/v1/keys", "post"),
        ("/api/v1/sources", "post"),
    } <= {(path, method) for path, method, _ in operations(made)}


def test_every_operation_is_described(made: Any) -> None:
    for path, method, operation in operations(made):
        assert operation.get("description"), path
        assert operation["security"], path
        for status in ("400", "401", "403", "503"):
            assert "application/problem+json" in operation["responses"][status]["content"], (path, method, status)
    names = [operation["operationId"] for *_, operation in operations(made)]
    assert len(names) == len(set(names))
    assert made["components"]["securitySchemes"]["key"] == {
        "type": "http",
        "scheme": "bearer",
        "description": "The key of an integration.",
    }


def test_every_write_has_an_example(made: Any) -> None:
    for path, method, operation in operations(made):
        if method in WRITES and "requestBody" in operation:
            media = operation["requestBody"]["content"]["application/json"]
            name = media["schema"].get("$ref", "").rpartition("/")[2]
            shape = made["components"]["schemas"].get(name, {})
            assert media.get("examples") or shape.get("example"), path


def test_what_is_checked_in_events_is_in_the_schema(made: Any) -> None:
    shapes = made["components"]["schemas"]
    pushed = next(shape for name, shape in shapes.items() if name.startswith("PushedEvent") and "properties" in shape)
    assert set(pushed["required"]) == {"id", "channel", "kind", "direction", "occurred_at"}
    assert {"customer", "thread", "agent", "attachments", "state", "deleted", "part", "revision", "details"} <= set(
        pushed["properties"]
    )
    assert {"status", "started_at", "answered_at", "ended_at", "duration_s", "talk_s", "legs", "recording"} <= set(
        shapes["Call"]["properties"]
    )
    assert set(shapes["Score"]["properties"]) >= {"metric", "value", "min", "max"}
    assert set(shapes["Order"]["properties"]) >= {"number", "total", "currency"}


def test_problems_have_stable_codes() -> None:
    wanted = "not_json missing_field invalid_value too_large too_many_events unknown_source unauthenticated forbidden"
    wanted += " not_found erased conflict throttled unavailable"
    assert set(wanted.split()) <= set(CODES)


@pytest.mark.filterwarnings("ignore:No directory at")
def test_docs_have_no_outside_asset() -> None:
    page = Client().get("/api/docs/")
    assert page.status_code == 200
    text = page.content.decode()
    for attribute in ("src=", "href="):
        for place in text.split(attribute)[1:]:
            assert (place[1:2] == "/" and place[1:3] != "//") or place[1:6] == "data:", place[:80]
    schema = Client().get("/api/schema/")
    assert schema.status_code == 200
    assert b"openapi: 3." in schema.content


@schemathesis.serializer("application/x-ndjson")
def ndjson(_: object, value: object) -> bytes:
    return str(value).encode("utf-8", "replace")


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]


@pytest.fixture(scope="module")
def inhabited(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A service with somebody in it, and a key that may do all."""
    from tests.support import wipe

    with django_db_blocker.unblock():
        shop()
        api: Api = everything()
        who = [identifier("phone", "+73433443420"), identifier("email", "ada@mail.example")]
        call = {"call": {"status": "completed", "legs": [{"id": 1}]}}
        (receipt, *_) = push_and_drain(
            api,
            event(*who, name="Юлия", text="labas", thread="t", subject="s", agent={"id": "1", "name": "Ona"}),
            event(*who, channel="phone", kind="call", details=call, occurred_at=at(1)),
            event(*who, attachments=[{"name": "a", "url": "https://x.example/a"}], occurred_at=at(2)),
        )
        KNOWN.update(customer=receipt["customer"], receipt=receipt["receipt"])
        KEY.update({"Authorization": f"Bearer {api.plain}", "Accept-Encoding": "identity"})
        try:
            yield
        finally:
            wipe()


def can_be_known(path: str) -> bool:
    """Whether somebody who is there can stand in the address; others need him after an erasure."""
    return not path.endswith("/erase") and any(f"{{{name}}}" in path for name in KNOWN)


@pytest.fixture(scope="module")
def described(made: Any) -> list[Operation]:
    schema: Any = schemathesis.openapi.from_dict(deepcopy(made))
    schema.app = application
    return sorted((one.ok() for one in schema.get_all_operations()), key=lambda one: one.label)


COMMON = settings(
    max_examples=6,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    database=None,
)
BY_CHANCE = [HypothesisTestMode.EXAMPLES, HypothesisTestMode.FUZZING]
EVERY = [*BY_CHANCE, HypothesisTestMode.COVERAGE]


def ask(operation: Operation, modes: list[HypothesisTestMode], test: Any) -> None:
    """As schemathesis does for a test that is parametrized with a schema, but not before the test is run."""
    try:
        create_test(
            operation=operation,
            test_func=test,
            config=HypothesisTestConfig(modes=modes, project=operation.schema.config, settings=COMMON),
        )()
    except BaseException as error:
        error.add_note(operation.label)
        raise


@pytest.mark.usefixtures("inhabited")
@pytest.mark.filterwarnings("ignore:No directory at")
@pytest.mark.parametrize("part", range(PARTS))
def test_answers_are_as_described(described: list[Operation], part: int) -> None:
    @COMMON
    def asked(case: Any) -> None:
        if not LONG and case.path == "/api/v1/events" and next(EVENTS) % 3:
            return  # There are three thousand, most of them a wrong type in one place.
        if can_be_known(case.path):
            given = case.path_parameters or {}
            case.path_parameters = {name: KNOWN.get(name, value) for name, value in given.items()}
        case.call_and_validate(headers=KEY, checks=CHECKS)

    for operation in described[part::PARTS]:
        ask(operation, EVERY, asked)


@pytest.mark.usefixtures("inhabited")
@pytest.mark.filterwarnings("ignore:No directory at")
@pytest.mark.parametrize("part", range(PARTS))
def test_answers_about_nobody_are_as_described(described: list[Operation], part: int) -> None:
    """What is thought of without chance was sent to the same addresses with somebody in them."""

    @COMMON
    def asked(case: Any) -> None:
        case.call_and_validate(headers=KEY, checks=CHECKS)

    for operation in [one for one in described if can_be_known(one.path)][part::PARTS]:
        ask(operation, EVERY if LONG else BY_CHANCE, asked)
