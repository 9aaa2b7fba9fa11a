"""Figures as they are reported: interleaved rounds, the ratio of each, and the disk and machine beside them."""

import os
import platform
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

import psutil

PACKAGES = ("django", "djangorestframework", "psycopg", "granian", "celery", "orjson", "pydantic")


def spread(values: Sequence[float], digits: int = 0) -> str:
    """min–**median**–max."""
    return f"{min(values):,.{digits}f}–**{median(values):,.{digits}f}**–{max(values):,.{digits}f}"


@dataclass
class Figure:
    """One promise: what we do, what a bare floor does, round by round; without a floor only what we do."""

    name: str
    unit: str
    bar: float | None = None
    ours: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)
    digits: int = 0
    syncs: list[float] = field(default_factory=list)
    most: float | None = None  # of the ratio, or where there is no floor of what we do

    def round(self, ours: float, floor: float, syncs: float) -> None:
        self.ours.append(ours)
        self.floor.append(floor)
        self.syncs.append(syncs)

    @property
    def ratios(self) -> list[float]:
        return [ours / floor for ours, floor in zip(self.ours, self.floor, strict=True)] if self.floor else []

    @property
    def misses(self) -> bool:
        over = self.most is not None and median(self.ratios or self.ours) > self.most
        return over or (self.bar is not None and median(self.ratios) < self.bar)

    def row(self) -> str:
        ratio = spread(self.ratios, 2) if self.floor else ""
        bar = f"≥ {self.bar:.2g}" if self.bar is not None else f"≤ {self.most:g}" if self.most is not None else ""
        bar += " **missed**" if self.misses else ""
        cells = [
            self.name,
            f"{spread(self.ours, self.digits)} {self.unit}",
            spread(self.floor, self.digits) if self.floor else "",
            ratio,
            bar,
            spread(self.syncs) if self.syncs else "",
        ]
        return f"| {' | '.join(cells)} |"


HEAD = """| figure | cxhub | floor | ratio | bar | fdatasync/s |
|---|---|---|---|---|---|"""


def syncs(folder: Path, seconds: float = 0.3) -> float:
    """How often a second this disk makes 8 kB durable at this moment: what a commit waits for."""
    with tempfile.NamedTemporaryFile(dir=folder, buffering=0) as file:
        page = os.urandom(8192)
        count, begun = 0, time.perf_counter()
        while (took := time.perf_counter() - begun) < seconds:
            file.write(page)
            os.fdatasync(file.fileno())
            count += 1
    return count / took


def machine() -> str:
    """What the figures were measured on."""
    processor = next(
        (line.split(":", 1)[1].strip() for line in lines_of("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    memory = psutil.virtual_memory().total / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{os.cpu_count()} cores ({processor}), {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {versions}"
    )


def lines_of(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def load() -> str:
    return " ".join(f"{value:.1f}" for value in os.getloadavg())
