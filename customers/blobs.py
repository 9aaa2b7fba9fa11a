"""Keeps bytes once, under the name of their SHA-256: on disk, atomically, or in any storage Django knows (S3)."""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, InvalidStorageError, Storage, storages
from django.utils.deconstruct import deconstructible

CHUNK = 64 * 1024
IN_MEMORY = 1024 * 1024


@deconstructible(path="customers.blobs.HashedFiles")
class HashedFiles(FileSystemStorage):
    """Files that are either whole or absent, whatever is killed meanwhile, and readable by nobody else.

    `save` of a name that exists keeps what is there: the name is the hash of the content.
    """

    def save(self, name: str | None, content: IO[Any], max_length: int | None = None) -> str:
        if not name:
            raise ValueError("a blob is named by its hash")
        path = Path(self.path(name))
        if path.exists():
            return name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:  # mkstemp made it 0600
                while chunk := content.read(CHUNK):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
            sync_folder(path.parent)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        return name


def sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def storage() -> Storage:
    """STORAGES["attachments"], else files below CXHUB_VAR."""
    try:
        return storages["attachments"]
    except InvalidStorageError:
        return HashedFiles(location=settings.CXHUB_VAR / "attachments")


def place(sha256: str) -> str:
    """ab/cd/<sha256>; made of a hash of ours alone, never of a sender's name."""
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        raise ValueError("not a SHA-256")
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def keep(chunks: Iterable[bytes]) -> tuple[str, int]:
    """Store the bytes unless they are there already; returns their SHA-256 and size."""
    with spooled() as spool:
        digest, size = hashlib.sha256(), 0
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            spool.write(chunk)
        spool.seek(0)
        name, kept = place(digest.hexdigest()), storage()
        if not kept.exists(name):
            saved = kept.save(name, File(spool))
            if saved != name:  # Somebody else was faster, and this storage gave ours another name.
                kept.delete(saved)
    return digest.hexdigest(), size


@contextmanager
def spooled() -> Iterator[IO[bytes]]:
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as spool:
        yield cast("IO[bytes]", spool)


def read(sha256: str) -> "File[bytes]":
    """The bytes, as a file to stream; raises FileNotFoundError."""
    return cast("File[bytes]", storage().open(place(sha256), "rb"))


def exists(sha256: str) -> bool:
    return storage().exists(place(sha256))


def remove(sha256: str) -> None:
    storage().delete(place(sha256))
