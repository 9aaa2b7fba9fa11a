"""`make bench`: load a history, time the real processes, print the table; `profile` shows where the time goes."""

import argparse
import os
import time
from statistics import median
from typing import TYPE_CHECKING

from tests.bench.client import Clients
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
    parser.add_argument("what", nargs="?", choices=("figures", "profile", "console", "experience"), default="figures")
    parser.add_argument("--scale", type=scale_of, default=scale_of(os.environ.get("SCALE") or "200k"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--batches", type=int, default=20, help="of 500 events a round")
    parser.add_argument("--write", action="store_true", help="the table into BENCHMARKS.md")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    say(f"{given.scale:,} interactions; servers of our own")
    # Not before the servers stand: settings want their addresses.
    with Bench() as bench, Clients() as clients:
        from tests.bench import access, loading

        history = History(given.scale)
        granted = access.grant()
        with bench.connect() as db:
            rows = loading.load(db, history)
            version = database_of(db)
        say(", ".join(f"{table.partition('_')[2]} {count:,}" for table, count in rows.items()))
        if given.what == "profile":
            from tests.bench import profiles

            profiles.show(bench, history, granted, max(given.batches // 4, 1))
        elif given.what == "console":
            from tests.bench import console, report

            bench.start("web")
            found = console.measure(bench, clients, granted, history, rounds=given.rounds, seconds=given.seconds)
            print(report.table(found, scale=given.scale, database=version, rounds=given.rounds))
        elif given.what == "experience":
            from tests.bench import experience, report
            from tests.bench.stream import Stream

            bench.start("web")
            found = experience.measure(
                bench,
                clients,
                granted,
                history,
                Stream(history),
                rounds=given.rounds,
                seconds=given.seconds,
                batches=given.batches,
            )
            print(report.table(found, scale=given.scale, database=version, rounds=given.rounds))
        else:
            figures(bench, clients, granted, history, given, version)


def figures(
    bench: Bench, clients: Clients, granted: "Access", history: History, given: argparse.Namespace, version: str
) -> None:
    from tests.bench import console, doors, experience, identity, pushing, reading, report, waiting
    from tests.bench.stream import Stream

    stream = Stream(history)
    rounds, seconds = given.rounds, given.seconds
    bench.start("web")
    say("(1) timeline")
    found = reading.measure(bench, clients, granted, history, rounds=rounds, seconds=seconds)
    bench.start("worker", "sweep")
    say("(2) events")
    visible, accepted = pushing.measure(bench, clients, granted, stream, rounds=rounds, batches=given.batches)
    found += [visible, accepted]
    say("(3) one push")
    rate = median(visible.ours) / 10
    found += waiting.measure(bench, clients, granted, stream, rate=rate, rounds=rounds, seconds=seconds)
    say("(4) parsers and webhooks")
    found += doors.accepts(bench, clients, granted, stream, rounds=rounds, seconds=seconds)
    found += doors.parses(stream, rounds=rounds)
    bench.stop("worker", "sweep")
    say("(6) the console")
    found += console.measure(bench, clients, granted, history, rounds=rounds, seconds=seconds)
    say("(7) the experience")
    found += experience.measure(
        bench, clients, granted, history, stream, rounds=rounds, seconds=seconds, batches=given.batches
    )
    bench.stop("web")
    say("(5) identity; it wipes what was loaded")
    found += identity.measure(bench.var, scale=given.scale, rounds=rounds)
    text = report.table(found, scale=given.scale, database=version, rounds=rounds)
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
