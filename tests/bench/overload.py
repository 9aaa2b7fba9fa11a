"""Figure 3, further: what agents feel while twice as much comes in as can be worked off; all of it arrives."""

import random
import time
from collections import Counter
from concurrent.futures import Future
from statistics import median, quantiles

from tests.bench.access import Access
from tests.bench.client import Clients, Connection
from tests.bench.figures import Figure, syncs
from tests.bench.history import History
from tests.bench.loading import counts
from tests.bench.pushing import BATCH, GROWING, drained, expect
from tests.bench.reading import choices, page
from tests.bench.servers import Bench
from tests.bench.stream import Stream, pushes

PAUSE = 0.01
AT_LEAST = 20


def measure(
    bench: Bench, clients: Clients, access: Access, stream: Stream, *, rate: float, rounds: int, seconds: float
) -> list[Figure]:
    """One agent reads, page after page: at rest, while `rate` events a second come in, and twice as many."""
    twice = Figure(
        f"(3) a page while {2 * rate:,.0f} events/s come in, over while {rate:,.0f}, p50",
        "ms",
        most=2,
        digits=1,
    )
    late = Figure("the same, p95", "ms", digits=1)
    rest = Figure("the same over reading at rest, p50", "ms", digits=1)
    kept = Figure("the same: events/s that were accepted meanwhile, each with 202", "events/s")
    with bench.connect() as db:
        for _ in range(rounds):
            bench.idle()
            before, sorts = counts(db, *GROWING), Counter(stream.sorts)
            calm = reading(bench, access, stream.history, time.perf_counter() + seconds, [])
            full, _ = under(bench, clients, access, stream, rate=rate, seconds=2 * seconds)
            drained(db)
            over, accepted = under(bench, clients, access, stream, rate=2 * rate, seconds=2 * seconds)
            drained(db)
            expect(db, before, stream.sorts - sorts)
            disk = syncs(bench.var)
            twice.round(median(over), median(full), disk)
            late.round(quantiles(over, n=20)[-1], quantiles(full, n=20)[-1], disk)
            rest.round(median(over), median(calm), disk)
            kept.ours.append(accepted)
            kept.syncs.append(disk)
    bench.alive()
    return [twice, late, rest, kept]


def under(
    bench: Bench, clients: Clients, access: Access, stream: Stream, *, rate: float, seconds: float
) -> tuple[list[float], float]:
    """Milliseconds of each page meanwhile, and the events a second that were accepted."""
    events = stream.events(max(int(rate * seconds) // BATCH, 2) * BATCH)
    pushing = clients.pace(bench.place.port, pushes(events, access, BATCH), status=202, rate=rate / BATCH)
    took = reading(bench, access, stream.history, 0, pushing)
    return took, sum(one.result() for one in pushing) * BATCH


def reading(bench: Bench, access: Access, history: History, end: float, meanwhile: list[Future[float]]) -> list[float]:
    people, connection = choices(history)["traffic-weighted"], Connection(bench.place.port)
    took: list[float] = []
    rng = random.Random("agent")
    while len(took) < AT_LEAST or time.perf_counter() < end or not all(one.done() for one in meanwhile):
        ask = page(rng.choice(people), access)
        begun = time.perf_counter()
        connection.ask(ask, 200)
        took.append((time.perf_counter() - begun) * 1000)
        time.sleep(PAUSE)
    connection.close()
    return took
