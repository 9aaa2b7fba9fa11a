"""Processes of their own for the races: each reads commands as lines of JSON and answers each with one.

`python -m tests.racing 5,6 7,8` starts two that read from 5 and 7 and write to 6 and 8. They are forks of one
process that has loaded everything and connected nowhere: eight interpreters take 20 s to start on a small machine.
"""

import json
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import django


def push(key: str, events: list[Any]) -> list[str]:
    from django.test import Client

    client = Client(headers={"Authorization": f"Bearer {key}"}, SERVER_NAME="localhost")
    answer = client.post("/api/v1/events", events, content_type="application/json")
    assert answer.status_code == 202, answer.content
    return [receipt["status"] for receipt in answer.json()["receipts"]]


def get(key: str, path: str) -> list[Any]:
    """Status and text of an answer, however long it is."""
    from django.test import Client

    answer = Client(headers={"Authorization": f"Bearer {key}"}, SERVER_NAME="localhost").get(f"/api/v1/{path}")
    text = b"".join(answer) if answer.streaming else answer.content
    return [answer.status_code, text.decode()]


def drain(seconds: float) -> int:
    from channels.draining import drain_all

    return drain_all(seconds=seconds)


def push_and_drain(key: str, events: list[Any]) -> list[str]:
    """One by one, so that the drains of all processes meet."""
    said = []
    for event in events:
        said += push(key, [event])
        drain(5)
    return said


COMMANDS: dict[str, Callable[..., Any]] = {"push": push, "get": get, "drain": drain, "push_and_drain": push_and_drain}


def serve(heard: int, said: int) -> None:
    with os.fdopen(heard) as commands, os.fdopen(said, "w") as answers:
        print(json.dumps("ready"), file=answers, flush=True)
        for line in commands:
            command = json.loads(line)
            try:
                answer: Any = COMMANDS[command.pop("do")](**command)
            except Exception as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), file=answers, flush=True)


def main(pairs: list[str]) -> None:
    django.setup()
    from customers import phones

    for name in ("channels.draining", "cxhub.urls"):
        import_module(name)
    assert phones.read("+73433443420")
    for pair in pairs:
        if not os.fork():
            heard, said = map(int, pair.split(","))
            serve(heard, said)
            os._exit(0)
    for _ in pairs:
        os.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
