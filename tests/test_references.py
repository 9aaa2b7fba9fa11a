"""Lines by the numbers of other systems: of calls and their legs, of orders, by whatever door they came."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from channels.sources import make_source
from customers.models import Reference
from customers.references import find, normal
from customers.sql import cursor
from tests.support import COMMITTED, Api, at, drained, event, identifier, phone, push_and_drain

pytestmark = COMMITTED


def found(value: str, *kinds: str) -> list[str]:
    with cursor() as sql:
        return [str(one.line) for one in find(sql, value, *kinds)]


def test_a_call_is_known_by_its_id_and_by_those_of_its_legs(api: Api) -> None:
    number = phone()
    legs = [{"id": "leg-7", "status": "missed"}, {"id": 8123, "status": "completed"}, {"id": None}]
    call = event(identifier("phone", number), channel="phone", kind="call", id="1732.55")
    call["details"] = {"call_id": "CRM/9", "call": {"status": "completed", "uniqueid": "u-1.2", "legs": legs}}
    push_and_drain(api, call)
    (line,) = [one["id"] for one in api.timeline("phone", number)]
    for value in ("1732.55", "173255", "LEG-7", "8123", "crm 9", "u12"):
        assert found(value) == [line], value
        assert found(value, "order") == []
    push_and_drain(api, {**call, "part": "leg:9", "revision": 1, "details": {"call": {"legs": [{"id": "leg-9"}]}}})
    push_and_drain(api, call)
    assert found("leg-9") == found("leg-7") == [line]
    assert Reference.objects.filter(value="173255").count() == 1


def test_an_order_is_known_by_its_number(api: Api) -> None:
    number = phone()
    first = event(identifier("phone", number), kind="purchase", details={"order": {"number": "AB-20 417"}})
    second = event(identifier("phone", number), details={"order": {"number": "ab20417"}}, occurred_at=at(9))
    push_and_drain(api, first, second)
    newest_first = [one["id"] for one in api.timeline("phone", number)]
    for value in ("AB-20417", "#ab20417", "№ AB 20417"):
        assert found(value) == newest_first
        assert found(value, "order") == newest_first
        assert found(value, "call") == []
    assert found("ab2041") == []


def test_a_message_has_no_references(api: Api) -> None:
    push_and_drain(api, event(identifier("phone", phone()), id="m-1", text="AB-1", details={"call": 7, "order": []}))
    assert not Reference.objects.exists()


@pytest.mark.parametrize("odd", [None, True, [], {}, "", "--- ", 1.5])
def test_what_is_no_number_is_nothing(odd: Any) -> None:
    assert normal(odd) == ""


def test_numbers_are_short() -> None:
    assert normal("x" * 5000) == "x" * 200


def test_a_call_of_twilio_is_known_by_its_sid_and_its_legs_sid(api: Api) -> None:
    source = make_source("twilio_voice", "hotline", addresses=["+37052000000"], secrets={"auth_token": "t" * 32})
    parent = {"CallSid": "CA" + "1" * 32, "From": "+37060000001", "To": "+37052000000", "Direction": "inbound"}
    leg = {"CallSid": "CA" + "2" * 32, "ParentCallSid": parent["CallSid"], "From": "+37060000001", "To": "client:anna"}
    for form in (
        {**parent, "CallStatus": "ringing"},
        {**leg, "CallStatus": "in-progress", "Direction": "outbound-dial"},
    ):
        signed = RequestValidator("t" * 32).compute_signature(source.hook_url, form)
        answer = Client().post(
            f"/hooks/twilio_voice/{source.key}",
            urlencode(form),
            content_type="application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": signed},
        )
        assert answer.status_code == 200, answer.content
    drained()
    (line,) = [one["id"] for one in api.timeline("phone", "+37060000001")]
    assert found(parent["CallSid"]) == found(leg["CallSid"]) == [line]
