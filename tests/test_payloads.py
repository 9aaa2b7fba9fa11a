"""The contract of every provider: what each payload of tests/payloads/<provider>/ must become.

`<event>__<variant>.<ending>` is the raw body; `.meta.json` beside it may give headers, secrets and the like;
`.expected.json` lists the events, without what is the same for all, or says how the payload is refused.
`CXHUB_WRITE_EXPECTED=1 pytest tests/test_payloads.py` writes what is missing: read it before you commit it.
"""

import dataclasses
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from channels.provider import Ignored, SourceInfo, StoredDelivery, Unreadable, Unsupported
from channels.providers import PROVIDERS
from customers.incoming import Agent, Attachment, ChannelEvent, Handle, Trust

PAYLOADS = Path(__file__).parent / "payloads"
ASIDE = (".expected.json", ".meta.json")
RECEIVED_AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
REFUSALS = (Ignored, Unsupported, Unreadable)
CONSTANT = {"source_id", "source", "region", "received_at", "origin", "replay"}


def payloads() -> list[Path]:
    files = sorted(path for path in PAYLOADS.glob("*/*") if path.is_file() and not path.name.endswith(ASIDE))
    return [path for path in files if path.parent.name in PROVIDERS]


def beside(path: Path, ending: str) -> Path:
    return path.with_name(path.stem + ending)


def delivery_of(path: Path) -> StoredDelivery:
    meta = beside(path, ".meta.json")
    said = json.loads(meta.read_text()) if meta.exists() else {}
    source = {"id": 7, "slug": "front", "provider": path.parent.name, "region": "LT"} | said.get("source", {})
    source["addresses"] = tuple(source.get("addresses", ()))
    headers = said.get("headers", {})
    return StoredDelivery(UUID(int=1), SourceInfo(**source), path.read_bytes(), headers, RECEIVED_AT)


def parsed(delivery: StoredDelivery) -> list[ChannelEvent]:
    return list(PROVIDERS[delivery.source.provider].parse(delivery))


def outcome(delivery: StoredDelivery) -> Any:
    try:
        events = parsed(delivery)
    except REFUSALS as refusal:
        return {type(refusal).__name__.lower(): str(refusal)}
    return [as_json(event) for event in events]


def as_json(thing: Any) -> Any:
    """The thing as plain JSON, without the defaults of its dataclass."""
    if isinstance(thing, (ChannelEvent, Handle, Agent, Attachment)):
        fields = [field for field in dataclasses.fields(thing) if field.name not in CONSTANT]
        return {field.name: as_json(getattr(thing, field.name)) for field in fields if said(thing, field)}
    if isinstance(thing, Trust):
        return thing.name.lower()
    if isinstance(thing, datetime):
        assert thing.tzinfo is not None
        return thing.astimezone(UTC).isoformat()
    if isinstance(thing, dict):
        return {key: as_json(value) for key, value in thing.items()}
    return [as_json(item) for item in thing] if isinstance(thing, (list, tuple)) else thing


def said(thing: object, field: dataclasses.Field[Any]) -> bool:
    value = getattr(thing, field.name)
    empty = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
    return bool(value != empty)


@pytest.mark.parametrize("path", payloads(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_payload_becomes_the_expected_events(path: Path) -> None:
    expected, delivery = beside(path, ".expected.json"), delivery_of(path)
    found = outcome(delivery)
    if not expected.exists() and os.environ.get("CXHUB_WRITE_EXPECTED"):
        expected.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
    assert found == json.loads(expected.read_text())
    assert found == outcome(delivery), "the same bytes must give the same events"
    assert json.loads(json.dumps(found)) == found, "details must be plain JSON"


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_every_event_type_has_a_payload(name: str) -> None:
    """Of the handled ones; one file can stand for several events, its name says for which."""
    provider = PROVIDERS[name]
    there = {path.name.partition("__")[0] for path in payloads() if path.parent.name == name}
    if not there:
        pytest.skip("has no payloads of its own")
    assert provider.handled <= there


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_the_three_lists_do_not_overlap(name: str) -> None:
    provider = PROVIDERS[name]
    assert provider.name == name
    assert not provider.handled & provider.ignored
    assert not provider.handled & provider.unsupported
    assert not provider.ignored & provider.unsupported


@pytest.mark.parametrize("path", payloads(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_parts_of_one_delivery_do_not_collide(path: Path) -> None:
    """Two events of one delivery must not claim the same part of the same line."""
    try:
        events = parsed(delivery_of(path))
    except REFUSALS:
        return
    assert len({(event.key, event.part) for event in events}) == len(events)
