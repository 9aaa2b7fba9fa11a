"""Feedback of everybody: what is negative and unanswered first, then by state, the latest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from customers.experience.facts import say
from customers.experience.paging import Page, chosen, place, token
from customers.incoming import Agent
from customers.sql import Cursor

KINDS: Final = ("review", "complaint", "mention", "comment")
STATES: Final = ("new", "answered", "solved", "told")
LIST = """
SELECT f.id, f.line_id, f.at, f.kind, f.channel, f.source, f.topic, f.sentiment, f.state, f.state_at, f.state_by,
       f.stage, f.urgency, f.customer_id, c.public_id, left(t.text, 500) AS text, left(t.subject, 300) AS subject,
       CASE WHEN jsonb_typeof(t.details->'score') = 'object' THEN t.details->'score' END AS score
  FROM customers_feedback f JOIN customers_customer c ON c.id = f.customer_id
  LEFT JOIN customers_interaction t ON t.id = f.line_id AND t.deleted_at IS NULL
 WHERE {} ORDER BY f.urgency, f.at DESC, f.id DESC LIMIT %(limit)s
"""
FIRST_OF = """
SELECT f.line_id AS interaction, f.at, f.kind, f.topic, f.sentiment, f.state, f.urgency = 0 AS urgent
  FROM customers_feedback f
 WHERE f.customer_id = %(customer)s ORDER BY f.urgency, f.at DESC, f.id DESC LIMIT %(limit)s
"""
"""What a card says of a customer's feedback."""
CONDITIONS = {
    "customer": "f.customer_id = %(customer)s",
    "state": "f.state = %(state)s",
    "topic": "f.topic = %(topic)s AND f.topic <> ''",
    "kind": "f.kind = %(kind)s",
    "channel": "f.channel = %(channel)s",
    "sentiment": "f.sentiment = %(sentiment)s",
    "since": "f.at >= %(since)s",
    "until": "f.at < %(until)s",
    "id": "f.id = %(id)s",
}
URGENCIES = {"new": (0, 1), "answered": (2,), "solved": (3,), "told": (4,)}
"""Where the states lie in the order: a state is then a stretch of the index."""
TOPICS = """
SELECT f.topic, count(*), count(*) FILTER (WHERE f.urgency = 0), count(*) FILTER (WHERE f.sentiment < 0)
  FROM customers_feedback f WHERE f.at >= %(since)s AND f.at < %(until)s GROUP BY f.topic
 ORDER BY 2 DESC, 1 LIMIT 50
"""
WAITING = "SELECT count(*) FROM customers_feedback WHERE urgency = 0"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which feedback: what is None does not matter."""

    customer: int | None = None
    state: str | None = None
    topic: str | None = None
    kind: str | None = None
    channel: str | None = None
    sentiment: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    id: UUID | None = None


def listed(sql: Cursor, asked: Asked, *, limit: int, cursor: str | None = None) -> Page:
    """A page of feedback; raises BadToken."""
    found, said = chosen(asked, CONDITIONS)
    if asked.state is not None:
        found.append("f.urgency = ANY(%(urgencies)s)")
        said["urgencies"] = list(URGENCIES.get(asked.state, ()))
    if (after := place(cursor, 3)) is not None:
        found.append("f.urgency >= %(urgency)s::smallint")
        found.append("(-f.urgency, f.at, f.id) < (-%(urgency)s::smallint, %(after_at)s::timestamptz, %(after)s::uuid)")
        said |= {"urgency": after[0], "after_at": after[1], "after": after[2]}
    sql.execute(LIST.format(" AND ".join(found) or "true").encode(), {**said, "limit": limit + 1})
    rows = sql.fetchall()
    page = rows[:limit]
    following = token(page[-1][12], page[-1][2], page[-1][0]) if len(rows) > limit else None
    return Page([shown(*row) for row in page], [row[13] for row in page], following)


def shown(*row: Any) -> dict[str, Any]:
    """One feedback as the API says it."""
    id_, line, at, kind, channel, source, topic, sentiment, state, state_at, state_by, stage, *rest = row
    urgency, _, customer, text, subject, score = rest
    return {
        "id": id_,
        "customer": customer,
        "interaction": line,
        "at": at,
        "kind": kind,
        "channel": channel,
        "source": source,
        "topic": topic or None,
        "sentiment": sentiment,
        "state": state,
        "state_at": state_at,
        "state_by": state_by or None,
        "stage": stage or None,
        "urgent": urgency == 0,
        "subject": subject or None,
        "text": text or "",
        "score": score,
    }


def topics(sql: Cursor, since: datetime, until: datetime) -> list[tuple[str, int, int, int]]:
    """(topic, how many, negative ones that wait, negative ones), the most frequent first."""
    sql.execute(TOPICS, {"since": since, "until": until})
    return sql.fetchall()


def waiting(sql: Cursor) -> int:
    """How many negative ones nobody has answered."""
    sql.execute(WAITING)
    (count,) = sql.fetchone() or (0,)
    return int(count)


def take_care(
    sql: Cursor, line: UUID, state: str, *, agent: Agent, topic: str = "", sentiment: int | None = None
) -> None:
    """Say in the line of the feedback how far it is taken care of; raises NoSuchLine."""
    said: dict[str, Any] = {"id": state or "topic", "at": datetime.now(UTC).isoformat(), "by": agent.name or agent.id}
    said |= {"state": state} if state else {}
    said |= {"topic": topic} if topic else {}
    said |= {"sentiment": sentiment} if sentiment is not None else {}
    say(sql, line, f"feedback:{said['id']}", {"feedbacks": [said]}, agent=agent)


def one(sql: Cursor, id_: UUID) -> tuple[dict[str, Any], int] | None:
    """A feedback and whose it is."""
    page = listed(sql, Asked(id=id_), limit=1)
    return (page.rows[0], page.customers[0]) if page.rows else None


def known_topics(rows: Sequence[tuple[str, int, int, int]]) -> list[str]:
    return sorted(name for name, *_ in rows if name)
