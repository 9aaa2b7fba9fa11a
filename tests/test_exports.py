"""A timeline as a file: all of it, as filtered, harmless in a spreadsheet, in constant memory, logged each time."""

import csv
import io
import tracemalloc
from typing import Any

import orjson
import pytest
from django.test import Client

from customers.exporting import COLUMNS, PAGE, cell
from customers.models import CardView
from tests.long_history import long_history
from tests.support import COMMITTED, LONG, Api, at, event, identifier, phone, push_and_drain
from tests.test_console import agent, customer, ok

pytestmark = COMMITTED


def downloaded(client: Client, path: str, **params: Any) -> bytes:
    answer = client.get(path, params)
    assert answer.status_code == 200, answer
    assert answer["Content-Disposition"].startswith('attachment; filename="timeline-')
    assert answer["Cache-Control"] == "private, no-store"
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def table(body: bytes) -> list[dict[str, str]]:
    assert body.startswith(b"\xef\xbb\xbf")
    found = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    assert all(set(row) == set(COLUMNS) for row in found)
    return found


def test_what_is_shown_is_exported(api: Api) -> None:
    number, who = customer(
        api,
        {"text": "Где заказ?\nЖду.", "subject": 'со "скобками"', "occurred_at": at(0), "thread": "t"},
        {"text": "Едет", "direction": "outbound", "agent": {"id": "7", "name": "Анна"}, "occurred_at": at(1)},
        {"text": "визит", "channel": "store", "kind": "visit", "occurred_at": at(2), "details": {"till": 4}},
    )
    client = agent()
    path = f"/customers/{who}/export"
    rows = table(downloaded(client, path, format="csv"))
    assert [row["text"] for row in rows] == ["визит", "Едет", "Где заказ?\nЖду."]
    assert rows[2]["subject"] == 'со "скобками"'
    assert rows[1]["agent"] == "Анна"
    assert orjson.loads(rows[0]["details"]) == {"till": 4}
    assert rows[0]["identity"] == f"phone:{number}"
    found = orjson.loads(downloaded(client, path, format="json"))
    timeline = api.timeline("phone", number)
    assert found["results"] == timeline
    assert found["customer"] == who
    for params, texts in (
        ({"channel": "store"}, ["визит"]),
        ({"direction": "outbound"}, ["Едет"]),
        ({"q": "заказы"}, ["Где заказ?\nЖду."]),
        ({"thread": "t", "cursor": "nonsense", "on": "2020-01-01"}, ["Где заказ?\nЖду."]),
        ({"channel": "viber"}, []),
    ):
        assert [row["text"] for row in table(downloaded(client, path, **params))] == texts
        got = orjson.loads(downloaded(client, path, format="json", **params))
        assert [row["text"] for row in got["results"]] == texts
    html = ok(client, f"/customers/{who}", {"channel": "store"})
    assert f'href="{path}?channel=store&amp;format=csv"' in html


def test_the_same_over_the_api(api: Api) -> None:
    number, who = customer(api, {"text": "one", "occurred_at": at(0)}, {"text": "two", "occurred_at": at(1)})
    body = b"".join(api.get(f"customers/{who}/export").streaming_content)
    assert orjson.loads(body)["results"] == api.timeline("phone", number)
    rows = table(b"".join(api.get(f"customers/{who}/export", {"format": "csv", "q": "two"}).streaming_content))
    assert [row["text"] for row in rows] == ["two"]
    assert api.refused(f"customers/{who}/export", {"format": "xml"}) == (400, "invalid_value", "format")
    assert api.refused(f"customers/{who}/export", {"cursor": "x"})[0] == 400
    unknown = "0190f3f0-0000-7000-8000-000000000000"
    assert api.refused(f"customers/{unknown}/export")[:2] == (404, "not_found")
    assert Api("ingest").refused(f"customers/{who}/export")[:2] == (403, "forbidden")


@pytest.mark.parametrize(
    "evil",
    [
        *("=1+1", "+7", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\u00a0=1", "\u200b=1"),
        *("＝1", "＋1", "－1", "＠1", "|calc", "%0A=1", '=HYPERLINK("https://spy.example")'),
    ],
)
def test_no_cell_is_a_formula(api: Api, evil: str) -> None:
    assert cell(evil) == f"'{evil}"
    dirty = event(identifier("phone", phone()), text=evil, subject=evil, thread=evil, agent={"name": evil})
    dirty["attachments"] = [{"name": evil, "url": "https://files.example/x"}]
    (receipt,) = push_and_drain(api, dirty)
    for row in table(downloaded(agent(), f"/customers/{receipt['customer']}/export")):
        for value in row.values():
            assert value.lstrip(" \u00a0\u200b")[:1] not in set("=+-@\t\r\n|%＝＋－＠"), value


def test_plain_words_stay_as_they_are() -> None:
    for plain in ("", "a=b", "AB-12", "1+1", "'x", "слово", "{}", "😀", "\u202eabc"):
        assert cell(plain) == plain


def test_each_export_is_logged(api: Api) -> None:
    _, who = customer(api, text="x")
    client = agent()
    ok(client, f"/customers/{who}")
    before = CardView.objects.count()
    for _ in range(2):
        downloaded(client, f"/customers/{who}/export")
    logged = CardView.objects.filter(path=f"/customers/{who}/export")
    assert logged.count() == 2
    assert CardView.objects.count() == before + 2
    assert agent(role="").get(f"/customers/{who}/export").status_code == 403
    assert Client().get(f"/customers/{who}/export").status_code == 302
    assert client.get(f"/customers/{who}/export", {"format": "exe"}).status_code == 400
    assert logged.count() == 2


def test_a_long_history_in_constant_memory(api: Api) -> None:
    lines = 50_000 if LONG else 20_000
    _, who = long_history(api, lines)
    client = agent()
    for kind in ("csv", "json"):
        answer = client.get(f"/customers/{who}/export", {"format": kind})
        texts, size = [], 0
        tracemalloc.start()
        try:
            for piece in answer.streaming_content:  # type: ignore[attr-defined]
                size += len(piece)
                texts.append(piece.count(b"contact "))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert sum(texts) == lines
        assert max(texts) <= PAGE
        assert size > 180 * lines
        assert peak < 4_000_000, (kind, peak)
