"""What was erased stays erased: keyed hashes of handles in the database, and a journal of erasures outside of it.

The key (`CXHUB_ERASURE_KEY`, else a file in the data folder) is never in the database: from a stolen dump nobody can
tell whether a number was erased, not even by trying them all. The journal outlives a restored backup: whatever it
names and the database does not know of is erased again at the next start.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings

from customers.identification import Case, Key
from customers.sql import Cursor

ANY = "SELECT EXISTS (SELECT 1 FROM customers_suppressed)"
AMONG = "SELECT hmac, until FROM customers_suppressed WHERE hmac = ANY(%s)"
ADD = """
INSERT INTO customers_suppressed (hmac, until) SELECT h, %s FROM unnest(%s::bytea[]) AS h ORDER BY h
    ON CONFLICT (hmac) DO UPDATE SET until = greatest(customers_suppressed.until, excluded.until)
"""


@lru_cache(maxsize=1)
def secret() -> bytes:
    """The key of the hashes; a file that nobody else can read is made once where none is configured."""
    if settings.CXHUB_ERASURE_KEY:
        return str(settings.CXHUB_ERASURE_KEY).encode()
    path = Path(settings.CXHUB_VAR) / "erasure_key"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".erasure_key.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(aside, path)  # Fails where another process was faster: then its key counts.
        except FileExistsError:
            pass
        finally:
            aside.unlink()
    return path.read_text().strip().encode()


def digest(key: Key) -> bytes:
    """HMAC-SHA-256 of a handle in normal form."""
    return hmac.new(secret(), "\x1f".join(key).encode("utf-8", "replace"), hashlib.sha256).digest()


def suppressed(sql: Cursor, cases: Sequence[Case]) -> set[int]:
    """id() of the cases that tell of an erased person's time before he was erased.

    Asked under the locks of the handles, so that an erasure and an event never miss each other.
    """
    sql.execute(ANY, prepare=True)
    if not (sql.fetchone() or (False,))[0]:
        return set()
    asked = {digest(key): key for case in cases for key in named(case)}
    sql.execute(AMONG, (list(asked),))
    until: dict[Key, datetime] = {asked[bytes(found)]: moment for found, moment in sql.fetchall()}
    return {id(case) for case in cases if any(case.at < until[key] for key in named(case) if key in until)}


def named(case: Case) -> list[Key]:
    """Its handles and its line: what is said of an erased line later, without a name, is refused as well."""
    return [*(one.key for one in case.evidence), line_key(case.event.line)]


def line_key(line: UUID) -> Key:
    return Key("line", "", str(line))


def suppress(sql: Cursor, keys: Iterable[Key], until: datetime) -> None:
    sql.execute(ADD, (until, sorted({digest(key) for key in keys})))


def add(sql: Cursor, digests: Iterable[bytes], until: datetime) -> None:
    sql.execute(ADD, (until, sorted(set(digests))))


def journal() -> Path:
    return Path(settings.CXHUB_ERASURE_JOURNAL or Path(settings.CXHUB_VAR) / "erasures.jsonl")


def write(entry: dict[str, Any]) -> None:
    """Append one erasure and have it on disk before anything is deleted: a crash then only repeats it."""
    path = journal()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = orjson.dumps(entry, option=orjson.OPT_UTC_Z) + b"\n"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, line)
        os.fsync(handle)
    finally:
        os.close(handle)


def entries() -> list[dict[str, Any]]:
    """The journal; a line that a crash cut short at the end is left out."""
    try:
        lines = journal().read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        try:
            entry = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            found.append(entry)
    return found
