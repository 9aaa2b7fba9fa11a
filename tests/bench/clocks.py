"""Clocks for profiles: by statement of psycopg, by process of the machine, by function of Python."""

import cProfile
import io
import pstats
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import psutil
import psycopg

Work = Callable[[], int]
"""Something that says how many things it did."""

WRITES = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM)\s+(\w+_\w+)", re.IGNORECASE)
READS = re.compile(r"\b(?:FROM|JOIN)\s+\"?((?:customers|channels)_\w+)", re.IGNORECASE)


class Clock:
    """Seconds and calls by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.calls: dict[str, int] = defaultdict(int)

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - begun
            self.calls[name] += 1

    def table(self, things: int, whole: float) -> str:
        """Microseconds for each thing, the dearest first, and what is left of the whole."""
        rows = sorted(self.seconds.items(), key=lambda item: -item[1])
        rows.append(("(Python, and waiting for the processor)", whole - sum(self.seconds.values())))
        return "\n".join(
            f"{seconds / things * 1e6:10.1f} µs {seconds / whole:6.1%} {self.calls[name]:6d} calls  {name}"
            for name, seconds in rows
        )


def label(statement: object) -> str:
    """What a statement does to which table: all that it writes, else the first that it reads."""
    text = statement.decode() if isinstance(statement, bytes) else str(statement)
    kind = text.split(None, 1)[0].upper()
    if writes := WRITES.findall(text):
        done = ", ".join(f"{verb.upper()} {table}" for verb, table in writes[: None if kind == "WITH" else 1])
        return f"WITH … {done}" if kind == "WITH" else done
    tables = READS.findall(text)
    return f"{kind} {tables[0]}" if tables else " ".join(text.split())[:50]


@contextmanager
def statements(clock: Clock) -> Iterator[None]:
    """Time every statement and commit of psycopg in this process."""
    execute, commit = psycopg.Cursor.execute, psycopg.Connection.commit

    def timed(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        with clock.of(label(query)):
            return execute(self, query, *args, **kwargs)

    def timed_commit(self: Any) -> None:
        with clock.of("COMMIT"):
            commit(self)

    with patch.object(psycopg.Cursor, "execute", timed), patch.object(psycopg.Connection, "commit", timed_commit):
        yield


def by_statement(title: str, work: Work) -> str:
    clock, begun = Clock(), time.perf_counter()
    with statements(clock):
        done = work()
    whole = time.perf_counter() - begun
    return f"{title}: {done} of them, {whole / done * 1e6:.0f} µs each\n{clock.table(done, whole)}"


def by_processor(title: str, work: Work, backend: int) -> str:
    """What Python and the server's process really worked: other people's load does not blur it."""
    server = psutil.Process(backend)
    python, postgres = time.process_time(), sum(server.cpu_times()[:2])
    done = work()
    python, postgres = time.process_time() - python, sum(server.cpu_times()[:2]) - postgres
    return (
        f"{title}: processor time each, Python {python / done * 1e6:.0f} µs, PostgreSQL {postgres / done * 1e6:.0f} µs"
    )


def by_function(title: str, work: Work, rows: int = 30) -> str:
    """The functions that take the processor's time, callees left out."""
    profile = cProfile.Profile(time.process_time)
    profile.enable()
    done = work()
    profile.disable()
    out = io.StringIO()
    pstats.Stats(profile, stream=out).strip_dirs().sort_stats("tottime").print_stats(rows)
    lines = [line for line in out.getvalue().splitlines() if line.strip() and "Ordered by" not in line]
    return "\n".join([f"{title}: {done} of them by function", *lines])
