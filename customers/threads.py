"""Who had the last word in a conversation: kept by the writer, counted again where a line takes its word back."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from customers.lines import Line
from customers.sql import Cursor, Rows, as_json

THREADS = Rows(
    "customers_thread",
    identity_id="bigint",
    channel="text",
    thread="text",
    inbound_at="timestamptz",
    inbound_line="uuid",
    outbound_at="timestamptz",
)
LATER = """ON CONFLICT (identity_id, channel, thread) DO UPDATE SET
    inbound_line = CASE WHEN excluded.inbound_at >= coalesce(customers_thread.inbound_at, '-infinity')
                        THEN excluded.inbound_line ELSE customers_thread.inbound_line END,
    inbound_at = greatest(customers_thread.inbound_at, excluded.inbound_at),
    outbound_at = greatest(customers_thread.outbound_at, excluded.outbound_at)"""

CONVERSATIONS = ("message", "call", "email", "form", "comment", "mention", "review")
NOT_REACHED = ("failed", "undelivered", "missed", "busy", "canceled", "no-answer", "rejected")

AGAIN = """
UPDATE customers_thread h SET inbound_at = n.inbound_at, inbound_line = n.inbound_line, outbound_at = n.outbound_at
  FROM (SELECT x.identity_id, x.channel, x.thread,
               max(t.sorted_at) FILTER (WHERE t.direction = 'inbound') AS inbound_at,
               (array_agg(t.id ORDER BY t.sorted_at DESC, t.id) FILTER (WHERE t.direction = 'inbound'))[1]
                   AS inbound_line,
               max(t.sorted_at) FILTER (
                   WHERE CASE t.direction WHEN 'inbound' THEN t.kind = 'call' AND t.state = 'completed'
                                          ELSE t.state <> ALL(%(not_reached)s) END) AS outbound_at
          FROM json_to_recordset(%(keys)s::json) AS x(identity_id bigint, channel text, thread text)
          LEFT JOIN customers_interaction t ON t.identity_id = x.identity_id AND t.channel = x.channel
               AND t.thread = x.thread AND t.direction <> 'internal' AND t.kind = ANY(%(kinds)s)
         GROUP BY x.identity_id, x.channel, x.thread) n
 WHERE h.identity_id = n.identity_id AND h.channel = n.channel AND h.thread = n.thread
"""


class Key(NamedTuple):
    """One conversation of one identity."""

    identity_id: int
    channel: str
    thread: str


class Word(NamedTuple):
    """What one line says of its conversation."""

    key: Key
    inbound_at: str | None
    inbound_line: Any
    outbound_at: str | None

    def row(self) -> dict[str, Any]:
        return {
            **self.key._asdict(),
            "inbound_at": self.inbound_at,
            "inbound_line": self.inbound_line,
            "outbound_at": self.outbound_at,
        }


def word_of(line: Line) -> Word | None:
    """Which side had its say by this line; an answered call is the word of both."""
    data = line.columns
    if data["kind"] not in CONVERSATIONS or data["direction"] == "internal":
        return None
    at, inbound = data["sorted_at"], data["direction"] == "inbound"
    reached = data["state"] not in NOT_REACHED
    answered = (inbound and data["kind"] == "call" and data["state"] == "completed") or (not inbound and reached)
    return Word(
        Key(line.identity_id, data["channel"], data["thread"]),
        at if inbound else None,
        line.id if inbound else None,
        at if answered else None,
    )


def taken_back(old: Line, new: Line | None) -> Key | None:
    """The conversation that must be counted again: the line moved, went, or no longer says what it said there."""
    before, after = word_of(old), word_of(new) if new else None
    if before is None:
        return None
    stands = (
        after is not None
        and after.key == before.key
        and before.inbound_at in (None, after.inbound_at)
        and before.outbound_at in (None, after.outbound_at)
    )
    return None if stands else before.key


def write(sql: Cursor, words: Iterable[Word], again: Iterable[Key]) -> None:
    """The latest word of each side; after the lines themselves were written."""
    THREADS.insert(sql, latest(words), LATER)
    if keys := sorted(set(again)):
        sql.execute(
            AGAIN.encode(),
            {
                "keys": as_json([key._asdict() for key in keys]),
                "kinds": list(CONVERSATIONS),
                "not_reached": list(NOT_REACHED),
            },
        )


def latest(words: Iterable[Word]) -> list[dict[str, Any]]:
    """One row per thread: an upsert may not meet the same row twice."""
    threads: dict[Key, dict[str, Any]] = {}
    for word in words:
        row = word.row()
        kept = threads.setdefault(word.key, row)
        if word.inbound_at and word.inbound_at >= (kept["inbound_at"] or ""):
            kept.update(inbound_at=word.inbound_at, inbound_line=word.inbound_line)
        if word.outbound_at and word.outbound_at >= (kept["outbound_at"] or ""):
            kept["outbound_at"] = word.outbound_at
    return [threads[key] for key in sorted(threads)]
