"""Scores of everybody, added up: in all, over time, per channel, stage and agent, in one statement."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from customers.experience import framing
from customers.experience.measuring import CONTENT, DETRACTORS, METRICS, PROMOTERS, Estimate, mean, nps, share
from customers.experience.periods import Period, starts
from customers.sql import Cursor

BY: Final = ("period", "channel", "stage", "agent")
# The buckets are days, weeks or months of the company's zone; grouped by number, so that the index of the metric and
# the time is all that is read.
SUMS = f"""
SELECT grouping(period, channel, stage, agent), metric, low, period, channel, stage, agent,
       count(*) FILTER (WHERE why = ''), count(*) FILTER (WHERE why <> ''),
       count(*) FILTER (WHERE why = '' AND value >= {PROMOTERS}),
       count(*) FILTER (WHERE why = '' AND value <= {DETRACTORS}),
       count(*) FILTER (WHERE why = '' AND value >= {CONTENT}),
       coalesce(sum(value) FILTER (WHERE why = ''), 0), coalesce(sum(value * value) FILTER (WHERE why = ''), 0),
       count(*) FILTER (WHERE bad)
  FROM (SELECT s.metric, CASE WHEN s.metric = 'nps' AND s.why = '' THEN s.low END AS low, s.value, s.why, s.bad,
               date_trunc(%(grain)s, s.given_at AT TIME ZONE %(zone)s)::date AS period, s.channel, s.stage, s.agent
          FROM customers_score s
         WHERE s.metric = ANY(%(metrics)s) AND s.given_at >= %(since)s AND s.given_at < %(until)s {{}}) x
 GROUP BY GROUPING SETS ((metric, low), (metric, low, period), (metric, low, channel), (metric, low, stage),
                         (metric, low, agent))
"""
NUMBERS: Final = {0b0111: "period", 0b1011: "channel", 0b1101: "stage", 0b1110: "agent", 0b1111: ""}
SCALE: Final = {"csat": (1.0, 5.0), "ces": (1.0, 7.0), "stars": (1.0, 5.0)}
AGENTS: Final = 100
"""So many agents (and channels, and stages) are told, those with the most answers."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What many answers to one question add up to."""

    metric: str
    least: float | None  # the lower end of the scale of an NPS
    n: int
    uncounted: int
    promoters: int
    detractors: int
    content: int
    total: float
    squares: float
    bad: int

    @property
    def name(self) -> str:
        """`nps_1` is the variant from 1 to 10: the two kinds of NPS are never added up."""
        return "nps_1" if self.metric == "nps" and self.least == 1 else self.metric

    @property
    def score(self) -> Estimate | None:
        """The number that stands for the metric: NPS, the share of the content, the mean effort or stars."""
        if self.metric == "nps":
            return nps(self.promoters, self.detractors, self.n)
        return share(self.content, self.n) if self.metric == "csat" else self.mean

    @property
    def mean(self) -> Estimate | None:
        return None if self.metric == "nps" else mean(self.total, self.squares, self.n, SCALE[self.metric])


@dataclass(frozen=True, slots=True)
class Board:
    """{name: in all} and {name: {by: {value: sums}}}; periods are first days as ISO dates."""

    whole: dict[str, Sums]
    by: dict[str, dict[str, dict[str, Sums]]]


def board(
    sql: Cursor,
    period: Period,
    *,
    metric: str = "",
    channel: str = "",
    stage: str = "",
    agent: str = "",
) -> Board:
    """The scores of a period, as far as they fit."""
    only: dict[str, Any] = {"channel": channel, "stage": stage}
    where = "".join(f"AND s.{name} = %({name})s " for name, value in only.items() if value)
    if agent:
        where += "AND s.agent = ANY(%(agent)s)"
        only["agent"] = framing.read(sql).names_of(agent)
    asked = {
        **only,
        "metrics": [metric] if metric else list(METRICS),
        "since": period.since,
        "until": period.until,
        "grain": period.grain,
        "zone": period.zone.key,
    }
    sql.execute(SUMS.format(where).encode(), asked)
    whole: dict[str, Sums] = {}
    by: dict[str, dict[str, dict[str, Sums]]] = {}
    # What is not counted has no scale of its own: it is told beside the usual one.
    rows = sorted(sql.fetchall(), key=lambda row: (row[1], row[2] is None, row[2] or 0))
    for grouped, name, low, *keys, n, out, promoters, detractors, content, total, squares, bad in rows:
        sums = Sums(name, low, n, out, promoters, detractors, content, total, squares, bad)
        group = NUMBERS[grouped]
        if not group:
            whole[sums.name] = added(whole.get(sums.name), sums)
            continue
        value = keys[BY.index(group)]
        said = value.isoformat() if group == "period" else str(value)
        of = by.setdefault(sums.name, {}).setdefault(group, {})
        of[said] = added(of.get(said), sums)
    return Board(whole, {name: {group: most(found, group) for group, found in of.items()} for name, of in by.items()})


def added(one: Sums | None, other: Sums) -> Sums:
    """Those that counted, with how many of the same question did not."""
    if one is None:
        return other
    return Sums(
        one.metric,
        one.least,
        one.n + other.n,
        one.uncounted + other.uncounted,
        one.promoters + other.promoters,
        one.detractors + other.detractors,
        one.content + other.content,
        one.total + other.total,
        one.squares + other.squares,
        one.bad + other.bad,
    )


def most(found: dict[str, Sums], group: str) -> dict[str, Sums]:
    """Periods in order; of the others those with the most answers."""
    if group == "period":
        return dict(sorted(found.items()))
    return dict(sorted(found.items(), key=lambda one: (-one[1].n, one[0]))[:AGENTS])


def bucket(period: Period, at: datetime) -> str:
    """The bucket of a moment, as `by["period"]` names it."""
    return starts(period.day(at), period.grain).isoformat()


def told(estimate: Estimate | None, *, digits: int = 2) -> dict[str, Any] | None:
    """A number as the API says it."""
    if estimate is None:
        return None
    low, high = (None if end is None else round(end, digits) for end in (estimate.low, estimate.high))
    return {"value": round(estimate.value, digits), "n": estimate.n, "low": low, "high": high}
