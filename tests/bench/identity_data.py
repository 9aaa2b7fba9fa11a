"""What the figures of identities are measured on: customers with long histories, and workers that record."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.conf import settings

from channels.accepting import Pushed, accept_pushes
from channels.draining import drain
from channels.models import Delivery, Source
from channels.sources import make_source
from customers import timeline
from customers.models import Identity, Interaction
from customers.sql import cursor
from tests.identity_work import said, tell
from tests.workers import WORKERS

CONTACTS = """
INSERT INTO customers_interaction (id, identity_id, source_id, source, channel, kind, direction, sorted_at, rank,
    occurred_at, recorded_at, thread, subject, text, details, attachments, state, edits, part, revision, digest)
SELECT gen_random_uuid(), (%(ids)s::bigint[])[1 + n %% %(count)s], 7, 'shop', 'sms', 'message', 'inbound', at, 0,
    at, now(), '', '', 'Where is my order ' || n || '?', '{}', '[]', '', '[]', 'main', 0, md5(n::text)
  FROM generate_series(1, %(contacts)s) n, LATERAL (SELECT '2020-01-01'::timestamptz + n * interval '1 minute' AS at) t
"""
BATCH = 250
PERSONS = 3_000


def filled(name: str, contacts: int, handles: int = 1) -> str:
    """A customer with so many contacts, spread over so many handles; one of his handles."""
    names = [f"{name}/{n}" for n in range(handles)]
    settings.CXHUB_RULES = False  # as if agents had put together more than the rules would
    tell(*(said(f"{name}/{n}", names[0], *names[n : n + 1]) for n in range(handles)))
    settings.CXHUB_RULES = True
    with cursor() as sql:
        sql.execute("SELECT id FROM customers_identity WHERE value = ANY(%s)", (names,))
        ids = [row[0] for row in sql.fetchall()]
        assert len(ids) == handles
        sql.execute(CONTACTS, {"ids": ids, "count": handles, "contacts": contacts})
        sql.execute("ANALYZE customers_interaction, customers_identity")
    return names[0]


def customer_of(name: str) -> int:
    return Identity.objects.values_list("customer_id", flat=True).get(value=name)


def page(name: str) -> None:
    """One timeline read, as the API does it."""
    with cursor("reading") as sql:
        sql.execute("SELECT customer_id FROM customers_identity WHERE value = %s", (name,))
        (customer,) = sql.fetchone() or (0,)
        found = timeline.read(sql, customer=customer, viewer="bench", path="/bench")
    assert found is not None
    assert found.next


def wal() -> int:
    return int(asked("SELECT pg_current_wal_lsn() - '0/0'"))


def statistics_of(column: str) -> int:
    asked("SELECT pg_stat_force_next_flush()")
    return int(asked(f"SELECT {column} FROM pg_stat_user_tables WHERE relname = 'customers_interaction'"))


def asked(statement: str) -> Any:
    with cursor() as sql:
        sql.execute(statement.encode())
        (value,) = sql.fetchone() or (None,)
    return value


# What workers do


def be_born(number: int, name: str, each: int) -> None:
    for start in range(0, each, BATCH):
        tell(
            *(said(f"born/{name}-{number}-{n}", f"{name}-{number}-{n}") for n in range(start, min(start + BATCH, each)))
        )


def record_known(number: int, turn: int, each: int) -> None:
    for start in range(0, each, BATCH):
        tell(
            *(
                said(f"plain/{turn}/{number}/{n}", f"plain{turn}-{number}-{n}")
                for n in range(start, min(start + BATCH, each))
            )
        )


def join_pairs(number: int, turn: int, each: int) -> None:
    """Two known customers a time."""
    for start in range(0, each, BATCH):
        pairs = [
            (n, f"pair{turn}-{number}-{2 * n}", f"pair{turn}-{number}-{2 * n + 1}")
            for n in range(start, min(start + BATCH, each))
        ]
        tell(*(said(f"join/{turn}/{number}/{n}", one, other) for n, one, other in pairs))


def adopt_new(number: int, turn: int, each: int) -> None:
    """A known customer and a handle that nobody had."""
    for start in range(0, each, BATCH):
        pairs = [
            (n, f"plain{turn}-{number}-{n}", f"new{turn}-{number}-{n}") for n in range(start, min(start + BATCH, each))
        ]
        tell(*(said(f"new/{turn}/{number}/{n}", known, new) for n, known, new in pairs))


def split_groups(pool: Any, work: Callable[..., None], prefix: str, groups: int) -> int:
    """Chains whose links eight workers make at the same instant: how many are not one customer."""
    names = [[f"{prefix}{group}-{n}" for n in range(WORKERS + 1)] for group in range(groups)]
    tell(*(said(f"birth/{name}", name) for group in names for name in group))
    pool.each(work, [[(group[n], group[n + 1]) for n in range(WORKERS)] for group in names])
    homes: dict[str, set[int]] = {}
    for value, customer in Identity.objects.filter(value__startswith=prefix).values_list("value", "customer_id"):
        homes.setdefault(value.removeprefix(prefix).split("-")[0], set()).add(customer)
    assert len(homes) == groups
    return sum(len(one) > 1 for one in homes.values())


# The same history twice


def forget() -> None:
    with cursor() as sql:
        sql.execute(r"SELECT tablename FROM pg_tables WHERE tablename ~ '^(channels|customers)_'")
        tables = ", ".join(sorted(row[0] for row in sql.fetchall()))
        sql.execute(f"TRUNCATE {tables} CASCADE".encode())
    make_source("push", "bench", region="RU")


def accept_history(events: int) -> None:
    """Persons with a phone, an address and a chat: most events name one of them, a fifth name two."""
    chance = random.Random(4)
    source = Source.objects.get(slug="bench")
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    rows = []
    for n in range(events):
        person = int(PERSONS * chance.random() ** 2)
        mine = [
            ("phone", f"+7912{person:07}"),
            ("email", f"ada{person}@mail.example"),
            ("telegram", f"{70_000 + person}"),
        ]
        chosen = chance.sample(mine, 2 if chance.random() < 0.2 else 1)
        event = {
            "id": f"event-{n}",
            "channel": "sms",
            "kind": "message",
            "direction": "inbound",
            "occurred_at": (begin + timedelta(minutes=n)).isoformat(),
            "customer": {"identifiers": [{"kind": kind, "value": value} for kind, value in chosen]},
            "text": f"Where is my order {n}?",
        }
        rows.append(Pushed(source.pk, str(event["id"]), "main", 0, orjson.dumps(event)))
    for start in range(0, events, 1_000):
        accept_pushes(rows[start : start + 1_000], key_id=1, received_at=datetime.now(UTC))
    with cursor() as sql:
        sql.execute("ANALYZE")


def drain_with(number: int, on: bool) -> None:
    settings.CXHUB_RULES = on
    while drain():
        pass
    settings.CXHUB_RULES = True


def all_recorded(events: int) -> None:
    for _ in range(50):
        if not Delivery.objects.filter(state__in=Delivery.OPEN).exists():
            break
        time.sleep(0.1)
    assert Interaction.objects.count() == events
