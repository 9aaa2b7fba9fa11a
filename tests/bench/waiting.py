"""Figure 3: how long one push takes until an agent sees it, while others keep coming."""

import time
from datetime import UTC, datetime
from statistics import median, quantiles
from uuid import UUID

from customers.incoming import line_id
from tests.bench.access import Access
from tests.bench.client import Clients, Connection
from tests.bench.figures import Figure, syncs
from tests.bench.history import SOURCE_ID
from tests.bench.loading import counts
from tests.bench.pushing import drained
from tests.bench.reading import page
from tests.bench.servers import Bench
from tests.bench.stream import Event, Stream, pushes

PAUSE = 0.003
PATIENCE = 60


def measure(
    bench: Bench, clients: Clients, access: Access, stream: Stream, *, rate: float, rounds: int, seconds: float
) -> list[Figure]:
    """The median and the 95th percentile of each round, in milliseconds, at `rate` single pushes a second."""
    p50 = Figure(f"(3) one push until its timeline shows it, p50, at {rate:.0f} pushes/s", "ms", digits=1)
    p95 = Figure("the same, p95", "ms", digits=1)
    kept = Figure("the same, pushes/s that were kept", "pushes/s")
    with bench.connect() as db:
        for _ in range(rounds):
            bench.idle()
            before = counts(db, "customers_interaction")["customers_interaction"]
            others = stream.events(max(int(rate * seconds), 1), only="known")
            background = clients.pace(bench.place.port, pushes(others, access, 1), status=202, rate=rate)
            took = []
            while not all(one.done() for one in background):
                took.append(until_visible(bench, access, stream.event("known")))
            drained(db)
            after = counts(db, "customers_interaction")["customers_interaction"]
            assert after - before == len(others) + len(took), f"{after - before} lines for {len(others) + len(took)}"
            disk = syncs(bench.var)
            for figure, value in (
                (p50, median(took) * 1000),
                (p95, (quantiles(took, n=20)[-1] if len(took) > 1 else took[0]) * 1000),
                (kept, sum(one.result() for one in background)),
            ):
                figure.ours.append(value)
                figure.syncs.append(disk)
    bench.alive()
    return [p50, p95, kept]


def until_visible(bench: Bench, access: Access, event: Event) -> float:
    """Seconds from sending the push until a page of the customer's timeline has the line."""
    connection = Connection(bench.place.port)
    event.said["occurred_at"] = datetime.now(UTC).isoformat()  # the newest, so that nothing hides it
    (push,) = pushes([event], access, 1)
    wanted, look = line_id(SOURCE_ID, event.key), page(event.person, access, limit=20)
    begun = time.perf_counter()
    connection.ask(push, 202)
    while not shows(connection, look, wanted):
        assert time.perf_counter() - begun < PATIENCE, f"not visible after {PATIENCE} s: {event.said}"
        time.sleep(PAUSE)
    connection.close()
    return time.perf_counter() - begun


def shows(connection: Connection, look: bytes, line: UUID) -> bool:
    return str(line).encode() in connection.ask(look, 200)
