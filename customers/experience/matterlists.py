"""Matters across customers: whoever waits longest first, all else the newest first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from customers.experience import framing
from customers.experience.paging import Page, chosen, place, token
from customers.sql import Cursor

STATES: Final = ("open", "answered", "solved", "abandoned")
COLUMNS = {
    "id": "r.id",
    "customer": "c.public_id",
    "state": "r.state",
    "external": "nullif(r.external, '')",
    "subject": "nullif(r.subject, '')",
    "source": "r.source",
    "channel": "r.channel",
    "channels": "r.channels",
    "agents": "r.agents",
    "opened_at": "r.at",
    "interaction": "r.line_id",
    "last_at": "r.last_at",
    "last_interaction": "r.last_line",
    "waiting_since": "r.waiting_since",
    "answered_at": "r.answered_at",
    "answer_interaction": "r.answer_line",
    "solved_at": "r.solved_at",
    "solved_by": "nullif(r.solved_by, '')",
    "reopened": "r.reopened",
    "inbound": "r.inbound",
    "outbound": "r.outbound",
    "missed_calls": "r.missed",
    "channel_switches": "r.switches",
    "hand_overs": "r.handovers",
    "given_again": "r.repeated",
    "waited_s": "r.waited_s",
    "answer_s": "r.answer_s",
    "answer_business_s": "r.answer_business_s",
    "solution_s": "r.solution_s",
    "solution_business_s": "r.solution_business_s",
    "effort": "r.effort",
    "effort_parts": "r.effort_parts",
    "by_channel": "r.by_channel",
    "interactions": "r.lines",
}
SHORT: Final = (
    *("id", "state", "subject", "channels", "agents", "opened_at", "waiting_since"),
    *("solved_by", "missed_calls", "effort"),
)
"""What a card says of a matter."""
UNSOLVED = "r.state IN ('open', 'answered')"
OPEN_OF = f"""
SELECT {", ".join(f"{COLUMNS[name]} AS {name}" for name in SHORT)} FROM customers_request r
 WHERE r.customer_id = %(customer)s AND {UNSOLVED} ORDER BY r.at DESC, r.id DESC LIMIT %(limit)s
"""
LIST = f"""
SELECT {", ".join(f"{column} AS {name}" for name, column in COLUMNS.items())}, r.customer_id
  FROM customers_request r JOIN customers_customer c ON c.id = r.customer_id
 WHERE {{}} ORDER BY {{}} LIMIT %(limit)s
"""
CONDITIONS = {
    "id": "r.id = %(id)s",
    "customer": "r.customer_id = %(customer)s",
    "state": "r.state = %(state)s",
    "channel": "%(channel)s = ANY(r.channels)",
    "agent": "r.agents && %(agent)s",
    "external": "r.external = %(external)s",
    "since": "r.at >= %(since)s",
    "until": "r.at < %(until)s",
}
WAITING = "SELECT count(*), min(waiting_since) FROM customers_request WHERE waiting_since IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which matters: what is None does not matter. `unsolved`: open and answered ones."""

    id: UUID | None = None
    customer: int | None = None
    state: str | None = None
    channel: str | None = None
    agent: str | None = None
    external: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    unsolved: bool = False


def listed(sql: Cursor, asked: Asked, *, limit: int, cursor: str | None = None) -> Page:
    """A page of matters; raises BadToken."""
    found, said = chosen(asked, CONDITIONS)
    if asked.agent is not None:
        said["agent"] = framing.read(sql).names_of(asked.agent)
    if asked.unsolved:
        found.append(UNSOLVED)
    waiting = asked.state == "open"
    if waiting:
        found.append("r.waiting_since IS NOT NULL")
    if (after := place(cursor, 2)) is not None:
        column, sign = ("waiting_since", ">") if waiting else ("at", "<")
        found.append(f"(r.{column}, r.id) {sign} (%(after_at)s::timestamptz, %(after_id)s::uuid)")
        said |= {"after_at": after[0], "after_id": after[1]}
    order = "r.waiting_since, r.id" if waiting else "r.at DESC, r.id DESC"
    sql.execute(LIST.format(" AND ".join(found) or "true", order).encode(), {**said, "limit": limit + 1})
    rows = [(dict(zip(COLUMNS, row, strict=False)), row[-1]) for row in sql.fetchall()]
    page = [row for row, _ in rows[:limit]]
    following = None
    if len(rows) > limit:
        following = token(page[-1]["waiting_since" if waiting else "opened_at"], page[-1]["id"])
    return Page(page, [customer for _, customer in rows[:limit]], following)


def one(sql: Cursor, id_: UUID) -> dict[str, Any] | None:
    page = listed(sql, Asked(id=id_), limit=1)
    return page.rows[0] if page.rows else None


def waiting(sql: Cursor) -> tuple[int, datetime | None]:
    """How many wait for an answer, and the first of them since when."""
    sql.execute(WAITING)
    count, since = sql.fetchone() or (0, None)
    return int(count), since
