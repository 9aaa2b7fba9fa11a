"""What a reader of a timeline asks for: the filters, the place and the page that stand in the address."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict
from django.utils import timezone

from customers import timeline
from customers.api.timelines import DIRECTIONS, KINDS
from customers.console.pages import word, words
from customers.sql import Cursor
from customers.timeline import Filters, Position

LAST = UUID(int=2**128 - 1)
TOP_RANK = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Asked:
    """Read from the address; what makes no sense there is as if it were not."""

    channel: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    direction: tuple[str, ...] = ()
    thread: str = ""
    since: date | None = None
    until: date | None = None
    q: str = ""
    cursor: str = ""
    at: UUID | None = None
    on: date | None = None

    @classmethod
    def of(cls, given: QueryDict) -> "Asked":
        if not given:
            return cls()
        return cls(
            tuple(words(given, "channel")),
            tuple(one for one in words(given, "kind") if one in KINDS),
            tuple(one for one in words(given, "direction") if one in DIRECTIONS),
            word(given, "thread", 512),
            day(word(given, "since")),
            day(word(given, "until")),
            word(given, "q"),
            word(given, "cursor", 100),
            line(word(given, "at")),
            day(word(given, "on")),
        )

    def filters(self) -> Filters:
        """`until` is the last day shown, in the reader's zone."""
        return Filters(
            channel=list(self.channel),
            kind=list(self.kind),
            direction=list(self.direction),
            thread=[self.thread] if self.thread else [],
            since=midnight(self.since) if self.since else None,
            until=midnight(self.until, 1) if self.until else None,
            q=self.q,
        )

    @property
    def filtered(self) -> bool:
        return any((self.channel, self.kind, self.direction, self.thread, self.q, self.since, self.until))

    def query(self, **more: str) -> str:
        """The filters as they stand in an address, and `more`."""
        pairs = [(name, one) for name in ("channel", "kind", "direction") for one in getattr(self, name)]
        pairs += [(name, value) for name in ("thread", "q") if (value := getattr(self, name))]
        pairs += [(name, value.isoformat()) for name in ("since", "until") if (value := getattr(self, name))]
        return urlencode(pairs + list(more.items()))

    def token(self) -> str | None:
        """Where the page starts: at a cursor, or at the end of a day; None for the newest."""
        if self.cursor:
            return self.cursor
        return Position(midnight(self.on, 1), -1, UUID(int=0)).token("desc") if self.on else None


def day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if date(1970, 1, 2) < found < date(9000, 1, 1) else None


def line(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def midnight(of: date, later: int = 0) -> datetime:
    """The beginning of a day in the reader's zone, or of one some days later."""
    return datetime.combine(of + timedelta(days=later), time.min, timezone.get_current_timezone())


PLACE = """
SELECT t.sorted_at, t.rank FROM customers_interaction t JOIN customers_identity i ON i.id = t.identity_id
 WHERE t.id = %s AND i.customer_id = %s
"""


def place_of(sql: Cursor, interaction: UUID, customer: int) -> Position | None:
    """The place right before a line of this customer, so that a page from there begins with it."""
    sql.execute(PLACE, (interaction, customer), prepare=True)
    row = sql.fetchone()
    if row is None:
        return None
    if interaction == LAST:
        return Position(row[0], row[1] + 1, UUID(int=0))
    return Position(row[0], row[1], UUID(int=interaction.int + 1))


MATCHING = "SELECT t.id FROM customers_interaction t WHERE t.id = ANY(%(ids)s)"


def matching(sql: Cursor, ids: list[UUID], filters: Filters) -> set[UUID]:
    """Which of these lines the filters leave."""
    clauses, params = filters.clauses()
    statement = MATCHING + "".join(f" AND {clause}" for clause in clauses)
    sql.execute(statement.encode(), params | {"ids": ids})
    return {row[0] for row in sql.fetchall()}


def is_cursor(token: str) -> bool:
    try:
        timeline.Position.of(token, "desc")
    except timeline.BadToken:
        return False
    return True
