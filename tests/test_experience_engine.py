"""The fold under all measures: the same rows in whatever order lines come, from a checkpoint, after merge and undo."""

from datetime import UTC, datetime, timedelta
from typing import Any

from customers.experience import engine
from customers.experience.calendar import Calendars
from customers.experience.contacts import Contact, Fact, micros
from customers.experience.engine import Checkpoint, Out, State
from customers.experience.facts import say
from customers.experience.following import follow, freshen
from customers.experience.meaning import Meaning
from customers.incoming import Agent
from customers.models import Experience, Following, Interaction
from customers.sql import cursor
from tests.support import COMMITTED, Api, at, event, identifier, phone, push_and_drain

DAY = datetime(2026, 3, 2, tzinfo=UTC)


class Diary:
    """A measure that writes down what it is told."""

    def begin(self) -> State:
        return {"told": []}

    def see(self, state: State, contact: Contact, out: Out) -> None:
        state["diary"]["told"].append(contact.id)
        engine.alarm(state, "diary", contact.at + 1_500_000)

    def hear(self, state: State, fact: Fact, out: Out) -> None:
        state["diary"]["told"].append(f"{fact.name}:{fact.id}")

    def ring(self, state: State, at: int, out: Out) -> None:
        state["diary"]["told"].append(f"ring:{at}")

    def close(self, state: State, now: int, out: Out) -> None:
        out.summary = {"told": list(state["diary"]["told"])}


def contact(second: int, id_: str = "", **details: Any) -> Contact:
    at = micros(DAY) + second * 1_000_000
    words = ("phone", "call", "inbound", "", "shop", "", "", True, "", "", False)
    return Contact(id_ or f"{second:08}-0000-0000-0000-000000000000", 1, at, 0, *words, details)


def told(contacts: list[Contact], now: int, start: Checkpoint | None = None) -> engine.Folded:
    return engine.fold(contacts, micros(DAY) + now * 1_000_000, Out(Meaning(), Calendars()), {"diary": Diary()}, start)


def test_the_clock_and_what_is_said_later_come_in_their_turn() -> None:
    late = (DAY + timedelta(seconds=4)).isoformat()
    first = contact(0, promises=[{"id": "a", "at": late}, {"id": "a", "at": late}, "no object", {"id": 7}])
    found = told([first, contact(1), contact(6)], 100)
    zero = micros(DAY)
    assert found.out.summary["told"] == [
        first.id, contact(1).id, f"ring:{zero + 2_500_000}", "promise:a", contact(6).id, f"ring:{zero + 7_500_000}",
    ]  # fmt: skip
    assert found.next_at is None
    assert told([first], 1).next_at == zero + 1_500_000


def test_a_long_history_goes_on_from_its_checkpoint() -> None:
    later = (DAY + timedelta(seconds=350)).isoformat()
    contacts = [contact(0, promises=[{"id": "late", "at": later}]), *(contact(second) for second in range(1, 400))]
    whole = told(contacts, 500)
    assert whole.checkpoint is not None
    assert whole.checkpoint.lines == 300
    rest = [one for one in contacts if one.at > whole.checkpoint.at]
    assert told(rest, 500, whole.checkpoint).out.summary == whole.out.summary
    assert "promise:late" in whole.out.summary["told"]
    assert told(rest, 500, whole.checkpoint).lines == whole.lines == 400


def test_a_checkpoint_never_parts_lines_of_one_moment() -> None:
    contacts = [contact(second) for second in range(250)]
    contacts += [contact(300, f"{place:08}-0000-0000-0000-000000000001") for place in range(200)]
    found = told(contacts, 500)
    assert found.checkpoint is not None
    assert found.checkpoint.lines == 250


class TestRows:
    pytestmark = COMMITTED

    def test_readers_and_followers_fold_what_changed(self, api: Api) -> None:
        one = phone()
        push_and_drain(api, event(identifier("phone", one)))
        follow()
        standing = Experience.objects.get()
        assert standing.lines == 1
        push_and_drain(api, event(identifier("phone", one), occurred_at=at(5)))
        freshen(standing.customer_id)
        again = Experience.objects.get()
        assert again.lines == 2
        assert again.as_of >= standing.as_of
        follow()
        assert Following.objects.get(name="changes").txid > 0

    def test_what_is_added_to_a_line_lies_in_it(self, api: Api) -> None:
        (receipt,) = push_and_drain(api, event(identifier("phone", phone()), text="Call me back"))
        line = Interaction.objects.get()
        with cursor() as sql:
            say(sql, line.id, "promise:1", {"promises": [{"id": "1", "what": "call"}]}, agent=Agent("user:1", "Ann"))
        (entry,) = api.ok(f"customers/{receipt['customer']}/timeline")["results"]
        assert entry["text"] == "Call me back"
        assert entry["direction"] == "inbound"
        assert entry["occurred_at"] == Interaction.objects.get().occurred_at.isoformat().replace("+00:00", "+00:00")
        assert entry["details"]["promises"] == [{"id": "1", "what": "call"}]
        assert entry["edits"] == []
