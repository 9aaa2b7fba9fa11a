"""Random lives of a few people: everything that a line can say of the experience, and everything that moves lines."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from customers import reassigning
from customers.experience.facts import say
from customers.experience.following import follow, freshen
from customers.experience.tables import DERIVED, TOUCHES
from customers.incoming import Agent
from customers.models import Customer, Interaction, Link
from customers.sql import cursor
from tests import identity_work
from tests.support import Api, due_again, event, identifier, push_and_drain

END = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
DAYS = 240
ANN = Agent("ann", "Ann")
AGENTS = ("ann", "bob", "eva")
PEOPLE = ("device-one", "device-two", "device-three", "device-four")


def moment(rng: random.Random) -> datetime:
    """Some moments are shared, and many are near one another."""
    return END - timedelta(minutes=rng.choice((rng.randrange(DAYS * 24 * 60), rng.randrange(60) * 60)))


def said(rng: random.Random, at: datetime) -> dict[str, Any]:
    """One contact: what it was, and what was said in it."""
    agent = {"agent": {"id": (who := rng.choice(AGENTS)), "name": who.title(), "type": "human"}}
    later = (at + timedelta(hours=rng.randrange(1, 90))).isoformat()
    promise = {"what": "ring", "kind": rng.choice(("callback", "any", "visit")), "due_at": later}
    return rng.choice(
        (
            {"kind": "message", "text": "A question"},
            {"kind": "message", "thread": f"t{rng.randrange(3)}", "channel": "email"},
            {"kind": "call", "channel": "phone", "state": rng.choice(("completed", "missed", "no-answer"))},
            {"kind": "form", "channel": "web", "details": {"campaign": {"source": "ads", "medium": "cpc"}}},
            {"kind": "message", "direction": "outbound", "text": "An answer", **agent},
            {"kind": "message", "direction": "outbound", "details": {"promise": promise}, **agent},
            {"kind": "call", "channel": "phone", "direction": "outbound", "state": "completed", **agent},
            {"kind": "call", "channel": "phone", "direction": "outbound", "state": "no-answer", **agent},
            {"kind": "note", "channel": "note", "direction": "internal", "text": "Mind him", **agent},
            {"kind": "purchase", "channel": "store", "details": {"order": {"number": f"A-{rng.randrange(9)}"}}},
            {"kind": "survey", "details": {"score": {"metric": "nps", "value": rng.randrange(11), "min": 0}}},
            {"kind": "survey", "details": {"score": {"metric": "ces", "value": rng.randrange(1, 8)}}},
            {"kind": "review", "channel": "reviews", "details": {"feedback": {"sentiment": rng.choice((-1, 1))}}},
            {"kind": "message", "details": {"tags": ["complaint"], "emotion": rng.choice((-1, 0, 1))}},
            {"kind": "message", "details": {"expectation": {"what": "soon", "lasting": rng.random() < 0.3}}},
            {"kind": "message", "details": {"request": {"id": f"R{rng.randrange(4)}", "state": "open"}}},
            {"kind": "message", "details": {"request": {"id": f"R{rng.randrange(4)}", "state": "solved"}}},
            {"kind": "message", "details": {"lost": "moved away"}},
        )
    )


def part(rng: random.Random, at: datetime) -> tuple[str, dict[str, Any]]:
    """What somebody adds to a line that stands, at a time of its own."""
    then = (at + timedelta(hours=rng.randrange(50))).isoformat()
    due = (at + timedelta(hours=60)).isoformat()
    id_ = f"p{rng.randrange(2)}"
    return rng.choice(
        (
            (f"promise:{id_}", {"promises": [{"id": id_, "what": "write", "due_at": due, "at": then, "owner": "ann"}]}),
            (
                f"promise:{id_}",
                {"promises": [{"id": id_, "due_at": due, "at": then, "closed": {"as": "cancelled", "at": due}}]},
            ),
            ("request:1", {"requests": [{"id": "1", "do": rng.choice(("solve", "reopen", "split")), "at": then}]}),
            ("feedback:1", {"feedbacks": [{"id": "1", "state": "solved", "topic": "grind", "at": then}]}),
            (
                "expectation:1",
                {
                    "expectations": [
                        {"id": "1", "what": "a call", "at": then, "outcome": {"as": "missed", "emotion": -1, "at": due}}
                    ]
                },
            ),
        )
    )


class Life:
    """One random history; `step` does the next thing."""

    def __init__(self, api: Api, seed: int) -> None:
        self.api, self.rng = api, random.Random(seed)
        self.pushed: list[dict[str, Any]] = []
        self.steps: list[Callable[[], None]] = [
            *[self.come] * 12,
            *[self.edit] * 2,
            *[self.add] * 3,
            *[self.merge] * 2,
            *[self.undo] * 2,
            *[self.assign] * 2,
            *(self.take_back, self.replay, self.link, self.split, self.unassign, self.look, self.follow),
        ]

    def step(self) -> str:
        todo = self.rng.choice(self.steps)
        todo()
        return todo.__name__

    def come(self) -> None:
        """A few events, in whatever order of time."""
        events = []
        for _ in range(self.rng.randrange(1, 6)):
            at = moment(self.rng)
            who = identifier("device", self.rng.choice(PEOPLE))
            events.append(event(who, **{"occurred_at": at.isoformat(), **said(self.rng, at)}))
        self.pushed += events
        push_and_drain(self.api, *events, waiting=True)

    def edit(self) -> None:
        if self.pushed:
            old = self.rng.choice(self.pushed)
            at = datetime.fromisoformat(old["occurred_at"])
            new = {**old, **said(self.rng, at), "revision": old.get("revision", 0) + 1}
            new = {name: value for name, value in new.items() if name in ("id", *new)}
            self.pushed[self.pushed.index(old)] = new
            push_and_drain(self.api, new, waiting=True)

    def take_back(self) -> None:
        if self.pushed:
            old = self.rng.choice(self.pushed)
            old |= {"revision": old.get("revision", 0) + 1, "deleted": True}
            push_and_drain(self.api, old, waiting=True)

    def replay(self) -> None:
        if self.pushed:
            push_and_drain(self.api, *self.rng.choices(self.pushed, k=3), waiting=True)

    def link(self) -> None:
        names = [identifier("device", one) for one in self.rng.sample(PEOPLE, 2)]
        push_and_drain(self.api, event(*names, occurred_at=moment(self.rng).isoformat()), waiting=True)

    def known(self) -> list[str]:
        with connection.cursor() as sql:
            sql.execute("SELECT value FROM customers_identity WHERE kind = 'device' ORDER BY value")
            return [row[0] for row in sql.fetchall()]

    def merge(self) -> None:
        if len(known := self.known()) > 1:
            identity_work.merge(*self.rng.sample(known, 2))

    def undo(self) -> None:
        links = list(Link.objects.filter(undone_at=None).order_by("id").values_list("id", flat=True))
        if links:
            identity_work.undo(self.rng.choice(links))

    def split(self) -> None:
        if known := self.known():
            identity_work.split(self.rng.choice(known))

    def line(self) -> Interaction | None:
        found = list(Interaction.objects.order_by("id"))
        return self.rng.choice(found) if found else None

    def customers(self) -> list[int]:
        return list(Customer.objects.filter(merged_into=None).order_by("id").values_list("id", flat=True))

    def assign(self) -> None:
        if line := self.line():
            reassigning.assign(line.id, self.rng.choice(self.customers()), by="agent", reason="his")

    def unassign(self) -> None:
        if line := self.line():
            try:
                reassigning.undo_assign(line.id, by="agent")
            except reassigning.NoSuchLine:
                return

    def add(self) -> None:
        if line := self.line():
            name, details = part(self.rng, line.occurred_at)
            with cursor() as sql:
                say(sql, line.id, name, details, agent=ANN)

    def look(self) -> None:
        if ids := self.customers():
            freshen(self.rng.choice(ids))

    def follow(self) -> None:
        follow()


def settle() -> None:
    """Follow until nothing is left to fold or to note."""
    due_again()
    for _ in range(30):
        if not follow(60):
            return
    raise AssertionError("the folds find no rest")


Dump = dict[str, list[tuple[Any, ...]]]


def dump(*, owners: bool = True) -> Dump:
    """All derived rows; without `owners` as if everybody were one."""
    found: Dump = {}
    for table in (*DERIVED, TOUCHES):
        names = [name for name in table.columns if owners or name != "customer_id"]
        found[table.table] = rows_of(table.table, names)
    names = [
        *("stage", "stage_since", "first_touch", "first_contact_at", "last_contact_at", "last_inbound_at"),
        *("purchases", "first_purchase_at", "last_purchase_at", "nps", "csat", "ces", "effort"),
        *("open_promises", "open_requests", "more", "next_at", "rules"),
        *(("customer_id", "members", "lines") if owners else ()),
    ]
    found["customers_experience"] = rows_of("customers_experience", names)
    return found


def rows_of(table: str, names: list[str]) -> list[tuple[Any, ...]]:
    with connection.cursor() as sql:
        sql.execute(f"SELECT {', '.join(f'{name}::text' for name in names)} FROM {table}")
        return sorted(sql.fetchall(), key=str)


def differing(one: Dump, other: Dump) -> list[tuple[str, object, object]]:
    """The rows that are not the same, per table."""
    return [
        (table, [row for row in rows if row not in other[table]], [row for row in other[table] if row not in rows])
        for table, rows in one.items()
        if rows != other[table]
    ]
