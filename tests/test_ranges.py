"""Parts of stored files, over the real address: what a player asks for when somebody seeks."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from customers import attachments
from customers.api.ranges import Range, Unsatisfiable, wanted
from customers.models.attachment import Attachment
from customers.sql import cursor
from tests.support import COMMITTED, Api

pytestmark = COMMITTED
BYTES = bytes(range(256)) * 1000
SIZE = len(BYTES)


@pytest.fixture
def address(committed: None) -> str:
    line = uuid4()
    row = {"line_id": line, "identity_id": 1, "source_id": 1, "source": "pbx", "delivery": None, "ref": "r"}
    with transaction.atomic(), cursor() as sql:
        attachments.want(sql, [{**row, "name": "call.wav", "content_type": "audio/wav"}])
    kept = Attachment.objects.get(line_id=line)
    attachments.store(kept, [BYTES])
    return f"attachments/{kept.id}"


def body(answer: Any) -> bytes:
    found = b"".join(answer.streaming_content)
    answer.close()
    assert answer["Content-Length"] == str(len(found))
    return found


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=0-0", 0, 0),
        ("bytes=100-70000", 100, 70_000),
        ("bytes=255900-999999999", 255_900, SIZE - 1),
        ("bytes=-10", SIZE - 10, SIZE - 1),
        ("bytes=-999999999", 0, SIZE - 1),
        ("Bytes= 5-6 ", 5, 6),
    ],
)
def test_a_part_of_a_recording(address: str, asked: str, first: int, last: int) -> None:
    answer = Api("read").get(address, Range=asked)
    assert answer.status_code == 206
    assert body(answer) == BYTES[first : last + 1]
    assert answer["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["Content-Type"] == "audio/wav"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("asked", ["", "bytes=5-2", "bytes=-", "bytes=a-b", "seconds=1-2", "bytes=0-1,5-6", "bytes=٣-"])
def test_what_is_no_single_range_is_answered_whole(address: str, asked: str) -> None:
    answer = Api("read").get(address, Range=asked)
    assert answer.status_code == 200
    assert body(answer) == BYTES
    assert "Content-Range" not in answer


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=999999999-", "bytes=-0"])
def test_a_range_beyond_the_end_is_416(address: str, asked: str) -> None:
    answer = Api("read").get(address, Range=asked)
    assert answer.status_code == 416
    assert answer["Content-Range"] == f"bytes */{SIZE}"
    assert answer.json()["code"] == "range_not_satisfiable"


def test_a_part_only_of_what_one_had_begun_with(address: str) -> None:
    api = Api("read")
    first = api.get(address, Range="bytes=0-0")
    tag = first["ETag"]
    assert body(first) == BYTES[:1]
    assert not tag.startswith("W/")
    part = api.get(address, Range="bytes=5-9", If_Range=tag)
    assert part.status_code == 206
    assert body(part) == BYTES[5:10]
    for other in ('"other"', f"W/{tag}", "Sun, 22 Nov 2026 10:00:00 GMT"):
        answer = api.get(address, Range="bytes=5-9", If_Range=other)
        assert answer.status_code == 200
        assert body(answer) == BYTES


def test_nobody_else_hears_it(address: str) -> None:
    assert Api("ingest").get(address, Range="bytes=0-1").status_code == 403


def test_an_empty_file_has_no_parts() -> None:
    for asked in ("bytes=0-", "bytes=-5"):
        with pytest.raises(Unsatisfiable):
            wanted(asked, "", 0, '"x"')
    assert wanted("bytes=0-4", "", 3, '"x"') == Range(0, 2)
