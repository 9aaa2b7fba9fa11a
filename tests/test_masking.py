"""Readers of masked identifiers: no whole number, address or id leaves for them, and they look up little and whole."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings
from django.urls import get_resolver

from customers import masking
from customers.access import Scope
from customers.models import CardView, Lookup
from tests.support import COMMITTED, Api, at, event, everything, identifier, push_and_drain
from tests.test_console import agent

pytestmark = COMMITTED

PHONE = "+73433443420"
EMAIL = "iolanta@client.example"
PLANTED = {
    "phone": ("73433443420", "3433443420", "343 344-34-20", "(343) 344-34-20", "343 344 34 20"),
    "email": (EMAIL, "iolanta@"),
    "telegram": ("5550123987",),
    "instagram": ("iolanta_draws",),
    "crm": ("K-88120-Z",),
    "participant": ("sister@client.example",),
    "said": ("8 912 333 44 55", "89123334455", "uncle@far.example"),
}
FORBIDDEN = [value for values in PLANTED.values() for value in values]


@pytest.fixture
def who(api: Api) -> str:
    """A customer of whom everything that identifies him is said everywhere it can be said."""
    said = "Call 8 912 333 44 55 or 8 (343) 344-34-20, write to uncle@far.example, I am @iolanta_draws"
    handles = [
        identifier("phone", PHONE),
        identifier("email", EMAIL),
        identifier("telegram", "5550123987"),
        identifier("instagram", "iolanta_draws", scope="shop"),
        identifier("crm_id", "K-88120-Z", scope="shop"),
    ]
    letter = event(
        handles[1],
        channel="email",
        kind="email",
        subject=f"From {EMAIL}",
        text=said,
        thread=f"<1@{EMAIL}>",
        occurred_at=at(2),
        details={
            "html": f"<p>+7 <b>343</b> 344-34-20, <a href='mailto:{EMAIL}'>me</a></p>",
            "quoted": f"> {PHONE}",
            "participants": [
                {"role": "from", "address": EMAIL, "name": "Iolanta"},
                {"role": "to", "address": "sister@client.example"},
            ],
            "from": {"id": 5550123987, "username": "iolanta_draws"},
        },
    )
    first = event(*handles, name="Iolanta", text=said)
    first["customer"]["attributes"] = {"username": "iolanta_draws", "second": PHONE}
    edited = event(handles[2], channel="telegram", text=f"{said}!", thread="5550123987", revision=1, occurred_at=at(1))
    call = event(
        handles[0],
        channel="phone",
        kind="call",
        occurred_at=at(3),
        details={"call": {"status": "missed", "legs": [{"id": "1", "to": "+7 912 333-44-55", "from": PHONE}]}},
    )
    mine = [event(one, channel=one["kind"], occurred_at=at(4)) for one in handles[3:]]
    claimed = {**handles[1], "verified": False}
    other = event(identifier("phone", "+73433443499"), claimed, name="Other", text=said)
    for batch in ([first], [letter, edited, call, *mine], [{**edited, "text": "nothing", "revision": 2}], [other]):
        assert {one["status"] for one in push_and_drain(api, *batch)} == {"recorded"}
    return str(api.card("phone", PHONE)["id"])


def leaks(text: str) -> list[str]:
    return [one for one in FORBIDDEN if one.casefold() in text.casefold()]


def addresses(api: Api, who: str) -> Iterator[str]:
    """Every address of the console and the API that reads, with the ids that there are."""
    card = api.ok(f"customers/{who}")
    lines = api.ok(f"customers/{who}/timeline")["results"]
    other = api.card("phone", "+73433443499")["id"]
    known = {"customer": who, "interaction": lines[0]["id"], "line": lines[0]["id"], "other": other}
    known |= {"identity": card["identities"][0]["id"], "receipt": "0"}
    seen = set()
    for prefix in ("", "api/v1/"):
        for names, _, _, _ in patterns(prefix):
            path = names
            for name, value in known.items():
                path = path.replace(f"<str:{name}>", value).replace(f"<uuid:{name}>", value).replace(f"<{name}>", value)
            if "<" not in path and not path.startswith(("admin", "logout", "login", "api/docs", "hooks", "api/schema")):
                seen.add(f"/{path}")
    yield from sorted(seen)
    for line in lines:
        yield f"/customers/{who}?at={line['id']}"
        yield f"/customers/{who}/lines/{line['id']}"
        yield f"/customers/{who}/lines/{line['id']}/letter"
    for more in (
        f"customers/{who}/changes?since=0.0",
        f"customers/{who}/merge-preview?with={other}",
        "search?q=write",
        "changes",
    ):
        yield f"/api/v1/{more}"
    for kind, value in (("phone", "%2B73433443420"), ("email", EMAIL), ("telegram", "5550123987")):
        yield f"/api/v1/lookup?{kind}={value}"
        yield f"/api/v1/customers?{kind}={value}"
    for name in (f"customers/{who}/merge?with={other}", f"customers/{who}/news?since=0.0", "?q=write", f"?q={'write'}"):
        yield f"/{name}"


def patterns(prefix: str) -> Iterator[Any]:
    resolver = get_resolver()
    for pattern in resolver.url_patterns:
        route = str(pattern.pattern)
        if not hasattr(pattern, "url_patterns"):
            if prefix == "":
                yield route, None, None, None
        elif route == prefix:
            for one in pattern.url_patterns:
                yield route + str(one.pattern), None, None, None


@override_settings(CXHUB_MASKED_LOOKUPS=1000)
def test_nothing_whole_leaves_for_a_masked_reader(api: Api, who: str) -> None:
    """Every page and every answer that can be read, as an agent in the role, as a supervisor in it, and with a key."""
    plain = agent("supervisor")
    page = plain.get(f"/customers/{who}").content.decode()
    assert leaks(page)
    signed_in = [agent("masked"), agent("supervisor")]
    from django.contrib.auth.models import Group, User

    for user in User.objects.filter(groups__name="supervisor").order_by("-pk")[:1]:
        user.groups.add(Group.objects.get_or_create(name="masked")[0])
    key = Api("read:masked", "write")
    read = 0
    for address in addresses(api, who):
        for client in (*signed_in, key.client):
            if client is key.client and not address.startswith("/api/"):
                continue
            answer = client.get(address, headers={"HX-Request": "true"} if "/lines" in address else {})
            body = b"".join(answer) if answer.streaming else answer.content
            assert not leaks(body.decode(errors="replace")), (address, leaks(body.decode(errors="replace")))
            assert not leaks(str(dict(answer.headers))), address
            read += answer.status_code == 200
    assert read > 40


@override_settings(CXHUB_MASKED_LOOKUPS=1000)
def test_what_is_left_can_be_worked_with(api: Api, who: str) -> None:
    client = agent("masked")
    page = client.get(f"/customers/{who}").content.decode()
    for said in ("+7 343 ***-**-20", "io***@client.example", "***87", "Iolanta", "***-Z"):
        assert said in page, said
    card = Api("read:masked").ok(f"customers/{who}")
    values = {one["kind"]: one["value"] for one in card["identities"]}
    assert values["phone"] == "+7 343 ***-**-20"
    assert values["email"] == "io***@client.example"
    assert card["id"] == who
    assert CardView.objects.filter(viewer__startswith="key:").exists()


@override_settings(CXHUB_MASKED_LOOKUPS=1000)
def test_look_ups_by_whole_values_only(api: Api, who: str) -> None:
    key = Api("read:masked")
    assert [one["id"] for one in key.ok("customers", {"phone": "8 (343) 344-34-20"})["results"]] == [who]
    assert [one["id"] for one in key.ok("customers", {"email": EMAIL})["results"]] == [who]
    for part in ("344-34-20", "3443420", "iolanta@", "client.example", "Iolanta"):
        assert not key.ok("customers", {"q": part})["results"], part
    for words in ("344-34-20", "uncle@far.example", "iolanta", "write"):
        assert key.refused("search", {"q": words})[:2] == (403, "forbidden")
    assert key.refused(f"customers/{who}/timeline", {"q": "912"})[:2] == (403, "forbidden")
    assert key.ok(f"customers/{who}/timeline", {"q": "write"})["results"]
    client = agent("masked")
    assert who in client.get("/", {"q": PHONE}).content.decode()
    for part in ("344-34-20", "iolanta", "client.example", "912 333"):
        assert who not in client.get("/", {"q": part}).content.decode(), part
    assert client.get(f"/customers/{who}", {"q": "912"}).status_code == 403
    assert client.get("/lookup", {"phone": PHONE}).status_code == 302
    assert client.get("/lookup", {"q": "344-34-20"}).status_code == 200
    assert "hx-get" not in client.get("/").content.decode().partition("</header>")[0]


@override_settings(CXHUB_MASKED_LOOKUPS=3)
def test_the_quota_of_an_hour(api: Api, who: str) -> None:
    """Each value counts, also several in one request; what was asked before in this hour is free."""
    key = Api("read:masked")
    for _ in range(5):
        key.ok("lookup", {"phone": PHONE})
    key.ok("lookup", {"phone": ["+73433443421", "+73433443422"]})
    refused = key.get("lookup", {"phone": "+73433443423"})
    assert refused.status_code == 429
    assert refused.json()["code"] == "throttled"
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert key.get("lookup", {"phone": [f"+7343344{n}" for n in range(5000, 5040)]}).status_code == 429
    assert key.get("customers", {"q": "Iolanta"}).status_code == 429
    assert len(key.ok("lookup", {"phone": PHONE})["results"]) == 1
    assert Api("read:masked").get("lookup", {"phone": "+73433443423"}).status_code == 200
    assert everything().get("lookup", {"phone": "+73433443423"}).status_code == 200
    asked = list(Lookup.objects.filter(viewer=f"key:{key.key.pk}").values_list("asked", "granted"))
    assert ("phone +7 343 ***-**-20", True) in asked
    assert ("phone +7 343 ***-**-23", False) in asked
    assert len([one for one in asked if one[1]]) == 3


@override_settings(CXHUB_MASKED_LOOKUPS=1)
def test_the_page_of_a_used_up_quota(api: Api) -> None:
    client = agent("masked", language="lt")
    assert client.get("/", {"q": PHONE}).status_code == 200
    for address in ("/?q=write", "/lookup?email=other@client.example"):
        answer = client.get(address)
        assert answer.status_code == 429
        assert 0 < int(answer["Retry-After"]) <= 3600
        assert "Šios valandos užklausos išnaudotos." in answer.content.decode()
    assert client.get("/now").status_code == 200
    assert agent("agent").get("/", {"q": "write"}).status_code == 200
    assert not Lookup.objects.exclude(viewer__startswith="user:").exists()


@pytest.mark.parametrize("scopes", [("read:masked",), ("read", "read:masked"), ("admin", "read:masked")])
def test_the_restriction_wins(api: Api, who: str, scopes: tuple[Scope, ...]) -> None:
    assert not leaks(Api(*scopes).get(f"customers/{who}").content.decode())


def test_a_masked_reader_writes_nothing(api: Api, who: str) -> None:
    assert Api("read:masked").post(f"customers/{who}/notes", {"text": "x"}).status_code == 403
    assert agent("masked").post(f"/customers/{who}/notes", {"text": "x", "key": "1"}).status_code == 403


SHOWN = [
    ("phone", "+73433443420", "+7 343 ***-**-20"),
    ("phone", "+37061234567", "+370 6** ***67"),
    ("email", "iv@example.com", "***@example.com"),
    ("email", "ivan@example.com", "iv***@example.com"),
    ("telegram", "5550123987", "***87"),
    ("crm_id", "K-1", "***"),
]


@pytest.mark.parametrize(("kind", "value", "left"), SHOWN)
def test_identifiers(kind: str, value: str, left: str) -> None:
    assert masking.identifier(kind, value) == left
    assert masking.identifier(kind, left) == left


TEXTS = [
    ("NPS 9 of 10 (09/22/2026), 3 2026-03-12", "NPS 9 of 10 (09/22/2026), 3 2026-03-12"),
    ("on 12.03.2026 89123456789 called", "on 12.03.2026 8912*****89 called"),
    ("2026-03-12 10:00 8 912 345-67-89", "2026-03-12 10:00 8 9** ***-**-89"),
    ("ask @iolanta_draws, not a@b", "ask @***, not ***@b"),
    ("call 8 (343) 344-34-20!", "call 8 (343) ***-**-20!"),
    ("id123456789", "id12*****89"),
    ("+7\u00a0343\u2011344\u201334\u201320", "+7\u00a0343\u2011***\u2013**\u201320"),
    ("+7&nbsp;343&nbsp;3443420", "+7 343 *****20"),
    ("٨٩١٢٣٣٣٤٤٥٥", "٨٩١٢*****٥٥"),
    ("<Ivan.P@почта.рф>", "<Iv***@почта.рф>"),
    (
        "AB-20417, 12.03.2026, 05/17/2025 05:25, 2026-03-12T10:00:00+03:00",
        "AB-20417, 12.03.2026, 05/17/2025 05:25, 2026-03-12T10:00:00+03:00",
    ),
    ("0196f7a0-5c3e-7d1a-9b57-2f4c8e6a1d03", "0196f7a0-5c3e-7d1a-9b57-2f4c8e6a1d03"),
]


@pytest.mark.parametrize(("said", "left"), TEXTS)
def test_texts(said: str, left: str) -> None:
    assert masking.text(said) == left


def test_what_an_answer_calls_an_identifier_is_masked_in_its_texts() -> None:
    entry = {"identity": {"kind": "crm_id", "value": "K-88120-Z"}, "text": "My number is k-88120-z.", "thread": "7"}
    assert masking.masked([entry]) == [
        {"identity": {"kind": "crm_id", "value": "***-Z"}, "text": "My number is ***-z.", "thread": None}
    ]


def test_hostile_text_is_masked_in_time() -> None:
    for said in ("1 " * 100_000, "@" * 200_000, "a@" * 100_000, "1-" * 100_000 + "x", "(" * 200_000, "a" * 200_000):
        masking.text(said)
        masking.page(said)
    assert "<" not in masking.page("<" * 10_000).replace("<", "")
