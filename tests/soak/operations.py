"""What may happen to identities, drawn by chance: each as the API or a worker would do it."""

import random
import time
import traceback
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson

from channels.accepting import Pushed, accept_pushes
from channels.draining import drain, drain_alone
from channels.models import Source
from customers import deciding, merging, reassigning, sharing
from customers.incoming import Agent
from customers.merging import NoSuchLink, Refused
from customers.notes import add_note
from customers.reassigning import NoSuchLine, NotReleased
from customers.recording import attempt
from customers.reevaluating import reevaluate
from customers.sql import cursor

FAMILIES, SIZE = 150, 8
"""Handles that are said to be one person's now and then; few enough that workers meet, small enough to part again."""
KINDS = ("phone", "email", "telegram", "crm_id", "device")
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
AGENT = Agent(id="agent")
NAMES = ("", "", "", "Юлия", "Jonas", "Ada")


class NothingThere(LookupError):
    """What was drawn does not exist yet."""


Handle = tuple[str, str]


class Hand:
    """One worker's chance in one round; `seed` says everything that it will try."""

    def __init__(self, seed: str, prefix: str) -> None:
        self.chance = random.Random(seed)
        self.prefix = prefix
        self.pushed = 0
        self.source = Source.objects.get(slug="soak")

    def handle(self, family: int) -> Handle:
        place = self.chance.randrange(SIZE)
        kind = KINDS[place % len(KINDS)]
        value = {
            "phone": f"+7912{family:04}{place:03}",
            "email": f"f{family}.{place}@mail.example",
            "telegram": f"{family + 1}{place:03}",
        }.get(kind, f"{kind}-{family}-{place}")
        return kind, value

    def family(self) -> int:
        """Some are met far more often than others."""
        return int(FAMILIES * self.chance.random() ** 3)

    def at(self) -> datetime:
        return BEGIN + timedelta(minutes=self.chance.randrange(40_000))

    # One operation each

    def push(self) -> None:
        self.accept([self.event(f"{self.prefix}-{self.pushed + n}") for n in range(self.chance.randint(1, 6))])

    def edit(self) -> None:
        """A second word on an event of this round, and the first one once more."""
        if not self.pushed:
            raise NothingThere
        id_ = f"{self.prefix}-{self.chance.randrange(self.pushed)}"
        self.accept([{**self.event(id_), "revision": self.chance.randint(1, 3)}], new=False)

    def event(self, id_: str) -> dict[str, object]:
        family = self.family()
        handles = list(dict.fromkeys(self.handle(family) for _ in range(self.chance.choice((1, 1, 2, 2, 3)))))
        identifiers = [
            {"kind": kind, "value": value, **({"verified": False} if self.chance.random() < 0.1 else {})}
            for kind, value in handles
        ]
        return {
            "id": id_,
            "channel": "sms",
            "kind": "message",
            "direction": self.chance.choice(("inbound", "outbound")),
            "occurred_at": self.at().isoformat(),
            "customer": {"identifiers": identifiers, "name": self.chance.choice(NAMES)},
            "text": id_,
        }

    def accept(self, events: list[dict[str, object]], *, new: bool = True) -> None:
        rows = [
            Pushed(self.source.pk, str(event["id"]), "main", int(str(event.get("revision", 0))), orjson.dumps(event))
            for event in events
        ]
        accept_pushes(rows, key_id=1, received_at=datetime.now(UTC))
        self.pushed += len(events) if new else 0

    def work_off(self) -> None:
        drain()
        drain_alone()

    def merge(self) -> None:
        one, other = self.handle(family := self.family()), self.handle(family)
        attempt(lambda: merging.merge(self.owner(one), self.owner(other), reason="soak", by="agent"))

    def undo(self) -> None:
        link = self.one_of("SELECT id FROM customers_link WHERE id >= %s ORDER BY id LIMIT 1", "customers_link")
        dry = self.chance.random() < 0.1
        attempt(lambda: merging.undo(int(str(link)), by="agent", reason="soak", dry_run=dry))

    def split(self) -> None:
        one, other = self.handle(family := self.family()), self.handle(family)
        away = self.chance.random() < 0.3
        to = self.handle(family)

        def work() -> None:
            identities = sorted({self.identity(one), self.identity(other)})
            merging.split(self.owner(one), identities, to=self.owner(to) if away else None, by="agent", reason="soak")

        attempt(work)

    def note(self) -> None:
        customer = self.owner(self.handle(self.family()))
        key = f"{self.prefix}-{self.chance.random()}"
        with cursor() as sql:
            add_note(sql, customer, "called back", key=key, agent=AGENT)

    def assign(self) -> None:
        reassigning.assign(self.line(), self.owner(self.handle(self.family())), by="agent", reason="soak")

    def undo_assign(self) -> None:
        with cursor() as sql:
            sql.execute("SELECT line_id FROM customers_assignment ORDER BY id DESC LIMIT 20")
            lines = [row[0] for row in sql.fetchall()]
        if not lines:
            raise NothingThere
        line = self.chance.choice(lines)
        attempt(lambda: reassigning.undo_assign(line, by="agent"))

    def share(self) -> None:
        identity = self.identity(self.handle(self.family()))
        change = self.chance.choice((sharing.share, sharing.unshare, sharing.unshare))
        attempt(lambda: change(identity))

    def release(self) -> None:
        reassigning.release(self.identity(self.handle(self.family())), self.at())

    def undo_release(self) -> None:
        statement = "SELECT id FROM customers_identity WHERE valid_to IS NOT NULL AND id >= %s ORDER BY id LIMIT 1"
        identity = self.one_of(statement, "customers_identity")
        reassigning.undo_release(int(str(identity)), by="agent", reason="soak")

    def decide(self) -> None:
        statement = "SELECT id FROM customers_candidate WHERE state = 'open' AND id >= %s ORDER BY id LIMIT 1"
        candidate = self.one_of(statement, "customers_candidate")
        decision = self.chance.choice((deciding.accept, deciding.reject))
        decision(int(str(candidate)), by="agent", reason="soak")

    def reevaluate(self) -> None:
        list(reevaluate(every=True))

    # What it is done to

    def line(self) -> UUID:
        with cursor() as sql:
            sql.execute(
                "SELECT id FROM customers_interaction WHERE id >= %s ORDER BY id LIMIT 1",
                (UUID(int=self.chance.getrandbits(128)),),
            )
            row = sql.fetchone()
        if row is None:
            raise NothingThere
        found: UUID = row[0]
        return found

    def one_of(self, statement: str, table: str) -> object:
        with cursor() as sql:
            sql.execute(f"SELECT coalesce(max(id), 0) FROM {table}".encode())
            (last,) = sql.fetchone() or (0,)
            sql.execute(statement.encode(), (self.chance.randint(0, last),))
            row = sql.fetchone()
        if row is None:
            raise NothingThere
        return row[0]

    def identity(self, handle: Handle) -> int:
        return self.of(handle)[0]

    def owner(self, handle: Handle) -> int:
        return self.of(handle)[1]

    @staticmethod
    def of(handle: Handle) -> tuple[int, int]:
        with cursor() as sql:
            sql.execute(
                "SELECT id, customer_id FROM customers_identity WHERE (kind, value) = (%s, %s)"
                " ORDER BY generation DESC LIMIT 1",
                handle,
            )
            row = sql.fetchone()
        if row is None:
            raise NothingThere
        return int(row[0]), int(row[1])


OPERATIONS: dict[Callable[[Hand], None], float] = {
    Hand.push: 40,
    Hand.edit: 6,
    Hand.work_off: 22,
    Hand.merge: 8,
    Hand.undo: 7,
    Hand.split: 4,
    Hand.note: 4,
    Hand.assign: 3,
    Hand.undo_assign: 2,
    Hand.share: 2,
    Hand.release: 2,
    Hand.undo_release: 2,
    Hand.decide: 3,
    Hand.reevaluate: 0.05,
}
REFUSALS = (NothingThere, Refused, NotReleased, NoSuchLine, NoSuchLink)
"""Answers that people get too: there is nothing wrong with them."""


def play(number: int, seed: str, turn: int, operations: int) -> tuple[Counter[str], int, list[str]]:
    """One worker's share of a round: (what was done, how many events were pushed, what failed)."""
    hand = Hand(f"{seed}/{turn}/{number}", f"{turn}-{number}")
    done: Counter[str] = Counter()
    failed: list[str] = []
    for _ in range(operations):
        (operation,) = hand.chance.choices(list(OPERATIONS), list(OPERATIONS.values()))
        begun = time.monotonic()
        try:
            operation(hand)
        except REFUSALS:
            done["refused"] += 1
        except Exception:
            failed.append(f"{operation.__name__}: {traceback.format_exc()}")
        else:
            done[operation.__name__] += 1
        if time.monotonic() - begun > 5:
            done["slower than 5 s"] += 1
    return done, hand.pushed, failed
