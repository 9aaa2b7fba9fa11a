"""What the manager asks for on the pages of the experience: a period and a channel, as they stand in the address."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.http import QueryDict

from customers.console import meanings
from customers.console.asked import day
from customers.console.pages import word
from customers.experience.periods import GRAINS, Period, company_zone, period


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
