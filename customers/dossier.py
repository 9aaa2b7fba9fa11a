"""Everything that is kept of one person, for that person: as JSON, or as a page that one can read and print."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
from django.utils.html import format_html
from django.utils.safestring import SafeString

from customers import consents, exporting
from customers.attributes import claims
from customers.cards import cards
from customers.models import (
    Assignment,
    Attachment,
    CardView,
    Expectation,
    Feedback,
    Link,
    Promise,
    Request,
    Score,
    StageChange,
    Unmasking,
)
from customers.sql import Cursor
from customers.timeline import Filters

Format = Literal["json", "html"]
CONTENT_TYPES: dict[Format, str] = {"json": "application/json", "html": "text/html; charset=utf-8"}
DERIVED = (Promise, Request, Expectation, Score, Feedback, StageChange)
VIEWS = 10_000
WHERE = ("url", "ref", "delivery")

PAGE = """<!doctype html><html><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
article {{ border-top: 1px solid #bbb; padding: .5rem 0; white-space: pre-wrap; overflow-wrap: anywhere }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere }}
</style></head><body><h1 dir="auto">{heading}</h1><p>{when}</p>"""


def head(sql: Cursor, root: int) -> dict[str, Any]:
    """What is kept beside the lines: the card, every claim, links, scores, files, and who looked."""
    card = orjson.loads(cards(sql, [root])[root])
    ids = [int(one["id"]) for one in card["identities"]]
    sql.execute("SELECT id FROM customers_customer WHERE id = %(root)s OR merged_into_id = %(root)s", {"root": root})
    customers = [row[0] for row in sql.fetchall()]
    sql.execute("SELECT id FROM customers_identity WHERE customer_id = %s ORDER BY id", (root,))
    every = [row[0] for row in sql.fetchall()]
    return {
        "card": card,
        "claims": claims(sql, root),
        "consents": consents.of(sql, root),
        "identities": [str(one) for one in ids],
        "links": rows(Link.objects.filter(a_id__in=every).order_by("id")),
        "moved_contacts": rows(Assignment.objects.filter(to_identity_id__in=every).order_by("id")),
        "files": rows(
            Attachment.objects.filter(identity_id__in=every).order_by("id"), leave=("url", "ref", "delivery")
        ),
        **{
            model.__name__.lower(): rows(model.objects.filter(customer_id=root).order_by("at", "id"))
            for model in DERIVED
        },
        "views": rows(CardView.objects.filter(customer_id__in=customers).order_by("-viewed_at")[:VIEWS]),
        "shown_in_the_clear": rows(Unmasking.objects.filter(customer_id__in=customers).order_by("-at")[:VIEWS]),
    }


def rows(found: Any, leave: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Rows as they are, without the numbers that only we use."""
    hidden = {"customer_id", *leave}
    return [{key: value for key, value in row.items() if key not in hidden} for row in found.values()]


def written(kind: Format, root: int, known: dict[str, Any]) -> Iterator[bytes]:
    return exporting.as_json(root, Filters(), known) if kind == "json" else as_html(root, known)


def as_html(root: int, known: dict[str, Any]) -> Iterator[bytes]:
    """One page without anything from elsewhere; all words of others are text."""
    name = str(known["card"].get("name") or known["card"]["id"])
    yield encoded(format_html(PAGE, title=name, heading=name, when=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"))
    for title, value in known.items():
        yield encoded(format_html("<h2>{}</h2><pre dir='auto'>{}</pre>", title, pretty(value)))
    yield b"<h2>contacts</h2>"
    for page in exporting.pages(root, Filters()):
        for entry in orjson.loads(page):
            yield encoded(article(entry))
    yield b"</body></html>\n"


def article(entry: dict[str, Any]) -> SafeString:
    agent = entry["agent"] or {}
    said = [entry["channel"], entry["kind"], entry["direction"], entry["state"], agent.get("name") or agent.get("id")]
    more = {name: entry[name] for name in ("edits", "details", "attachments") if entry[name]}
    return format_html(
        "<article dir='auto'><time>{}</time> {}\n<strong>{}</strong>\n{}<pre>{}</pre></article>",
        entry["occurred_at"],
        " · ".join(str(one) for one in said if one),
        entry["subject"] or "",
        entry["text"],
        pretty(more) if more else "",
    )


def pretty(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z, default=str).decode()


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")
