"""Figure 9: beside django-helpdesk, with the same customers and texts, on the same PostgreSQL and web server."""

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import mean
from typing import Any
from urllib.parse import urlencode

import orjson
import psycopg

from cxhub.ports import free_port
from tests.bench.access import Access
from tests.bench.client import Clients, Connection, request
from tests.bench.figures import Figure, syncs
from tests.bench.history import History
from tests.bench.loading import counts
from tests.bench.pushing import drained
from tests.bench.reading import page
from tests.bench.servers import Bench, Database
from tests.bench.stream import Stream, pushes

CUSTOMERS, CONTACTS = 2_000, range(10, 51)
THREAD = 5
"""Contacts that make one ticket."""
ASKED, TAKEN, WHOLE = 40, 400, 200
HERE = Path(__file__).resolve().parent
TEXTS = """
SELECT i.customer_id, t.text FROM customers_interaction t JOIN customers_identity i ON i.id = t.identity_id
 WHERE i.customer_id = ANY (%s) ORDER BY i.customer_id, t.sorted_at
"""


@dataclass(frozen=True, slots=True)
class Helpdesk:
    """It runs, and has the customers."""

    port: int
    cookie: str
    csrf: str
    tickets: dict[str, list[int]]
    version: str


def whose(history: History) -> list[int]:
    """Customers whose whole history one page shows."""
    return [number for number, size in enumerate(history.sizes, start=1) if size in CONTACTS][:CUSTOMERS]


def address(number: int) -> str:
    return f"client{number}@example.org"


def said(db: Database, numbers: list[int]) -> Iterator[bytes]:
    rows = db.execute(TEXTS, (numbers,)).fetchall()
    for number, lines in groupby(rows, key=lambda row: row[0]):
        texts = [text for _, text in lines]
        parts = [texts[at : at + THREAD] for at in range(0, len(texts), THREAD)]
        threads = [{"subject": part[0][:80], "messages": part} for part in parts]
        yield orjson.dumps({"email": address(number), "threads": threads})


def run(bench: Bench, history: History) -> Helpdesk:
    """Fetch it into an environment of its own, load it, start it with as many web processes as ours."""
    python = bench.var / "helpdesk" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(python.parent.parent)], check=True)
    install = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--require-hashes"]
    subprocess.run([*install, "-r", str(HERE / "helpdesk" / "requirements.txt")], check=True)
    with psycopg.connect(bench.servers.database_url, autocommit=True) as db:
        db.execute("CREATE DATABASE helpdesk")
        texts = b"\n".join(said(db, whose(history)))
    url = bench.servers.database_url.replace("/cxhub?", "/helpdesk?")
    if url == bench.servers.database_url:
        url = url.rsplit("/", 1)[0] + "/helpdesk"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CXHUB_", "DJANGO_"))}
    environment |= {"HELPDESK_DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.bench.helpdesk.settings"}
    root = bench.place.root
    loaded = subprocess.run(
        [str(python), "-m", "tests.bench.helpdesk.load"],
        input=texts,
        capture_output=True,
        cwd=root,
        env=environment,
        check=False,
    )
    assert loaded.returncode == 0, loaded.stderr.decode()[-2000:]
    told = json.loads(loaded.stdout.splitlines()[-1])
    port = free_port()
    web = [str(python), "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    bench.run("helpdesk", [*web, "--workers", "2", "tests.bench.helpdesk.wsgi:application"], environment)
    version = subprocess.run(
        [str(python), "-c", "from importlib.metadata import version; print(version('django-helpdesk'))"],
        capture_output=True,
        check=True,
    )
    there = Helpdesk(port, told["cookie"], told["csrf"], told["tickets"], version.stdout.decode().strip())
    ask, deadline = asked(there, "/tickets/"), time.monotonic() + 60
    while True:
        try:
            Connection(port).ask(ask, 200)
        except OSError:
            assert time.monotonic() < deadline, "django-helpdesk does not serve"
            time.sleep(0.2)
        else:
            return there


def asked(there: Helpdesk, path: str, **headers: str) -> bytes:
    return request("GET", path, b"", Cookie=there.cookie, **headers)


def found(there: Helpdesk, email: str) -> bytes:
    """What its list of tickets asks for when an agent types an address into its search."""
    query = base64.b64encode(json.dumps({"search_string": email, "sorting": "created"}).encode()).decode()
    return asked(there, f"/datatables_ticket_list/{query}?{urlencode({'draw': 1, 'start': 0, 'length': 25})}")


def measure(
    bench: Bench, clients: Clients, access: Access, history: History, stream: Stream, *, rounds: int, seconds: float
) -> list[Figure]:
    there = run(bench, history)
    numbers = whose(history)[:: max(len(whose(history)) // ASKED, 1)][:ASKED]
    contacts = sum(history.sizes[number - 1] for number in whose(history))
    name = f"django-helpdesk {there.version}"
    reads = Figure(
        f"(9) histories with text, cxhub with {history.scale:,} contacts over {name} with {contacts:,}",
        "histories/s",
        digits=1,
    )
    takes = Figure(f"(9) messages taken, one a request, cxhub until visible over {name} until answered", "messages/s")
    searches = [found(there, address(number)) for number in numbers]
    pages = [asked(there, f"/tickets/{one}/") for number in numbers for one in there.tickets[address(number)]]
    each = mean(len(there.tickets[address(number)]) for number in numbers)
    same(bench, there, access, history, numbers)
    replies = [reply(there, tickets[0]) for tickets in list(there.tickets.values())[:TAKEN]]
    with bench.connect() as db:
        for _ in range(rounds):
            bench.idle()
            people = [history.people[number - 1] for number in numbers]
            ours = clients.run(bench.place.port, [page(one, access, WHOLE) for one in people], seconds=seconds).rate
            # A search, and then each ticket that it finds: the rates of both, put together.
            search = clients.run(there.port, searches, seconds=seconds).rate
            ticket = clients.run(there.port, pages, seconds=seconds).rate
            reads.round(ours, 1 / (1 / search + each / ticket), syncs(bench.var))
            before = counts(db, "customers_interaction")["customers_interaction"]
            events = stream.events(TAKEN, only="known")
            begun = time.perf_counter()
            clients.run(bench.place.port, pushes(events, access, 1), status=202)
            drained(db)
            taken = TAKEN / (time.perf_counter() - begun)
            assert counts(db, "customers_interaction")["customers_interaction"] == before + TAKEN
            theirs = clients.run(there.port, replies, status=201)
            takes.round(taken, theirs.rate, syncs(bench.var))
    bench.alive()
    bench.stop("helpdesk")
    return [reads, takes]


def reply(there: Helpdesk, ticket: int) -> bytes:
    body: dict[str, Any] = {"ticket": ticket, "user": None, "title": "Reply", "comment": "Добрый день. " * 25}
    return request(
        "POST",
        "/api/followups/",
        orjson.dumps(body),
        Cookie=there.cookie,
        X_CSRFToken=there.csrf,
        Content_Type="application/json",
    )


def same(bench: Bench, there: Helpdesk, access: Access, history: History, numbers: list[int]) -> None:
    """Both show as many contacts of one customer, and the same words of his."""
    number = numbers[0]
    ours = orjson.loads(Connection(bench.place.port).ask(page(history.people[number - 1], access, WHOLE), 200))[
        "results"
    ]
    rows = orjson.loads(Connection(there.port).ask(found(there, address(number)), 200))
    tickets = there.tickets[address(number)]
    assert {row["id"] for row in rows["data"]} == set(tickets), rows
    shown = b"".join(Connection(there.port).ask(asked(there, f"/tickets/{one}/"), 200) for one in tickets).decode()
    assert len(ours) >= history.sizes[number - 1]
    for entry in ours:
        assert entry["text"][:40].split(". ")[0] in shown, entry["text"]
