"""The brief: at most ten lines for whoever takes over a customer, each proved by the line that it names.

The order is by importance, and fixed: who he is; what was promised (broken first, then by when it is due); who waits
for an answer; negative feedback that nobody answered; what he expects; what the last colleague discussed and agreed;
what was noted among us since; his last answers and moods; what is new to the reader; how and when he prefers to
speak. Each kind first gives one line, so that no kind hides another; what room is left goes to the second and third
lines of the kinds in the same order. A kind with more than is shown says how many more. All is read from the rows
of the folds: one statement, whatever the length of the history.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.utils.translation import gettext as _

from customers.experience import framing
from customers.experience.briefwords import COUNTED, TELLERS, Line
from customers.experience.following import FRESH, fresh
from customers.experience.framing import Frame
from customers.sql import Cursor, cursor

MOST, EACH = 10, 3
BROKEN_DAYS = 30
"""After these a broken promise is history; one that was made good is at once."""
KNOWN = """json_build_object('public_id', c.public_id,
  'name', (SELECT a.value FROM customers_attributeclaim a JOIN customers_identity i ON i.id = a.identity_id
            WHERE i.customer_id = c.id AND a.key = 'name' ORDER BY a.trust DESC, a.claimed_at DESC, a.id LIMIT 1),
  'stage', e.stage, 'stage_since', e.stage_since, 'purchases', e.purchases, 'first', e.first_contact_at,
  'last_purchase', e.last_purchase_at, 'first_touch', e.first_touch, 'effort', e.effort, 'more', e.more,
  'promises', (SELECT coalesce(json_agg(p), '[]') FROM (
      SELECT id, what, kind, origin, owner, state, due_at, made_at, tries, tried_at, line_id FROM customers_promise
       WHERE customer_id = c.id AND settled_at IS NULL
         AND (state = 'open' OR (state = 'broken' AND closed_at > %(lately)s))
       ORDER BY state, due_at, id LIMIT 50) p),
  'requests', (SELECT coalesce(json_agg(r), '[]') FROM (
      SELECT r.id, r.subject, r.state, r.channel, r.at, r.waiting_since, r.last_at, r.last_line, r.line_id, r.agents,
             r.reopened, r.inbound, r.missed, left(t.text, 300) AS text, t.channel AS last_channel
        FROM customers_request r LEFT JOIN customers_interaction t ON t.id = r.last_line
       WHERE r.customer_id = c.id AND r.state IN ('open', 'answered')
       ORDER BY r.waiting_since NULLS LAST, r.last_at DESC, r.id LIMIT 50) r),
  'expectations', (SELECT coalesce(json_agg(x), '[]') FROM (
      SELECT id, what, lasting, stated_at, outcome, emotion, outcome_at, line_id FROM customers_expectation
       WHERE customer_id = c.id AND (outcome = '' OR lasting)
       ORDER BY outcome <> 'missed', lasting, stated_at DESC, id LIMIT 50) x),
  'feedback', (SELECT coalesce(json_agg(f), '[]') FROM (
      SELECT f.id, f.kind, f.channel, f.topic, f.at, f.line_id, left(t.text, 300) AS text
        FROM customers_feedback f LEFT JOIN customers_interaction t ON t.id = f.line_id
       WHERE f.customer_id = c.id AND f.state = 'new' AND f.sentiment = -1 ORDER BY f.at DESC, f.id LIMIT 50) f),
  'said', (SELECT coalesce(json_object_agg(t.id, json_build_object('subject', left(t.subject, 300),
                                                            'text', left(t.text, 600), 'kind', t.kind)), '{}')
             FROM customers_interaction t
            WHERE t.id IN ((e.more->'human'->>'line')::uuid, (e.more->'note'->>'line')::uuid)
              AND t.deleted_at IS NULL),
  'new', (SELECT coalesce(json_agg(n), '[]') FROM (
      SELECT n.id, n.channel, n.kind, n.direction, n.sorted_at AS at, n.text FROM customers_identity i
       CROSS JOIN LATERAL (
             SELECT t.id, t.channel, t.kind, t.direction, t.sorted_at, left(t.text, 300) AS text
               FROM customers_interaction t
              WHERE t.identity_id = i.id AND t.sorted_at > %(since)s::timestamptz AND t.deleted_at IS NULL
              ORDER BY t.sorted_at DESC LIMIT %(new)s) n
       WHERE i.customer_id = c.id AND %(since)s::timestamptz IS NOT NULL
       ORDER BY n.sorted_at DESC, n.id LIMIT %(new)s) n)
)"""


def asking(also: str = "NULL", *, since: str = "%(since)s::timestamptz", after: str = "") -> bytes:
    """The statement: whether the rows say what the lines say, what the brief says, and `also`, an expression of `c`.

    `since`: when the reader last looked, an expression of what stands before it, `after`.
    """
    return f"""
{after} SELECT {FRESH}, {KNOWN.replace("%(since)s::timestamptz", since)}, {also}, {since}
  FROM customers_customer c LEFT JOIN customers_experience e ON e.customer_id = c.id
 WHERE c.id = %(customer)s AND c.erased_at IS NULL
""".encode()


OF = asking()


@dataclass(frozen=True, slots=True)
class Brief:
    """`since`: when the reader last looked, if that is known; `at`: when the brief was made."""

    customer: str
    lines: list[Line]
    since: datetime | None
    at: datetime
    frame: Frame
    """The settings under which it was made."""
    first_touch: dict[str, Any] | None
    also: Any
    """What was asked for with it."""

    def shape(self) -> dict[str, Any]:
        return {
            "customer": self.customer,
            "at": self.at,
            "since": self.since,
            "lines": [line.shape() for line in self.lines],
        }


def brief(
    customer: int,
    *,
    since: datetime | None = None,
    now: datetime | None = None,
    statement: bytes = OF,
    asked: Mapping[str, Any] | None = None,
) -> Brief | None:
    """In the language and time zone that are active; None for whom there is not.

    `statement`: what `asking` made; `asked`: what it asks for besides.
    """
    at = now or datetime.now(UTC)
    with cursor("reading") as sql:
        said, known, also, since = read(sql, customer, since, at, statement, asked or {})
        if known and not fresh(customer, said, at):
            said, known, also, since = read(sql, customer, since, at, statement, asked or {})
    if known is None:
        return None
    frame = framing.of(said[0])
    known["stages"] = frame.meaning.stage_names
    lines = chosen(list(told(known, since, at)))
    return Brief(known["public_id"], lines, since, at, frame, known["first_touch"], also)


def read(
    sql: Cursor, customer: int, since: datetime | None, now: datetime, statement: bytes, more: Mapping[str, Any]
) -> tuple[Sequence[Any], dict[str, Any] | None, Any, datetime | None]:
    """The columns of FRESH, everything that the lines of the brief say, what else was asked for, and since when."""
    asked = {"customer": customer, "since": since, "new": COUNTED, "lately": now - timedelta(days=BROKEN_DAYS)}
    sql.execute(statement, {**asked, "now": now, **more}, prepare=True)
    *said, known, also, looked = sql.fetchone() or (b"null", None, None)
    return said, orjson.loads(known), also, looked


def told(known: dict[str, Any], since: datetime | None, now: datetime) -> Iterator[list[Line]]:
    """The lines of each kind, most important first, in the order of the kinds."""
    for teller in TELLERS:
        yield teller(known, since, now)


def chosen(kinds: list[list[Line]]) -> list[Line]:
    """One line of each kind, then second and third ones while there is room, in the order of the kinds."""
    counts = [0] * len(kinds)
    room = MOST
    for turn in range(EACH):
        for place, lines in enumerate(kinds):
            if room and len(lines) > turn:
                counts[place] += 1
                room -= 1
    found: list[Line] = []
    for count, lines in zip(counts, kinds, strict=True):
        shown = lines[:count]
        if shown and (rest := len(lines) - count):
            shown[-1] = replace(shown[-1], text=_("%(text)s (and %(n)s more)") % {"text": shown[-1].text, "n": rest})
        found += shown
    return found
