"""The one door into the database: a delivery and its bytes, committed before anybody is told so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

from uuid_utils.compat import uuid7

from channels import counting
from channels.models import Source
from channels.tasks import nudge
from customers.sql import as_json, cursor


@dataclass(frozen=True, slots=True)
class Pushed:
    """One valid event of a push: its address in the history, and its canonical JSON."""

    source_id: int
    external_id: str
    part: str
    revision: int
    body: bytes

    @property
    def digest(self) -> bytes:
        return blake2b(self.body, digest_size=16).digest()


COLUMNS = """id uuid, source_id bigint, push bool, key_id bigint, external_id text, part text, revision bigint,
    size int, at timestamptz"""

ACCEPT = f"""
WITH given AS (
    SELECT x.*, b.digest, b.body, b.headers
      FROM json_to_recordset(%s::json) AS x({COLUMNS})
      JOIN unnest(%s::uuid[], %s::bytea[], %s::bytea[], %s::text[]) AS b(id, digest, body, headers) USING (id)
     ORDER BY source_id, external_id, part, revision, digest, id
), stored AS (
    INSERT INTO channels_delivery (id, source_id, push, key_id, external_id, part, revision, digest, size, received_at,
                                   due_at, state, attempts, failed, replays, reason, lines, refused)
    SELECT id, source_id, push, key_id, external_id, part, revision, digest, size, at,
           now(), 'accepted', 0, false, 0, '', '[]', '[]' FROM given
    ON CONFLICT (source_id, external_id, part, revision, digest) WHERE push DO NOTHING
    RETURNING id
), kept AS (
    INSERT INTO channels_deliverybody (received_at, delivery_id, body, headers)
    SELECT given.at, id, given.body, given.headers::jsonb FROM given JOIN stored USING (id)
)
SELECT id FROM stored
"""

FIRST = """
SELECT x.place, d.id FROM json_to_recordset(%s::json)
    AS x(place int, source_id bigint, external_id text, part text, revision bigint, digest text)
  JOIN channels_delivery d ON d.push AND (d.source_id, d.external_id, d.part, d.revision, d.digest)
    = (x.source_id, x.external_id, x.part, x.revision, decode(x.digest, 'hex'))
"""


def accept(source: Source, *, body: bytes, headers: Mapping[str, str], received_at: datetime) -> UUID:
    """Store one webhook POST or mail and return its receipt; committed when this returns."""
    receipt = uuid7()
    row = row_of(receipt, source.pk, None, "", "main", 0, len(body), received_at)
    digest = blake2b(body, digest_size=16).digest()
    with cursor() as sql:
        sql.execute(ACCEPT, (as_json([row]), [receipt], [digest], [body], [as_json(dict(headers))]))
    counting.accepted(source.provider)
    nudge()
    return receipt


def accept_pushes(events: Sequence[Pushed], *, key_id: int, received_at: datetime) -> list[tuple[UUID, bool]]:
    """Store pushed events; for each its receipt and whether it is new (else that of the first of its like)."""
    if not events:
        return []
    receipts = [uuid7() for _ in events]
    digests = [event.digest for event in events]
    rows = [
        row_of(
            receipt,
            event.source_id,
            key_id,
            event.external_id,
            event.part,
            event.revision,
            len(event.body),
            received_at,
        )
        for receipt, event in zip(receipts, events, strict=True)
    ]
    bodies = [event.body for event in events]
    with cursor() as sql:
        sql.execute(ACCEPT, (as_json(rows), receipts, digests, bodies, ["{}"] * len(events)))
        stored = {row[0] for row in sql.fetchall()}
        first = dict(enumerate(receipts))
        missing = [place for place, receipt in enumerate(receipts) if receipt not in stored]
        if missing:
            keys = [{**rows[place], "place": place, "digest": digests[place].hex()} for place in missing]
            sql.execute(FIRST, (as_json(keys),))
            first.update(sql.fetchall())
    if stored:
        nudge()
    return [(first[place], receipts[place] in stored) for place in range(len(events))]


def row_of(
    receipt: UUID,
    source_id: int,
    key_id: int | None,
    external_id: str,
    part: str,
    revision: int,
    size: int,
    at: datetime,
) -> dict[str, object]:
    return {
        "id": receipt,
        "source_id": source_id,
        "push": key_id is not None,
        "key_id": key_id,
        "external_id": external_id,
        "part": part,
        "revision": revision,
        "size": size,
        "at": at,
    }
