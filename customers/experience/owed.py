"""What is owed to customers: promises across all of them, the most overdue first, and how many became what."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from customers.experience import framing
from customers.experience.contacts import EPOCH, micros
from customers.models import Promise
from customers.sql import Cursor

WAITING, OVERDUE = "waiting", "overdue"
STATES: Final = (WAITING, OVERDUE, Promise.OPEN, Promise.KEPT, Promise.BROKEN, Promise.CANCELLED)
"""waiting: somebody still has to do something, overdue or not; overdue: and it should be done already."""
OF = "coalesce(m.public_id, c.public_id)"
SHORT: Final = """'id', p.id, 'line', p.line_id, 'what', p.what, 'kind', p.kind, 'origin', p.origin,
  'owner', nullif(p.owner, ''), 'made_at', p.made_at, 'due_at', p.due_at, 'state', p.state,
  'overdue', p.settled_at IS NULL AND p.due_at < now(), 'tries', p.tries, 'tried_at', p.tried_at,
  'closed_at', p.closed_at, 'settled_at', p.settled_at, 'late', p.outcome = 'late', 'closed_line', p.closed_line"""
"""What a card says of a promise."""
PROMISE: Final = f"""json_build_object({SHORT}, 'customer', {OF}, 'channel', p.channel, 'source', p.source,
  'request', p.request_id, 'made_by', nullif(p.made_by, ''), 'moved', p.moved,
  'closed_by', nullif(p.closed_by, ''), 'why', nullif(p.why, ''))::text"""
FROM = """customers_promise p JOIN customers_customer c ON c.id = p.customer_id
  LEFT JOIN customers_customer m ON m.id = c.merged_into_id"""
SHORTLY: Final = """'id', e.id, 'line', e.line_id, 'what', e.what, 'lasting', e.lasting, 'stated_at', e.stated_at,
  'outcome', nullif(e.outcome, ''), 'emotion', e.emotion, 'outcome_at', e.outcome_at"""
"""And of an expectation."""
EXPECTATION: Final = f"""json_build_object({SHORTLY}, 'customer', {OF}, 'request', e.request_id,
  'stated_by', nullif(e.stated_by, ''), 'outcome_by', nullif(e.outcome_by, ''))::text"""
EXPECTATIONS: Final = """customers_expectation e JOIN customers_customer c ON c.id = e.customer_id
  LEFT JOIN customers_customer m ON m.id = c.merged_into_id"""
SAID = f"""
SELECT 0 AS kind, json_build_object({SHORT}) AS said, p.made_at AS at, p.id FROM customers_promise p
 WHERE p.customer_id = %(customer)s AND p.line_id = ANY(%(lines)s::uuid[])
 UNION ALL
SELECT 1, json_build_object({SHORTLY}), e.stated_at, e.id FROM customers_expectation e
 WHERE e.customer_id = %(customer)s AND e.line_id = ANY(%(lines)s::uuid[])
 ORDER BY 3, 4
"""
WAITING_OF = f"""
SELECT json_build_object({SHORT}) AS promise FROM customers_promise p
 WHERE p.customer_id = %(customer)s AND p.settled_at IS NULL
 ORDER BY p.due_at, p.id LIMIT 20
"""
COUNTS = """
SELECT coalesce(sum(n), 0)::bigint, coalesce(sum(n) FILTER (WHERE state = 'kept'), 0)::bigint,
       coalesce(sum(n) FILTER (WHERE state = 'broken'), 0)::bigint,
       coalesce(sum(n) FILTER (WHERE state = 'cancelled'), 0)::bigint,
       coalesce(sum(n) FILTER (WHERE tries > 0), 0)::bigint,
       (SELECT count(*) FROM customers_promise WHERE settled_at IS NULL AND due_at >= now()),
       (SELECT count(*) FROM customers_promise WHERE settled_at IS NULL AND due_at < now())
  FROM (SELECT state, tries, count(*) AS n FROM customers_promise GROUP BY state, tries) told
"""
"""Each part is answered by an index alone: asked at every scrape, it must not read the promises."""
COUNTED = ("made", "kept", "broken", "cancelled", "tried", "open", "overdue")


class BadToken(ValueError):
    """A cursor that we did not make."""


@dataclass(frozen=True, slots=True)
class Owed:
    """One page of promises as JSON texts; `next` is empty at the end."""

    rows: list[str]
    whose: list[tuple[str, int]]
    """The customers' public ids and ours."""
    next: str

    @property
    def customers(self) -> list[int]:
        return sorted({customer for _, customer in self.whose})


def owed(
    sql: Cursor,
    *,
    state: str = WAITING,
    owner: str | None = None,
    due_before: datetime | None = None,
    token: str | None = None,
    limit: int = 50,
) -> Owed:
    """What waits by when it is due, the earliest first; what is over by when it ended, the latest first."""
    asked: dict[str, Any] = {"state": state, "before": due_before}
    waits = state in (WAITING, OVERDUE, Promise.OPEN)
    where = ["p.settled_at IS NULL"] if waits else ["p.state = %(state)s"]
    where += {OVERDUE: ["p.due_at < now()"], Promise.OPEN: ["p.due_at >= now()"]}.get(state, [])
    column = "p.due_at" if waits else "p.closed_at"
    if owner is not None:
        names = framing.read(sql).names_of(owner)
        asked["owner"] = names if len(names) > 1 else owner
        where.append("p.owner = ANY(%(owner)s)" if len(names) > 1 else "p.owner = %(owner)s")  # In the index's order.
    if due_before is not None:
        where.append("p.due_at < %(before)s")
    if token is not None:
        at, id_ = position(token)
        asked |= {"at": at, "id": id_}
        where.append(f"({column}, p.id) {'>' if waits else '<'} (%(at)s, %(id)s)")
    order = f"{column}, p.id" if waits else f"{column} DESC, p.id DESC"
    sql.execute(
        f"SELECT {PROMISE}, {OF}::text, p.customer_id, {column}, p.id FROM {FROM} WHERE {' AND '.join(where)}"
        f" ORDER BY {order} LIMIT {limit + 1}".encode(),
        asked,
    )
    return page_of(sql.fetchall(), limit)


def page_of(rows: Sequence[tuple[Any, ...]], limit: int) -> Owed:
    shown = rows[:limit]
    following = token_of(shown[-1][3], shown[-1][4]) if len(rows) > limit else ""
    return Owed([row[0] for row in shown], [(row[1], row[2]) for row in shown], following)


def token_of(at: datetime, id_: UUID) -> str:
    return f"{micros(at)}.{id_}"


def position(token: str) -> tuple[datetime, UUID]:
    at, dot, id_ = token.partition(".")
    try:
        if not (dot and at.removeprefix("-").isascii() and at.removeprefix("-").isdigit() and len(at) < 19):
            raise ValueError
        return (EPOCH + timedelta(microseconds=int(at))).astimezone(UTC), UUID(id_)
    except (ValueError, OverflowError) as error:
        raise BadToken("This cursor was not made by this service.") from error


def of_customer(sql: Cursor, customer: int, *, waiting: bool = False, limit: int = 200) -> list[str]:
    """One customer's promises: those that wait, by when they are due; and the others, the latest first."""
    only = "AND p.settled_at IS NULL" if waiting else ""
    sql.execute(
        f"SELECT {PROMISE} FROM {FROM} WHERE p.customer_id = %s {only}"
        " ORDER BY p.settled_at IS NOT NULL, CASE WHEN p.settled_at IS NULL THEN p.due_at END, p.closed_at DESC, p.id"
        " LIMIT %s".encode(),
        (customer, limit),
    )
    return [row[0] for row in sql.fetchall()]


def of_line(sql: Cursor, customer: int, line: UUID) -> list[str]:
    sql.execute(
        f"SELECT {PROMISE} FROM {FROM} WHERE p.customer_id = %s AND p.line_id = %s ORDER BY p.made_at, p.id".encode(),
        (customer, line),
    )
    return [row[0] for row in sql.fetchall()]


def said_in(sql: Cursor, customer: int, lines: Iterable[str]) -> list[tuple[int, dict[str, Any]]]:
    """What was said in lines of a customer: (0, a promise) and (1, an expectation)."""
    sql.execute(SAID.encode(), {"customer": customer, "lines": array(lines)})
    return [(row[0], orjson.loads(row[1])) for row in sql.fetchall()]


def array(ids: Iterable[str]) -> str:
    """UUIDs as one text: that costs a tenth of making an array of them."""
    return f"{{{','.join(ids)}}}"


def one(sql: Cursor, id_: UUID) -> tuple[str, int] | None:
    """(JSON, customer) of one promise."""
    sql.execute(f"SELECT {PROMISE}, p.customer_id FROM {FROM} WHERE p.id = %s".encode(), (id_,))
    row = sql.fetchone()
    return (row[0], row[1]) if row else None


def promise_counts(sql: Cursor) -> dict[str, int]:
    """For metrics: how many were ever made, kept, broken, cancelled, tried, and how many wait or are overdue now."""
    sql.execute(COUNTS)
    row = sql.fetchone() or (0,) * len(COUNTED)
    return dict(zip(COUNTED, row, strict=True))
