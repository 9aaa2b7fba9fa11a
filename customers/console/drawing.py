"""Pictures of numbers over time, as SVG that the server makes: only numbers and dates of ours get into it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe

WIDE, HIGH, LEFT, TOP, FOOT = 640, 200, 44, 10, 24
MOST_LABELS = 8


@dataclass(frozen=True, slots=True)
class Point:
    """A value of one bucket and its interval; None where nothing was measured."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None


def curve(points: Sequence[Point], bottom: float, top: float) -> SafeString:
    """A line with its interval as a band; a bucket without a value is a gap. The table beside it says the same."""
    plot = Plot(points, bottom, top)
    parts = [*plot.grid(), *plot.lines(), *plot.dots(), *plot.labels()]
    head = f'<svg class="curve" viewBox="0 0 {WIDE} {HIGH}" aria-hidden="true" focusable="false">'
    return mark_safe(head + "".join(parts) + "</svg>")  # nosec B308 B703 # noqa: S308 - dates and numbers


@dataclass(frozen=True, slots=True)
class Plot:
    points: Sequence[Point]
    bottom: float
    top: float

    def across(self, place: int) -> float:
        wide = WIDE - LEFT - 8
        return round(LEFT + (place * wide / (len(self.points) - 1) if len(self.points) > 1 else wide / 2), 1)

    def up(self, value: float) -> float:
        part = (min(max(value, self.bottom), self.top) - self.bottom) / (self.top - self.bottom)
        return round(TOP + (HIGH - TOP - FOOT) * (1 - part), 1)

    def grid(self) -> Iterator[str]:
        for part in range(5):
            value = self.bottom + (self.top - self.bottom) * part / 4
            yield f'<path class="grid" d="M{LEFT} {self.up(value)}H{WIDE - 4}"/>'
            yield f'<text class="scale" x="{LEFT - 6}" y="{self.up(value) + 4}">{value:g}</text>'

    def lines(self) -> Iterator[str]:
        for run in runs(self.points):
            band = [(self.across(place), self.points[place]) for place in run]
            upper = [f"{x} {self.up(point.high)}" for x, point in band if point.high is not None]
            lower = [f"{x} {self.up(point.low)}" for x, point in reversed(band) if point.low is not None]
            if len(upper) > 1:
                yield f'<path class="band" d="M{"L".join([*upper, *lower])}Z"/>'
            if len(run) > 1:
                values = [f"{x} {self.up(point.value or 0)}" for x, point in band]
                yield f'<path class="value" d="M{"L".join(values)}"/>'

    def dots(self) -> Iterator[str]:
        for place, point in enumerate(self.points):
            if point.value is None:
                continue
            x = self.across(place)
            if point.low is not None and point.high is not None:
                yield f'<path class="whisker" d="M{x} {self.up(point.low)}V{self.up(point.high)}"/>'
            yield f'<circle class="dot" cx="{x}" cy="{self.up(point.value)}" r="3.5"/>'

    def labels(self) -> Iterator[str]:
        every = -(-len(self.points) // MOST_LABELS) or 1
        for place in range(0, len(self.points), every):
            anchor = "start" if place == 0 else "end" if place == len(self.points) - 1 else "middle"
            where = f'text-anchor="{anchor}" x="{self.across(place)}" y="{HIGH - 6}"'
            yield f'<text class="when" {where}>{self.points[place].label}</text>'


def runs(points: Sequence[Point]) -> list[list[int]]:
    """Neighbours with values."""
    found: list[list[int]] = [[]]
    for place, point in enumerate(points):
        if point.value is None:
            found.append([])
        else:
            found[-1].append(place)
    return [run for run in found if run]
