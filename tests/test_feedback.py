"""Feedback: what is one, how it becomes answered, solved and told, and in which order it is taken care of."""

from typing import Any

import pytest

from customers.experience.following import follow
from customers.models import Feedback
from tests.support import COMMITTED, Api, at, event, identifier, phone, push_and_drain
from tests.support import problem_of as problem

pytestmark = COMMITTED


def review(number: str, stars: float | None, minutes: float = 0, **fields: Any) -> dict[str, Any]:
    details = {"score": {"metric": "stars", "value": stars}} if stars is not None else {}
    said = {"channel": "reviews", "kind": "review", "thread": f"r-{number}", "occurred_at": at(minutes)}
    return event(identifier("phone", number), **{**said, "details": details, **fields})


def reply(number: str, minutes: float, **fields: Any) -> dict[str, Any]:
    said = {"direction": "outbound", "agent": {"id": "7", "name": "Ona"}}
    return review(number, None, minutes, **{**said, "kind": "comment", **fields})


def test_what_is_feedback_and_what_was_felt(api: Api) -> None:
    one = phone()
    push_and_drain(
        api,
        review(one, 1, 0, text="Broken"),
        review(one, 3, 1),
        review(one, 4.5, 2),
        review(one, None, 3, kind="mention", details={"emotion": 1}),
        review(one, None, 4, kind="comment"),
        review(one, None, 5, kind="message", channel="sms", details={"feedback": {"topic": "delivery"}}),
        review(one, None, 6, kind="message", channel="sms", details={"tags": ["complaint"]}),
        review(one, None, 7, kind="message", channel="sms", details={"feedback": {"sentiment": 1, "state": "solved"}}),
        review(one, None, 8, kind="message", channel="sms", text="Only a message"),
        review(one, None, 9, kind="note", direction="internal", channel="note"),
    )
    follow(60)
    found = Feedback.objects.order_by("at").values_list("kind", "sentiment", "state", "topic", "urgency")
    assert list(found) == [
        ("review", -1, "new", "", 0),
        ("review", 0, "new", "", 1),
        ("review", 1, "new", "", 1),
        ("mention", 1, "new", "", 1),
        ("comment", None, "new", "", 1),
        ("complaint", -1, "new", "delivery", 0),
        ("complaint", -1, "new", "", 0),
        ("complaint", 1, "solved", "", 3),
    ]


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({}, "answered"),
        ({"thread": "another"}, "new"),
        ({"channel": "vk"}, "new"),
        ({"agent": {"name": "Bot", "type": "bot"}}, "new"),
        ({"details": {"auto": True}}, "new"),
        ({"state": "failed"}, "new"),
        ({"kind": "message"}, "answered"),
        ({"occurred_at": at(-5)}, "new"),
    ],
)
def test_our_word_in_its_conversation_answers_it(api: Api, answer: dict[str, Any], state: str) -> None:
    one = phone()
    push_and_drain(api, review(one, 1, 0), reply(one, 10, **answer))
    follow(60)
    row = Feedback.objects.get(sentiment=-1)
    assert row.state == state
    assert row.state_by == ("Ona" if state == "answered" else "")


def test_our_word_about_its_matter_answers_it(api: Api) -> None:
    one = phone()
    complaint = event(identifier("phone", one), channel="email", kind="email", details={"feedback": {"topic": "till"}})
    call = event(
        identifier("phone", one),
        channel="phone",
        kind="call",
        direction="outbound",
        occurred_at=at(20),
        agent={"id": "7"},
        details={"call": {"status": "completed"}},
    )
    push_and_drain(api, complaint, call)
    follow(60)
    assert (Feedback.objects.get().state, Feedback.objects.get().state_by) == ("answered", "7")


def test_it_is_taken_care_of_step_by_step(api: Api) -> None:
    one = phone()
    push_and_drain(api, review(one, 2, text="Late"))
    follow(60)
    (row,) = api.ok("feedback")["results"]
    assert (row["state"], row["urgent"], row["text"], row["score"]["value"]) == ("new", True, "Late", 2)
    path = f"feedback/{row['id']}"
    answered = api.post(f"{path}/answer", {"topic": "delivery"}).json()
    assert (answered["state"], answered["topic"], answered["urgent"]) == ("answered", "delivery", False)
    told = api.post(f"{path}/tell", b"").json()
    assert (told["state"], told["topic"], told["state_by"]) == ("told", "delivery", "test")
    back = api.post(f"{path}/solve", b"").json()
    assert back["state"] == "told"
    assert api.ok("feedback", {"state": "told", "topic": "delivery"})["results"] == [back]
    assert api.ok("feedback", {"state": "new"})["results"] == []
    (line,) = api.timeline("phone", one)
    assert [one["state"] for one in line["details"]["feedbacks"]] == ["answered", "solved", "told"]
    assert line["text"] == "Late"


def test_what_is_negative_and_unanswered_comes_first(api: Api) -> None:
    numbers = [phone() for _ in range(12)]
    events = [review(number, 1 + place % 5, place) for place, number in enumerate(numbers)]
    push_and_drain(api, *events, reply(numbers[0], 30), reply(numbers[4], 31))
    follow(60)
    whole = api.ok("feedback", {"limit": 200})["results"]
    ranks = [(not row["urgent"], row["state"] != "new") for row in whole]
    assert ranks == sorted(ranks)
    assert sum(row["urgent"] for row in whole) == 5
    urgent = [row["at"] for row in whole if row["urgent"]]
    assert urgent == sorted(urgent, reverse=True)
    cursor: str | None = None
    paged: list[str] = []
    while True:
        page = api.ok("feedback", {"limit": 3, **({"cursor": cursor} if cursor else {})})
        paged += [row["id"] for row in page["results"]]
        cursor = page["next"]
        if not cursor:
            break
    assert paged == [row["id"] for row in whole]
    assert {row["sentiment"] for row in api.ok("feedback", {"sentiment": "negative"})["results"]} == {-1}
    mine = api.card("phone", numbers[3])["id"]
    assert [row["customer"] for row in api.ok("feedback", {"customer": mine})["results"]] == [mine]


def test_who_may(api: Api) -> None:
    push_and_drain(api, review(phone(), 1))
    follow(60)
    (row,) = api.ok("feedback")["results"]
    assert problem(Api("read").post(f"feedback/{row['id']}/solve", b""))[0] == 403
    unknown = "00000000-0000-4000-8000-000000000000"
    assert problem(api.post(f"feedback/{unknown}/solve", b""))[:2] == (404, "not_found")
    assert problem(api.post(f"feedback/{row['id']}/solve", {"sentiment": 5}))[2] == "sentiment"
    assert api.refused("feedback", {"state": "odd"})[2] == "state"
    assert api.refused("feedback", {"cursor": "odd"})[2] == "cursor"


def test_a_line_that_is_taken_back_is_no_feedback(api: Api) -> None:
    one = phone()
    first = review(one, 1)
    push_and_drain(api, first)
    follow(60)
    assert Feedback.objects.count() == 1
    push_and_drain(api, {**first, "revision": 2, "deleted": True})
    follow(60)
    assert Feedback.objects.count() == 0
