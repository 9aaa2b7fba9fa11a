"""Whatever is sent: never a 500, always a problem that one can read, and the neighbours survive."""

import gzip
import random
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from channels.models import Delivery
from tests.support import (
    COMMITTED,
    JSON,
    NDJSON,
    Api,
    drained,
    due_again,
    event,
    identifier,
    phone,
    push_and_drain,
)

pytestmark = COMMITTED
DEEP = 10_000


def raw(**fields: str) -> bytes:
    """An event whose fields are JSON text as it stands, however broken."""
    whole = {
        "id": '"raw"',
        "channel": '"sms"',
        "kind": '"message"',
        "direction": '"inbound"',
        "occurred_at": '"2026-03-02T09:00:00Z"',
        "customer": '{"identifiers": [{"kind": "viber", "value": "v"}]}',
        **fields,
    }
    return ("{" + ", ".join(f'"{name}": {value}' for name, value in whole.items()) + "}").encode(
        "utf-8", "surrogatepass"
    )


def receipts_of(api: Api, body: bytes, kind: str = JSON) -> list[Any]:
    answer = api.post("events", body, kind)
    assert answer.status_code == 202, answer.content[:300]
    receipts: list[Any] = answer.json()["receipts"]
    drained()
    for one in receipts:
        if one["receipt"]:
            shown = api.ok(f"receipts/{one['receipt']}")
            assert shown["status"] in ("recorded", "duplicate", "conflict"), shown
    return receipts


NASTY = [
    r'"a\u0000b"',
    r'"\ud800"',
    r'"\udfff tail"',
    r'"\ud83d\ude00"',
    r'"\ude00\ud83d"',
    r'"\ud83d"',
    r'"\uffff\ufffe"',
    r'"\u202e\u200b\u2066"',
    '"' + "x" * 100_000 + '"',
    '"' + "и\u0301" * 30_000 + '"',
    '"' + "1 " * 60_000 + '"',
    '"' + "+7 (912) 345-67-89 " * 8_000 + '"',
    '"' + "a" * 250_000 + '"',
    '"' + "\\\\u0000" * 1000 + '"',
    r'"\b\f\n\r\t\u0001\u001f\u007f\u0085\u2028"',
    '"<script>alert(1)</script>"',
    '"{{7*7}} %s %(a)s {0} $1"',
    '"\'; DROP TABLE customers_customer; --"',
    '""',
]


def between(api: Api, field: str, values: list[str]) -> None:
    """Each value between two events that are well."""
    numbers = [phone() for _ in values]
    pieces = [orjson.dumps(event(id="before"))]
    for place, (number, value) in enumerate(zip(numbers, values, strict=True)):
        who = f'{{"identifiers": [{{"kind": "phone", "value": "{number}"}}]}}'
        pieces.append(raw(**{"id": f'"raw {place}"', "customer": who, field: value}))
        pieces.append(orjson.dumps(event(id=f"after {place}")))
    receipts = receipts_of(api, b"[" + b",".join(pieces) + b"]")
    assert {one["status"] for one in receipts[::2]} == {"accepted"}
    for number, value, receipt in zip(numbers, values, receipts[1::2], strict=True):
        if receipt["status"] == "accepted":
            (entry,) = api.timeline("phone", number)
            assert "\x00" not in entry["text"]
        else:
            assert field != "text" or len(value) > 250_000
    assert api.get("search", {"q": "alert"}).status_code == 200


@pytest.mark.parametrize("field", ["text", "subject", "thread", "part"])
def test_texts(api: Api, field: str) -> None:
    between(api, field, NASTY)


@pytest.mark.parametrize("value", NASTY, ids=range(len(NASTY)))
def test_texts_as_ids(api: Api, value: str) -> None:
    """One at a time, since some of them are the same once they are cleaned."""
    between(api, "id", [value])


PLACES = [
    '{"identifiers": [{"kind": "email", "value": %s}]}',
    '{"identifiers": [{"kind": "phone", "value": %s}]}',
    '{"identifiers": [{"kind": "viber", "value": %s}]}',
    '{"identifiers": [{"kind": "viber", "value": "v", "scope": %s}]}',
    '{"identifiers": [{"kind": %s, "value": "v"}]}',
    '{"identifiers": [{"kind": "viber", "value": "v"}], "name": %s}',
    '{"identifiers": [{"kind": "viber", "value": "v"}], "attributes": {"a": %s}}',
    '{"identifiers": [{"kind": "viber", "value": "v"}], "attributes": {%s: 1}}',
]


@pytest.mark.parametrize("place", PLACES, ids=range(len(PLACES)))
def test_texts_in_customers(api: Api, place: str) -> None:
    lines = [raw(id=f'"{n}"', customer=place % value) for n, value in enumerate(NASTY)]
    receipts = receipts_of(api, b"\n".join(lines), NDJSON)
    assert len(receipts) == len(NASTY)
    due_again()
    drained()


WRONG = ["null", "true", "0", "-1", "1.5", "1e308", "1e400", "-1e400", "9" * 30, "9" * 5000, '""', '"x"', "[]", "{}"]
WRONG += [
    "[[[[]]]]",
    '{"": null}',
    '[null, 1, "x", {}]',
    '{"identifiers": null}',
    '{"a": 1e400}',
    "-0",
    "-0.0",
    "1E-400",
]
FIELDS = ["id", "channel", "kind", "direction", "occurred_at", "source", "customer", "subject", "text", "thread"]
FIELDS += ["agent", "attachments", "state", "deleted", "part", "revision", "details", "новое"]


@pytest.mark.parametrize("field", FIELDS)
def test_wrong_types_everywhere(api: Api, field: str) -> None:
    lines = [raw(**{"id": f'"{n}"', field: value}) for n, value in enumerate(WRONG)]
    for wrapped, kind in ((b"\n".join(lines), NDJSON), (b"[" + b",".join(lines) + b"]", JSON)):
        assert len(receipts_of(api, wrapped, kind)) == len(WRONG)


@pytest.mark.parametrize(
    "place", ["details", "customer.attributes", "details.call", "details.score", "details.order", "details.call.legs"]
)
def test_wrong_values_inside(api: Api, place: str) -> None:
    lines = []
    for n, value in enumerate(WRONG):
        nested = value
        for name in reversed(place.split(".")[1:]):
            nested = f'{{"{name}": {nested}}}'
        deeper = f'{{"{place.split(".")[-1]}": {nested}, "metric": "nps", "value": {value}, "number": {value}}}'
        first = place.split(".")[0]
        lines += [raw(id=f'"{n}"', **{first: nested}), raw(id=f'"x{n}"', **{first: deeper})]
    assert len(receipts_of(api, b"\n".join(lines), NDJSON)) == len(lines)


def deep(kind: str) -> bytes:
    if kind == "list":
        return b"[" * DEEP + b"]" * DEEP
    return b'{"a":' * DEEP + b"1" + b"}" * DEEP


@pytest.mark.parametrize("kind", ["list", "object"])
def test_what_is_too_deep_is_rejected_and_its_neighbours_live(api: Api, kind: str) -> None:
    bottomless = raw(details=b'{"x": %s}'.replace(b"%s", deep(kind)).decode())
    good = orjson.dumps(event(text='], "{[\\'))
    for body, form in (
        (b"[" + good + b", " + bottomless + b",\n" + good + b"]", JSON),
        (good + b"\n" + bottomless, NDJSON),
    ):
        receipts = receipts_of(api, body, form)
        assert [one["status"] for one in receipts][:2] in (["accepted", "rejected"], ["duplicate", "rejected"])
        assert receipts[1]["problem"]["code"] == "invalid_value"
    for alone in (bottomless, deep(kind)):
        answer = api.post("events", alone)
        assert answer.status_code == 202
        assert {one["status"] for one in answer.json()["receipts"]} == {"rejected"}


@pytest.mark.parametrize("depth", [100, 250, 300, 990, 1100])
def test_every_depth(api: Api, depth: int) -> None:
    for nested in (b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth):
        receipts_of(api, raw(details=b'{"x": %s}'.replace(b"%s", nested).decode()))


@pytest.mark.parametrize(
    "body",
    [
        b"[" * DEEP,
        b"]" * DEEP,
        b'{"a":' * DEEP,
        b"[" * DEEP + b"]" * (DEEP - 1),
        b"[" * DEEP + b"]" * (DEEP + 1),
        b'[{"id": 1}, ' + b"[" * DEEP + b"]" * DEEP + b", nonsense]",
        b"\x00",
        b"\xff\xfe\x00",
        b'{"id": "\xff"}',
        b'"' + b"\\" * 9999,
        b"{" + b'"a":1,' * 10_000 + b"}",
        b"1" * 100_000,
        b"-",
        b"\xef\xbb\xbf{}",
        b'{"id": NaN}',
        b'{"id": Infinity}',
        b"[" + b"," * 1000 + b"]",
    ],
    ids=range(17),
)
def test_what_is_no_json_is_400(api: Api, body: bytes) -> None:
    answer = api.post("events", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "not_json")
    for path in ("keys", "sources"):
        assert api.post(path, body).status_code == 400
    assert Delivery.objects.count() == 0


def test_bodies_of_other_doors(api: Api) -> None:
    (receipt,) = push_and_drain(api, event(identifier("phone", phone())))
    note = f"customers/{receipt['customer']}/notes"
    bodies = [
        b"[" * DEEP,
        deep("object"),
        b'{"text": "\\ud800"}',
        b'{"text": "a\\u0000b"}',
        b'{"text": "' + b"x" * 60_000 + b'"}',
    ]
    bodies += [b'{"text": 1e400}', b'{"text": ' + b"9" * 5000 + b"}", b'{"text": "\xff"}', b"null", b'{"text": null}']
    for path in (note, "keys", "sources", f"deliveries/{receipt['receipt']}/replay"):
        for body in (*bodies, b"x" * 300_000, b"x" * (7 * 1024 * 1024)):
            answer = api.post(path, body)
            assert answer.status_code < 500, (path, body[:50])
            if answer.status_code >= 400:
                assert answer.headers["Content-Type"] == "application/problem+json", (
                    path,
                    body[:50],
                    answer.content[:200],
                )
        drained()
    names = {"name": "a\x00b", "scopes": ["read"]}
    assert api.post("keys", names).status_code in (201, 400)
    assert api.post("keys", {"name": "x" * 1_000_000, "scopes": ["read"]}).status_code in (400, 413)
    for thing in (
        {"provider": "push", "slug": "a", "addresses": ["\x00"]},
        {"provider": "telegram", "slug": "b", "secrets": {"bot_token": "\x00"}},
    ):
        assert api.post("sources", thing).status_code in (201, 400)


def test_a_megabyte_of_name(api: Api) -> None:
    for name in ("x" * 1_000_000, "ж" * 130_000, "a b " * 250):
        receipts = receipts_of(api, orjson.dumps(event(identifier("viber", "v1"), name=name)))
        assert receipts[0]["status"] == ("accepted" if len(name) <= 1000 else "rejected")
    value = receipts_of(api, orjson.dumps(event(identifier("email", "x" * 1_000_000))))
    assert value[0]["problem"]["code"] in ("invalid_value", "too_large")


BYTES = [
    "%00",
    "%ff",
    "%ed%a0%80",
    "%c3",
    "%e2%80%ae",
    "%0a%0d",
    "%F0%9F%99%82",
    "..%2f..%2f",
    "%25",
    "%",
    "%zz",
    "'\"",
    "+",
    "%20",
]
BYTES += ["x" * 3000, "%d9%a1", "{}", "[]", "1e400", "-1", str(2**64), "9" * 1000, "NaN", "null"]


@pytest.mark.parametrize("bytes_", BYTES, ids=range(len(BYTES)))
def test_paths_and_queries(api: Api, bytes_: str) -> None:
    (receipt,) = push_and_drain(api, event(identifier("phone", phone()), text="x"))
    id_ = receipt["customer"]
    for path in (
        "customers/{}",
        "customers/{}/timeline",
        "customers/{}/changes",
        "receipts/{}",
        "attachments/{}",
        "{}",
    ):
        answer = api.client.get(f"/api/v1/{path.format(bytes_)}")
        assert answer.status_code in (400, 404), path
        assert answer.headers["Content-Type"] == "application/problem+json", path
    for path in (
        *(
            "customers?phone={}",
            "customers?email={}",
            "customers?viber={}",
            "customers?identifier={}",
            "customers?q={}",
        ),
        *("customers?identifier=crm_id:{}", "customers?{}=1", "lookup?phone={}", "lookup?telegram={}&timeline={}"),
        *("search?q={}", "search?q=x&since={}", "search?q=x&cursor={}", "search?q=x&channel={}", "search?q=x&limit={}"),
        *(f"customers/{id_}/timeline?{name}={{}}" for name in ("cursor", "channel", "thread", "q", "since", "limit")),
        *(f"customers/{id_}/changes?since={{}}", "deliveries?cursor={}", "deliveries?source={}", "deliveries?limit={}"),
    ):
        answer = api.client.get(f"/api/v1/{path.format(bytes_, bytes_)}")
        assert answer.status_code in (200, 400), (path, answer.status_code)
        answer.json()


HEADERS = ["\xff", "\x7f", "a" * 5000, "é", "%00", '"', "W/", "*", "\xe2\x82\xac", '"' * 500]


@pytest.mark.parametrize("value", HEADERS, ids=range(len(HEADERS)))
def test_headers(api: Api, value: str) -> None:
    (receipt,) = push_and_drain(api, event(identifier("phone", phone())))
    card = f"customers/{receipt['customer']}"
    for name in (
        "Authorization",
        "If-None-Match",
        "Accept",
        "Accept-Language",
        "Accept-Encoding",
        "X-Forwarded-For",
        "Cookie",
    ):
        answer = api.get(f"{card}/changes", {"since": "1.0"}, **{name: value})
        assert answer.status_code in (200, 401), name
    bearer = api.client.get(f"/api/v1/{card}", headers={"Authorization": f"Bearer {value}"})
    assert bearer.status_code == 401
    for name in ("Idempotency-Key", "Content-Encoding", "Content-Type"):
        for path, body in ((f"{card}/notes", {"text": "x"}), ("events", event())):
            answer = api.post(path, body, **({"kind": value} if name == "Content-Type" else {name: value}))
            assert answer.status_code < 500, name


def test_repeated_parameters(api: Api) -> None:
    (receipt,) = push_and_drain(api, event(identifier("phone", phone())))
    timeline = f"customers/{receipt['customer']}/timeline"
    for name in ("limit", "cursor", "since", "until", "q", "order"):
        assert api.get(f"{timeline}?{name}=1&{name}=2").status_code == 400
    assert api.get(f"{timeline}?" + "&".join(["channel=sms"] * 50)).status_code == 200
    assert api.get(f"{timeline}?" + "&".join(["channel=sms"] * 51)).status_code == 400
    many = "&".join(f"phone=%2B7912345{n:04}" for n in range(50))
    assert api.get(f"customers?{many}").status_code == 200
    answer = api.get("customers?" + "&".join(f"a{n}=1" for n in range(2000)))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_value")


def mutated(dice: random.Random, whole: bytes) -> bytes:
    broken = bytearray(whole)
    for _ in range(dice.randrange(1, 6)):
        place = dice.randrange(len(broken))
        match dice.randrange(4):
            case 0:
                broken[place] = dice.randrange(256)
            case 1:
                del broken[place : place + dice.randrange(1, 20)]
            case 2:
                broken[place:place] = dice.choice(
                    [b"\\u0000", b"\\ud800", b"[", b"{", b'"', b"\xff", b"9" * 40, b"null"]
                )
            case _:
                other = dice.randrange(len(broken))
                broken[place:place] = broken[other : other + dice.randrange(1, 40)]
        if not broken:
            broken = bytearray(b"{")
    return bytes(broken)


def test_mutations_of_a_good_push(api: Api) -> None:
    dice = random.Random(20261122)
    good = orjson.dumps(
        [
            event(
                identifier("phone", "+73433443420", verified=True),
                identifier("email", "ada@mail.example"),
                name="Юлия",
                agent={"id": "7", "name": "Ona", "type": "human"},
                attachments=[{"name": "a", "url": "https://x.example/a"}],
                revision=1,
                details={
                    "call": {"status": "completed", "legs": [{"to": "101"}]},
                    "score": {"metric": "nps", "value": 9},
                },
            )
        ]
    )
    quick = Api("ingest", source="shop", safe=True)
    for _ in range(400):
        body = mutated(dice, good)
        form = dice.choice([JSON, JSON, NDJSON])
        if dice.random() < 0.1:
            answer = quick.post("events", gzip.compress(body)[: dice.randrange(5, 400)], form, Content_Encoding="gzip")
        else:
            answer = quick.post("events", body, form)
        assert answer.status_code in (202, 400), (answer.status_code, body)
        assert answer.json()
    drained(waiting=True)
    assert set(Delivery.objects.values_list("state", flat=True)) <= {"recorded", "duplicate", "conflict", "waiting"}


def test_names_of_parameters_are_quoted_back_safely(api: Api) -> None:
    answer = api.client.get("/api/v1/customers?" + quote("<b>\x00\u202e") + "=1")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
