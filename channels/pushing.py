"""A pushed body into deliveries: decode, cut into events, check each, store the good ones, receipt them all."""

import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

import orjson
from pydantic import ValidationError

from channels.accepting import Pushed, accept_pushes
from channels.models import Source
from channels.providers.push import PushedEvent
from customers.access import Principal
from customers.api.problems import Problem, problem
from customers.api.shapes import code_detail_field
from customers.legible import legible

MOST_EVENTS, MOST_BYTES, MOST_EVENT_BYTES = 2_500, 5 * 1024 * 1024, 256 * 1024
SUSPECT = re.compile(rb"\\u0000|\\u[dD][89a-fA-F]|\d{16}")
"""What only the slow way reads safely: NULs, surrogates, numbers beyond 2^53."""
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-lines")
TYPES = ("application/json", *NDJSON)


@dataclass(frozen=True, slots=True)
class NotJson:
    """An NDJSON line that cannot be read."""

    detail: str


def gunzipped(body: bytes) -> bytes:
    """At most 5 MB, whatever a small body swells to; raises Problem."""
    stream = zlib.decompressobj(wbits=31)
    try:
        plain = stream.decompress(body, MOST_BYTES + 1)
    except zlib.error:
        raise Problem("not_json", "The body says that it is gzip, and is not.") from None
    if len(plain) > MOST_BYTES:
        raise Problem("too_large", "A request may have 5 MB after gunzip.")
    if not stream.eof:
        raise Problem("not_json", "The gzip body ends too early.")
    return plain


def refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def decoded(text: bytes) -> Any:
    """A JSON value that PostgreSQL can hold; raises ValueError when it is none."""
    if SUSPECT.search(text):
        try:
            return legible(json.loads(text.decode("utf-8"), parse_constant=refuse_constant))
        except (RecursionError, UnicodeDecodeError) as error:
            raise ValueError(str(error)) from error
    return orjson.loads(text)


def cut(body: bytes, content_type: str) -> list[Any]:
    """The events of a body, not yet checked; raises Problem when nothing of it can be read."""
    if content_type in NDJSON:
        lines = [line for line in body.split(b"\n") if line.strip()]
        if len(lines) > MOST_EVENTS:
            raise too_many(len(lines))
        return nonempty([readable(line) for line in lines])
    try:
        value = decoded(body)
    except ValueError:
        raise Problem("not_json", "The body is not JSON.") from None
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list):
        raise Problem("not_json", "The body must be a JSON object, or an array of them.")
    if len(value) > MOST_EVENTS:
        raise too_many(len(value))
    return nonempty(value)


def readable(line: bytes) -> Any:
    try:
        return decoded(line)
    except ValueError:
        return NotJson("This line is not JSON.")


def nonempty(events: list[Any]) -> list[Any]:
    if not events:
        raise Problem("not_json", "The body is empty.")
    return events


def too_many(count: int) -> Problem:
    return Problem("too_many_events", f"A request may have {MOST_EVENTS} events, not {count}.")


class Rejected(Exception):
    """One event that is not stored; its neighbours are."""

    def __init__(self, code: str, detail: str, field: str = "") -> None:
        super().__init__(detail)
        self.problem = problem(code, detail, field=field)


class Sources:
    """The sources that one request pushes for, looked up once."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal
        self.known: dict[str, Source | None] = {}

    def of(self, slug: str | None) -> Source:
        """Raises Rejected: unknown_source, forbidden, missing_field."""
        wanted = slug or self.principal.source
        if not wanted:
            raise Rejected("missing_field", "This key has no source of its own: name one.", "source")
        if not self.principal.may_push_for(wanted):
            raise Rejected("forbidden", "This key may not push for that source.", "source")
        if wanted not in self.known:
            self.known[wanted] = Source.objects.filter(slug=wanted).first()
        source = self.known[wanted]
        if source is None:
            raise Rejected("unknown_source", f"There is no source «{wanted}».", "source")
        return source


def checked(event: Any, sources: Sources) -> Pushed:
    """A valid event with its canonical JSON; raises Rejected."""
    if isinstance(event, NotJson):
        raise Rejected("not_json", event.detail)
    if not isinstance(event, dict):
        raise Rejected("invalid_value", "An event is a JSON object.")
    try:
        body = orjson.dumps(event, option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONEncodeError, RecursionError):
        raise Rejected("invalid_value", "The event is nested too deep or has numbers that are too large.") from None
    if len(body) > MOST_EVENT_BYTES:
        raise Rejected("too_large", "An event may have 256 KB.")
    try:
        valid = PushedEvent.model_validate_json(body)
    except ValidationError as error:
        raise Rejected(*code_detail_field(error)) from None
    source = sources.of(valid.source)
    given = event.get("revision")
    if given is not None:
        same_revisions(source, "time" if isinstance(given, str) else "integer")
    return Pushed(source.pk, valid.id, valid.part, valid.revision, body)


def same_revisions(source: Source, kind: str) -> None:
    """A source numbers its revisions or dates them, never both: the first one pushed decides."""
    if not source.revisions:
        Source.objects.filter(pk=source.pk, revisions="").update(revisions=kind)
        source.refresh_from_db(fields=["revisions"])
    if source.revisions != kind:
        detail = (
            "This source's revisions are integers."
            if source.revisions == "integer"
            else "This source's revisions are times."
        )
        raise Rejected("invalid_value", detail, "revision")


def push(events: Sequence[Any], principal: Principal) -> list[dict[str, Any]]:
    """One receipt per event, in order: `{id, receipt, status, problem?}`; stored when this returns."""
    sources = Sources(principal)
    receipts: list[dict[str, Any]] = []
    good: list[Pushed] = []
    places: list[int] = []
    for event in events:
        receipt: dict[str, Any] = {"id": id_of(event), "receipt": None, "status": "rejected"}
        try:
            good.append(checked(event, sources))
            places.append(len(receipts))
        except Rejected as rejected:
            receipt["problem"] = rejected.problem
        receipts.append(receipt)
    assert principal.key_id is not None
    stored = accept_pushes(good, key_id=principal.key_id, received_at=datetime.now(UTC))
    for place, (receipt_id, new) in zip(places, stored, strict=True):
        receipts[place].update(receipt=str(receipt_id), status="accepted" if new else "duplicate")
    return receipts


def id_of(event: Any) -> str | None:
    """The sender's id as he wrote it, to match receipts with."""
    given = event.get("id") if isinstance(event, dict) else None
    return str(given)[:200] if isinstance(given, str | int) and not isinstance(given, bool) else None
