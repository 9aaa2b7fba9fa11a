"""Files of lines: wanted once, fetched or taken out of the mail, kept once by hash, served as downloads."""

import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.storage import storages
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIRequestFactory, force_authenticate

from channels import media
from channels.accepting import accept
from channels.fetching import FetchError
from channels.models import DeliveryBody, Source
from channels.provider import MediaRequest, Provider
from channels.providers import PROVIDERS
from customers import attachments, blobs
from customers.access import Principal
from customers.api.attachments import AttachmentView
from customers.models.attachment import Attachment
from customers.sql import cursor
from tests.media_server import Handler, serving, url

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "reading"])

MAIL = (
    b"From: ada@customer.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee below\r\n--b\r\n"
    b"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjc=\r\n--b--\r\n"
)


class Media(Provider):
    """A provider whose files stand on a server of the test."""

    name = "media-test"
    base = ""

    def media(self, source: Any, ref: str, url: str) -> MediaRequest | None:
        if ref.startswith("two:"):
            return MediaRequest(
                f"{self.base}/where", {"Authorization": "x"}, json_path=("result", "file_path"), then=f"{self.base}/"
            )
        return MediaRequest(url) if url else None


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    path = tmp_path / "attachments"
    settings.STORAGES = {
        **settings.STORAGES,
        "attachments": {"BACKEND": "customers.blobs.HashedFiles", "OPTIONS": {"location": str(path)}},
    }
    settings.CXHUB_FETCH_ALLOW_LOOPBACK = True
    assert storages["attachments"] is not None
    return path


@pytest.fixture
def server() -> Iterator[Any]:
    with serving(lambda made: made) as running:
        yield running


def source(provider: str = "email") -> Source:
    return Source.objects.create(provider=provider, slug=provider, addresses=["support@shop.example"])


def wanted(**row: Any) -> Attachment:
    given = {"line_id": uuid4(), "identity_id": 1, "source_id": 1, "source": "email", "delivery": None, **row}
    with transaction.atomic(), cursor() as sql:
        attachments.want(sql, [given])
    return Attachment.objects.get(line_id=given["line_id"])


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def again(row: Attachment) -> None:
    Attachment.objects.filter(id=row.id).update(due_at=timezone.now() - timedelta(seconds=1))


def test_a_file_is_wanted_once_and_only_if_it_can_be_had() -> None:
    line = uuid4()
    row = {"line_id": str(line), "identity_id": 5, "source_id": 1, "source": "s", "delivery": str(uuid4()), "size": 3}
    rows = [
        {**row, "ref": "mime:2", "name": "a"},
        {**row, "url": "https://x.example/a"},
        {**row, "name": "only a name"},
    ]
    for _ in range(2):
        with transaction.atomic(), cursor() as sql:
            attachments.want(sql, rows)
    found = Attachment.objects.order_by("ref")
    assert [(one.ref, one.url, one.state, one.identity_id) for one in found] == [
        ("", "https://x.example/a", "wanted", 5),
        ("mime:2", "", "wanted", 5),
    ]
    assert found[1].id == attachments.attachment_id(line, "mime:2", "")


def test_a_part_of_a_mail_is_stored_by_its_hash(folder: Path) -> None:
    receipt = accept(source(), body=MAIL, headers={}, received_at=timezone.now())
    rows = [wanted(delivery=receipt, ref="mime:2", name="invoice.pdf") for _ in range(2)]
    assert media.fetch_due() == 2
    assert media.fetch_due() == 0
    for row in rows:
        row.refresh_from_db()
        assert (row.state, row.stored_size, row.reason) == ("stored", 8, "")
    (path,) = files(folder)
    assert path.read_bytes() == b"%PDF-1.7"
    assert path.relative_to(folder).as_posix() == f"{row.sha256[:2]}/{row.sha256[2:4]}/{row.sha256}"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_mail_that_is_not_kept_any_more_is_gone() -> None:
    receipt = accept(source(), body=MAIL, headers={}, received_at=timezone.now())
    DeliveryBody.objects.filter(delivery_id=receipt).delete()
    row, broken, unknown = (
        wanted(delivery=receipt, ref="mime:2"),
        wanted(delivery=receipt, ref="mime:x"),
        wanted(ref="mime:1"),
    )
    media.fetch_due()
    for one in (row, broken, unknown):
        one.refresh_from_db()
        assert one.state == "gone"


def test_files_are_fetched_where_the_provider_says(server: Any, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    provider = Media()
    provider.base = url(server, "").rstrip("/")
    monkeypatch.setitem(PROVIDERS, "media-test", provider)
    monkeypatch.setattr(
        Handler, "do_where", lambda self: self.answer(200, b'{"result": {"file_path": "file/a b"}}'), raising=False
    )
    given = {"source_id": source("media-test").pk}
    direct, two = wanted(url=url(server, "file"), **given), wanted(ref="two:1", **given)
    gone, retried = wanted(url=url(server, "gone"), **given), wanted(url=url(server, "secret"), **given)
    nobody = wanted(url="https://x.example/", source_id=0)
    media.fetch_due()
    states = {}
    for row in (direct, two, gone, retried, nobody):
        row.refresh_from_db()
        states[row.state, row.reason] = row.attempts
    assert states == {
        ("stored", ""): 1,
        ("gone", "answered 410"): 1,
        ("wanted", "answered 401"): 1,
        ("wanted", "the source does not say how to fetch it"): 1,
    }
    assert retried.due_at > timezone.now()
    assert "/file/a%20b" in [path for path, _ in server.seen]
    assert len(files(folder)) == 1


def test_after_six_attempts_it_has_failed(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROVIDERS, "media-test", Media())
    row = wanted(url=url(server, "secret"), source_id=source("media-test").pk)
    for attempt in range(1, 7):
        assert media.fetch_due() == 1
        row.refresh_from_db()
        assert (row.attempts, row.state) == (attempt, "wanted" if attempt < 6 else "failed")
        again(row)
    assert media.fetch_due() == 0
    assert row.reason == "answered 401"


def test_what_an_error_says_is_not_shown(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken(attachment: Attachment) -> bytes:
        raise RuntimeError("https://api.example/bot12345:secret/file")

    monkeypatch.setattr(media, "part_of_mail", broken)
    row = wanted(ref="mime:1")
    media.fetch_due()
    row.refresh_from_db()
    assert row.reason == "our own trouble (RuntimeError)"
    assert "secret" not in caplog.text


def test_each_file_is_claimed_by_one() -> None:
    for _ in range(30):
        wanted(ref="mime:1")
    claimed: list[UUID] = []

    def claim() -> None:
        while found := attachments.claim(3):
            claimed.extend(one.id for one in found)
        connection.close()

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(20)
    assert len(claimed) == len(set(claimed)) == 30


def test_a_broken_fetch_leaves_nothing_behind(folder: Path) -> None:
    def chunks() -> Any:
        yield b"x" * 3_000_000
        raise FetchError("took too long")

    with pytest.raises(FetchError):
        attachments.store(wanted(ref="mime:1"), chunks())
    assert not folder.exists() or files(folder) == []


def test_a_killed_writer_leaves_no_half_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = wanted(ref="mime:1")
    monkeypatch.setattr(os, "fsync", lambda *args: (_ for _ in ()).throw(OSError("no space")))
    with pytest.raises(OSError, match="no space"):
        attachments.store(row, [b"abc"])
    assert files(folder) == []
    monkeypatch.undo()


def test_forgotten_lines_lose_their_files_but_not_those_of_others(folder: Path) -> None:
    one, two, late = wanted(ref="mime:1"), wanted(ref="mime:1"), wanted(ref="mime:1")
    assert attachments.store(one, [b"same"])
    assert attachments.store(two, [b"same"])
    assert attachments.forget([one.line_id]) == 1
    assert len(files(folder)) == 1
    attachments.forget([two.line_id])
    assert files(folder) == []
    attachments.forget([late.line_id])
    assert not attachments.store(late, [b"too late"])
    assert files(folder) == []


def test_only_hashes_of_ours_name_files() -> None:
    for name in ("../../etc/passwd", "a" * 63, "A" * 64, "a" * 63 + "\n"):
        with pytest.raises(ValueError):
            blobs.place(name)


def get(row: UUID, *scopes: str) -> Any:
    request = APIRequestFactory().get(f"/api/v1/attachments/{row}")
    force_authenticate(request, Principal("key:1", "test", frozenset(scopes)))  # type: ignore[arg-type]
    return AttachmentView.as_view()(request, attachment=row)


def test_a_file_is_served_as_a_download() -> None:
    row = wanted(ref="mime:1", name='счёт "1"\r\nX: y.html', content_type="text/html")
    attachments.store(row, [b"<script>alert(1)</script>"])
    answer = get(row.id, "read")
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == b"<script>alert(1)</script>"
    answer.close()
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment; filename*=utf-8''%D1%81")
    assert "\r" not in answer["Content-Disposition"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("sandbox")
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Content-Length"] == "25"


@pytest.mark.parametrize(
    ("said", "served"),
    [
        ("image/png", "image/png"),
        ("image/svg+xml", "application/octet-stream"),
        ("text/plain; charset=x", "text/plain; charset=utf-8"),
        ("application/xhtml+xml", "application/octet-stream"),
        ("", "application/octet-stream"),
        ("image/png\r\nX: y", "application/octet-stream"),
    ],
)
def test_only_harmless_types_are_named(said: str, served: str) -> None:
    row = wanted(ref="mime:1", content_type=said)
    attachments.store(row, [b"x"])
    answer = get(row.id, "read")
    answer.close()
    assert answer["Content-Type"] == served


def test_what_is_not_there_is_404() -> None:
    row = wanted(ref="mime:1")
    answer = get(row.id, "read")
    assert (answer.status_code, answer["Retry-After"]) == (404, "5")
    assert b"not stored yet" in answer.content
    attachments.fail(row, "answered 410", gone=True)
    assert b"answered 410" in get(row.id, "read").content
    assert get(uuid4(), "read").status_code == 404
    assert get(row.id, "ingest").status_code == 403
    stored = wanted(ref="mime:1")
    attachments.store(stored, [b"lost"])
    stored.refresh_from_db()
    blobs.remove(stored.sha256)
    assert get(stored.id, "read").status_code == 404
