"""Figure 1: a page of the timeline over a bare view that sends the same page."""

import random
from collections.abc import Sequence

import orjson

from tests.bench.access import Access
from tests.bench.client import Clients, Connection, request
from tests.bench.figures import Figure, syncs
from tests.bench.history import History, Person
from tests.bench.servers import Bench

PAGE = 50
MIXED, HEAVIEST = 400, 10
BAR = 0.6


def choices(history: History) -> dict[str, list[Person]]:
    """Customers as they are met in traffic, and the heaviest apart."""
    rng = random.Random("readers")
    some = rng.choices(history.traffic, k=min(MIXED, len(history.people)))
    mixed = [history.people[place] for place in some]
    return {"traffic-weighted": mixed, "the heaviest": history.people[:HEAVIEST]}


def page(person: Person, access: Access, limit: int = PAGE) -> bytes:
    path = f"/api/v1/customers/{person.public_id}/timeline?limit={limit}"
    return request("GET", path, Authorization=f"Bearer {access.read}")


def measure(
    bench: Bench, clients: Clients, access: Access, history: History, *, rounds: int, seconds: float
) -> list[Figure]:
    bare_port, port = bench.start_bare(), bench.place.port
    found = []
    for words, people in choices(history).items():
        figure = Figure(f"(1) GET timeline, {PAGE} entries, {words}, over a bare view", "requests/s", BAR)
        ours = [page(person, access) for person in people]
        floor = [request("GET", f"/page/{person.public_id}") for person in people]
        same_pages(bare_port, floor, port, ours, [min(PAGE, history.sizes[person.number - 1]) for person in people])
        clients.run(bare_port, floor, seconds=seconds / 2)
        clients.run(port, ours, seconds=seconds / 2)
        for _ in range(rounds):
            bench.idle()
            bare = clients.run(bare_port, floor, seconds=seconds).rate
            figure.round(clients.run(port, ours, seconds=seconds).rate, bare, syncs(bench.var))
        found.append(figure)
    seen = {person.number for people in choices(history).values() for person in people}
    views = bench.count("SELECT count(DISTINCT customer_id) FROM customers_cardview")
    assert views == len(seen), f"{views} customers are in the log of views, {len(seen)} were viewed"
    bench.alive()
    bench.stop("bare")
    return found


def same_pages(
    bare_port: int, floor: Sequence[bytes], port: int, ours: Sequence[bytes], entries: Sequence[int]
) -> None:
    """Both send the same entries, as many as there are."""
    one, other = Connection(bare_port), Connection(port)
    for ask_bare, ask_ours, count in zip(floor, ours, entries, strict=True):
        bare = orjson.loads(one.ask(ask_bare, 200))["results"]
        assert len(bare) == count, f"{len(bare)} entries, wanted {count}"
        assert bare == orjson.loads(other.ask(ask_ours, 200))["results"], ask_ours
    one.close()
    other.close()
