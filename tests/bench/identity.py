"""What identities cost: joins and their undo, linking events, the rules, many handles.

`python -m tests.bench.identity` measures nothing else.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.figures import Figure, syncs

if TYPE_CHECKING:
    from tests.workers import Workers

FULL = 200_000
"""From this scale on the measurements have their full size."""
LEAST_CHANCE = 20


def took_ms(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def joins(folder: Path, contacts: int, rounds: int) -> list[Figure]:
    """Two customers with so many contacts each are joined and parted again, and a page of one is read between."""
    from customers import merging
    from tests.bench.identity_data import customer_of, filled, page, statistics_of, wal

    one, other = filled(f"{contacts}-one", contacts), filled(f"{contacts}-other", contacts)
    whose = f"two customers of {contacts:,} contacts"
    joined = Figure(f"(5) joining {whose}, over a page of the timeline", "ms", digits=2, most=10)
    parted = Figure(f"(5) undoing that join of {whose}, over a page", "ms", digits=2, most=10)
    written = Figure("(5) WAL of such a join and its undo", "MB", digits=3, most=1)
    touched = Figure("(5) contacts updated by them", "rows", most=0)
    updated = statistics_of("n_tup_upd")
    for _ in range(rounds):
        times: dict[str, list[float]] = {"read": [], "join": [], "undo": []}
        before = wal()
        for _ in range(10):
            times["read"].append(took_ms(lambda: page(one)))
            ours, theirs = customer_of(one), customer_of(other)
            begun = time.perf_counter()
            link = merging.merge(ours, theirs, reason="bench", by="bench").link
            times["join"].append((time.perf_counter() - begun) * 1000)
            assert link is not None
            times["undo"].append(took_ms(lambda link=link: merging.undo(link, by="bench", reason="bench")))  # type: ignore[misc]
        disk, read = syncs(folder), statistics.median(times["read"])
        joined.round(statistics.median(times["join"]), read, disk)
        parted.round(statistics.median(times["undo"]), read, disk)
        written.ours.append((wal() - before) / 10 / 1e6)
    touched.ours.append(statistics_of("n_tup_upd") - updated)
    return [joined, parted, written, touched]


def handles(folder: Path, entries: int, rounds: int) -> list[Figure]:
    from tests.bench.identity_data import filled, page

    one, *others = (filled(f"many-{n}", entries, n) for n in (1, 5, 100))
    few = Figure("(5) timeline of a customer with 5 handles, over one with 1", "ms", digits=2, most=2)
    many = Figure("(5) timeline of a customer with 100 handles, over one with 1", "ms", digits=2, most=10)
    for _ in range(rounds):
        times: list[list[float]] = [[], [], []]
        for _ in range(40):
            for place, who in enumerate((one, *others)):
                times[place].append(took_ms(lambda who=who: page(who)))  # type: ignore[misc]
        floor, *ours = (statistics.median(each) for each in times)
        disk = syncs(folder)
        for figure, ms in zip((few, many), ours, strict=True):
            figure.round(ms, floor, disk)
    return [few, many]


def linking(folder: Path, pool: "Workers", rounds: int, each: int, groups: int) -> list[Figure]:
    """Eight workers record contacts of known handles, then such as join two customers, then such with a new handle."""
    from tests.bench import identity_data as data
    from tests.identity_work import link_in_batches, link_one_by_one
    from tests.workers import WORKERS

    joined = Figure("(5) contacts that join two customers, 8 workers, over contacts of known ones", "events/s", 0.3)
    born = Figure("(5) contacts that bring a new handle, the same", "events/s", 0.3)
    for turn in range(rounds):
        pool.each(data.be_born, f"plain{turn}", each)
        pool.each(data.be_born, f"pair{turn}", 2 * each)
        disk = syncs(folder)
        speeds = []
        for work in (data.record_known, data.join_pairs, data.adopt_new):
            begun = time.perf_counter()
            pool.each(work, turn, each)
            speeds.append(WORKERS * each / (time.perf_counter() - begun))
        joined.round(speeds[1], speeds[0], disk)
        born.round(speeds[2], speeds[0], disk)
    split = Figure(f"(5) persons split by a race of 8 workers, of {2 * groups}", "persons", most=0)
    works = (link_one_by_one, link_in_batches)
    split.ours.append(sum(data.split_groups(pool, work, f"{work.__name__}-", groups) for work in works))
    return [joined, born, split]


def rules(folder: Path, pool: "Workers", rounds: int, events: int) -> list[Figure]:
    """The same history pushed and worked off by eight drains, with the rules on and off in turn."""
    from tests.bench import identity_data as data

    figure = Figure("(5) events pushed and worked off with the rules on, over off", "events/s", 0.8)
    for turn in range(rounds):
        speeds: dict[bool, float] = {}
        disk = syncs(folder)
        for on in (True, False) if turn % 2 else (False, True):
            data.forget()
            begun = time.perf_counter()
            data.accept_history(events)
            pool.each(data.drain_with, on)
            speeds[on] = events / (time.perf_counter() - begun)
            data.all_recorded(events)
        figure.round(speeds[True], speeds[False], disk)
    return [figure]


def measure(folder: Path, *, scale: int, rounds: int) -> Iterator[Figure]:
    """All of them, on a database that Django is set up for; the last one wipes it."""
    from tests.workers import workers

    part = min(1.0, scale / FULL)
    yield from joins(folder, max(int(10_000 * part), 100), rounds)
    yield from joins(folder, max(int(100_000 * part), 200), rounds)
    yield from handles(folder, max(int(5_000 * part), 200), rounds)
    with workers({**os.environ, "CXHUB_RULES": "1"}) as pool:
        groups = max(int(400 * part), LEAST_CHANCE)
        yield from linking(folder, pool, rounds, max(int(500 * part), LEAST_CHANCE), groups)
        yield from rules(folder, pool, min(rounds, 4), max(int(6_000 * part), 100))


def main() -> None:
    from tests.bench import report
    from tests.bench.servers import Bench

    rounds = int(os.environ.get("ROUNDS") or 5)
    with Bench() as bench:
        found: list[Any] = []
        for figure in measure(bench.var, scale=FULL, rounds=rounds):
            found.append(figure)
            print(figure.row(), flush=True)
        with bench.connect() as db:
            (version,) = db.execute("SHOW server_version").fetchone() or ("",)
        print(f"\n{report.table(found, scale=0, database=version, rounds=rounds)}", flush=True)


if __name__ == "__main__":
    main()
