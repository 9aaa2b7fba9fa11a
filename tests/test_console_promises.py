"""Promises and expectations on the pages: suggested, made, shown beside the line and on the card, ended in the list."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from customers.experience.following import follow
from customers.models import Expectation, ExperienceSettings, Interaction, Promise
from tests.support import COMMITTED, Api, event, identifier, phone, push_and_drain
from tests.test_console import agent, ok, words_of
from tests.test_console_actions import sent

pytestmark = COMMITTED


def told(api: Api, text: str, minutes: float = 5, **more: Any) -> tuple[str, str, str]:
    """(number, customer, line) of a message of ours."""
    number = phone()
    occurred = (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()
    who = identifier("phone", number)
    said = {"direction": "outbound", "occurred_at": occurred, "text": text, **more}
    push_and_drain(api, event(who, name="Юлия Щербакова", **said))
    line = Interaction.objects.get()
    return number, str(api.card("phone", number)["id"]), str(line.id)


def value_of(html: str, name: str) -> str:
    found = re.search(rf'<input[^>]* name="{name}"[^>]* value="([^"]*)"', html)
    assert found, words_of(html)[:400]
    return found[1]


def test_a_suggestion_is_confirmed_by_a_click_and_never_made_by_itself(api: Api) -> None:
    _, customer, line = told(api, "Спасибо! Перезвоним в течение двух часов.")
    client = agent(name="ona")
    card = ok(client, f"/customers/{customer}")
    assert "Is this a promise?" in words_of(card)
    assert "в течение двух часов" in words_of(card)
    assert not Promise.objects.exists()
    form = ok(client, f"/customers/{customer}/promise/{line}")
    assert value_of(form, "what") == "Перезвоним в течение двух часов"
    assert '<option value="callback" selected>' in form
    said = {name: value_of(form, name) for name in ("what", "due_at", "owner", "key")}
    page = words_of(sent(client, f"/customers/{customer}/promise/{line}", {**said, "kind": "callback"}))
    made = Promise.objects.get()
    due = timezone.localtime(Interaction.objects.get(pk=line).occurred_at + timedelta(hours=2))
    assert (made.state, made.owner, made.kind) == ("open", "ona", "callback")
    assert timezone.localtime(made.due_at) == due.replace(second=0, microsecond=0)
    assert "Promised. Whoever owns it sees it among the promises." in page
    assert "Promise: Перезвоним в течение двух часов" in page
    assert "Is this a promise?" not in page
    sent(client, f"/customers/{customer}/promise/{line}", {**said, "kind": "callback"})
    assert Promise.objects.count() == 1


def test_a_promise_without_a_line_in_words(api: Api) -> None:
    _, customer, _ = told(api, "Labas")
    client = agent(name="ona")
    path = f"/customers/{customer}/promise"
    ok(client, path)
    said = {"what": "send the manual", "kind": "answer", "due_at": "", "owner": "ona", "key": str(uuid4())}
    assert "Say until when" in words_of(sent(client, path, {**said, "due": "some day"}, 400))
    assert "Say what was promised." in words_of(sent(client, path, {**said, "what": "", "due": "tomorrow"}, 400))
    assert "This time is over already." in words_of(sent(client, path, {**said, "due_at": "2020-01-01T10:00"}, 400))
    page = words_of(sent(client, path, {**said, "due": "within three hours"}))
    assert "send the manual" in page
    assert Promise.objects.get().kind == "answer"


def test_the_list_has_the_most_overdue_first_and_settles(api: Api) -> None:
    made = {"promises": [
        {"id": str(late), "what": f"number {late}", "owner": "ona" if late != 50 else "petras",
         "due_at": (datetime.now(UTC) - timedelta(minutes=late)).isoformat()} for late in (10, 90, 50, -60)
    ]}  # fmt: skip
    _, customer, _line = told(api, "Labas", 300, details=made)
    follow()
    client = agent(name="ona")
    page = words_of(ok(client, "/promises"))
    assert [int(one) for one in re.findall(r"number (-?\d+)", page)] == [90, 10, -60]
    assert "overdue by 1 hour, 30 minutes" in page
    assert "Юлия Щербакова" in page
    everybody = words_of(ok(client, "/promises", {"whose": "all"}))
    assert [int(one) for one in re.findall(r"number (-?\d+)", everybody)] == [90, 50, 10, -60]
    late = Promise.objects.get(key="90")
    card = ok(client, f"/customers/{customer}")
    assert words_of(card).count("number 90") >= 2  # on the card, and beside its line
    done = {"done": "kept", "back": "list", "reason": "by my own telephone"}
    after = words_of(sent(client, f"/promises/{late.pk}", done))
    assert "number 90" not in after
    late.refresh_from_db()
    assert (late.state, late.why) == ("broken", "by my own telephone")
    assert late.settled_at
    again = words_of(ok(client, f"/promises/{late.pk}"))
    assert "Take it back" in again
    sent(client, f"/promises/{late.pk}", {"done": "reopen"})
    assert Promise.objects.get(pk=late.pk).settled_at is None
    for state in ("kept", "broken", "cancelled", "open", "overdue"):
        ok(client, "/promises", {"state": state, "whose": "all"})
    assert client.get("/promises", {"cursor": "x"}).status_code == 400


def test_a_promise_is_moved_and_handed_over(api: Api) -> None:
    due = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    told(api, "Labas", 5, details={"promise": {"what": "x", "due_at": due, "owner": "ona"}})
    follow()
    one, client = Promise.objects.get(), agent(name="ona")
    assert "Was another time agreed?" in words_of(ok(client, f"/promises/{one.pk}"))
    sent(client, f"/promises/{one.pk}", {"done": "move", "due": "within 3 hours"})
    sent(client, f"/promises/{one.pk}", {"done": "assign", "owner": "petras"})
    one.refresh_from_db()
    assert (one.moved, one.owner) == (1, "petras")
    assert one.due_at > datetime.now(UTC) + timedelta(hours=2)
    assert "over already" in words_of(
        sent(client, f"/promises/{one.pk}", {"done": "move", "due_at": "2020-01-01T10:00"}, 400)
    )
    assert client.post(f"/promises/{one.pk}", {"done": "forget"}).status_code == 400
    assert client.get(f"/promises/{uuid4()}").status_code == 404


def test_what_a_customer_expects_is_on_the_card_before_one_speaks(api: Api) -> None:
    _, customer, line = told(api, "Labas")
    client = agent(name="ona")
    path = f"/customers/{customer}/expectation/{line}"
    ok(client, path)
    assert "Write something first." in words_of(sent(client, path, {"what": " ", "key": str(uuid4())}, 400))
    said = {"what": "prefers to meet in person", "lasting": "1", "key": str(uuid4())}
    page = words_of(sent(client, path, said))
    assert "Expects prefers to meet in person always" in page
    assert "Expects: prefers to meet in person" in page
    sent(client, f"/customers/{customer}/expectation", {"what": "an answer in two days", "key": str(uuid4())})
    one = Expectation.objects.get(lasting=True)
    ok(client, f"/expectations/{one.pk}")
    assert "Choose how it turned out." in words_of(sent(client, f"/expectations/{one.pk}", {}, 400))
    page = words_of(sent(client, f"/expectations/{one.pk}", {"outcome": "missed", "emotion": "-1"}))
    assert "last time : missed" in page or "last time: missed" in page
    one.refresh_from_db()
    assert (one.outcome, one.emotion) == ("missed", -1)


@pytest.mark.parametrize("language", ["ru", "lt"])
def test_every_word_is_in_the_readers_language(api: Api, language: str) -> None:
    due = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    ExperienceSettings.objects.create(language=language)
    _, customer, line = told(api, "Labas", 90, details={"promise": {"what": "x", "due_at": due, "owner": "ona"}})
    follow()
    client = agent(name="ona")
    client.post("/profile", {"language": language})
    one = Promise.objects.get()
    pages = [f"/customers/{customer}", "/promises", f"/promises/{one.pk}", f"/customers/{customer}/promise/{line}"]
    pages += [f"/customers/{customer}/expectation/{line}"]
    english = ["Promise", "promise", "Expect", "expect", "overdue", "Due", "Done", "Settled", "Until", "Whose"]
    for path in pages:
        text = re.sub(r"/\S*", "", words_of(ok(client, path)))
        assert not [word for word in english if word in text], path


def test_whoever_only_reads_is_offered_nothing_to_change(api: Api) -> None:
    _, customer, line = told(api, "We will call you back within two hours")
    client = agent("masked")
    card = ok(client, f"/customers/{customer}")
    assert "Is this a promise?" not in card
    assert "/promise" not in re.sub(r'href="/promises"', "", card)
    assert client.get(f"/customers/{customer}/promise/{line}").status_code == 403


def test_the_follow_up_of_a_low_score_says_what_it_comes_back_to(api: Api) -> None:
    number = phone()
    hour = timedelta(hours=1)
    given: dict[str, Any] = {"kind": "survey", "details": {"score": {"metric": "csat", "value": 2}}}
    now = datetime.now(UTC)
    push_and_drain(api, event(identifier("phone", number), occurred_at=(now - 4 * hour).isoformat(), **given))
    follow(60)
    loop = Promise.objects.get()
    day = f"{now - 4 * hour:%m/%d/%Y}"
    page = words_of(ok(agent("supervisor", language="en"), "/promises"))
    assert f"close the loop: CSAT 2 of 5 on {day}" in page
    customer = str(api.card("phone", number)["id"])
    lines = api.get(f"customers/{customer}/brief", Accept_Language="lt").json()["lines"]
    assert "grįžti pas klientą po žemo įvertinimo: CSAT 2 iš 5" in str(lines)
    said = words_of(ok(agent(language="ru"), f"/promises/{loop.pk}"))
    assert "вернуться к клиенту после низкой оценки: CSAT 2 из 5" in said
    assert "к клиенту ещё не вернулись" in said
    called: dict[str, Any] = {"channel": "phone", "kind": "call", "direction": "outbound", "agent": {"id": "petras"}}
    push_and_drain(api, event(identifier("phone", number), occurred_at=(now - 2 * hour).isoformat(), **called))
    follow(60)
    assert "closed in time" in words_of(ok(agent(), f"/promises/{loop.pk}"))
    notes = [one["text"] for one in api.timeline("phone", number) if "outcome" in one["details"]]
    assert notes == [f"Promise kept: close the loop: CSAT 2 of 5 on {day}"]
