"""How measures are said to people: numbers with what they may be, shares, lengths of time, stages by their names."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.utils import formats

from customers.console import meanings, words
from customers.console.words import spoken as _
from customers.experience.meaning import meaning
from customers.experience.measuring import Estimate
from customers.experience.periods import Period


class Askable(Protocol):
    def query(self, **more: object) -> str: ...


def amount(value: float, digits: int = 1) -> str:
    """With the sign of the reader's language for the decimal point."""
    return str(formats.number_format(round(value, digits) + 0.0, decimal_pos=digits, use_l10n=True))


def estimated(estimate: Estimate | None, *, percents: bool = False) -> dict[str, Any] | None:
    """{value, between, n}"""
    if estimate is None:
        return None
    unit = " %" if percents else ""
    between = ""
    if estimate.low is not None and estimate.high is not None:
        between = _("%(low)s to %(high)s") % {"low": amount(estimate.low), "high": amount(estimate.high) + unit}
    return {"value": amount(estimate.value) + unit, "between": between, "n": estimate.n}


def percent(estimate: Estimate | None) -> dict[str, Any] | None:
    return estimated(estimate, percents=True)


def lasting(both: tuple[int, int] | None) -> tuple[str, str] | None:
    """Median and slowest tenth in words."""
    return None if both is None else (length(both[0]), length(both[1]))


def length(seconds: int) -> str:
    """`40 s`, `12 min`, `3 h 20 min`, `2 d 4 h`"""
    if seconds < 60:
        return _("%(s)s s") % {"s": seconds}
    minutes = round(seconds / 60)
    if minutes < 60:
        return _("%(m)s min") % {"m": minutes}
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return _("%(h)s h %(m)s min") % {"h": hours, "m": rest} if rest else _("%(h)s h") % {"h": hours}
    days, hours = divmod(round(minutes / 60), 24)
    return _("%(d)s d %(h)s h") % {"d": days, "h": hours} if hours else _("%(d)s d") % {"d": days}


def stages(names: Mapping[str, str] | None = None) -> dict[str, str]:
    """The company's names of the stages (asked for, if they are not given), ours where it gave none."""
    named = meaning().stage_names if names is None else names
    return {stage: str(named.get(stage) or name) for stage, name in words.said(meanings.STAGES).items()}


def found_at(asked: Askable, within: Period, since: datetime, until: datetime, **more: object) -> str:
    """The address of what lies behind the number of one bucket: its days, the last one included."""
    last = within.day(until - timedelta(microseconds=1))
    return asked.query(**{**more, "since": within.day(since), "until": last})
