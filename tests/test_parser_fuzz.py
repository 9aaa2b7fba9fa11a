"""Whatever the bytes: every parser gives events, says why not, and takes no time over it."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.provider import SourceInfo, StoredDelivery
from channels.providers import PROVIDERS
from customers.incoming import ChannelEvent
from tests.test_payloads import REFUSALS, delivery_of, payloads

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
FILES = payloads()
NAMES = sorted(PROVIDERS)
SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Words that lead deep into the parsers.
FIELDS = """
CallSid ParentCallSid CallStatus From To Direction Timestamp CallDuration RecordingSid RecordingUrl RecordingStatus
DialCallStatus DialCallSid AnsweredBy MessageSid MessageStatus SmsStatus Body NumMedia MediaUrl0 NumSegments ErrorCode
"""
VALUES = """CA1|SM1|ringing|completed|in-progress|no-answer|inbound|outbound-dial|outbound-api|whatsapp:+1|client:x
anonymous|delivered|received|99999999999999999999|-1|https://x/RE1|Fri, 20 Nov 2026 10:00:00 +0000
Fri, 31 Dec 9999 23:59:59 -2359|Mon, 1 Jan 0001 00:00:00 +2359"""
form_words = st.sampled_from(FIELDS.split())
form_values = st.sampled_from(VALUES.replace("\n", "|").split("|")) | st.text(max_size=20)
scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20)
shapes = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


def delivery(name: str, body: bytes, headers: dict[str, str] | None = None) -> StoredDelivery:
    return StoredDelivery(UUID(int=1), SourceInfo(7, "front", name, "LT"), body, headers or {}, AT)


@contextmanager
def quickly() -> Iterator[None]:
    began = time.perf_counter()
    yield
    assert time.perf_counter() - began < 5


def parse(one: StoredDelivery) -> None:
    """Nothing but the three refusals may come out, and events that can be written down."""
    events, reason = [], ""
    with quickly():
        try:
            events = list(PROVIDERS[one.source.provider].parse(one))
        except REFUSALS as refusal:
            reason = str(refusal)
    assert len(reason) < 300
    for event in events:
        assert isinstance(event, ChannelEvent)
        assert event.key
        assert -(2**63) <= event.revision < 2**63
        assert event.occurred_at is None or event.occurred_at.tzinfo is not None
        orjson.dumps([event.details, event.attributes, [handle.value for handle in event.handles]])


@pytest.mark.parametrize("name", NAMES)
@SETTINGS
@given(body=st.binary(max_size=200))
def test_any_bytes(name: str, body: bytes) -> None:
    parse(delivery(name, body))


@pytest.mark.parametrize("name", NAMES)
@SETTINGS
@given(thing=shapes)
def test_any_json(name: str, thing: Any) -> None:
    parse(delivery(name, json.dumps(thing).encode()))


@pytest.mark.parametrize("name", NAMES)
@SETTINGS
@given(fields=st.dictionaries(form_words, form_values, max_size=12))
def test_any_form(name: str, fields: dict[str, str]) -> None:
    parse(delivery(name, urlencode(fields, errors="replace").encode()))


@SETTINGS
@given(data=st.data())
def test_payloads_with_a_few_bytes_changed(data: st.DataObject) -> None:
    one = delivery_of(data.draw(st.sampled_from(FILES)))
    body = bytearray(one.body)
    for _ in range(data.draw(st.integers(1, 5))):
        start = data.draw(st.integers(0, max(0, len(body) - 1)))
        body[start : start + data.draw(st.integers(0, 6))] = data.draw(st.binary(max_size=6))
    parse(replace(one, body=bytes(body)))


@SETTINGS
@given(data=st.data())
def test_json_payloads_with_a_value_changed(data: st.DataObject) -> None:
    one = delivery_of(data.draw(st.sampled_from([path for path in FILES if path.suffix == ".json"])))
    thing = json.loads(one.body)
    for _ in range(data.draw(st.integers(1, 3))):
        spoil(thing, data)
    parse(replace(one, body=json.dumps(thing).encode()))


def spoil(thing: Any, data: st.DataObject) -> None:
    """Put anything in the place of one value, somewhere in the tree."""
    while isinstance(thing, (dict, list)) and thing:
        key = data.draw(st.sampled_from(sorted(thing) if isinstance(thing, dict) else range(len(thing))))
        if not isinstance(thing[key], (dict, list)) or data.draw(st.booleans()):
            thing[key] = data.draw(scalars | shapes)
            return
        thing = thing[key]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b'{"update_id": ' + b"9" * 100_000 + b"}",
        b"a=1&" * 500_000,
        b"%" * 1_000_000,
        b"\x00" * 1_000_000,
        b"Body=" + b"A" * 1_000_000 + b"&NumSegments=9&MessageSid=SM1&From=%2B1",
    ],
    ids=["arrays", "objects", "digits", "fields", "percents", "nuls", "base64"],
)
def test_bombs(name: str, body: bytes) -> None:
    parse(delivery(name, body))
