"""Answers to surveys one by one: of a customer, or of everybody, newest first, with what became of a low one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from customers.experience import framing
from customers.experience.paging import Page, chosen, place, token
from customers.sql import Cursor

LIST = """
SELECT s.id, s.line_id, s.metric, s.value, s.low, s.high, s.why, s.given_at, s.channel, s.source, s.stage, s.agent,
       s.request_id, s.effort, s.bad, s.promise_id, p.state, p.due_at, p.closed_at, s.customer_id, c.public_id
  FROM customers_score s JOIN customers_customer c ON c.id = s.customer_id
  LEFT JOIN customers_promise p ON p.id = s.promise_id
 WHERE {} ORDER BY s.given_at DESC, s.id DESC LIMIT %(limit)s
"""
LATEST_OF = """
SELECT s.line_id AS interaction, s.metric, s.value, s.low AS min, s.high AS max, s.why, s.given_at, s.bad AS low,
       p.state AS follow_up
  FROM customers_score s LEFT JOIN customers_promise p ON p.id = s.promise_id
 WHERE s.customer_id = %(customer)s ORDER BY s.at DESC, s.id DESC LIMIT %(limit)s
"""
"""What a card says of a customer's last answers."""
CONDITIONS = {
    "customer": "s.customer_id = %(customer)s",
    "metric": "s.metric = %(metric)s",
    "least": "s.low = %(least)s",
    "channel": "s.channel = %(channel)s",
    "stage": "s.stage = %(stage)s",
    "agent": "s.agent = ANY(%(agent)s)",
    "since": "s.given_at >= %(since)s",
    "until": "s.given_at < %(until)s",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which answers: what is None does not matter."""

    customer: int | None = None
    metric: str | None = None
    least: float | None = None  # the lower end of the scale: tells the two kinds of NPS apart
    channel: str | None = None
    stage: str | None = None
    agent: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    bad: bool = False
    open: bool = False  # low, and nobody has closed the loop

    def conditions(self) -> tuple[str, dict[str, Any]]:
        found, said = chosen(self, CONDITIONS)
        if self.bad or self.open:
            found.append("s.bad")
        if self.open:
            found.append("(p.state IS NULL OR p.state NOT IN ('kept', 'cancelled'))")
        return " AND ".join(found) or "true", said


def listed(sql: Cursor, asked: Asked, *, limit: int, cursor: str | None = None) -> Page:
    """A page of answers; raises BadToken."""
    where, said = asked.conditions()
    if asked.agent is not None:
        said["agent"] = framing.read(sql).names_of(asked.agent)
    if (after := place(cursor, 2)) is not None:
        where += " AND (s.given_at, s.id) < (%(after_at)s::timestamptz, %(after_id)s::uuid)"
        said |= {"after_at": after[0], "after_id": after[1]}
    sql.execute(LIST.format(where).encode(), {**said, "limit": limit + 1})
    found = sql.fetchall()
    page = found[:limit]
    following = token(page[-1][7], page[-1][0]) if len(found) > limit else None
    return Page([shown(*row) for row in page], [row[19] for row in page], following)


def shown(*row: Any) -> dict[str, Any]:
    """An answer as the API says it."""
    id_, line, metric, value, low, high, why, given, channel, source, stage, agent, request, effort, *rest = row
    bad, promise, state, due, closed, _, customer = rest
    follow_up: Mapping[str, Any] | None = None
    if promise is not None:
        follow_up = {"promise": promise, "state": state, "due_at": due, "closed_at": closed}
    return {
        "id": id_,
        "customer": customer,
        "interaction": line,
        "metric": metric,
        "value": value,
        "min": low,
        "max": high,
        "counted": not why,
        "why": why or None,
        "given_at": given,
        "channel": channel,
        "source": source,
        "stage": stage or None,
        "agent": agent or None,
        "request": request,
        "effort": effort,
        "low": bad,
        "follow_up": follow_up,
    }


OF_LINE = "SELECT i.customer_id FROM customers_interaction t JOIN customers_identity i ON i.id = t.identity_id"


def customer_of_line(sql: Cursor, line: UUID) -> int | None:
    """Whose line it is; None if there is none."""
    sql.execute(f"{OF_LINE} WHERE t.id = %s".encode(), (line,))
    row = sql.fetchone()
    return int(row[0]) if row else None
