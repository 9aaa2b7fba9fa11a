"""The company's journey map: stages by touchpoints, with how often, in which mood, after which waiting, who left.

Everything is a sum over the rows of `Touch`, which are whole months (UTC); each number leads to its customers.
Touchpoints are of three realms, after R. N. Bolton et al., "Customer experience challenges: bringing together digital,
physical and social realms", Journal of Service Management 29(5), 2018, pp. 776-808.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

from customers.experience.journey import STAGES
from customers.experience.paging import place, token
from customers.sql import Cursor

PHYSICAL, SOCIAL, DIGITAL = REALMS = ("physical", "social", "digital")
TOUCHPOINTS: Final[dict[str, str]] = {
    **dict.fromkeys(("store", "shop", "branch", "showroom", "visit", "event", "delivery", "parcel", "post"), PHYSICAL),
    **dict.fromkeys(("phone", "reviews", "vk", "instagram", "facebook", "forum", "community"), SOCIAL),
    **dict.fromkeys(("web", "app", "email", "sms", "rcs", "crm", "ads", "telegram", "whatsapp", "viber"), DIGITAL),
    **dict.fromkeys(("max", "messenger", "line", "slack", "chat"), DIGITAL),
}
"""Where a channel belongs: to places and things, to people among people, or to screens (any other channel)."""

SUMS = """
SELECT t.stage, t.channel, grouping(t.channel), sum(t.contacts)::bigint, sum(t.inbound)::bigint,
       sum(t.emotion_sum)::bigint, sum(t.emotion_n)::bigint, sum(t.waited_s)::bigint, sum(t.waited_n)::bigint,
       sum(t.exits)::bigint, count(DISTINCT t.customer_id)
  FROM customers_touch t WHERE t.month >= %(first)s AND t.month < %(after)s AND t.stage <> ''
 GROUP BY GROUPING SETS ((t.stage, t.channel), (t.stage))
"""
MOVES = """
SELECT was, stage, count(*) FROM customers_stagechange WHERE at >= %(since)s AND at < %(until)s
 GROUP BY was, stage ORDER BY 3 DESC, was, stage
"""
BEHIND = """
SELECT t.customer_id, c.public_id, sum(t.contacts)::int, sum(t.inbound)::int, sum(t.emotion_sum)::int,
       sum(t.emotion_n)::int, sum(t.waited_s)::bigint, sum(t.waited_n)::int, sum(t.exits)::int,
       (SELECT s.line_id FROM customers_stagechange s WHERE s.customer_id = t.customer_id AND s.stage = 'left'
         AND s.at >= min(t.month) ORDER BY s.at LIMIT 1)
  FROM customers_touch t JOIN customers_customer c ON c.id = t.customer_id
 WHERE t.stage = %(stage)s AND (%(channel)s = '' OR t.channel = %(channel)s)
   AND t.month >= %(first)s AND t.month < %(after)s AND t.customer_id > %(beyond)s AND (NOT %(left)s OR t.exits > 0)
 GROUP BY t.customer_id, c.public_id ORDER BY t.customer_id LIMIT %(limit)s
"""
PATH = """
SELECT s.at, s.was, s.stage, s.reason, s.line_id AS interaction
  FROM customers_stagechange s WHERE s.customer_id = %(customer)s
 ORDER BY s.at, s.id LIMIT 1000
"""


@dataclass(frozen=True, slots=True)
class Sums:
    """Of one stage and channel, or of one stage."""

    contacts: int = 0
    inbound: int = 0
    emotion_sum: int = 0
    emotion_n: int = 0
    waited_s: int = 0
    waited_n: int = 0
    exits: int = 0
    customers: int = 0

    @property
    def emotion(self) -> float | None:
        """The mean of −1, 0 and 1; None where nobody said anything."""
        return self.emotion_sum / self.emotion_n if self.emotion_n else None

    @property
    def waited(self) -> int | None:
        """The mean of seconds until a question was answered."""
        return round(self.waited_s / self.waited_n) if self.waited_n else None

    @property
    def drop_off(self) -> float | None:
        """Of a hundred customers who were here, how many it was the last time before they left."""
        return 100 * self.exits / self.customers if self.customers else None


@dataclass(frozen=True, slots=True)
class JourneyMap:
    """`cells` by (stage, channel), `stages` in their order, `channels` by realm and how often they were used."""

    first: date
    after: date
    cells: dict[tuple[str, str], Sums] = field(default_factory=dict)
    stages: dict[str, Sums] = field(default_factory=dict)
    channels: list[tuple[str, str]] = field(default_factory=list)
    moves: list[tuple[str, str, int]] = field(default_factory=list)


def realm(channel: str) -> str:
    return TOUCHPOINTS.get(channel, DIGITAL)


def months(since: datetime, until: datetime) -> tuple[date, date]:
    """The whole months that a period touches: the first, and the one after the last."""
    first, last = since.astimezone(UTC), until.astimezone(UTC)
    begin, end = first.date().replace(day=1), last.date().replace(day=1)
    if last > datetime(end.year, end.month, 1, tzinfo=UTC):
        end = date(end.year + end.month // 12, end.month % 12 + 1, 1)
    return begin, max(end, begin)


def journey_map(sql: Cursor, since: datetime, until: datetime) -> JourneyMap:
    first, after = months(since, until)
    found = JourneyMap(first, after)
    sql.execute(SUMS, {"first": first, "after": after})
    stages = {}
    used: dict[str, int] = {}
    for stage, channel, whole, *sums in sql.fetchall():
        if whole:
            stages[stage] = Sums(*sums)
        else:
            found.cells[(stage, channel)] = Sums(*sums)
            used[channel] = used.get(channel, 0) + sums[0]
    found.stages.update({stage: stages.get(stage, Sums()) for stage in STAGES})
    by_use = sorted(used, key=lambda channel: (REALMS.index(realm(channel)), -used[channel], channel))
    found.channels.extend((realm(channel), channel) for channel in by_use)
    midnight = [datetime(day.year, day.month, 1, tzinfo=UTC) for day in (first, after)]
    sql.execute(MOVES, {"since": midnight[0], "until": midnight[1]})
    found.moves.extend(sql.fetchall())
    return found


@dataclass(frozen=True, slots=True)
class Behind:
    """The customers behind a number, and which of their lines to look at."""

    rows: list[dict[str, Any]]
    customers: list[int]
    next: str | None


def behind(
    sql: Cursor,
    span: Sequence[date],
    stage: str,
    channel: str = "",
    *,
    left: bool = False,
    limit: int = 50,
    cursor: str | None = None,
) -> Behind:
    """Whose touches a number counts; `left`: only of those for whom it was the last. Raises BadToken."""
    beyond = place(cursor, 1)
    said = {"stage": stage, "channel": channel, "left": left, "first": span[0], "after": span[1], "limit": limit + 1}
    sql.execute(BEHIND, {**said, "beyond": int(beyond[0]) if beyond and beyond[0].isdigit() else 0})
    found = sql.fetchall()
    rows = []
    for _, public, *sums, line in found[:limit]:
        one = Sums(*sums)
        told = {"emotion": one.emotion, "waited_s": one.waited, "exits": one.exits, "left_at": line if left else None}
        rows.append({"customer": public, "contacts": one.contacts, "inbound": one.inbound, **told})
    following = token(found[limit - 1][0]) if len(found) > limit else None
    return Behind(rows, [row[0] for row in found[:limit]], following)


def path(sql: Cursor, customer: int) -> list[dict[str, Any]]:
    """A customer's stages, the first one first."""
    sql.execute(PATH, {"customer": customer}, prepare=True)
    names = ("at", "was", "stage", "reason", "interaction")
    return [dict(zip(names, row, strict=True)) for row in sql.fetchall()]
