"""The manager's page: where we lose people, and why; each number leads to the lines and customers behind it."""

import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import formats, timezone
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from customers.access import Principal
from customers.console import meanings, words
from customers.console.asked import day
from customers.console.drawing import Point, curve
from customers.console.mapping import mapped
from customers.console.measures import amount, estimated, found_at, lasting, percent, stages
from customers.console.pages import page, word
from customers.experience import answertimes, churn, losing, scoreboard
from customers.experience.measuring import Estimate, ccr
from customers.experience.periods import GRAINS, Period, company_zone, period
from customers.experience.scoreboard import Board, Sums
from customers.sql import cursor

ENDS = {"nps": (-100.0, 100.0), "nps_1": (-100.0, 100.0), "csat": (0.0, 100.0), "ces": (1.0, 7.0), "stars": (1.0, 5.0)}
ROWS = 12
LONG, TIMES, LONGEST = 1.0, 30, 900.0
"""What took so many seconds to count is shown again for so many times as long, at most so long."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The period and the channel, as they stand in the address: days of the company's zone, the last one included."""

    since: date | None
    until: date | None
    grain: str
    channel: str

    @classmethod
    def of(cls, given: QueryDict) -> "Asked":
        grain = word(given, "period", 10)
        return cls(
            day(word(given, "since", 10)),
            day(word(given, "until", 10)),
            grain if grain in GRAINS else "month",
            word(given, "channel", 63),
        )

    def period(self) -> Period:
        zone = company_zone()

        def midnight(of: date | None, later: int = 0) -> datetime | None:
            if of is None:
                return None
            one = of + timedelta(days=later)
            return datetime(one.year, one.month, one.day, tzinfo=zone)

        grain = next(one for one in GRAINS if one == self.grain)
        since, until = midnight(self.since), midnight(self.until, 1)
        if since and until and until <= since:
            until = None
        return period(since, until, grain)

    @property
    def grain_name(self) -> str:
        return str(meanings.GRAINS[self.grain])

    def query(self, **more: object) -> str:
        said = {"since": self.since or "", "until": self.until or "", "channel": self.channel, **more}
        return urlencode({name: value for name, value in said.items() if value not in ("", None)})


@page(supervisors=True)
def experience(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/experience`, with `since`, `until`, `period` and `channel`; `now=1`: not what was counted a while ago."""
    asked = Asked.of(request.GET)
    key = f"experience {get_language()} {timezone.get_current_timezone_name()} {asked} {company_zone()}"
    kept = None if request.GET.get("now") else cache.get(hashed(key))
    counted_at, numbers = kept or (None, None)
    if numbers is None:
        begun = time.monotonic()
        numbers = render_to_string("customers/experience_numbers.html", counted(asked), request)
        took = time.monotonic() - begun
        if took >= LONG:
            cache.set(hashed(key), (datetime.now(UTC), numbers), min(TIMES * took, LONGEST))
    context = {"tab": "overview", "asked": asked, "counted_at": local(counted_at), "numbers": mark_safe(numbers)}  # nosec B308 B703 # noqa: S308 - our own template's
    return render(request, "customers/experience.html", context)


def hashed(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()


def local(at: datetime | None) -> datetime | None:
    return timezone.localtime(at) if at else None


def counted(asked: Asked) -> dict[str, Any]:
    within = asked.period()
    with cursor("reading") as sql:
        board = scoreboard.board(sql, within, channel=asked.channel)
        whole, buckets = churn.churn(sql, within)
        answers = answertimes.answers(sql, within, channel=asked.channel)
        lost = losing.losing(sql, within)
        promised = answertimes.promised(sql, within)
        journey = mapped(sql, within)
        efforts = answertimes.effort_and_score(sql, within)
    return {
        "map": journey,
        "asked": asked,
        "grains": meanings.GRAINS.items(),
        "channels": channels_of(board, answers),
        "from": within.day(within.since),
        "to": within.day(within.until - timedelta(microseconds=1)),
        "zone": within.zone.key,
        "scores": [score_shown(name, board, asked, within) for name in board.whole],
        "churn": churn_shown(whole, buckets, asked, within),
        "lost_after": churn.lost_after_days(),
        "steps": [
            (stages().get(was, was or "—"), meanings.reason_of(reason), count) for was, reason, count in lost.steps
        ],
        "met": [
            {
                "what": meanings.MET[one.what],
                "lost": percent(one.lost),
                "stayed": percent(one.stayed),
                "telling": one.telling,
            }
            for one in lost.met
        ],
        "answers": answers_shown(answers, asked),
        "promised": {**promised.counts, "overdue": promised.overdue, "kept_share": percent(promised.kept)},
        "follow_ups": promised.follow_ups,
        "efforts": efforts,
        "correlation": None if efforts.correlation is None else amount(efforts.correlation, 2),
        "query": asked.query(),
    }


def channels_of(board: Board, answers: answertimes.Answers) -> list[tuple[str, Any]]:
    """Whatever stands in the numbers, by its name."""
    known = {one for by in board.by.values() for one in by.get("channel", {})} | {*answers.channels, *answers.contacts}
    return sorted(((one, words.CHANNELS.get(one, one)) for one in known if one), key=lambda one: str(one[1]))


def bucket_name(iso: str, grain: str) -> str:
    first = date.fromisoformat(iso)
    if grain == "month":
        return str(formats.date_format(first, "YEAR_MONTH_FORMAT"))
    return str(formats.date_format(first, "SHORT_DATE_FORMAT"))


def short_name(iso: str, grain: str) -> str:
    return f"{iso[5:7]}/{iso[2:4]}" if grain == "month" else f"{iso[8:10]}.{iso[5:7]}"


def score_shown(name: str, board: Board, asked: Asked, within: Period) -> dict[str, Any]:
    """One metric: its number, its picture, and tables over time, per channel, stage and agent."""
    sums, by = board.whole[name], board.by.get(name, {})
    bottom, top = ENDS[name]
    metric: dict[str, Any] = {"metric": sums.metric, "scale": 1 if name == "nps_1" else ""}
    periods = by.get("period", {})
    points = []
    for first, *_span in within.bounds():
        found = periods.get(first.isoformat())
        score = found.score if found else None
        points.append(point(short_name(first.isoformat(), asked.grain), score))
    tables = [
        (str(title), [row(label(key, value), one, asked.query(**metric, **{key: value})) for value, one in of.items()])
        for key, title in meanings.PARTS.items()
        if (of := dict(list(by.get(key, {}).items())[:ROWS]))
    ]
    span = {first.isoformat(): (since, until) for first, since, until in within.bounds()}
    times = [
        row(bucket_name(iso, asked.grain), one, found_at(asked, within, *span[iso], **metric))
        for iso, one in reversed(periods.items())
        if iso in span
    ]
    return {
        "name": meanings.METRIC_NAMES[name],
        "about": meanings.METRIC_ABOUT[sums.metric],
        "estimate": estimated(sums.score, percents=name == "csat"),
        "mean": estimated(sums.mean) if name == "csat" else None,
        "uncounted": sums.uncounted,
        "low": sums.bad,
        "picture": curve(points, bottom, top) if sums.n else "",
        "times": times,
        "tables": tables,
        "href": asked.query(**metric),
        "low_href": asked.query(**metric, low=1),
        "percents": name == "csat",
    }


def point(name: str, score: Estimate | None) -> Point:
    return Point(name, *(None, None, None) if score is None else (score.value, score.low, score.high))


def label(key: str, value: str) -> str:
    if not value:
        return str(_("not known"))
    if key == "channel":
        return str(words.CHANNELS.get(value, value))
    return str(stages().get(value, value)) if key == "stage" else value


def row(name: str, sums: Sums, query: str) -> dict[str, Any]:
    score = estimated(sums.score, percents=sums.metric == "csat")
    return {"name": name, "score": score, "low": sums.bad, "query": query}


def churn_shown(whole: churn.Churn | None, buckets: list[churn.Churn], asked: Asked, within: Period) -> dict[str, Any]:
    rates = [(one, one.rate if one.enough else None) for one in buckets]
    top = max([rate.value for _one, rate in rates if rate] + [1.0])
    span = {first: (since, until) for first, since, until in within.bounds()}
    return {
        "whole": whole,
        "rate": rate_shown(whole),
        "mean": percent(mean_of(buckets)),
        "picture": curve(
            [point(short_name(one.day.isoformat(), asked.grain), rate) for one, rate in rates], 0, nice(top)
        )
        if any(rate for _one, rate in rates)
        else "",
        "rows": [
            {
                "name": bucket_name(one.day.isoformat(), asked.grain),
                "at_start": one.at_start,
                "lost": one.lost,
                "rate": rate_shown(one),
                "query": found_at(asked, within, *span[one.day]),
            }
            for one in reversed(buckets)
            if one.at_start or one.lost
        ],
    }


def rate_shown(one: churn.Churn | None) -> dict[str, Any] | None:
    """The rate, or that there were too few customers for one: nobody lost of one is not 0 %."""
    if one is None or one.enough:
        return percent(one.rate if one else None)
    return {"few": True, "n": one.at_start}


def mean_of(buckets: list[churn.Churn]) -> Estimate | None:
    """Lost in all buckets, per cent of the customers at the start of each: what a usual bucket loses.

    Buckets with too few customers say nothing.
    """
    lost, at_start = (sum(getattr(one, name) for one in buckets if one.enough) for name in ("lost", "at_start"))
    return ccr(lost, at_start) if lost <= at_start else None


def nice(most: float) -> float:
    """A round end of a scale."""
    return next(one for one in (1, 2, 4, 8, 12, 20, 40, 60, 100) if one >= min(most, 100))


def answers_shown(answers: answertimes.Answers, asked: Asked) -> list[dict[str, Any]]:
    """All channels, then each: how long one waited, and what was never answered."""
    names = [*answers.channels, *(one for one in answers.contacts if one not in answers.channels)]
    found = [("", answers.whole), *((name, answers.channels.get(name)) for name in names)]
    return [
        {
            "name": words.CHANNELS.get(name, name) if name else _("All channels"),
            "times": times,
            "answer": lasting(times.answer if times else None),
            "answer_business": lasting(times.answer_business if times else None),
            "solution": lasting(times.solution if times else None),
            "unanswered": percent(times.unanswered if times else None),
            "contacts": answers.contacts.get(name),
            "query": asked.query(channel=name or asked.channel),
        }
        for name, times in found
        if times or name
    ]
