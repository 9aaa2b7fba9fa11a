"""Where and why people are lost: from which stage, for which reason, and what they had met more often than others.

What goes together need not be the cause; with n and an interval on both sides it says where to look first.
"""

from dataclasses import dataclass
from typing import Final

from customers.experience.churn import CUSTOMER, LEFT
from customers.experience.measuring import Estimate, share
from customers.experience.periods import Period
from customers.sql import Cursor

HARD: Final = 40
"""From which effort on a matter was hard for the customer."""
FROM_WHERE = """
SELECT s.was, s.reason, count(*) FROM (
    SELECT DISTINCT was, reason, customer_id FROM customers_stagechange
     WHERE stage = 'left' AND at >= %(since)s AND at < %(until)s) s
 GROUP BY s.was, s.reason ORDER BY 3 DESC, 1, 2 LIMIT 50
"""
# Each inner list is read once and hashed, however many customers are asked about.
MET = f"""
SELECT e.stage = 'left', count(*),
       count(*) FILTER (WHERE e.customer_id IN (SELECT customer_id FROM customers_promise WHERE state = 'broken')),
       count(*) FILTER (WHERE e.customer_id IN (SELECT customer_id FROM customers_request WHERE state = 'abandoned')),
       count(*) FILTER (WHERE e.customer_id IN (SELECT customer_id FROM customers_score WHERE bad)),
       count(*) FILTER (WHERE e.customer_id IN (SELECT customer_id FROM customers_feedback WHERE sentiment < 0)),
       count(*) FILTER (WHERE e.effort >= {HARD})
  FROM customers_experience e
 WHERE e.stage = ANY(%(customer)s)
    OR (e.stage = 'left' AND e.purchases > 0 AND e.stage_since >= %(since)s AND e.stage_since < %(until)s)
 GROUP BY 1
"""
THINGS: Final = ("broken", "abandoned", "low", "negative", "hard")


@dataclass(frozen=True, slots=True)
class Met:
    """How many of the lost, and of those who stayed, had met something."""

    what: str
    lost: Estimate | None
    stayed: Estimate | None

    @property
    def telling(self) -> bool:
        """Whether the lost met it more often, beyond what chance explains: the intervals do not touch."""
        if self.lost is None or self.stayed is None or self.lost.low is None or self.stayed.high is None:
            return False
        return self.lost.low > self.stayed.high


@dataclass(frozen=True, slots=True)
class Losing:
    steps: list[tuple[str, str, int]]  # stage, reason, customers
    met: list[Met]


def losing(sql: Cursor, period: Period) -> Losing:
    asked = {"since": period.since, "until": period.until, "customer": [one for one in CUSTOMER if one != LEFT]}
    sql.execute(FROM_WHERE, asked)
    steps = sql.fetchall()
    sql.execute(MET.encode(), asked)
    found = {lost: counts for lost, *counts in sql.fetchall()}
    nothing = [0] * (1 + len(THINGS))
    lost, stayed = found.get(True, nothing), found.get(False, nothing)
    return Losing(
        steps,
        [
            Met(what, share(lost[place], lost[0]), share(stayed[place], stayed[0]))
            for place, what in enumerate(THINGS, start=1)
        ],
    )
