"""The table of a run, on the screen and (with --write) in BENCHMARKS.md."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.figures import HEAD, Figure, load, machine

FILE = Path(__file__).resolve().parent.parent.parent / "BENCHMARKS.md"
BEGIN, END = "<!-- measured: written by `python -m tests.bench --write` -->", "<!-- end of measured -->"


def table(figures: Sequence[Figure], *, scale: int, database: str, rounds: int) -> str:
    missed = [figure.name for figure in figures if figure.misses]
    verdict = f"Missed: {'; '.join(missed)}." if missed else "No figure misses its bar."
    return "\n".join(
        [
            f"{datetime.now(UTC):%d %B %Y}, {scale:,} interactions, {rounds} interleaved rounds, min–**median**–max.",
            f"{machine()}, PostgreSQL {database} with fsync on; load average at the end {load()}.",
            "",
            HEAD,
            *(figure.row() for figure in figures),
            "",
            verdict,
        ]
    )


def write(text: str) -> None:
    """Into the file's measured part."""
    page = FILE.read_text()
    before, _, rest = page.partition(BEGIN)
    _, found, after = rest.partition(END)
    assert found, f"{FILE.name} has no measured part"
    FILE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")
