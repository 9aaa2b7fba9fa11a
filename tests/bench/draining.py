"""Figure 2, further: two workers over one, and whether a worker's memory stays flat."""

import multiprocessing
import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from tests.bench.access import Access
from tests.bench.client import Clients
from tests.bench.drainer import ready, work_off
from tests.bench.figures import Figure, syncs
from tests.bench.loading import counts
from tests.bench.pushing import BATCH, GROWING, drained, expect
from tests.bench.servers import Bench
from tests.bench.stream import Stream, pushes

ENOUGH_CORES = 4
"""Two workers, their two PostgreSQL processes: with fewer cores they share what one worker had for itself."""


def measure(
    bench: Bench, clients: Clients, access: Access, stream: Stream, *, rounds: int, batches: int
) -> list[Figure]:
    """Batches are accepted with nobody to drain them; then one process does, or two."""
    cores = os.cpu_count() or 1
    bar = 1.5 if cores >= ENOUGH_CORES else None
    two = Figure(f"(2) events worked off by two workers, over one ({cores} cores)", "events/s", bar)
    memory = Figure("(2) greatest memory of a worker at the end, over after its first round", "MiB", most=1.25)
    context = multiprocessing.get_context("spawn")
    with bench.connect() as db, ProcessPoolExecutor(2, context, ready) as pool:
        for future in [pool.submit(work_off) for _ in range(2)]:
            future.result()
        first = 0.0
        for round_ in range(rounds + 1):
            rates = {}
            for workers in (1, 2):
                before, sorts = counts(db, *GROWING), Counter(stream.sorts)
                events = stream.events(batches * BATCH)
                clients.run(bench.place.port, pushes(events, access, BATCH), status=202)
                bench.idle()
                begun = time.perf_counter()
                waiting = [pool.submit(work_off) for _ in range(workers)]
                most = max(future.result()[1] for future in waiting)
                drained(db)
                rates[workers] = len(events) / (time.perf_counter() - begun)
                expect(db, before, stream.sorts - sorts)
            first = first or most
            if round_:  # the first one warms up
                disk = syncs(bench.var)
                two.round(rates[2], rates[1], disk)
                memory.round(most, first, disk)
    return [two, memory]
