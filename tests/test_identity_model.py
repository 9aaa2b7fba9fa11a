"""Events, merges, undos, splits and notes in any order, through the real database and an in-memory model beside it."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from customers import merging, reassigning, sharing, timeline
from customers.identification import CARD
from customers.incoming import Agent, ChannelEvent, Handle, Trust, line_id
from customers.notes import add_note
from customers.recording import record
from customers.sql import Cursor, cursor
from tests.identity_model import Edge, Model, Name
from tests.invariants import violations
from tests.support import COMMITTED, wipe

pytestmark = COMMITTED
SOURCE, SLUG, BY = 7, "shop", "agent"
AGENT = Agent(id=BY)
NAMES = [
    *(Name("phone", "", f"+7912000000{n}") for n in range(1, 4)),
    *(Name("email", "", f"ada{n}@mail.example") for n in range(3)),
    Name("email", "", "info@firm.example"),
    *(Name("telegram", "", f"700{n}") for n in range(2)),
    *(Name("crm_id", "crm", f"c-{n}") for n in range(2)),
]
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)

SAID = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from([Trust.CLAIMED, *[Trust.ASSERTED, Trust.VERIFIED] * 3])),
    min_size=1,
    max_size=3,
    unique_by=lambda said: said[0],
)
PICK = st.integers(0, 10_000)
HOURS = st.integers(0, 9)
Told = tuple[str, list[tuple[Name, Trust]], datetime]
COLUMNS = "i.kind, i.scope, i.value, i.generation"


def asked(sql: Cursor, statement: str) -> list[Any]:
    sql.execute(statement.encode())
    return sql.fetchall()


class Identities(RuleBasedStateMachine):
    """Each rule does the same to the database and to the model; after each, they must say the same."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model(may_link=lambda name: name.value != "info@firm.example")
        self.keys = count(1)
        self.told: list[Told] = []
        self.given_out: dict[Name, UUID] = {}

    def teardown(self) -> None:
        wipe()

    # What happens

    @initialize(said=st.lists(SAID, min_size=1, max_size=4))
    def begin(self, said: list[list[tuple[Name, Trust]]]) -> None:
        for hour, one in enumerate(said):
            self.event(one, hour)

    @rule(said=SAID, hour=HOURS)
    def event(self, said: list[tuple[Name, Trust]], hour: int) -> None:
        self.told.append((f"event-{next(self.keys)}", said, BEGIN + timedelta(hours=hour)))
        self.again(len(self.told) - 1)

    @rule(which=PICK)
    def again(self, which: int) -> None:
        """The same event, sent once more: the door would stop it, a replay would not."""
        key, said, at = self.told[which % len(self.told)]
        event = ChannelEvent(
            source_id=SOURCE,
            source=SLUG,
            key=key,
            received_at=datetime(2026, 3, 3, tzinfo=UTC),
            occurred_at=at,
            channel="sms",
            kind="message",
            direction="inbound",
            handles=tuple(Handle(name.kind, name.value, name.scope, trust) for name, trust in said),
            text=key,
        )
        record([[event]], lambda _, outcomes: None)
        self.model.event(key, said, at)
        self.see_what_turned_shared()

    @precondition(lambda self: len(self.model.persons()) > 1)
    @rule(which=PICK, other=PICK)
    def merge(self, which: int, other: int) -> None:
        one = self.person(which)
        two = [person for person in self.model.persons() if person != one][other % (len(self.model.persons()) - 1)]
        merging.merge(self.customer(one), self.customer(two), reason="the same voice", by=BY)
        self.model.merge(one, two)

    @precondition(lambda self: self.model.links)
    @rule(which=PICK, dry_run=st.booleans())
    def undo(self, which: int, dry_run: bool) -> None:
        place = which % len(self.model.links)
        with cursor() as sql:
            link = asked(sql, "SELECT id FROM customers_link ORDER BY id")[place][0]
        parted = merging.undo(link, by=BY, reason="no", dry_run=dry_run)
        if not dry_run:
            edge = self.model.links[place]
            self.model.undo(edge)
            assert bool(parted.still_connected_by) == (edge.b in self.model.person(edge.a))

    @precondition(lambda self: any(len(person) > 1 for person in self.model.persons()))
    @rule(which=PICK, cut=st.lists(PICK, min_size=1, max_size=3), elsewhere=st.booleans(), other=PICK)
    def split(self, which: int, cut: list[int], elsewhere: bool, other: int) -> None:
        several = [person for person in self.model.persons() if len(person) > 1]
        person = several[which % len(several)]
        names = sorted(person)
        chosen = frozenset(names[place % len(names)] for place in cut) - {names[cut[0] % len(names) - 1]}
        if not chosen:
            return
        others = [one for one in self.model.persons() if one != person]
        to = others[other % len(others)] if others and elsewhere else None
        ids = self.ids()
        with pytest.raises(merging.Refused):
            merging.split(self.customer(person), list(ids.values()), to=self.customer(person), by=BY, reason="")
        merging.split(
            self.customer(person),
            sorted(ids[name] for name in chosen),
            to=self.customer(to) if to else None,
            by=BY,
            reason="two",
        )
        self.model.split(person, chosen, to)

    @rule(which=PICK)
    def note(self, which: int) -> None:
        """It is read where it was written."""
        person, key = self.person(which), f"note-{next(self.keys)}"
        customer = self.customer(person)
        with cursor() as sql:
            line, _ = add_note(sql, customer, key, key=key, agent=AGENT)
            assert str(line) in self.shown(sql, customer)
            card = self.home_of(line)
        assert card.kind == CARD
        self.model.card(person, card)
        self.model.lines[key] = card

    @precondition(lambda self: self.model.lines)
    @rule(which=PICK, to=PICK)
    def assign(self, which: int, to: int) -> None:
        key = sorted(self.model.lines)[which % len(self.model.lines)]
        person = self.person(to)
        customer = self.customer(person)
        told = reassigning.assign(self.line(key), customer, by=BY, reason="hers")
        assert told.customer == customer
        with cursor() as sql:
            sql.execute(
                f"SELECT {COLUMNS} FROM customers_identity i WHERE i.customer_id = %s AND i.kind = 'card'"
                " AND value = (SELECT public_id::text FROM customers_customer WHERE id = %s)"
                " ORDER BY id DESC LIMIT 1",
                (customer, customer),
            )
            card = Name(*sql.fetchone() or ("", "", "", 0))
        self.model.card(person, card)
        self.model.assign(key, card)

    @precondition(lambda self: self.model.assigned)
    @rule(which=PICK)
    def undo_assign(self, which: int) -> None:
        key = sorted(self.model.assigned)[which % len(self.model.assigned)]
        reassigning.undo_assign(self.line(key), by=BY)
        self.model.lines[key] = self.model.assigned.pop(key)

    @rule(which=PICK, hour=HOURS)
    def release(self, which: int, hour: int) -> None:
        name, at = self.known(which), BEGIN + timedelta(hours=hour)
        older = name._replace(generation=name.generation - 1)
        if name.kind != CARD and name not in self.model.released and self.model.released.get(older, BEGIN) < at:
            reassigning.release(self.ids()[name], at)
            self.model.release(name, at)

    @rule(which=PICK, shared=st.booleans())
    def share(self, which: int, shared: bool) -> None:
        name = self.known(which)
        (sharing.share if shared else sharing.unshare)(self.ids()[name])
        (self.model.shared.add if shared else self.model.shared.discard)(name)

    # What must hold

    @invariant()
    def the_database_says_the_same(self) -> None:
        model = self.model
        with cursor() as sql:
            names = {id_: name for name, id_ in self.ids().items()}
            assert [names[id_] for id_ in sorted(names)] == model.born
            founders = asked(sql, "SELECT founder_id FROM customers_customer ORDER BY id")
            assert [names[id_] for (id_,) in founders] == model.founders
            stored = asked(sql, "SELECT a_id, b_id, undone_at IS NULL FROM customers_link ORDER BY id")
            edges = [Edge(names[a], names[b], standing) for a, b, standing in stored]
            assert [({e.a, e.b}, e.standing) for e in edges] == [({e.a, e.b}, e.standing) for e in model.links]
            apart = asked(sql, "SELECT a_id, b_id FROM customers_keepapart WHERE lifted_at IS NULL")
            assert Counter(frozenset({names[a], names[b]}) for a, b in apart) == Counter(model.apart)
            homes = asked(
                sql,
                "SELECT i.id, c.founder_id FROM customers_identity i JOIN customers_customer c ON c.id = i.customer_id",
            )
            assert {names[i]: names[f] for i, f in homes} == {
                name: model.founder(person) for person in model.persons() for name in person
            }
            assert violations(sql) == []

    @invariant()
    def nothing_is_lost(self) -> None:
        """Every line on the timeline of whoever has its identity, and on no other; every id ever given out answers."""
        expected = {
            model_founder: {str(self.line(key)) for key, name in self.model.lines.items() if name in person}
            for person in self.model.persons()
            for model_founder in [self.model.founder(person)]
        }
        with cursor() as sql:
            assert asked(sql, "SELECT count(*) FROM customers_interaction") == [(len(self.model.lines),)]
            rows = asked(
                sql,
                f"SELECT {COLUMNS}, c.public_id, c.id FROM customers_customer c"
                " JOIN customers_identity i ON i.id = c.founder_id",
            )
            self.given_out |= {Name(*row[:4]): row[4] for row in rows}
            for name, public_id in self.given_out.items():
                page = timeline.read(sql, public_id, limit=500)
                assert page is not None, "an id given out answers for ever"
                founder = self.model.founder(self.model.person(name))
                assert page.customer_id == next(row[5] for row in rows if Name(*row[:4]) == founder)
                assert set(ids_of(page)) == expected[founder]

    # How to find it

    def person(self, which: int) -> frozenset[Name]:
        persons = self.model.persons()
        return persons[which % len(persons)]

    def known(self, which: int) -> Name:
        return self.model.born[which % len(self.model.born)]

    def ids(self) -> dict[Name, int]:
        with cursor() as sql:
            return {Name(*row[1:]): row[0] for row in asked(sql, f"SELECT id, {COLUMNS} FROM customers_identity i")}

    def home_of(self, line: UUID) -> Name:
        with cursor() as sql:
            sql.execute(
                f"SELECT {COLUMNS} FROM customers_interaction t JOIN customers_identity i ON i.id = t.identity_id"
                " WHERE t.id = %s",
                (line,),
            )
            return Name(*sql.fetchone() or ("", "", "", 0))

    def see_what_turned_shared(self) -> None:
        """When a handle is taken for shared is another test's; it never turns back by itself."""
        with cursor() as sql:
            shared = {Name(*row) for row in asked(sql, f"SELECT {COLUMNS} FROM customers_identity i WHERE shared")}
        assert shared >= self.model.shared
        assert all(name.kind in sharing.SHAREABLE for name in shared - self.model.shared)
        self.model.shared = shared

    def customer(self, person: frozenset[Name]) -> int:
        with cursor() as sql:
            sql.execute("SELECT customer_id FROM customers_identity WHERE id = %s", (self.ids()[next(iter(person))],))
            row = sql.fetchone()
        assert row is not None
        return int(row[0])

    def shown(self, sql: Cursor, customer: int) -> list[str]:
        page = timeline.read(sql, customer=customer, limit=500)
        assert page is not None
        return ids_of(page)

    @staticmethod
    def line(key: str) -> UUID:
        return line_id(0, f"note:{key}") if key.startswith("note-") else line_id(SOURCE, key)


def ids_of(page: timeline.Page) -> list[str]:
    return [entry["id"] for entry in orjson.loads(page.results)]


@pytest.fixture(autouse=True)
def rules(settings: Any) -> None:
    settings.CXHUB_RULES = True


def test_identities_are_what_the_links_say(committed: None) -> None:
    run_state_machine_as_test(
        Identities,
        settings=settings(
            max_examples=40,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],  # through a database, shrinking takes minutes: the steps are told as they were
            report_multiple_bugs=False,
        ),
    )
