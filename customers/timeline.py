"""The read: one customer's lines over all channels, keys first, JSON made by PostgreSQL."""

import base64
import binascii
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import orjson

from customers import masking
from customers.access import log_views
from customers.sql import Cursor, cursor, is_far
from customers.standing import STANDS_FOR

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TOKEN = struct.Struct(">cqq16s")
Order = Literal["asc", "desc"]

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


VIEWED = """, viewed AS (
    INSERT INTO customers_cardview (viewer, customer_id, period, viewed_at, path)
    SELECT %(viewer)s, id, date_bin('5 minutes', now(), 'epoch'), now(), %(path)s FROM root WHERE %(viewer)s <> ''
        ON CONFLICT (viewer, customer_id, period) DO NOTHING
)"""
"""The view is logged in the statement that reads."""


class BadToken(ValueError):
    """A cursor that we did not make, or that was made for another order."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place between lines, and on which side of it the page lies."""

    sorted_at: datetime
    rank: int
    id: UUID
    backwards: bool = False  # towards the beginning of the list: what `previous` asks for

    def token(self, order: Order) -> str:
        kind = {("desc", False): b"d", ("desc", True): b"D", ("asc", False): b"a", ("asc", True): b"A"}[
            order, self.backwards
        ]
        micros = (self.sorted_at - EPOCH) // timedelta(microseconds=1)
        return base64.urlsafe_b64encode(TOKEN.pack(kind, micros, self.rank, self.id.bytes)).rstrip(b"=").decode()

    @classmethod
    def of(cls, token: str, order: Order) -> "Position":
        """Raises BadToken."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            kind, micros, rank, id_ = TOKEN.unpack(raw)
            moment = EPOCH + timedelta(microseconds=micros)
        except (binascii.Error, struct.error, ValueError, OverflowError) as error:
            raise BadToken("This cursor was not made by this service.") from error
        if kind not in ((b"d", b"D") if order == "desc" else (b"a", b"A")):
            raise BadToken("This cursor was made for the other order.")
        return cls(moment, rank, UUID(bytes=id_), kind in (b"D", b"A"))


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


@dataclass(frozen=True, slots=True)
class Page:
    """`results` is a JSON array as bytes, in the order asked for; the tokens are None at the ends."""

    results: bytes
    next: str | None
    previous: str | None
    changes: str
    customer_id: int

    @classmethod
    def of(
        cls,
        results: bytes,
        first: tuple[Any, ...],
        last: tuple[Any, ...],
        found: int,
        limit: int,
        at: Position | None,
        order: Order,
        changes: str = "",
        customer_id: int = 0,
    ) -> "Page":
        """A page from the sort keys at its ends, and from how many of `limit` + 1 lines were found."""
        back = at is not None and at.backwards
        has_next = at is not None if back else found > limit
        has_previous = found > limit if back else at is not None
        before = (
            Position(first[0], first[1], first[2], backwards=True) if first[0] else at and replace(at, backwards=True)
        )
        after = Position(last[0], last[1], last[2]) if last[0] else at and replace(at, backwards=False)
        return cls(
            results,
            after.token(order) if has_next and after else None,
            before.token(order) if has_previous and before else None,
            changes,
            customer_id,
        )

    def json(self) -> bytes:
        """The answer's object."""
        tokens = {"next": self.next, "previous": self.previous, "changes": self.changes or None}
        return b'{"results": %b, %b' % (self.results, orjson.dumps(tokens)[1:])


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
    clauses, params = filters.clauses()
    descending = (order == "desc") != (at is not None and at.backwards)
    way, beyond = ("DESC", "<") if descending else ("ASC", ">")
    shown = order.upper()
    if at is not None:
        clauses.append(f"(t.sorted_at, t.rank, t.id) {beyond} (%(sorted_at)s, %(rank)s, %(id)s)")
        params |= {"sorted_at": at.sorted_at, "rank": at.rank, "id": at.id}
    where = "".join(f" AND {clause}" for clause in clauses)
    sort = f"sorted_at {way}, rank {way}, id {way}"
    if filters.q:
        branch = f"""SELECT t.sorted_at, t.rank, t.id, t.identity_id FROM customers_interaction t
            WHERE t.identity_id = ANY(ARRAY(SELECT id FROM ids)){where} ORDER BY {sort} LIMIT %(limit)s"""
    else:
        branch = f"""SELECT k.* FROM ids CROSS JOIN LATERAL (
            SELECT t.sorted_at, t.rank, t.id, t.identity_id FROM customers_interaction t
             WHERE t.identity_id = ids.id{where}
             ORDER BY t.identity_id {way}, t.{sort.replace(", ", ", t.")} LIMIT %(limit)s
        ) k ORDER BY {sort} LIMIT %(limit)s"""
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
SELECT (SELECT coalesce(json_agg({ENTRY} ORDER BY p.sorted_at {shown}, p.rank {shown}, p.id {shown}), '[]')
          FROM page p JOIN customers_interaction t ON t.id = p.id JOIN ids i ON i.id = p.identity_id),
       first.sorted_at, first.rank, first.id, last.sorted_at, last.rank, last.id,
       (SELECT count(*) FROM found), pg_snapshot_xmin(pg_current_snapshot())::text, root.id
  FROM root
  LEFT JOIN LATERAL ({end_of_page(shown)}) first ON true
  LEFT JOIN LATERAL ({end_of_page("ASC" if shown == "DESC" else "DESC")}) last ON true
"""
    return statement, params


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
