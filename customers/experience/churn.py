"""Churn: who was a customer when a period began, and who of them was lost in it, by the steps of the journeys.

A customer is whoever bought and was not lost since: he stands in one of `CUSTOMER`. He is lost when a step leads him
to `LEFT`: after a silence as long as the company says, or because a system said so. One who comes back in the same
period was lost none the less; one who came only in it is not counted.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from customers.experience.meaning import meaning
from customers.experience.measuring import Estimate, ccr
from customers.experience.paging import place, token
from customers.experience.periods import Period
from customers.sql import Cursor, as_json

LEFT: Final = "left"
CUSTOMER: Final = ("purchase", "after", "again")
"""The stages of a customer; before the first purchase he is none yet."""
ENOUGH: Final = 10
"""Customers at the start of a period from which on their churn is told: of fewer, one more or less is all it says."""

NET = "(s.stage = ANY(%(customer)s))::int - (s.was = ANY(%(customer)s))::int"
# A step into the stages of a customer adds one, a step out of them takes one away: no state has to be looked up.
AT_START = f"""
SELECT p.day, p.since, sum(n.net) OVER (ORDER BY p.day) - n.net + b.net AS at_start
  FROM json_to_recordset(%(periods)s::json) AS p(day date, since timestamptz, until timestamptz)
  JOIN LATERAL (SELECT coalesce(sum({NET}), 0) AS net FROM customers_stagechange s
                 WHERE s.at >= p.since AND s.at < p.until) n ON true
 CROSS JOIN (SELECT coalesce(sum({NET}), 0) AS net FROM customers_stagechange s WHERE s.at < %(since)s) b
 ORDER BY p.day
"""
LOST = """
SELECT p.day, count(DISTINCT s.customer_id)
  FROM json_to_recordset(%(periods)s::json) AS p(day date, since timestamptz, until timestamptz)
  JOIN customers_stagechange s ON s.at >= p.since AND s.at < p.until
   AND s.stage = 'left' AND s.was = ANY(%(customer)s)
   AND NOT EXISTS (SELECT 1 FROM customers_stagechange e WHERE e.customer_id = s.customer_id AND e.at >= p.since
                      AND e.at < s.at AND e.stage = ANY(%(customer)s) AND NOT e.was = ANY(%(customer)s))
 GROUP BY p.day
"""
WHO = """
SELECT s.id, s.at, s.line_id, s.was, s.reason, s.customer_id, c.public_id, e.effort, e.last_contact_at
  FROM customers_stagechange s JOIN customers_customer c ON c.id = s.customer_id
  LEFT JOIN customers_experience e ON e.customer_id = s.customer_id
 WHERE s.stage = 'left' AND s.was = ANY(%(customer)s) AND s.at >= %(since)s AND s.at < %(until)s
   AND (%(after_at)s::timestamptz IS NULL OR (s.at, s.id) < (%(after_at)s::timestamptz, %(after_id)s::uuid))
 ORDER BY s.at DESC, s.id DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Churn:
    """One bucket."""

    day: date
    since: datetime
    at_start: int
    lost: int

    @property
    def rate(self) -> Estimate | None:
        return ccr(self.lost, self.at_start) if self.lost <= self.at_start else None

    @property
    def enough(self) -> bool:
        return self.at_start >= ENOUGH


def lost_after_days() -> int:
    """The silence after which the company counts somebody as lost."""
    return meaning().lost_after_days


def churn(sql: Cursor, period: Period) -> tuple[Churn | None, list[Churn]]:
    """The whole period, and each of its buckets."""
    whole, buckets = [(period.day(period.since), period.since, period.until)], counted(sql, period.bounds())
    if buckets and buckets[0].since == period.since:  # Then those who were there at its start are counted already.
        (day, since, _), *_ = whole
        return Churn(day, since, buckets[0].at_start, lost_in(sql, whole).get(day, 0)), buckets
    return next(iter(counted(sql, whole)), None), buckets


def asked_of(bounds: list[tuple[date, datetime, datetime]]) -> dict[str, Any]:
    periods = as_json([{"day": day, "since": since, "until": until} for day, since, until in bounds])
    return {"periods": periods, "since": bounds[0][1], "customer": list(CUSTOMER)}


def lost_in(sql: Cursor, bounds: list[tuple[date, datetime, datetime]]) -> dict[date, int]:
    sql.execute(LOST, asked_of(bounds))
    return dict(sql.fetchall())


def counted(sql: Cursor, bounds: list[tuple[date, datetime, datetime]]) -> list[Churn]:
    lost = lost_in(sql, bounds)
    sql.execute(AT_START.encode(), asked_of(bounds))
    return [Churn(day, since, int(at_start), lost.get(day, 0)) for day, since, at_start in sql.fetchall()]


def who_left(
    sql: Cursor, period: Period, *, limit: int, cursor: str | None = None
) -> tuple[list[dict[str, Any]], list[int], str | None]:
    """Whom we lost, the latest first, with the line that was the last; raises BadToken."""
    after = place(cursor, 2)
    asked = {
        "customer": list(CUSTOMER),
        "since": period.since,
        "until": period.until,
        "limit": limit + 1,
        "after_at": after[0] if after else None,
        "after_id": after[1] if after else None,
    }
    sql.execute(WHO, asked)
    found = sql.fetchall()
    rows = [
        {
            "customer": public,
            "at": at,
            "interaction": line,
            "was": was,
            "reason": reason,
            "effort": effort,
            "last_contact": last,
        }
        for _, at, line, was, reason, _, public, effort, last in found[:limit]
    ]
    following = token(found[limit - 1][1], found[limit - 1][0]) if len(found) > limit else None
    return rows, [row[5] for row in found[:limit]], following
