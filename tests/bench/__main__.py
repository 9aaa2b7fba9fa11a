"""`make bench`: load a history, time the real processes, print the table; `profile` shows where the time goes."""

import argparse
import os
import time
from collections.abc import Callable
from statistics import median
from typing import TYPE_CHECKING

from tests.bench.client import Clients
from tests.bench.figures import Figure
from tests.bench.history import History
from tests.bench.servers import Bench, Database

if TYPE_CHECKING:
    from tests.bench.access import Access

SCALES = {"k": 1_000, "m": 1_000_000}


def scale_of(text: str) -> int:
    """200k, 5m or a plain number."""
    number, unit = text[:-1], text[-1:].lower()
    return int(float(number) * SCALES[unit]) if unit in SCALES else int(text)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("what", nargs="*", help=f"profile, or some of {' '.join(Run.PARTS)}; all without")
    parser.add_argument("--scale", type=scale_of, default=scale_of(os.environ.get("SCALE") or "200k"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--batches", type=int, default=20, help="of 500 events a round")
    parser.add_argument("--write", action="store_true", help="the table into BENCHMARKS.md")
    given = parser.parse_args()
    if given.what != ["profile"] and (unknown := set(given.what) - set(Run.PARTS)):
        parser.error(f"no such part: {' '.join(sorted(unknown))}")
    return given


class Run:
    """Its servers, and the parts that can be measured on them, in this order: later ones change what was loaded."""

    PARTS: tuple[str, ...] = ("timeline", "growth", "search", "events", "workers", "push", "doors", "peer", "console")
    PARTS += ("experience", "cold", "rest", "identity")

    def __init__(
        self, bench: Bench, clients: Clients, access: "Access", history: History, given: argparse.Namespace
    ) -> None:
        from tests.bench.stream import Stream

        self.bench, self.access, self.history = bench, access, history
        self.stream = Stream(history)
        self.rounds, self.batches = given.rounds, given.batches
        self.reading = (bench, clients, access, history)
        self.writing = (bench, clients, access, self.stream)
        self.paced = {"rounds": given.rounds, "seconds": given.seconds}
        self.batched = {"rounds": given.rounds, "batches": given.batches}
        self.rate = 0.0

    def measure(self, parts: list[str]) -> list[Figure]:
        found = []
        self.bench.start("web")
        for name in self.PARTS:
            if not parts or name in parts:
                say(name)
                part: Callable[[], list[Figure]] = getattr(self, name)
                figures = part()
                for figure in figures:
                    print(f"         {figure.row()}", flush=True)
                found += figures
        return found

    def timeline(self) -> list[Figure]:
        from tests.bench import reading

        return reading.measure(*self.reading, **self.paced)

    def growth(self) -> list[Figure]:
        from tests.bench import growing

        return growing.growth(*self.reading, **self.paced)

    def search(self) -> list[Figure]:
        from tests.bench import searching

        return searching.measure(self.bench, self.access, self.history, rounds=self.rounds)

    def events(self) -> list[Figure]:
        from tests.bench import pushing

        self.bench.start("worker", "sweep")
        found = pushing.measure(*self.writing, **self.batched)
        self.rate = median(found[0].ours)
        self.bench.stop("worker", "sweep")
        return [*found]

    def workers(self) -> list[Figure]:
        from tests.bench import draining

        return draining.measure(*self.writing, **self.batched)

    def push(self) -> list[Figure]:
        """Needs the rate of `events`."""
        from tests.bench import overload, waiting

        rate = self.rate or 2_000.0
        self.bench.start("worker", "sweep")
        found = waiting.measure(*self.writing, rate=rate / 10, **self.paced)
        found += overload.measure(*self.writing, rate=rate, **self.paced)
        self.bench.stop("worker", "sweep")
        return found

    def doors(self) -> list[Figure]:
        from tests.bench import doors

        found = doors.accepts(*self.writing, **self.paced)
        return found + doors.parses(self.stream, rounds=self.rounds)

    def peer(self) -> list[Figure]:
        from tests.bench import peer

        self.bench.start("worker", "sweep")
        found = peer.measure(*self.reading, self.stream, **self.paced)
        self.bench.stop("worker", "sweep")
        return found

    def console(self) -> list[Figure]:
        from tests.bench import console, growing

        found = console.measure(*self.reading, **self.paced)
        return found + growing.rare_channel(*self.reading, **self.paced)

    def experience(self) -> list[Figure]:
        from tests.bench import experience

        return experience.measure(*self.reading, self.stream, batches=self.batches, **self.paced)

    def cold(self) -> list[Figure]:
        from tests.bench import growing

        return growing.cold(self.bench, self.access, self.history, rounds=min(self.rounds, 3))

    def rest(self) -> list[Figure]:
        from tests.bench import resting

        return resting.measure(self.bench.place.root, rounds=min(self.rounds, 3))

    def identity(self) -> list[Figure]:
        """The last: it wipes what was loaded."""
        from tests.bench import identity

        self.bench.stop("web")
        return list(identity.measure(self.bench.var, scale=self.history.scale, rounds=self.rounds))


def main() -> None:
    given = arguments()
    say(f"{given.scale:,} interactions; servers of our own")
    # Not before the servers stand: settings want their addresses.
    with Bench() as bench, Clients() as clients:
        from tests.bench import access, loading, profiles, report

        history = History(given.scale)
        granted = access.grant()
        with bench.connect() as db:
            rows = loading.load(db, history)
            version = database_of(db)
        say(", ".join(f"{table.partition('_')[2]} {count:,}" for table, count in rows.items()))
        if given.what == ["profile"]:
            profiles.show(bench, history, granted, max(given.batches // 4, 1))
            return
        found = Run(bench, clients, granted, history, given).measure(given.what)
        text = report.table(found, scale=given.scale, database=version, rounds=given.rounds)
        print(f"\n{text}", flush=True)
        if given.write:
            report.write(text)


def database_of(db: Database) -> str:
    row = db.execute("SHOW server_version").fetchone()
    assert row is not None
    return str(row[0])


BEGUN = time.monotonic()


def say(words: str) -> None:
    print(f"{time.monotonic() - BEGUN:6.1f} s  {words}", flush=True)


if __name__ == "__main__":
    main()
