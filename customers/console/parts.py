"""The parts of the manager's page: each asks for its own numbers, and can be shown as soon as they are there."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from django.utils import formats
from django.utils.translation import gettext as _

from customers.console import meanings, words
from customers.console.drawing import Point, curve
from customers.console.mapping import mapped
from customers.console.measures import amount, estimated, found_at, lasting, percent, stages
from customers.console.spans import Asked
from customers.experience import answertimes, churn, losing, scoreboard
from customers.experience.measuring import Estimate, ccr
from customers.experience.periods import Period
from customers.experience.scoreboard import Board, Sums
from customers.sql import Cursor

ENDS = {"nps": (-100.0, 100.0), "nps_1": (-100.0, 100.0), "csat": (0.0, 100.0), "ces": (1.0, 7.0), "stars": (1.0, 5.0)}
ROWS = 12


def lost_part(sql: Cursor, asked: Asked, within: Period) -> dict[str, Any]:
    whole, buckets = churn.churn(sql, within)
    lost = losing.losing(sql, within)
    return {
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
    }


def map_part(sql: Cursor, asked: Asked, within: Period) -> dict[str, Any]:
    return {"map": mapped(sql, within)}


def scores_part(sql: Cursor, asked: Asked, within: Period) -> dict[str, Any]:
    board = scoreboard.board(sql, within, channel=asked.channel)
    return {"scores": [score_shown(name, board, asked, within) for name in board.whole]}


def answers_part(sql: Cursor, asked: Asked, within: Period) -> dict[str, Any]:
    found = answertimes.answers(sql, within, channel=asked.channel, by_period=False)
    return {"answers": answers_shown(found, asked)}


def promises_part(sql: Cursor, asked: Asked, within: Period) -> dict[str, Any]:
    found = answertimes.promised(sql, within)
    return {
        "promised": {**found.counts, "overdue": found.overdue, "kept_share": percent(found.kept)},
        "follow_ups": found.follow_ups,
    }


def effort_part(sql: Cursor, asked: Asked, within: Period) -> dict[str, Any]:
    found = answertimes.effort_and_score(sql, within)
    return {
        "efforts": found,
        "correlation": None if found.correlation is None else amount(found.correlation, 2),
    }


Part = Callable[[Cursor, Asked, Period], dict[str, Any]]
PARTS: Final[dict[str, tuple[str, Part]]] = {
    "lost": ("customers/experience_part_lost.html", lost_part),
    "map": ("customers/journey_map.html", map_part),
    "scores": ("customers/experience_part_scores.html", scores_part),
    "answers": ("customers/experience_part_answers.html", answers_part),
    "promises": ("customers/experience_part_promises.html", promises_part),
    "effort": ("customers/experience_part_effort.html", effort_part),
}
"""In their order on the page: template and what fills it."""


def titles() -> dict[str, str]:
    return {
        "lost": _("Customers lost"),
        "map": _("Journey map"),
        "scores": _("Scores"),
        "answers": _("How long they waited for us"),
        "promises": _("Promises"),
        "effort": _("Effort, and what customers say about it"),
    }


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
