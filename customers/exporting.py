"""A timeline as a file, however long it is: page by page, so that memory does not grow with it."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

from customers import timeline
from customers.sql import Cursor, cursor, noting
from customers.timeline import Filters

Format = Literal["csv", "json"]
CONTENT_TYPES: dict[Format, str] = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
PAGE = 200
COLUMNS = (
    *("occurred_at", "channel", "kind", "direction", "state", "agent", "identity", "subject", "text", "attachments"),
    *("edits", "deleted_at", "thread", "source", "recorded_at", "details", "id"),
)
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet may take for the beginning of a formula, in its full-width forms too."""

# A row of its own each time: who took a copy away is more than who looked within five minutes.
LOGGED = """
INSERT INTO customers_cardview (viewer, customer_id, period, viewed_at, path)
VALUES (%s, %s, clock_timestamp(), clock_timestamp(), %s) ON CONFLICT (viewer, customer_id, period) DO NOTHING
"""


def log_export(sql: Cursor, viewer: str, customer: int, path: str) -> None:
    with noting(sql) as near:
        near.execute(LOGGED, (viewer, customer, path[:200]))


def pages(customer: int, filters: Filters) -> Iterator[bytes]:
    """JSON arrays of entries, newest first, until the first contact; none of an erased customer."""
    token: str | None = None
    while True:
        with cursor("reading") as sql:
            page = timeline.read(sql, customer=customer, limit=PAGE, token=token, filters=filters)
        if page is None:
            return
        yield page.results
        token = page.next
        if token is None:
            return


def written(kind: Format, customer: int, filters: Filters, head: dict[str, Any]) -> Iterator[bytes]:
    """The file, in pieces. JSON that broke off is no JSON, so nobody takes half of a history for all of it."""
    return as_csv(customer, filters) if kind == "csv" else as_json(customer, filters, head)


def as_json(customer: int, filters: Filters, head: dict[str, Any]) -> Iterator[bytes]:
    """The members of `head`, and `results`: the entries as the timeline has them."""
    said = {**head, "exported_at": datetime.now(UTC)}
    yield orjson.dumps(said)[:-1] + b', "results": ['
    between = b"\n"
    for page in pages(customer, filters):
        entries = page.strip()[1:-1].strip()
        if entries:
            yield between + entries
            between = b",\n"
    yield b"\n]}\n"


def as_csv(customer: int, filters: Filters) -> Iterator[bytes]:
    """With a mark that tells spreadsheets the encoding, and every cell quoted and harmless."""
    yield b"\xef\xbb\xbf" + rows([list(COLUMNS)])
    for page in pages(customer, filters):
        yield rows([row(entry) for entry in orjson.loads(page)])


def rows(given: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(given)
    return text.getvalue().encode("utf-8", "replace")


def row(entry: dict[str, Any]) -> list[str]:
    """One entry as the cells of `COLUMNS`."""
    said = {
        **entry,
        "agent": (entry["agent"] or {}).get("name") or (entry["agent"] or {}).get("id"),
        "identity": f"{entry['identity']['kind']}:{entry['identity']['value']}",
        "attachments": "\n".join(str(file.get("name") or file.get("id")) for file in entry["attachments"]),
        "edits": orjson.dumps(entry["edits"]).decode() if entry["edits"] else "",
        "details": orjson.dumps(entry["details"]).decode() if entry["details"] else "",
    }
    return [cell(said[name]) for name in COLUMNS]


def cell(value: object) -> str:
    """Never a formula, whatever a customer wrote: an apostrophe makes a spreadsheet take it for text."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" \u00a0\ufeff\u200b").startswith(FORMULA) else text
