"""`POST /api/v1/events`, word by word as issue 2 promises it: what is stored, what is rejected, what is said."""

import gzip
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
from django.db import connections

from channels.models import Delivery
from channels.providers.push import revision_number
from tests.support import (
    COMMITTED,
    NDJSON,
    Api,
    Event,
    at,
    database_away,
    drained,
    event,
    identifier,
    phone,
    problem_of,
    push_and_drain,
    shop,
    unique,
)

pytestmark = COMMITTED
MEGABYTES = 1024 * 1024


def sized(size: int) -> Event:
    """An event whose compact JSON has exactly so many bytes."""
    thing = event(text="")
    return {**thing, "text": "x" * (size - len(orjson.dumps(thing)))}


def test_one_event_is_an_object_and_many_are_an_array(api: Api) -> None:
    alone = api.post("events", event(identifier("phone", phone()), id="one"))
    assert alone.status_code == 202
    (receipt,) = alone.json()["receipts"]
    assert (receipt["id"], receipt["status"]) == ("one", "accepted")
    assert "problem" not in receipt
    several = api.push(*(event(id=f"many-{n}") for n in range(5)))
    assert [one["id"] for one in several] == [f"many-{n}" for n in range(5)], "receipts come in order"
    assert len({one["receipt"] for one in several}) == 5


@pytest.mark.parametrize("kind", ["application/x-ndjson", "application/x-ndjson; charset=utf-8"])
def test_ndjson_takes_a_bad_line_among_good_ones(api: Api, kind: str) -> None:
    lines = [orjson.dumps(event(id="a")), b'{"id": "b", ', b"", orjson.dumps(event(id="c")), b"[1]"]
    answer = api.post("events", b"\r\n".join(lines), kind)
    assert answer.status_code == 202
    receipts = answer.json()["receipts"]
    assert [one["status"] for one in receipts] == ["accepted", "rejected", "accepted", "rejected"]
    assert receipts[1]["problem"]["code"] == "not_json"
    assert receipts[1]["receipt"] is None
    assert receipts[3]["problem"]["code"] == "invalid_value"


def test_a_single_bad_ndjson_line_is_rejected_not_refused(api: Api) -> None:
    answer = api.post("events", b"nonsense\n", NDJSON)
    assert answer.status_code == 202
    assert answer.json()["receipts"][0]["problem"]["code"] == "not_json"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'"text"', b"null", b"[1,", b"\xff\xfe", b"NaN", b"[NaN]"])
def test_a_body_that_holds_no_events_is_400(api: Api, body: bytes) -> None:
    assert problem_of(api.post("events", body))[:2] == (400, "not_json")


@pytest.mark.parametrize("body", [b"", b"\n \n"])
def test_empty_ndjson_is_400(api: Api, body: bytes) -> None:
    assert problem_of(api.post("events", body, NDJSON))[:2] == (400, "not_json")


def test_the_number_of_events_is_bounded(api: Api) -> None:
    events = [event(id=f"e{n}") for n in range(2_501)]
    assert problem_of(api.post("events", events))[:2] == (413, "too_many_events")
    ndjson = b"\n".join(map(orjson.dumps, events))
    assert problem_of(api.post("events", ndjson, NDJSON))[:2] == (413, "too_many_events")
    assert not Delivery.objects.exists(), "413 means that nothing was stored"
    answer = api.post("events", events[:2_500])
    assert answer.status_code == 202
    assert Counter(one["status"] for one in answer.json()["receipts"]) == {"accepted": 2_500}


def test_the_size_of_a_request_is_bounded(api: Api) -> None:
    twenty = [sized(250 * 1024) for _ in range(20)]
    room = 5 * MEGABYTES - len(orjson.dumps(twenty)) - 1
    full = orjson.dumps([*twenty, sized(room)])
    assert len(full) == 5 * MEGABYTES
    assert api.post("events", full).status_code == 202
    assert problem_of(api.post("events", full + b" "))[:2] == (413, "too_large")
    assert problem_of(api.post("events", b" " * (8 * MEGABYTES)))[:2] == (413, "too_large")


def test_the_size_of_an_event_is_bounded_and_its_neighbours_live(api: Api) -> None:
    fits, large = sized(256 * 1024), sized(256 * 1024 + 1)
    receipts = api.push(event(), fits, large, event())
    assert [one["status"] for one in receipts] == ["accepted", "accepted", "rejected", "accepted"]
    assert receipts[2]["problem"]["code"] == "too_large"
    assert receipts[2]["id"] == large["id"]
    (alone,) = api.push(large)
    assert alone["problem"]["code"] == "too_large"
    drained()


def test_gzip_is_welcome_and_a_bomb_is_not(api: Api) -> None:
    packed = gzip.compress(orjson.dumps([event(id="zipped")]))
    assert api.post("events", packed, Content_Encoding="gzip").json()["receipts"][0]["status"] == "accepted"
    bomb = gzip.compress(b"[" + b" " * (200 * MEGABYTES) + b"]")
    assert len(bomb) < MEGABYTES
    assert problem_of(api.post("events", bomb, Content_Encoding="gzip"))[:2] == (413, "too_large")
    for broken in (b"plain", packed[:-9], b""):
        assert problem_of(api.post("events", broken, Content_Encoding="gzip"))[:2] == (400, "not_json")
    assert problem_of(api.post("events", packed, Content_Encoding="br"))[0] == 415


REQUIRED = ("id", "channel", "kind", "direction", "occurred_at")


@pytest.mark.parametrize("name", REQUIRED)
def test_what_is_required_is_named_when_it_is_missing(api: Api, name: str) -> None:
    thing = event()
    del thing[name]
    bad, good = api.push(thing, event())
    assert (bad["status"], bad["receipt"]) == ("rejected", None)
    assert (bad["problem"]["code"], bad["problem"]["field"]) == ("missing_field", name)
    assert good["status"] == "accepted"
    (alone,) = api.push(thing)
    assert alone["problem"]["code"] == "missing_field"
    answer = api.post("events", thing)
    assert (answer.status_code, answer.json()["receipts"][0]["status"]) == (202, "rejected"), "an object alone too"


BAD: list[tuple[str, Any]] = [
    ("id", ""),
    ("id", "x" * 201),
    ("id", None),
    ("id", ["a"]),
    ("channel", "Telegram!"),
    ("channel", ""),
    ("channel", 5),
    ("kind", "shout"),
    ("direction", "sideways"),
    ("occurred_at", "2026-11-22"),
    ("occurred_at", "2026-11-22T10:15:00"),
    ("occurred_at", "2026-13-22T10:15:00Z"),
    ("occurred_at", "2026-11-22T25:15:00Z"),
    ("occurred_at", "0000-01-01T00:00:00Z"),
    ("occurred_at", "9999-12-31T23:59:59-14:00"),
    ("occurred_at", "+010000-01-01T00:00:00Z"),
    ("occurred_at", 1_700_000_000),
    ("occurred_at", None),
    ("customer", []),
    ("customer", {"identifiers": {"kind": "phone"}}),
    ("customer", {"identifiers": [{"kind": "phone"}]}),
    ("customer", {"identifiers": [{"kind": "card", "value": "x"}]}),
    ("customer", {"identifiers": [{"kind": "anonymous", "value": "x"}]}),
    ("customer", {"identifiers": [{"kind": "PHONE", "value": "x"}]}),
    ("customer", {"identifiers": [{"kind": "phone", "value": "+73433443420", "verified": "yes"}]}),
    ("customer", {"name": ["Ada"]}),
    ("customer", {"attributes": "vip"}),
    ("subject", {"a": 1}),
    ("text", 5),
    ("agent", {"type": "ghost"}),
    ("attachments", {"name": "a"}),
    ("attachments", [{"size": -1}]),
    ("attachments", [{"size": "big"}]),
    ("deleted", "yes"),
    ("part", ""),
    ("part", 7),
    ("revision", 1.5),
    ("revision", True),
    ("revision", "yesterday"),
    ("revision", 2**63),
    ("revision", float(10**30)),
    ("revision", "7"),
    ("revision", "9" * 5000),
    ("revision", -1),
    ("details", []),
    ("details", {"call": {"status": "vanished"}}),
    ("details", {"call": {"duration_s": "long"}}),
    ("details", {"call": {"started_at": "noon"}}),
    ("details", {"call": {"legs": {}}}),
    ("details", {"call": {"recording": []}}),
    ("details", {"score": {"metric": "luck", "value": 7}}),
    ("details", {"score": {"metric": "nps", "value": "ten"}}),
    ("details", {"order": {"total": 5}}),
    ("details", {"campaign": 5}),
    ("details", {"promise": {"what": "call back"}}),
    ("details", {"promise": {"due_at": "tomorrow"}}),
    ("details", {"promise": {"within_minutes": 0}}),
    ("details", {"promise": {"due_at": "2026-11-22T10:15:00Z", "kind": "Call me"}}),
    ("details", {"promises": [{"due_at": "2026-11-22T10:15:00Z"}]}),
    ("details", {"promises": [{"id": "7", "closed": {"as": "forgotten"}}]}),
    ("details", {"promises": {"id": "7"}}),
    ("details", {"expectation": {"lasting": True}}),
    ("details", {"expectations": [{"id": "a", "outcome": {"as": "good"}}]}),
    ("details", {"expectations": [{"id": "a", "outcome": {"as": "met", "emotion": 2}}]}),
    ("details", {"request": {"state": "lost"}}),
    ("details", {"requests": [{"id": "a", "do": "forget"}]}),
    ("details", {"feedback": {"state": "read"}}),
    ("details", {"feedbacks": [{"state": "new"}]}),
    ("details", {"scores": [{"metric": "nps", "value": 7}]}),
    ("details", {"emotion": 5}),
    ("details", {"stage": "After purchase"}),
    ("details", {"lost": 1}),
    ("details", {"auto": "yes"}),
    ("unheard_of", 1),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_is_rejected_with_its_field(api: Api, name: str, value: Any) -> None:
    bad, good = api.push(event(**{name: value}), event())
    assert (bad["status"], bad["receipt"], good["status"]) == ("rejected", None, "accepted")
    assert bad["problem"]["code"] in ("invalid_value", "missing_field"), bad
    assert bad["problem"]["field"].startswith(name)
    assert Delivery.objects.count() == 1


def test_ours_are_refused_as_invalid_values(api: Api) -> None:
    for kind in ("card", "anonymous"):
        (receipt,) = api.push(event(identifier(kind, "x")))
        assert receipt["problem"]["code"] == "invalid_value"


def test_the_edges_of_what_is_valid(api: Api) -> None:
    events = [
        event(id="x" * 200),
        event(id="ж" * 200),
        event(id=17),
        event(occurred_at="0001-01-01T00:00:00Z"),
        event(occurred_at="9999-12-31T23:59:59.999999Z"),
        event(occurred_at="2026-11-22T10:15:00.123456789+05:30"),
        event(occurred_at="2026-11-22t10:15:00z"),
        event(identifier("phone", phone()), part="p" * 200),
        event(channel="a-channel_of-our-own2"),
        event(identifier("phone", phone(), verified=True), identifier("x-own-kind", "7", scope="elsewhere")),
        event(deleted=True, state="delivered", thread="t", subject="s", agent={"id": 5, "name": "Ona", "type": "bot"}),
        event(
            attachments=[{"name": "a.pdf", "content_type": "application/pdf", "size": 0, "url": "https://x.example/a"}]
        ),
        event(details={"free": [1, {"deep": None}], "call": {"status": "missed", "legs": [{"to": "101"}]}}),
        event(details={"score": {"metric": "stars", "value": 4.5, "min": 1, "max": 5}}),
        event(
            details={
                "promise": {"what": "call back", "kind": "callback", "within_minutes": 30, "owner": "ona", "own": 1},
                "promises": [{"id": "7", "closed": {"as": "kept", "at": "2026-11-22T10:15:00Z"}}],
                "expectation": {"what": "meets in person", "lasting": True},
                "expectations": [{"id": "e", "outcome": {"as": "missed", "emotion": -1}}],
                "request": {"id": "T-5", "state": "solved"},
                "requests": [{"id": "r", "do": "join", "with": "x"}],
                "feedback": {"topic": "delivery", "state": "told", "sentiment": 1},
                "emotion": 0,
                "stage": "after",
                "lost": "moved abroad",
                "auto": True,
            }
        ),
        event(
            details={"order": {"number": "AB-12345", "total": 99.5, "currency": "EUR"}, "campaign": {"id": "spring"}}
        ),
        *(
            event(kind=kind)
            for kind in ("visit", "purchase", "review", "survey", "form", "comment", "mention", "other")
        ),
    ]
    assert [one["status"] for one in api.push(*events)] == ["accepted"] * len(events)
    drained()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"recorded"}


def test_all_fields_are_shown_as_they_were_pushed(api: Api) -> None:
    number = phone()
    whole = event(
        identifier("phone", number),
        channel="phone",
        kind="call",
        occurred_at="2026-11-20T10:15:00+05:00",
        name="Юлия Щербакова",
        subject="Доставка",
        text="Где мой заказ?",
        thread="t-1",
        agent={"id": "7", "name": "Ona", "type": "human"},
        attachments=[{"name": "a.pdf", "content_type": "application/pdf", "size": 5, "url": "https://x.example/a.pdf"}],
        details={"call": {"status": "completed", "duration_s": 125, "talk_s": 100.5}, "own": {"x": [1, None, "я"]}},
    )
    push_and_drain(api, whole)
    (entry,) = api.timeline("phone", number)
    for name in ("channel", "kind", "direction", "subject", "text", "thread", "agent", "details"):
        assert entry[name] == whole[name], name
    assert entry["occurred_at"] in ("2026-11-20T05:15:00+00:00", "2026-11-20T05:15:00Z")
    assert entry["source"] == "shop"
    assert entry["identity"] == {"kind": "phone", "value": number}
    assert entry["state"] == "completed"
    (file,) = entry["attachments"]
    assert {name: file[name] for name in ("name", "content_type", "size")} == {
        "name": "a.pdf",
        "content_type": "application/pdf",
        "size": 5,
    }
    assert set(entry) == {
        *("id", "channel", "source", "kind", "direction", "occurred_at", "recorded_at", "identity", "thread", "agent"),
        *("subject", "text", "details", "attachments", "state", "edits", "deleted_at"),
    }


def test_a_duplicate_names_the_first_receipt(api: Api) -> None:
    thing = event(identifier("phone", phone()))
    (first,) = api.push(thing)
    (before,) = api.push(thing)
    assert (before["status"], before["receipt"]) == ("duplicate", first["receipt"])
    drained()
    shuffled = dict(reversed(thing.items()))
    (after,) = api.push(shuffled)
    assert (after["status"], after["receipt"]) == ("duplicate", first["receipt"]), "the order of keys says nothing"
    assert Delivery.objects.count() == 1


def test_duplicates_within_one_request(api: Api) -> None:
    thing, other = event(), event()
    receipts = api.push(thing, other, *[thing] * 20)
    assert [one["status"] for one in receipts] == ["accepted", "accepted", *["duplicate"] * 20]
    assert {one["receipt"] for one in (receipts[0], *receipts[2:])} == {receipts[0]["receipt"]}


def test_the_same_event_pushed_by_three_at_once(api: Api) -> None:
    things = [event() for _ in range(40)]

    def push(_: int) -> list[Any]:
        try:
            return api.push(*things)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(push, range(3)))
    for three in zip(*answers, strict=True):
        assert sorted(one["status"] for one in three) == ["accepted", "duplicate", "duplicate"]
        assert len({one["receipt"] for one in three}) == 1
    assert Delivery.objects.count() == 40


def test_ids_are_unique_within_their_source_only(api: Api) -> None:
    shop("second")
    number = phone()
    thing = event(identifier("phone", number))
    assert [one["status"] for one in api.push(thing, {**thing, "source": "second"})] == ["accepted", "accepted"]
    drained()
    assert sorted(entry["source"] for entry in api.timeline("phone", number)) == ["second", "shop"]


def test_a_higher_revision_replaces_its_part_whole(api: Api) -> None:
    number = phone()
    thing = event(identifier("phone", number), text="first", subject="s", state="sent", revision=1)
    newer = {name: value for name, value in thing.items() if name not in ("subject", "state")} | {
        "text": "second",
        "revision": 2,
    }
    oldest = {**thing, "text": "zeroth", "revision": 0}
    push_and_drain(api, newer)
    push_and_drain(api, thing)
    (late,) = push_and_drain(api, oldest)
    assert late["status"] == "recorded"
    (entry,) = api.timeline("phone", number)
    assert (entry["text"], entry["subject"], entry["state"]) == ("second", None, None)
    assert [edit["text"] for edit in entry["edits"]] == ["zeroth", "first"]


def test_the_same_revision_with_other_content_is_a_conflict(api: Api) -> None:
    number = phone()
    thing = event(identifier("phone", number), text="one", revision=5)
    push_and_drain(api, thing)
    (receipt,) = push_and_drain(api, {**thing, "text": "two"})
    assert receipt["status"] == "conflict"
    assert receipt["customer"]
    (entry,) = api.timeline("phone", number)
    assert (entry["text"], entry["edits"]) == ("one", [])


def test_a_conflict_in_one_batch_lets_one_stand(api: Api) -> None:
    number = phone()
    thing = event(identifier("phone", number), text="one")
    shown = push_and_drain(api, thing, {**thing, "text": "two"})
    assert sorted(one["status"] for one in shown) == ["conflict", "recorded"]
    assert len(api.timeline("phone", number)) == 1


def test_a_conflict_links_nobody(api: Api) -> None:
    number, email = phone(), f"{unique('ada')}@mail.example"
    thing = event(identifier("phone", number))
    push_and_drain(api, thing)
    (receipt,) = push_and_drain(api, {**thing, "customer": {"identifiers": [identifier("email", email)]}})
    assert receipt["status"] == "conflict"
    assert api.ok("customers", {"email": email})["results"] == []


@pytest.mark.parametrize(("first", "then"), [(1, at(5)), (at(5), 1)])
def test_a_source_numbers_or_dates_its_revisions(api: Api, first: object, then: object) -> None:
    assert api.push(event(revision=first))[0]["status"] == "accepted"
    bad, good = api.push(event(revision=then), event(revision=first))
    assert (bad["problem"]["code"], bad["problem"]["field"]) == ("invalid_value", "revision")
    assert good["status"] == "accepted"
    shop("fresh")
    assert api.push(event(revision=then, source="fresh"))[0]["status"] == "accepted", "one type per source"


def test_dated_revisions_are_told_apart_by_microseconds(api: Api) -> None:
    number = phone()
    thing = event(identifier("phone", number))
    revisions = [f"2026-11-22T10:15:07.{micros:06}Z" for micros in range(100, 140)]
    push_and_drain(api, *({**thing, "revision": one, "text": one} for one in revisions))
    (entry,) = api.timeline("phone", number)
    assert entry["text"] == revisions[-1]
    assert [edit["text"] for edit in entry["edits"]] == revisions[:-1]


def test_no_microsecond_is_lost_in_a_dated_revision() -> None:
    numbers = [revision_number(f"2026-11-22T10:15:07.{micros:06}Z") for micros in range(20_000)]
    first = numbers[0]
    assert isinstance(first, int)
    assert numbers == list(range(first, first + 20_000))


def test_revisions_may_be_nanoseconds(api: Api) -> None:
    number = phone()
    thing = event(identifier("phone", number))
    low, high = 1_764_000_000_000_000_001, 2**63 - 1
    shown = push_and_drain(api, {**thing, "revision": high, "text": "new"}, {**thing, "revision": low, "text": "old"})
    assert [one["status"] for one in shown] == ["recorded", "recorded"]
    assert api.timeline("phone", number)[0]["text"] == "new"


def test_a_part_may_be_deleted(api: Api) -> None:
    number = phone()
    thing = event(identifier("phone", number), text="secret", revision=1)
    push_and_drain(api, thing)
    assert api.timeline("phone", number)[0]["deleted_at"] is None
    push_and_drain(api, {**thing, "revision": 2, "deleted": True})
    (entry,) = api.timeline("phone", number)
    assert entry["deleted_at"] is not None


def test_a_key_pushes_for_its_sources_only(api: Api) -> None:
    shop("second")
    own = Api("ingest", source="shop", sources=["second"])
    shop("third")
    receipts = own.push(event(), event(source="second"), event(source="third"), event(source="shop"))
    assert [one["status"] for one in receipts] == ["accepted", "accepted", "rejected", "accepted"]
    assert (receipts[2]["problem"]["code"], receipts[2]["problem"]["field"]) == ("forbidden", "source")
    sources = Delivery.objects.order_by("pk").values_list("source__slug", flat=True)
    assert sorted(sources) == ["second", "shop", "shop"]


def test_an_unknown_source_is_said(api: Api) -> None:
    bad, good = api.push(event(source="nowhere"), event())
    assert (bad["problem"]["code"], bad["problem"]["field"]) == ("unknown_source", "source")
    assert good["status"] == "accepted"
    (nameless,) = Api("ingest", sources=["*"]).push(event())
    assert (nameless["problem"]["code"], nameless["problem"]["field"]) == ("missing_field", "source")


def test_who_may_push(api: Api) -> None:
    api.client.defaults.pop("HTTP_AUTHORIZATION", None)
    nobody = api.client.post("/api/v1/events", b"{}", content_type="application/json", headers={"Authorization": ""})
    assert problem_of(nobody)[:2] == (401, "unauthenticated")
    assert nobody.headers["WWW-Authenticate"].startswith("Bearer")
    guess = api.client.post(
        "/api/v1/events", b"{}", content_type="application/json", headers={"Authorization": "Bearer x"}
    )
    assert problem_of(guess)[:2] == (401, "unauthenticated")
    assert guess.headers["WWW-Authenticate"].startswith("Bearer")
    for scope in ("read", "write", "admin"):
        assert problem_of(Api(scope).post("events", event()))[:2] == (403, "forbidden")
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "", "application/jsonp", "multipart/form-data"])
def test_other_content_types_are_415(api: Api, kind: str) -> None:
    assert problem_of(api.post("events", event(), kind))[0] == 415


def test_other_parameters_and_methods_are_refused(api: Api) -> None:
    assert problem_of(api.post("events?dry_run=1", event()))[:2] == (400, "invalid_value")
    assert problem_of(api.get("events"))[0] == 405


def test_nothing_is_claimed_when_the_database_is_away(api: Api) -> None:
    things = [event() for _ in range(3)]
    with database_away():
        answer = api.post("events", things)
    assert problem_of(answer)[:2] == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert not Delivery.objects.exists()
    assert {one["status"] for one in api.push(*things)} == {"accepted"}, "and then it is sent again"


def test_events_do_not_depend_on_their_neighbours(api: Api) -> None:
    number = phone()
    good = [event(identifier("phone", number), text=f"{n}") for n in range(3)]
    bad: list[Any] = [7, None, "text", [], {}, {"id": "x"}, True, [good[0]]]
    mixed = [*bad[:3], good[0], *bad[3:6], good[1], *bad[6:], good[2]]
    receipts = api.push(*mixed)
    assert [one["status"] == "accepted" for one in receipts] == [one in good for one in mixed]
    assert all(one["receipt"] is None for one, thing in zip(receipts, mixed, strict=True) if thing not in good)
    drained()
    assert sorted(entry["text"] for entry in api.timeline("phone", number)) == ["0", "1", "2"]


def test_the_answer_is_not_cached(api: Api) -> None:
    answer = api.post("events", [event()])
    assert "no-store" in answer.headers["Cache-Control"]
    assert json.loads(answer.content)["receipts"]
