"""One stack for all cases, and a sender for each."""

from collections.abc import Iterator

import pytest

from tests.faults.sender import Sender
from tests.faults.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with Stack() as stack:
        stack.manage("source", "add", "push", "till")
        yield stack


@pytest.fixture(scope="session")
def key(stack: Stack) -> str:
    return stack.manage("key", "add", "till", "--scope", "ingest", "--scope", "read", "--source", "till").strip()


@pytest.fixture
def sender(stack: Stack, key: str, request: pytest.FixtureRequest) -> Sender:
    return sender_of(stack, key, request)


def sender_of(stack: Stack, key: str, request: pytest.FixtureRequest) -> Sender:
    stack.wait_until(stack.place.serves, "web does not serve")
    name = f"{request.path.stem}-{request.node.name}".replace("test_", "").replace("_", "-")
    return Sender(stack.place.url, key, name, folder=stack.var)
