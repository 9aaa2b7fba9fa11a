"""The one writer of attachments: noted as wanted with their line, claimed, stored or given up, and forgotten."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID, uuid5

from django.core.files.base import File
from django.db import transaction
from django.utils import timezone

from customers import blobs
from customers.models.attachment import Attachment
from customers.sql import Cursor, Rows, cursor

LEASE = timedelta(minutes=3)
"""Longer than one fetch can take: 30 s for each of two requests, and the storage."""
ATTEMPTS = 6
PAUSES = (5, 30, 120, 600, 3600)
"""Seconds after a failed attempt."""

ROWS = Rows(
    "customers_attachment",
    id="uuid",
    line_id="uuid",
    identity_id="bigint",
    source_id="bigint",
    source="text",
    name="text",
    content_type="text",
    size="bigint",
    url="text",
    ref="text",
    delivery="uuid",
    state="text",
    sha256="text",
    attempts="smallint",
    due_at="timestamptz",
    reason="text",
    created_at="timestamptz",
)

CLAIM = """
UPDATE customers_attachment SET due_at = clock_timestamp() + %s, attempts = attempts + 1
 WHERE id IN (SELECT id FROM customers_attachment WHERE state = 'wanted' AND due_at <= clock_timestamp()
               ORDER BY due_at, id LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING id
"""


def attachment_id(line: UUID, ref: str, url: str) -> UUID:
    """The same file of the same line is the same row, however often its event comes."""
    return uuid5(line, ref or url)


def want(sql: Cursor, rows: Sequence[Mapping[str, object]]) -> None:
    """Note files to be fetched, in the caller's transaction.

    A row names line_id, identity_id, source_id, source and delivery, and name, content_type, size, url and ref
    as far as they are known. What has neither ref nor url cannot be fetched and is left out.
    """
    now = timezone.now()
    found: dict[UUID, dict[str, object]] = {}
    for row in rows:
        ref, url = str(row.get("ref") or ""), str(row.get("url") or "")
        if not ref and not url:
            continue
        line = row["line_id"] if isinstance(row["line_id"], UUID) else UUID(str(row["line_id"]))
        key = attachment_id(line, ref, url)
        said = {name: row.get(name) or "" for name in ("name", "content_type")}
        given = {name: row.get(name) for name in ("identity_id", "source_id", "source", "size", "delivery")}
        fresh = {
            "state": Attachment.WANTED,
            "sha256": "",
            "attempts": 0,
            "due_at": now,
            "reason": "",
            "created_at": now,
        }
        found[key] = {"id": key, "line_id": line, "ref": ref, "url": url, **said, **given, **fresh}
    ROWS.insert(sql, [found[key] for key in sorted(found)], "ON CONFLICT (id) DO NOTHING")


def move(sql: Cursor, homes: Mapping[UUID, int]) -> None:
    """Files go with their lines to another identity."""
    for line, identity_id in sorted(homes.items()):
        sql.execute("UPDATE customers_attachment SET identity_id = %s WHERE line_id = %s", (identity_id, line))


def claim(limit: int) -> list[Attachment]:
    """Up to `limit` due files, leased: another process sees them again only after the lease."""
    with cursor() as sql:
        claimed = [row[0] for row in sql.execute(CLAIM, (LEASE, limit)).fetchall()]
    return list(Attachment.objects.filter(id__in=claimed).order_by("id"))


def store(attachment: Attachment, chunks: Iterable[bytes]) -> bool:
    """Keep the bytes, then say so; False if the attachment, or the same bytes of another, were forgotten meanwhile."""
    sha256, size = blobs.keep(chunks)
    stored = 0
    with transaction.atomic():
        lock(sha256)
        if blobs.exists(sha256):
            stored = Attachment.objects.filter(id=attachment.id).update(
                state=Attachment.STORED, sha256=sha256, stored_size=size, reason="", due_at=timezone.now()
            )
    if not stored:
        remove_unused({sha256})
    return bool(stored)


def lock(sha256: str) -> None:
    """Nobody removes bytes that somebody else is just finding in place."""
    with cursor() as sql:
        sql.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"blob:{sha256}",))


def fail(attachment: Attachment, reason: str, *, gone: bool = False) -> None:
    """Try again later; after the last attempt, or when it is gone for good, give up and say why."""
    waiting = Attachment.objects.filter(id=attachment.id, state=Attachment.WANTED)
    if gone or attachment.attempts >= ATTEMPTS:
        waiting.update(state=Attachment.GONE if gone else Attachment.FAILED, reason=reason[:500])
        return
    pause = PAUSES[min(attachment.attempts, len(PAUSES)) - 1]
    waiting.update(due_at=timezone.now() + timedelta(seconds=pause), reason=reason[:500])


def open(attachment: Attachment) -> "File[bytes]":  # noqa: A001
    """The stored bytes; raises FileNotFoundError."""
    return blobs.read(attachment.sha256)


def forget(lines: Iterable[UUID]) -> int:
    """Delete the files of lines that are erased; bytes that no other line has go after the commit."""
    with transaction.atomic():
        rows = list(Attachment.objects.select_for_update().filter(line_id__in=list(lines)).order_by("id"))
        hashes = {row.sha256 for row in rows if row.sha256}
        Attachment.objects.filter(id__in=[row.id for row in rows]).delete()
        transaction.on_commit(lambda: remove_unused(hashes))
    return len(rows)


def remove_unused(hashes: Iterable[str]) -> None:
    for sha256 in sorted(set(hashes)):
        with transaction.atomic():
            lock(sha256)
            if not Attachment.objects.filter(sha256=sha256).exists():
                blobs.remove(sha256)
