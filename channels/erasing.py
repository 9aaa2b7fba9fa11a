"""The raw side of an erasure: bodies and words of deliveries that told of the person are wiped with him."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from customers.sql import Cursor

# A repeated webhook is a delivery of its own that points to the same line: found among those whose bytes still stand.
ALSO = """
SELECT d.id FROM channels_delivery d WHERE d.id >= %(since)s AND EXISTS (
    SELECT 1 FROM jsonb_array_elements(d.lines) AS l WHERE (l->>'interaction')::uuid = ANY(%(lines)s))
"""
# What nobody could read, or what still waits, has no line: it is searched for the handles themselves.
UNREAD = """
SELECT d.id FROM channels_delivery d
  JOIN channels_deliverybody b ON b.delivery_id = d.id AND b.received_at = d.received_at
 WHERE d.state IN ('waiting', 'unsupported', 'quarantined') AND EXISTS (
       SELECT 1 FROM unnest(%(values)s::text[]) AS v WHERE position(convert_to(v, 'UTF8') IN b.body) > 0)
"""
BODIES = """
DELETE FROM channels_deliverybody b USING channels_delivery d
 WHERE d.id = ANY(%(ids)s) AND b.delivery_id = d.id AND b.received_at = d.received_at
"""
WORDS = """
UPDATE channels_delivery SET refused = '[]', reason = '',
       state = CASE WHEN state IN ('waiting', 'unsupported', 'quarantined') THEN 'erased' ELSE state END
 WHERE id = ANY(%(ids)s)
"""
SHORTEST = 5
"""Characters of a value from which on finding it in a body means something."""


def wipe(*, sql: Cursor, lines: Sequence[UUID], deliveries: Sequence[UUID], values: Sequence[str], **_: Any) -> None:
    """Receiver of `customers.erasure.erased`, in its transaction; the receipts stay, without bytes and handles."""
    ids = set(deliveries)
    if lines:
        sql.execute(ALSO, {"since": oldest_kept(), "lines": list(lines)})
        ids.update(row[0] for row in sql.fetchall())
    long = [value for value in spellings(values) if len(value) >= SHORTEST]
    if long:
        sql.execute(UNREAD, {"values": long})
        ids.update(row[0] for row in sql.fetchall())
    forget(sql, ids)


def forget(sql: Cursor, deliveries: Iterable[UUID | None]) -> None:
    """The bytes and words of these; also of what came late about somebody who was erased."""
    ids = sorted({one for one in deliveries if one is not None})
    if ids:
        sql.execute(BODIES, {"ids": ids})
        sql.execute(WORDS, {"ids": ids})


def spellings(values: Sequence[str]) -> set[str]:
    """A number may stand there without its plus."""
    return {*values, *(value[1:] for value in values if value.startswith("+"))}


def oldest_kept() -> UUID:
    """The lowest id of the time whose bytes are still kept: ids are UUIDv7, which begin with their millisecond."""
    since = datetime.now(UTC) - timedelta(days=settings.CXHUB_BODY_DAYS + 1)
    return UUID(int=int(since.timestamp() * 1000) << 80)
