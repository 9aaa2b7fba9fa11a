"""The walk of docs/identity.md, run to the letter by a shell against a live server."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.db import connections

from channels.draining import drain_all
from customers.models import Interaction, KeepApart
from tests.support import COMMITTED, Api, database_url, everything, shop

pytestmark = [
    *COMMITTED,
    pytest.mark.long,
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("curl"), reason="SKIPPED: no curl; the walk of docs/identity.md was not run"),
]


class Quiet(WSGIRequestHandler):
    """Keeps what it was asked to itself."""

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def living(*works: Any) -> Iterator[None]:
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join(60)


@pytest.fixture
def place(committed: None, tmp_path: Path, root: Path) -> Iterator[Path]:
    """A folder with `var/demo.json`, as whoever runs `make demo` has it."""
    shop("demo")
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.05):
            drain_all(seconds=10)
        connections.close_all()

    with ThreadedWSGIServer(("127.0.0.1", 0), Quiet) as server:
        server.set_app(get_wsgi_application())
        (tmp_path / "var").mkdir()
        keys = {"ingest_key": Api("ingest", source="demo").plain, "write_key": Api("read", "write").plain}
        address = {"url": f"http://127.0.0.1:{server.server_port}"}
        manage = [sys.executable, str(root / "manage.py")]
        (tmp_path / "var" / "demo.json").write_text(json.dumps({**keys, **address, "manage": manage}))
        with living(server.serve_forever, work):
            yield tmp_path
            stop.set()
            server.shutdown()


def blocks(root: Path) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", (root / "docs" / "identity.md").read_text(), re.MULTILINE | re.DOTALL)


def test_the_walk_ends_as_the_page_says(place: Path, root: Path) -> None:
    environment = {**os.environ, "DATABASE_URL": database_url()}
    script = "set -eu\n" + 'echo "=== block"\n'.join(blocks(root))
    done = subprocess.run(
        ["bash", "-c", script], cwd=place, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert not done.stderr
    _, linked, refused, undone, again, *_ = done.stdout.split("=== block\n")
    assert linked.startswith("[]\n[]\n[]\n"), "three contacts, and nothing refused"
    (card,) = json.loads(linked.removeprefix("[]\n[]\n[]\n"))["results"]
    assert (card["counts"], len(card["ids"])) == ({"chat": 3}, 2)
    assert refused.startswith("[]\n[{'reason': 'contradiction', 'identifier': 'email:anna.walk@mail.example'}]\n")
    assert "{'chat': 15}\n" in undone
    assert undone.endswith("Анна Смирнова\n")
    assert again.startswith("[{'reason': 'keep_apart', 'identifier': 'email:anna.walk@mail.example'}]")
    assert "in trouble 0" in again
    assert KeepApart.objects.filter(lifted_at=None).count() == 1
    assert Interaction.objects.count() == 16
    api = everything()
    counts = [api.card(kind, value)["counts"] for kind, value in WHO]
    assert counts == [{"chat": 10}, {"chat": 6}]


WHO = [("phone", "+73433001122"), ("email", "anna.walk@mail.example")]
