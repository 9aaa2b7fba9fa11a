"""Pushed events into deliveries: check each, store the good ones, receipt them all."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import ValidationError

from channels import counting
from channels.accepting import Pushed, accept_pushes
from channels.cutting import Unreadable
from channels.models import Source
from channels.providers.push import PushedEvent
from customers.access import Principal
from customers.api.problems import problem
from customers.api.shapes import code_detail_field

MOST_EVENT_BYTES = 256 * 1024


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
            self.known[wanted] = Source.having("slug", wanted)
        source = self.known[wanted]
        if source is None:
            raise Rejected("unknown_source", f"There is no source «{wanted}».", "source")
        return source


def checked(event: Any, sources: Sources) -> Pushed:
    """A valid event with its canonical JSON; raises Rejected."""
    if isinstance(event, Unreadable):
        raise Rejected(event.code, event.detail)
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
        same_revisions(source, "integer" if isinstance(given, int) or given.isdigit() else "time")
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
    counting.pushed(receipt["status"] for receipt in receipts)
    return receipts


def id_of(event: Any) -> str | None:
    """The sender's id as he wrote it, to match receipts with."""
    given = event.get("id") if isinstance(event, dict) else None
    return str(given)[:200] if isinstance(given, str | int) and not isinstance(given, bool) else None
