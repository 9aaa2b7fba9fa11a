"""What every fold needs beside the lines: what the company means, and when it is there; asked for with each read."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from functools import lru_cache
from typing import Final

import orjson

from customers.experience.calendar import Calendars, calendar_of
from customers.experience.meaning import Meaning
from customers.experience.measures import VERSION
from customers.models import BusinessHours
from customers.sql import Cursor, cursor

BY_ALL_NAMES: Final = 2
"""Counted up when more of what a fold reads knows a colleague under all of his names."""
NAMES: Final = tuple(one.name for one in fields(Meaning))
SAID: Final = f"""json_build_array(
  (SELECT row_to_json(s) FROM (SELECT {", ".join(NAMES)} FROM customers_experiencesettings ORDER BY id LIMIT 1) s),
  (SELECT json_agg(h ORDER BY h.source) FROM (SELECT source, time_zone, hours, holidays
                                                FROM customers_businesshours) h),
  (SELECT json_agg(json_build_array(u.username, 'user:' || u.id, p.aliases) ORDER BY u.id)
     FROM customers_agentprofile p JOIN auth_user u ON u.id = p.user_id WHERE cardinality(p.aliases) > 0))::text"""
"""All settings as one value, for the SELECT of whoever reads something else, too."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The settings of one moment; `rules` names them, and what the measures say: other rules, other rows."""

    meaning: Meaning
    calendars: Calendars
    rules: str
    colleagues: Mapping[str, str] = field(default_factory=dict)
    """One name for each who has several, by all of them without regard to case."""
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """All of them, by the one."""

    def names_of(self, name: str) -> list[str]:
        """Everything that the colleague of this name is called: rows that were not counted anew yet have the others."""
        return list(dict.fromkeys((name, *self.names.get(self.colleagues.get(name.casefold(), ""), ()))))


def frame() -> Frame:
    """The settings of today; rows that were made with others are made anew."""
    with cursor() as sql:
        return read(sql)


def read(sql: Cursor) -> Frame:
    sql.execute(f"SELECT {SAID}".encode(), prepare=True)
    (said,) = sql.fetchone() or ("",)
    return of(said)


@lru_cache(maxsize=16)
def of(said: str) -> Frame:
    """The same text is the same frame: it is parsed once."""
    settings, hours, named = orjson.loads(said)
    means = Meaning(**settings) if settings else Meaning()
    found = {}
    for one in hours or ():
        days = [date.fromisoformat(day) for day in one.pop("holidays")]
        if (calendar := calendar_of(BusinessHours(**one, holidays=days))) is not None:
            found[one["source"]] = calendar
    days_of = Calendars(found)
    counts = {name: value for name, value in asdict(means).items() if name != "stage_names"}  # Names are but words.
    colleagues: dict[str, str] = {}
    names: dict[str, tuple[str, ...]] = {}
    for name, viewer, aliases in named or ():
        names[name] = (name, viewer, *aliases, *(one.casefold() for one in aliases))
        for one in names[name]:
            colleagues.setdefault(one.casefold(), name)
    ruling: list[object] = [VERSION, counts, repr(sorted(found.items()))]
    if colleagues:
        ruling += [BY_ALL_NAMES, colleagues]
    text = orjson.dumps(ruling, option=orjson.OPT_SORT_KEYS)
    return Frame(means, days_of, hashlib.blake2b(text, digest_size=8).hexdigest(), colleagues, names)
