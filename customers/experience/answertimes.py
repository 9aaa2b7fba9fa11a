"""How long customers waited for us: medians and the slowest tenth per channel and period, and who waited in vain."""

from dataclasses import dataclass
from typing import Any, Final

from customers.experience.measuring import Estimate, share
from customers.experience.periods import Period
from customers.sql import Cursor

# One sort for both quantiles of a time.
QUANTILES = "percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY {})"
TIMES = f"""
SELECT {{grouped}}, count(*), count(answer_s), {QUANTILES.format("answer_s")},
       {QUANTILES.format("answer_business_s")}, {QUANTILES.format("solution_s")},
       {QUANTILES.format("solution_business_s")}, count(*) FILTER (WHERE state = 'open' AND answer_s IS NULL),
       count(*) FILTER (WHERE state = 'abandoned'), sum(missed), sum(inbound), sum(switches), sum(handovers),
       count(*) FILTER (WHERE reopened > 0), avg(effort)
  FROM (SELECT r.*, date_trunc(%(grain)s, r.at AT TIME ZONE %(zone)s)::date AS period FROM customers_request r
         WHERE r.at >= %(since)s AND r.at < %(until)s {{where}}) x
 GROUP BY GROUPING SETS ({{sets}}) ORDER BY 1 DESC, 4 DESC
"""
WHOLE, BY_CHANNEL, BY_PERIOD = 0b11, 0b01, 0b10
PERIODS = {"grouped": "grouping(channel, period), channel, period", "sets": "(), (channel), (period)"}
NO_PERIODS = {"grouped": "2 * grouping(channel) + 1, channel, NULL", "sets": "(), (channel)"}
CONTACTS = """
SELECT k.key, sum((k.value->>'in')::int), sum((k.value->>'waiting')::int), sum((k.value->>'unanswered')::int),
       sum((k.value->>'missed')::int), sum((k.value->>'abandoned')::int)
  FROM customers_request r CROSS JOIN LATERAL jsonb_each(r.by_channel) k
 WHERE r.at >= %(since)s AND r.at < %(until)s GROUP BY k.key ORDER BY 2 DESC NULLS LAST, 1
"""
EFFORTS = """
SELECT least(width_bucket(s.effort, 0, 100, 5), 5), count(*), avg(s.value), NULL::float8 FROM customers_score s
 WHERE s.metric = 'ces' AND s.why = '' AND s.effort IS NOT NULL AND s.given_at >= %(since)s AND s.given_at < %(until)s
 GROUP BY 1
 UNION ALL
SELECT 0, count(*), avg(s.value), corr(s.value, s.effort) FROM customers_score s
 WHERE s.metric = 'ces' AND s.why = '' AND s.effort IS NOT NULL AND s.given_at >= %(since)s AND s.given_at < %(until)s
 ORDER BY 1
"""
PROMISED = """
SELECT p.state, p.origin, count(*), count(*) FILTER (WHERE p.settled_at IS NULL AND p.due_at < now())
  FROM customers_promise p WHERE p.due_at >= %(since)s AND p.due_at < %(until)s GROUP BY p.state, p.origin
"""
STATES: Final = ("open", "kept", "broken", "cancelled")


@dataclass(frozen=True, slots=True)
class Times:
    """Median and slowest tenth in seconds; None where nothing of the kind happened."""

    requests: int
    answered: int
    answer: tuple[int, int] | None
    answer_business: tuple[int, int] | None
    solution: tuple[int, int] | None
    solution_business: tuple[int, int] | None
    waiting: int
    abandoned: int
    missed: int
    contacts: int
    switches: int
    handovers: int
    reopened: int
    effort: float | None

    @property
    def unanswered(self) -> Estimate | None:
        """The share of matters that nobody answered, or not yet."""
        return share(self.waiting + self.abandoned, self.requests)


@dataclass(frozen=True, slots=True)
class Contacts:
    """Of one channel: what customers came with, and what of it nobody answered."""

    inbound: int
    waiting: int
    unanswered: int  # their matter was closed, by hand or by silence, without a word to them
    missed: int  # calls that nobody took
    abandoned: int  # calls of those, in which the customer gave up waiting


@dataclass(frozen=True, slots=True)
class Answers:
    """`channels`: matters by the channel of their first contact. `contacts`: contacts by their own channel."""

    whole: Times | None
    channels: dict[str, Times]
    periods: dict[str, Times]
    contacts: dict[str, Contacts]


def answers(sql: Cursor, period: Period, *, channel: str = "", by_period: bool = True) -> Answers:
    """Of the matters that were opened in a period, by the channel of their first contact.

    `by_period`: also by its buckets; each way of looking at them sorts all times once more.
    """
    asked = {
        "since": period.since,
        "until": period.until,
        "grain": period.grain,
        "zone": period.zone.key,
        "channel": channel,
    }
    only = "AND r.channel = %(channel)s" if channel else ""
    sql.execute(TIMES.format(where=only, **(PERIODS if by_period else NO_PERIODS)).encode(), asked)
    whole, channels, periods = None, {}, {}
    for grouped, of_channel, of_period, *row in sql.fetchall():
        if not row[0]:
            continue
        found = times(row)
        if grouped == WHOLE:
            whole = found
        elif grouped == BY_CHANNEL:
            channels[of_channel] = found
        else:
            periods[of_period.isoformat()] = found
    sql.execute(CONTACTS, asked)
    contacts = {name: Contacts(*(int(one or 0) for one in counts)) for name, *counts in sql.fetchall()}
    if channel:
        contacts = {name: one for name, one in contacts.items() if name == channel}
    return Answers(whole, channels, dict(sorted(periods.items())), contacts)


def times(row: list[Any]) -> Times:
    requests, answered, *quantiles = row[:6]
    answer, answer_business, solution, solution_business = map(span, quantiles)
    waiting, abandoned, missed, contacts, switches, handovers, reopened = (int(one or 0) for one in row[6:13])
    return Times(
        requests,
        answered,
        answer,
        answer_business,
        solution,
        solution_business,
        waiting,
        abandoned,
        missed,
        contacts,
        switches,
        handovers,
        reopened,
        None if row[13] is None else float(row[13]),
    )


def span(quantiles: list[float] | None) -> tuple[int, int] | None:
    return None if quantiles is None else (round(quantiles[0]), round(quantiles[1]))


@dataclass(frozen=True, slots=True)
class EffortAndScore:
    """What customers said about their effort, beside the effort that their matters show."""

    n: int
    correlation: float | None
    bands: list[tuple[int, int, int, float]]  # from, to, answers, mean CES


def effort_and_score(sql: Cursor, period: Period) -> EffortAndScore:
    """Effort of 0 to 100 in five bands, with the mean CES of each; good measures agree: the correlation is below 0."""
    sql.execute(EFFORTS, {"since": period.since, "until": period.until})
    (_, n, _, correlation), *bands = sql.fetchall()
    found = [(20 * (band - 1), 20 * band, count, float(mean)) for band, count, mean, _ in bands]
    return EffortAndScore(n, correlation, found)


@dataclass(frozen=True, slots=True)
class Promised:
    """What became of promises that were due in a period."""

    counts: dict[str, int]
    overdue: int
    follow_ups: dict[str, int]  # of those that a low score opened

    @property
    def kept(self) -> Estimate | None:
        """The share of the kept among those that were kept or broken."""
        kept, broken = self.counts.get("kept", 0), self.counts.get("broken", 0)
        return share(kept, kept + broken)


def promised(sql: Cursor, period: Period) -> Promised:
    sql.execute(PROMISED, {"since": period.since, "until": period.until})
    counts, follow_ups, overdue = dict.fromkeys(STATES, 0), dict.fromkeys(STATES, 0), 0
    for state, origin, count, late in sql.fetchall():
        counts[state] += count
        overdue += late
        if origin == "score":
            follow_ups[state] += count
    return Promised(counts, overdue, follow_ups)
