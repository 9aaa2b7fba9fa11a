"""The brief: what it says first, how it is cut, and that every line of it is proved by a line of the timeline."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from customers.experience.brief import brief, chosen
from customers.experience.briefwords import Line
from customers.experience.wording import LONG, first_words
from customers.models import Customer, Expectation, Interaction, LastLook, Promise, Request
from tests.support import COMMITTED, Api, event, everything, identifier, phone, problem_of, push_and_drain, shop
from tests.test_console import agent, ok

pytestmark = COMMITTED
LAST: list[str] = []
ANN = {"id": "ann", "name": "Anna Petrova", "type": "human"}
OURS: dict[str, Any] = {"direction": "outbound", "agent": ANN}
AMONG_US: dict[str, Any] = {"kind": "note", "direction": "internal", "agent": ANN}


@pytest.fixture
def api() -> Api:
    shop()
    return everything()


def ago(hours: float) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat()


def lines_of(api: Api, customer: str, language: str = "en", **params: str) -> list[dict[str, Any]]:
    answer = api.get(f"customers/{customer}/brief", params, Accept_Language=language)
    assert answer.status_code == 200, answer.content
    lines: list[dict[str, Any]] = answer.json()["lines"]
    return lines


def of(lines: list[dict[str, Any]], what: str) -> dict[str, Any]:
    (line,) = [line for line in lines if line["what"] == what]
    return line


def pushed(api: Api, *said: dict[str, Any], name: str = "Vera Lind") -> str:
    """One person's contacts; his id."""
    LAST.append(number := phone())
    told = push_and_drain(api, *(event(identifier("phone", number), name=name, **one) for one in said))
    customer: str = told[0]["customer"]
    return customer


def test_it_says_what_the_last_colleague_said_and_what_was_noted(api: Api) -> None:
    customer = pushed(
        api,
        {"occurred_at": ago(30), "text": "My grinder is stuck. It smells."},
        {"occurred_at": ago(29), "text": "Send it to us, please! We repair it for free. More follows.", **OURS},
        {
            "occurred_at": ago(28),
            "text": "Grinder 500, serial 7",
            "kind": "note",
            "direction": "internal",
            "agent": ANN,
        },
        {"occurred_at": ago(27), "text": "Got it", "details": {"emotion": 1}},
    )
    lines = lines_of(api, customer)
    assert lines[0]["what"] == "customer"
    assert "Vera Lind" in lines[0]["text"]
    colleague, note = of(lines, "colleague"), of(lines, "note")
    assert "Anna Petrova" in colleague["text"]
    assert "Send it to us, please! We repair it for free." in colleague["text"]
    assert "More follows" not in colleague["text"]
    assert colleague["facts"]["agent"] == "ann"
    assert "Grinder 500, serial 7" in note["text"]
    assert of(lines, "feeling")["facts"]["moods"] == [1]
    on_timeline = {entry["id"] for entry in api.ok(f"customers/{customer}/timeline")["results"]}
    assert {line["interaction"] for line in lines if line["interaction"]} <= on_timeline
    assert all(line["interaction"] for line in lines)


def test_promises_requests_and_expectations_come_in_their_order(api: Api) -> None:
    customer = pushed(api, {"occurred_at": ago(3), "text": "Where is my parcel?"})
    id_, line = Customer.objects.get().id, Interaction.objects.get()
    lines_of(api, customer)  # Folded once: what is added to the rows now stays until the next change.
    Request.objects.all().delete()
    Promise.objects.all().delete()
    Expectation.objects.all().delete()
    now = datetime.now(UTC)
    rows: dict[str, Any] = {"customer_id": id_, "line_id": line.id, "at": line.sorted_at}
    made: dict[str, Any] = {"made_at": now - timedelta(days=1), **rows}
    Promise.objects.create(what="Ring tomorrow", due_at=now + timedelta(hours=5), **made)
    Promise.objects.create(what="Ring soon", due_at=now + timedelta(hours=1), **made)
    gone = now - timedelta(hours=2)
    Promise.objects.create(what="Send the form", due_at=gone, state="broken", closed_at=gone, **made)
    old = now - timedelta(days=40)
    Promise.objects.create(what="Long ago", due_at=old, state="broken", closed_at=old, **made)
    waits = {"last_at": line.sorted_at, "last_line": line.id, "waiting_since": line.sorted_at, "inbound": 3, **rows}
    Request.objects.create(subject="The parcel", channel="sms", **waits)
    Expectation.objects.create(what="Prefers to meet in person", lasting=True, stated_at=now, **rows)
    lines = lines_of(api, customer)
    assert [line["what"] for line in lines[:6]] == [
        "customer", "promise", "promise", "promise", "request", "expectation",
    ]  # fmt: skip
    said = [line["text"] for line in lines]
    assert ["Send the form" in said[1], "Ring soon" in said[2], "Ring tomorrow" in said[3]] == [True] * 3
    assert said[1].startswith("We broke a promise")
    assert [line["urgent"] for line in lines[:6]] == [False, True, False, False, True, False]
    assert "asked 3 times" in said[4]
    assert "The parcel" in said[4]
    assert "Long ago" not in str(lines)
    assert lines[1]["facts"]["state"] == "broken"


def test_it_speaks_three_languages(api: Api) -> None:
    customer = pushed(api, {"occurred_at": ago(3)}, {"occurred_at": ago(2), "text": "Ja", **OURS})
    said = {language: str(lines_of(api, customer, language)) for language in ("en", "ru", "lt")}
    assert "Last spoke with Anna Petrova" in said["en"]
    assert "Последний разговор" in said["ru"]
    assert "Paskutinis pokalbis" in said["lt"]


def test_what_is_new_is_asked_for_by_keys_and_known_of_users(api: Api) -> None:
    customer = pushed(api, {"occurred_at": ago(30)}, {"occurred_at": ago(2), "text": "Hello again"})
    assert "new" not in {line["what"] for line in lines_of(api, customer)}
    line = of(lines_of(api, customer, since=ago(10)), "new")
    assert line["facts"]["count"] == 1
    assert "Hello again" in line["text"]
    assert problem_of(api.get(f"customers/{customer}/brief", {"since": "yesterday"}))[1] == "invalid_value"
    assert LastLook.objects.count() == 0


def test_it_stands_on_the_card_and_links_its_proofs(api: Api) -> None:
    customer = pushed(api, {"occurred_at": ago(3), "text": "Where is my parcel?"}, {"occurred_at": ago(2), **OURS})
    page = ok(agent(language="lt"), f"/customers/{customer}")
    assert "Trumpai" in page
    assert page.index("Trumpai") < page.index('id="reach"'), "before one speaks"
    proof = of(lines_of(api, customer), "colleague")["interaction"]
    assert f'href="?at={proof}"' in page
    popped = agent().get("/lookup", {"crm_id": "nobody", "identifier": f"phone:{LAST[-1]}"}, follow=True)
    assert "In brief" in popped.content.decode(), "the screen pop opens the card"


def test_a_user_is_told_what_came_since_he_looked(api: Api) -> None:
    customer = pushed(api, {"occurred_at": ago(30)})
    client = agent()
    ok(client, f"/customers/{customer}")
    LastLook.objects.update(looked_at=datetime.now(UTC) - timedelta(hours=5))
    push_and_drain(api, event(identifier("phone", LAST[-1]), occurred_at=ago(1), text="Are you there?"))
    assert "Are you there?" in ok(client, f"/customers/{customer}").split("In brief")[1].split("</section>")[0]


def test_nobody_and_the_erased_have_none(api: Api) -> None:
    assert api.get("customers/019a0000-0000-7000-8000-000000000000/brief").status_code == 404
    assert brief(10**9) is None


def test_a_masked_reader_sees_no_numbers(api: Api) -> None:
    customer = pushed(api, {"occurred_at": ago(2), "text": "Ring me at +7 912 555 66 77 please", **OURS})
    masked = Api("read:masked")
    assert "555 66" in str(lines_of(api, customer))
    assert "555 66" not in str(lines_of(masked, customer))


def test_an_erased_line_is_quoted_no_more(api: Api) -> None:
    number = phone()
    one = event(identifier("phone", number), occurred_at=ago(3), text="Secret words", **OURS)
    (told,) = push_and_drain(api, one)
    assert "Secret words" in str(lines_of(api, told["customer"]))
    push_and_drain(api, {**one, "deleted": True, "revision": 2})
    assert "Secret words" not in str(lines_of(api, told["customer"]))


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([1, 5, 1], [1, 3, 1]),
        ([1] * 10, [1] * 10),
        ([1, 9, 9, 9, 1, 1, 1, 1, 1, 1], [1] * 10),
        ([1, 9, 9, 9, 0, 1, 1, 1, 1, 1], [1, 2, 1, 1, 0, 1, 1, 1, 1, 1]),
        ([1, 4, 4, 4, 0, 0, 0, 0, 0, 0], [1, 3, 3, 3, 0, 0, 0, 0, 0, 0]),
        ([0], [0]),
    ],
)
def test_no_kind_hides_another(counts: list[int], shown: list[int]) -> None:
    kinds = [[Line(str(kind), f"line {n}") for n in range(count)] for kind, count in enumerate(counts)]
    lines = chosen(kinds)
    assert len(lines) <= 10
    assert [sum(line.what == str(kind) for line in lines) for kind in range(len(counts))] == shown
    for kind, (count, some) in enumerate(zip(counts, shown, strict=True)):
        last = [line.text for line in lines if line.what == str(kind)][-1:]
        assert last == ([f"line {some - 1}" + (f" (and {count - some} more)" if count > some else "")] if some else [])


def test_quotations_are_short() -> None:
    assert first_words("Yes. We do it today, all of it. Then we rest.") == "Yes. We do it today, all of it."
    assert first_words("A sentence that is long enough to stand alone. Another") == (
        "A sentence that is long enough to stand alone."
    )
    assert first_words("word " * 100).endswith("word…")
    assert len(first_words("word " * 100)) <= LONG + 1
    assert first_words(None) == ""
