"""The read: one customer's lines over all channels, keys first, JSON made by PostgreSQL."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from customers import masking
from customers.access import log_views
from customers.homes import apart
from customers.places import BadToken, Order, Page, Position
from customers.sql import Cursor, cursor, is_far
from customers.standing import STANDS_FOR

__all__ = ["BadToken", "Filters", "Order", "Page", "Position", "entries", "read"]

ENTRY = """json_build_object('id', t.id, 'channel', t.channel, 'source', t.source, 'kind', t.kind,
 'direction', t.direction, 'occurred_at', t.occurred_at, 'recorded_at', t.recorded_at,
 'identity', json_build_object('kind', i.kind, 'value', i.value), 'thread', nullif(t.thread, ''), 'agent', t.agent,
 'subject', nullif(t.subject, ''), 'text', t.text, 'details', t.details, 'attachments', t.attachments,
 'state', nullif(t.state, ''), 'edits', t.edits, 'deleted_at', t.deleted_at)"""
"""One entry as the API shows it: `t` is the interaction, `i` its identity."""


STANDING = f"""
    SELECT r.id FROM customers_customer c JOIN customers_customer r ON r.id = {STANDS_FOR}
     WHERE c.erased_at IS NULL AND r.erased_at IS NULL AND (c.public_id = %(public_id)s OR c.id = %(customer)s)
"""


IDS = f"""
WITH root AS ({STANDING})
SELECT root.id, pg_snapshot_xmin(pg_current_snapshot())::text,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'kind', i.kind, 'value', i.value) ORDER BY i.id), '[]')
          FROM customers_identity i WHERE i.customer_id = root.id)
  FROM root
"""
VIEWED = """, viewed AS (
    INSERT INTO customers_cardview (viewer, customer_id, period, viewed_at, path)
    SELECT %(viewer)s, id, date_bin('5 minutes', now(), 'epoch'), now(), %(path)s FROM root WHERE %(viewer)s <> ''
        ON CONFLICT (viewer, customer_id, period) DO NOTHING
)"""
"""The view is logged in the statement that reads."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What is left out; an empty list leaves out nothing. `since` is inclusive, `until` exclusive."""

    channel: list[str] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    direction: list[str] = field(default_factory=list)
    thread: list[str] = field(default_factory=list)
    since: datetime | None = None
    until: datetime | None = None
    q: str = ""

    def clauses(self) -> tuple[list[str], dict[str, Any]]:
        """Conditions on `t` and their parameters; raises WholeOnly."""
        if not masking.may_search(self.q):
            raise masking.WholeOnly
        found: list[str] = []
        params: dict[str, Any] = {}
        for name in ("channel", "kind", "direction", "thread"):
            values = getattr(self, name)
            if values:
                found.append(f"t.{name} = ANY(%({name})s)")
                params[name] = values
        if self.since:
            found.append("t.sorted_at >= %(since)s")
            params["since"] = self.since
        if self.until:
            found.append("t.sorted_at < %(until)s")
            params["until"] = self.until
        if self.q:
            found.append("cxhub_vector(t.subject, t.text) @@ cxhub_query(%(q)s)")
            params["q"] = self.q
        return found, params


def read(
    sql: Cursor,
    public_id: UUID | None = None,
    *,
    customer: int | None = None,
    limit: int = 50,
    token: str | None = None,
    filters: Filters = Filters(),
    order: Order = "desc",
    viewer: str = "",
    path: str = "",
) -> Page | None:
    """A page of the timeline of whoever stands for this public (or internal) id; None for an unknown or erased one.

    The view is logged, in the same statement where that can. Raises BadToken.
    """
    at = Position.of(token, order) if token else None
    if apart():
        return read_apart(sql, public_id, customer, limit, at, filters, order, viewer, path)
    logged = bool(viewer) and is_far(sql)
    statement, params = page_sql(filters, at, order, "" if logged else VIEWED)
    params |= {"public_id": public_id, "customer": customer, "limit": limit + 1, "viewer": viewer, "path": path[:200]}
    sql.execute(statement.encode(), params, prepare=True)
    row = sql.fetchone()
    if row is None:
        return None
    if logged:
        log_views(sql, viewer, [row[9]], path)
    return Page.of(row[0], row[1:4], row[4:7], row[7], limit, at, order, f"{row[8]}.0", row[9])


def page_sql(filters: Filters, at: Position | None, order: Order, viewed: str = VIEWED) -> tuple[str, dict[str, Any]]:
    """The statement of one page. The only place that knows how the lines of several identities are merged."""
    where, params, way = conditions(filters, at, order)
    shown = order.upper()
    sort = f"sorted_at {way}, rank {way}, id {way}"
    k_sort = f"k.{sort.replace(', ', ', k.')}"
    if filters.q:
        branch = f"""SELECT k.*, ids.kind, ids.value FROM (
            SELECT t.sorted_at, t.rank, t.id, t.identity_id FROM customers_interaction t
             WHERE t.identity_id = ANY(ARRAY(SELECT id FROM ids)){where} ORDER BY {sort} LIMIT %(limit)s
        ) k JOIN ids ON ids.id = k.identity_id ORDER BY {k_sort} LIMIT %(limit)s"""
    else:
        branch = f"""SELECT k.*, ids.kind, ids.value FROM ids CROSS JOIN LATERAL (
            SELECT t.sorted_at, t.rank, t.id FROM customers_interaction t
             WHERE t.identity_id = ids.id{where}
             ORDER BY t.identity_id {way}, t.{sort.replace(", ", ", t.")} LIMIT %(limit)s
        ) k ORDER BY {k_sort} LIMIT %(limit)s"""
    statement = f"""
WITH root AS (
    {STANDING}
){viewed}, ids AS MATERIALIZED (
    SELECT i.id, i.kind, i.value FROM customers_identity i JOIN root ON i.customer_id = root.id
), found AS MATERIALIZED (
    {branch}
), page AS MATERIALIZED (
    SELECT * FROM found ORDER BY {sort} LIMIT %(limit)s - 1
)
SELECT (SELECT coalesce(json_agg({ENTRY} ORDER BY i.sorted_at {shown}, i.rank {shown}, i.id {shown}), '[]')
          FROM page i JOIN customers_interaction t ON t.id = i.id),
       first.sorted_at, first.rank, first.id, last.sorted_at, last.rank, last.id,
       (SELECT count(*) FROM found), pg_snapshot_xmin(pg_current_snapshot())::text, root.id
  FROM root
  LEFT JOIN LATERAL ({end_of_page(shown)}) first ON true
  LEFT JOIN LATERAL ({end_of_page("ASC" if shown == "DESC" else "DESC")}) last ON true
"""
    return statement, params


def conditions(filters: Filters, at: Position | None, order: Order) -> tuple[str, dict[str, Any], str]:
    """What a line of the page must be, the parameters of that, and the way the lines are walked."""
    clauses, params = filters.clauses()
    descending = (order == "desc") != (at is not None and at.backwards)
    way, beyond = ("DESC", "<") if descending else ("ASC", ">")
    if at is not None:
        clauses.append(f"(t.sorted_at, t.rank, t.id) {beyond} (%(sorted_at)s, %(rank)s, %(id)s)")
        params |= {"sorted_at": at.sorted_at, "rank": at.rank, "id": at.id}
    return "".join(f" AND {clause}" for clause in clauses), params, way


def read_apart(
    sql: Cursor,
    public_id: UUID | None,
    customer: int | None,
    limit: int,
    at: Position | None,
    filters: Filters,
    order: Order,
    viewer: str,
    path: str,
) -> Page | None:
    """The same page where lines are spread over several servers (`manage.py distribute`).

    Whose the identities are is known here, and each identity's lines are asked of where they are: LATERAL with a
    LIMIT does not reach the other servers.
    """
    sql.execute(IDS.encode(), {"public_id": public_id, "customer": customer}, prepare=True)
    row = sql.fetchone()
    if row is None:
        return None
    root, below, ids = row
    if viewer:
        log_views(sql, viewer, [root], path)
    found: list[tuple[Any, ...]] = []
    if ids:
        statement, params = union_sql(ids, filters, at, order)
        sql.execute(statement.encode(), {**params, "limit": limit + 1})
        found = sql.fetchall()
    shown = found[:limit]
    if at is not None and at.backwards:
        shown.reverse()
    results = b"[" + b", ".join(one[3] for one in shown) + b"]"
    nothing = (None, None, None)
    first, last = (shown[0][:3], shown[-1][:3]) if shown else (nothing, nothing)
    return Page.of(results, first, last, len(found), limit, at, order, f"{below}.0", root)


def union_sql(
    ids: list[dict[str, Any]], filters: Filters, at: Position | None, order: Order
) -> tuple[str, dict[str, Any]]:
    """One branch an identity, each answered by one server."""
    where, params, way = conditions(filters, at, order)
    branches = []
    for n, one in enumerate(ids):
        params |= {f"id{n}": one["id"], f"kind{n}": one["kind"], f"value{n}": one["value"]}
        entry = ENTRY.replace("i.kind", f"%(kind{n})s::text").replace("i.value", f"%(value{n})s::text")
        branches.append(f"""(SELECT t.sorted_at, t.rank, t.id, {entry} AS entry FROM customers_interaction t
            WHERE t.identity_id = %(id{n})s{where}
            ORDER BY t.sorted_at {way}, t.rank {way}, t.id {way} LIMIT %(limit)s)""")
    every = " UNION ALL ".join(branches)
    return f"SELECT * FROM ({every}) e ORDER BY sorted_at {way}, rank {way}, id {way} LIMIT %(limit)s", params


def end_of_page(way: str) -> str:
    """The sort key at one end of the page."""
    return f"SELECT sorted_at, rank, id FROM page ORDER BY sorted_at {way}, rank {way}, id {way} LIMIT 1"


def entries(sql: Cursor, ids: list[UUID]) -> Mapping[UUID, str]:
    """Single entries as JSON text, by their ids."""
    sql.execute(
        f"SELECT t.id, {ENTRY}::text FROM customers_interaction t JOIN customers_identity i ON i.id = t.identity_id"
        " WHERE t.id = ANY(%s)",
        (ids,),
    )
    return dict(sql.fetchall())


def customers_of(ids: list[UUID]) -> dict[UUID, UUID]:
    """{line: public id of the customer that it belongs to now}."""
    if not ids:
        return {}
    with cursor("reading") as sql:
        sql.execute(
            "SELECT t.id, c.public_id FROM customers_interaction t JOIN customers_identity i ON i.id = t.identity_id"
            " JOIN customers_customer c ON c.id = i.customer_id WHERE t.id = ANY(%s)",
            (ids,),
        )
        return dict(sql.fetchall())
