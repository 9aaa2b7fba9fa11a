"""The pages of feedback, segments and the manager: states, links that lead to lines, roles, languages."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache

from customers.console import experience as page_of_experience
from customers.experience.following import follow
from customers.models import Experience, Feedback, Segment, StageChange
from tests.support import COMMITTED, Api, event, identifier, phone, push_and_drain
from tests.test_console import agent, ok, words_of

pytestmark = COMMITTED
NOW = datetime.now(UTC)


def ago(days: float, hours: float = 0) -> str:
    return (NOW - timedelta(days=days, hours=hours)).isoformat()


def story(api: Api) -> tuple[str, str]:
    """Somebody who waited, was served, and gave low and high answers; and somebody who wrote a review."""
    one, other = phone(), phone()
    served: dict[str, Any] = {
        "direction": "outbound",
        "agent": {"id": "7", "name": "Ona"},
        "channel": "email",
        "kind": "email",
    }
    push_and_drain(
        api,
        event(identifier("phone", one), name="Ada", occurred_at=ago(40), channel="email", kind="email"),
        event(identifier("phone", one), occurred_at=ago(40, -2), **served),
        event(identifier("phone", one), occurred_at=ago(39), kind="survey", details=score("nps", 3)),
        event(identifier("phone", one), occurred_at=ago(5), kind="survey", details=score("nps", 10)),
        event(identifier("phone", one), occurred_at=ago(5), kind="survey", details=score("ces", 6)),
        event(identifier("phone", one), occurred_at=ago(5), kind="survey", details=score("csat", 9)),
        event(
            identifier("phone", other),
            name="Jonas",
            text="<b>Broken</b> after a day",
            channel="reviews",
            kind="review",
            occurred_at=ago(3),
            details=score("stars", 1),
        ),
    )
    follow(60)
    return str(api.card("phone", one)["id"]), str(api.card("phone", other)["id"])


def score(metric: str, value: float) -> dict[str, Any]:
    return {"score": {"metric": metric, "value": value}}


def hrefs(html: str, path: str) -> list[str]:
    return [unescape(one) for one in re.findall(rf'href="({re.escape(path)}[^"]*)"', html)]


def test_the_manager_sees_numbers_that_lead_to_lines(api: Api) -> None:
    ada, _ = story(api)
    supervisor = agent("supervisor")
    html = ok(supervisor, "/experience")
    words = words_of(html)
    assert "Where we lose people, and why" in words
    assert "n = 2" in words
    assert "0.0" in words  # one promoter, one detractor
    assert "1 not counted" in words
    assert '<svg class="curve"' in html
    low = next(one for one in hrefs(html, "/experience/scores") if "low=1" in one)
    behind = ok(supervisor, low)
    assert hrefs(behind, f"/customers/{ada}?at=")
    assert "NPS 3" in words_of(behind)
    assert "NPS 10" not in words_of(behind)
    line = hrefs(behind, f"/customers/{ada}?at=")[0].partition("at=")[2]
    assert any(entry["id"] == line for entry in api.ok(f"customers/{ada}/timeline")["results"])
    matters = ok(supervisor, next(one for one in hrefs(html, "/experience/matters?") if "state=" not in one))
    assert "Ada" in matters
    assert "answered within 2 h" in words_of(matters)


def test_every_link_of_the_page_opens(api: Api) -> None:
    story(api)
    supervisor = agent("supervisor")
    for path in ("/experience", "/experience?period=week", "/experience?channel=email&since=2020-01-01&period=day"):
        html = ok(supervisor, path)
        found = set(hrefs(html, "/experience/"))
        assert len(found) > 3
        for one in sorted(found):
            ok(supervisor, one)


def test_whom_we_lost(api: Api) -> None:
    ada, jonas = story(api)
    people = {str(row["customer"]): row for row in api.ok(f"customers/{ada}/scores")["results"]}
    assert people
    steps = [(50, "", "purchase"), (20, "purchase", "left")]
    for card in (ada, jonas):
        id_ = Experience.objects.get(pk=customer_id(card)).pk
        StageChange.objects.filter(customer_id=id_).delete()
        line = api.ok(f"customers/{card}/timeline")["results"][0]["id"]
        for days, was, stage in steps if card == ada else steps[:1]:
            at = NOW - timedelta(days=days)
            StageChange.objects.create(customer_id=id_, line_id=line, at=at, was=was, stage=stage, reason="silence")
        Experience.objects.filter(pk=id_).update(
            stage="left" if card == ada else "purchase", purchases=1, stage_since=NOW - timedelta(days=20)
        )
    since = (NOW - timedelta(days=30)).date().isoformat()
    supervisor = agent("supervisor")
    html = ok(supervisor, "/experience", {"since": since, "period": "week"})
    assert "too few to say (n = 2)" in words_of(html)
    assert "1 lost of 2" in words_of(html)
    assert "50.0 %" not in words_of(html)
    assert "слишком мало, чтобы судить (n = 2)" in words_of(ok(agent("supervisor", language="ru"), "/experience"))
    for n in range(8):
        other = {"customer_id": 10**6 + n, "line_id": uuid4(), "stage": "purchase", "reason": "first_order"}
        StageChange.objects.create(at=NOW - timedelta(days=50), **other)
    html = ok(supervisor, "/experience", {"since": since, "period": "week"})
    assert "10.0 %" in words_of(html)
    assert "1 lost of 10" in words_of(html)
    assert "gave no sign for long" in words_of(html)
    left = ok(supervisor, hrefs(html, "/experience/left")[0])
    assert hrefs(left, f"/customers/{ada}?at=")
    told = api.ok("experience/churn", {"since": f"{since}T00:00:00Z", "period": "week"})
    assert (told["at_start"], told["lost"], told["rate"]["value"]) == (10, 1, 10)
    assert sum(one["lost"] for one in told["periods"].values()) == 1
    (gone,) = api.ok("experience/churn/customers", {"since": f"{since}T00:00:00Z"})["results"]
    assert (gone["customer"], gone["was"], gone["reason"]) == (ada, "purchase", "silence")
    assert gone["interaction"] in {row["id"] for row in api.ok(f"customers/{ada}/timeline")["results"]}
    assert api.refused("experience/churn/customers", {"cursor": "x"}) == (400, "invalid_value", "cursor")
    assert {one["at_start"] for one in told["periods"].values()} == {10, 9}


def test_what_took_long_to_count_is_shown_again_for_a_while(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_of_experience, "LONG", 0.0)
    monkeypatch.setattr(page_of_experience, "TIMES", 1e9)
    supervisor = agent("supervisor", language="en")
    before = ok(supervisor, "/experience", {"channel": "sms"})
    assert "Counted at" not in before
    story(api)
    again = ok(supervisor, "/experience", {"channel": "sms"})
    assert "Nobody answered a survey in this time." in words_of(again)
    assert "Counted at" in words_of(again)
    (anew,) = (one for one in hrefs(again, "?") if "now=1" in one)
    new = ok(supervisor, f"/experience{anew}")
    assert "Counted at" not in new
    assert "Nobody answered a survey in this time." not in words_of(new)
    assert "Counted at" not in ok(agent("supervisor", language="lt"), "/experience", {"channel": "sms"})
    cache.clear()


def customer_id(card: str) -> int:
    from customers.models import Customer

    found: int = Customer.objects.values_list("pk", flat=True).get(public_id=card)
    return found


def test_feedback_is_taken_care_of_on_its_page(api: Api) -> None:
    _, jonas = story(api)
    client = agent()
    html = ok(client, "/feedback")
    assert "1 negative one waits for an answer." in words_of(html)
    assert "&lt;b&gt;Broken&lt;/b&gt; after a day" in html
    assert hrefs(html, f"/customers/{jonas}?at=")
    row = Feedback.objects.get()
    path = f"/feedback/{row.pk}"
    answer = client.post(path, {"state": "solved", "topic": "quality", "back": "/feedback?state=new"})
    assert (answer.status_code, answer["Location"]) == (302, "/feedback?state=new")
    row = Feedback.objects.get()
    assert (row.state, row.topic) == ("solved", "quality")
    assert "No negative one waits" in words_of(ok(client, "/feedback"))
    assert "quality (1)" in words_of(ok(client, "/feedback", {"topic": "quality"}))
    assert "Nothing fits." in words_of(ok(client, "/feedback", {"state": "new"}))
    away = client.post(path, {"state": "told", "back": "https://elsewhere.example/"})
    assert away["Location"] == "/feedback"
    assert client.post(path, {"state": "odd"}).status_code == 400
    assert client.post("/feedback/00000000-0000-4000-8000-000000000000", {"state": "told"}).status_code == 404
    assert agent("masked").post(path, {"state": "told"}).status_code == 403


def test_a_segment_is_made_counted_and_taken_away(api: Api) -> None:
    ada, _ = story(api)
    client = agent()
    form = {"all": "all", "field": ["nps", ""], "of": ["", ""], "op": ["least", "is"], "value": ["9", ""]}
    counted = client.post("/segments/new", {**form, "do": "count"})
    assert "1 customer" in words_of(counted.content.decode())
    assert client.post("/segments/new", {**form, "do": "save", "name": ""}).status_code == 400
    saved = client.post("/segments/new", {**form, "do": "save", "name": "Happy"})
    assert saved["Location"] == "/segments"
    segment = Segment.objects.get()
    assert segment.filter == {"all": [{"field": "nps", "op": "least", "value": 9}]}
    assert "Happy" in ok(client, "/segments")
    html = ok(client, f"/segments/{segment.pk}")
    assert hrefs(html, f"/customers/{ada}")
    assert 'value="9"' in html
    taken = client.get(f"/segments/{segment.pk}/export")
    assert b"".join(taken.streaming_content).decode("utf-8-sig").count("\r\n") == 2  # type: ignore[attr-defined]
    assert client.post("/segments/new", {**form, "do": "save", "name": "Happy"}).status_code == 400
    wrong = client.post("/segments/new", {**form, "value": ["nine", ""], "do": "count"})
    assert "Line 1 of the filter cannot be read" in words_of(wrong.content.decode())
    staged = {**form, "field": ["stage", ""], "op": ["is", "is"], "value": ["Before the purchase", ""]}
    assert "2 customers" in words_of(client.post("/segments/new", {**staged, "do": "count"}).content.decode())
    assert agent("masked").get(f"/segments/{segment.pk}/export").status_code == 403
    assert agent("masked").post(f"/segments/{segment.pk}", {"do": "remove"}).status_code == 403
    client.post(f"/segments/{segment.pk}", {"do": "remove"})
    assert not Segment.objects.exists()
    assert client.get(f"/segments/{segment.pk}").status_code == 404


def test_a_filter_that_the_form_cannot_hold_is_only_shown(api: Api) -> None:
    said = {"not": {"any": [{"field": "nps", "op": "set"}]}}
    segment = Segment.objects.create(name="Nested", filter=said)
    Segment.objects.create(name="Broken", filter={"field": "joy"})
    html = ok(agent(), f"/segments/{segment.pk}")
    assert "made over the API" in words_of(html)
    assert "cannot be read" in words_of(ok(agent(), "/segments"))


def test_the_card_shows_what_he_answered_and_said(api: Api) -> None:
    ada, jonas = story(api)
    words = words_of(ok(agent(), f"/customers/{ada}"))
    assert "NPS 10 of 0 to 10" in words
    assert "not counted: out of the scale" in words
    assert "nobody came back in time" in words
    assert "Review" in words_of(ok(agent(), f"/customers/{jonas}"))
    assert "negative, new" in words_of(ok(agent(), f"/customers/{jonas}"))


PAGES = ("/feedback", "/segments", "/segments/new", "/experience", "/experience/scores", "/experience/left")


@pytest.mark.parametrize("path", [*PAGES, "/experience/matters"])
def test_pages_while_nothing_is_there(api: Api, path: str) -> None:
    html = ok(agent("supervisor"), path)
    assert 'class="empty"' in html or path == "/segments/new"
    assert not re.search(r'\sstyle="|<script(?! src)', html)


@pytest.mark.parametrize("path", PAGES[3:])
def test_managers_pages_are_theirs(api: Api, path: str) -> None:
    assert agent().get(path).status_code == 403
    assert agent("masked").get(path).status_code == 403
    assert 'href="/experience"' not in ok(agent(), "/feedback")


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("ru", ("Где мы теряем людей", "Отзывы", "Сегменты")),
        ("lt", ("Kur netenkame žmonių", "Atsiliepimai", "Segmentai")),
    ],
)
def test_in_other_languages(api: Api, language: str, expected: tuple[str, str, str]) -> None:
    story(api)
    supervisor = agent("supervisor", language=language)
    for path, said in zip(("/experience", "/feedback", "/segments"), expected, strict=True):
        assert said in words_of(ok(supervisor, path))


@pytest.mark.parametrize("path", ["/experience/scores", "/experience/left", "/experience/matters", "/feedback"])
def test_a_place_of_somewhere_else_is_refused(api: Api, path: str) -> None:
    assert agent("supervisor").get(path, {"cursor": "odd"}).status_code == 400
