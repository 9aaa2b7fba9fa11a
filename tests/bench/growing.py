"""Figure 1, further: the same pages of a table that has grown, a rare channel among many contacts, a cold cache."""

import random
import time
from collections.abc import Sequence
from statistics import median, quantiles

import orjson

from tests.bench.access import Access
from tests.bench.beside import Beside
from tests.bench.client import Clients, Connection, request
from tests.bench.console import HEAVY, grow
from tests.bench.figures import Figure, syncs
from tests.bench.history import History, Person
from tests.bench.reading import PAGE, choices, page
from tests.bench.servers import Bench

SMALL = 100_000
EQUAL = range(PAGE, 2_001)
"""Contacts of those whose pages are compared: all of them full."""
ASKED = 150
RARE, EACH = "whatsapp", 1_000
MADE_RARE = """
WITH numbered AS (
    SELECT t.id, row_number() OVER (ORDER BY t.sorted_at) AS place
      FROM customers_interaction t JOIN customers_identity i ON i.id = t.identity_id WHERE i.customer_id = %s
)
UPDATE customers_interaction t SET channel = %s FROM numbered WHERE t.id = numbered.id AND numbered.place %% %s = 7
"""


def equal(history: History) -> list[Person]:
    """Customers whose pages are full, and who are no giants: a table of any size has such."""
    some = [person for person in history.people if history.sizes[person.number - 1] in EQUAL]
    return random.Random("equal").sample(some, min(ASKED, len(some)))


def growth(
    bench: Bench, clients: Clients, access: Access, history: History, *, rounds: int, seconds: float
) -> list[Figure]:
    """Milliseconds of a page here, over those of the same page where a small history was loaded."""
    small = min(SMALL, history.scale)
    figure = Figure(
        f"(1) a full page at {history.scale:,} contacts, four at once, over one at {small:,}", "ms", digits=2, most=1.5
    )
    ours, port = [page(person, access) for person in equal(history)], bench.place.port
    with Beside(small) as other:
        clients.run(port, ours)
        clients.run(other.port, other.requests)
        for _ in range(rounds):
            bench.idle()
            floor = clients.run(other.port, other.requests, seconds=seconds)
            found = clients.run(port, ours, seconds=seconds)
            figure.round(median(found.latencies) * 1000, median(floor.latencies) * 1000, syncs(bench.var))
    bench.alive()
    return [figure]


def rare_channel(
    bench: Bench, clients: Clients, access: Access, history: History, *, rounds: int, seconds: float
) -> list[Figure]:
    """One in a thousand contacts of a heavy customer came by this channel; only those are asked for."""
    person, port = history.people[0], bench.place.port
    with bench.connect() as db:
        contacts = grow(db, person, HEAVY if history.scale >= HEAVY else 2 * history.sizes[0])
        changed = db.execute(MADE_RARE, (person.number, RARE, EACH)).rowcount
        db.execute("VACUUM (ANALYZE) customers_interaction")
    key = f"Bearer {access.read}"
    path = f"/api/v1/customers/{person.public_id}/timeline?limit={PAGE}"
    asked = request("GET", f"{path}&channel={RARE}", Authorization=key)
    found = orjson.loads(Connection(port).ask(asked, 200))["results"]
    assert len(found) == min(changed, PAGE), f"{len(found)} of {changed} contacts by {RARE}"
    assert {entry["channel"] for entry in found} == {RARE}
    figure = Figure(
        f"(1) a page of one channel, {changed} of {contacts:,} contacts, over one of all", "ms", digits=2, most=10
    )
    for _ in range(rounds):
        bench.idle()
        floor = clients.run(port, [page(person, access)] * 4, seconds=seconds)
        ours = clients.run(port, [asked] * 4, seconds=seconds)
        figure.round(median(ours.latencies) * 1000, median(floor.latencies) * 1000, syncs(bench.var))
    return [figure]


def cold(bench: Bench, access: Access, history: History, *, rounds: int) -> list[Figure]:
    """PostgreSQL has just started and the kernel holds none of its files; each customer is asked for once."""
    people = list({person.number: person for person in choices(history)["traffic-weighted"]}.values())
    p50, p95 = (
        Figure("(1) a page, nothing in any cache, one at a time, over the same again, p50", "ms", digits=1),
        Figure("the same, p95", "ms", digits=1),
    )
    for _ in range(rounds):
        bench.stop("web")
        bench.restart_cold()
        bench.start("web")
        first, again = (one_by_one(bench.place.port, [page(person, access) for person in people]) for _ in range(2))
        p50.round(median(first), median(again), syncs(bench.var))
        p95.round(quantiles(first, n=20)[-1], quantiles(again, n=20)[-1], p50.syncs[-1])
    return [p50, p95]


def one_by_one(port: int, requests: Sequence[bytes]) -> list[float]:
    """Milliseconds of each answer over one connection."""
    connection, took = Connection(port), []
    for one in requests:
        begun = time.perf_counter()
        connection.ask(one, 200)
        took.append((time.perf_counter() - begun) * 1000)
    connection.close()
    return took
