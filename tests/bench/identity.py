"""What identities cost (issue 4): joins, linking events, rules, many handles; `python -m tests.bench.identity`."""

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPEATS = 30


@dataclass(frozen=True)
class Figure:
    """One promise: what was measured, its bar, and whether lower is better."""

    name: str
    value: float
    bar: float
    least: bool = False
    detail: str = ""

    @property
    def kept(self) -> bool:
        return self.value >= self.bar if self.least else self.value <= self.bar

    def __str__(self) -> str:
        bar = f"{'>=' if self.least else '<='} {self.bar:g}"
        return f"{'ok  ' if self.kept else 'MISS'} {self.name}: {self.value:.3g} ({bar}) {self.detail}"


def median_ms(work: Callable[[], object], times: int = REPEATS) -> float:
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


# 1: joining and undoing, over one read


def joins(contacts: int) -> list[Figure]:
    """Two customers with so many contacts each are joined and parted again, many times."""
    from customers import merging
    from tests.bench.identity_data import customer_of, filled, page, statistics_of, wal

    one, other = filled(f"{contacts}-one", contacts), filled(f"{contacts}-other", contacts)
    read = median_ms(lambda: page(one))
    joined, parted, written = [], [], []
    updated = statistics_of("n_tup_upd")
    for _ in range(REPEATS):
        ours, theirs = customer_of(one), customer_of(other)
        before, begun = wal(), time.perf_counter()
        link = merging.merge(ours, theirs, reason="bench", by="bench").link
        joined.append((time.perf_counter() - begun) * 1000)
        begun = time.perf_counter()
        assert link is not None
        merging.undo(link, by="bench", reason="bench")
        parted.append((time.perf_counter() - begun) * 1000)
        written.append(wal() - before)
    told = f"{contacts:,} contacts each: read {read:.2f} ms, join {statistics.median(joined):.2f} ms, "
    told += f"undo {statistics.median(parted):.2f} ms"
    return [
        Figure("join over one timeline read", statistics.median(joined) / read, 10, detail=told),
        Figure("undo over one timeline read", statistics.median(parted) / read, 10, detail=told),
        Figure("WAL of a join and its undo, MB", max(written) / 1e6, 1, detail=f"{contacts:,} contacts each"),
        Figure("interactions updated by joins", statistics_of("n_tup_upd") - updated, 0),
    ]


# 2: linking events over plain ones


def linking(pool: Any, each: int = 500, rounds: int = 4, groups: int = 400) -> list[Figure]:
    from tests.bench import identity_data as data
    from tests.identity_work import link_in_batches, link_one_by_one
    from tests.workers import WORKERS

    speeds: dict[str, list[float]] = {"plain": [], "joins": [], "births": []}
    for turn in range(rounds):
        pool.each(data.be_born, f"plain{turn}", each)
        pool.each(data.be_born, f"pair{turn}", 2 * each)
        for name, work in (("plain", data.record_known), ("joins", data.join_pairs), ("births", data.adopt_new)):
            begun = time.perf_counter()
            pool.each(work, turn, each)
            speeds[name].append(WORKERS * each / (time.perf_counter() - begun))
    over = {
        name: statistics.median(ours / plain for ours, plain in zip(speeds[name], speeds["plain"], strict=True))
        for name in speeds
    }
    told = ", ".join(f"{name} {statistics.median(each):,.0f}/s" for name, each in speeds.items())
    split = sum(
        data.split_groups(pool, work, f"{work.__name__}-", groups) for work in (link_one_by_one, link_in_batches)
    )
    return [
        Figure("joining events over plain recording", over["joins"], 0.3, least=True, detail=told),
        Figure("new handles over plain recording", over["births"], 0.3, least=True, detail=told),
        Figure(f"groups split of {2 * groups}", split, 0),
    ]


# 3: the rules on over off


def rules(pool: Any, events: int = 12_000) -> list[Figure]:
    """The same history worked off by eight drains, with the rules on and off in turn."""
    from tests.bench import identity_data as data

    speeds: dict[bool, list[float]] = {True: [], False: []}
    for on in (True, False, False, True):
        data.forget()
        data.accept_history(events)
        begun = time.perf_counter()
        pool.each(data.drain_with, on)
        speeds[on].append(events / (time.perf_counter() - begun))
        data.all_recorded(events)
    with_rules, without = (max(speeds[on]) for on in (True, False))
    told = f"{with_rules:,.0f} and {without:,.0f} events/s"
    return [Figure("drain with the rules on over off", with_rules / without, 0.8, least=True, detail=told)]


# 4: many handles


def handles(entries: int = 5_000) -> list[Figure]:
    from tests.bench.identity_data import filled, page

    one, five, hundred = (filled(f"many-{n}", entries, n) for n in (1, 5, 100))
    cost = {n: median_ms(lambda who=who: page(who), 200) for n, who in ((1, one), (5, five), (100, hundred))}  # type: ignore[misc]
    told = ", ".join(f"{n}: {ms:.2f} ms" for n, ms in cost.items())
    return [
        Figure("timeline of 5 identities over one", cost[5] / cost[1], 2, detail=told),
        Figure("timeline of 100 identities over one", cost[100] / cost[1], 10, detail=told),
    ]


def measure() -> Iterator[Figure]:
    """All of them, on a migrated and empty database that Django is set up for."""
    from tests.workers import workers

    with workers(os.environ) as pool:
        yield from joins(10_000)
        yield from joins(100_000)
        yield from handles()
        yield from linking(pool)
        yield from rules(pool)


def main() -> int:
    var = Path(tempfile.mkdtemp(prefix="cxhub-bench-"))
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    os.environ |= {"CXHUB_VAR": str(var), "CXHUB_RULES": "1", "CXHUB_LOG_LEVEL": "WARNING"}
    os.environ["DJANGO_SETTINGS_MODULE"] = "cxhub.settings"
    from cxhub.embedded import secret_key, start

    servers = start(var)
    try:
        servers.export()
        secret_key(var)
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        missed = 0
        for figure in measure():
            print(figure, flush=True)
            missed += not figure.kept
        return 1 if missed else 0
    finally:
        servers.stop()
        shutil.rmtree(var, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
