"""Figure 7: the experience: folds of a long history, the brief, due promises, the manager's page, ingestion."""

import resource
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connections

from customers.experience.folding import fold_customers
from customers.experience.following import follow
from customers.experience.framing import frame
from customers.experience.journeymap import journey_map
from customers.experience.losing import losing
from customers.experience.owed import OVERDUE, owed, promise_counts
from customers.experience.periods import Period
from customers.experience.scoreboard import board
from customers.models import Customer
from customers.sql import cursor
from tests.bench.access import Access
from tests.bench.client import Clients, request
from tests.bench.console import HEAVY, grow
from tests.bench.figures import Figure, syncs
from tests.bench.history import History, Person
from tests.bench.loading import unsaid
from tests.bench.pushing import BATCH, push
from tests.bench.reading import choices, page
from tests.bench.servers import Bench, Database
from tests.bench.stream import Stream

OVER = 1 / 3
"""A brief may cost three times what a page of the timeline costs."""
SLOWER = 0.9
"""Of the events a second that come in while nobody follows, so many must still come in."""
PROMISES = 1_000_000
LINES = 5_000_000
SMALL, FEWER = 20_000, 100
"""For a history below so many lines a hundredth of these rows is made."""
AT_ONCE = 100
STARTED = 3.0
"""Seconds after which the follower's process is up: its start is no part of what it costs."""


def measure(
    bench: Bench,
    clients: Clients,
    access: Access,
    history: History,
    stream: Stream,
    *,
    rounds: int,
    seconds: float,
    batches: int,
) -> list[Figure]:
    heaviest = history.people[0]
    with bench.connect() as db:
        contacts = grow(db, heaviest, HEAVY if history.scale >= HEAVY else 2 * history.sizes[0])
        found = [everybody(history)]
        found += folds(heaviest, contacts, rounds=rounds)
        connections.close_all()
        found += briefs(bench, clients, access, history, contacts, rounds=rounds, seconds=seconds)
        found += due(db, PROMISES // (1 if history.scale >= SMALL else FEWER), rounds=rounds)
        found += company(db, history, rounds=rounds)
        connections.close_all()
        found += beside(bench, clients, access, stream, db, rounds=rounds, batches=batches)
    bench.alive()
    return found


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def everybody(history: History) -> Figure:
    """All lines once, as `rebuild_experience` does it."""
    figure = Figure("(7) fold everybody's lines from the beginning", "lines/s")
    of = frame()
    ids = list(Customer.objects.filter(merged_into=None).order_by("id").values_list("id", flat=True))

    def work() -> None:
        for start in range(0, len(ids), AT_ONCE):
            fold_customers(ids[start : start + AT_ONCE], anew=True, of=of)

    with cursor() as sql:
        sql.execute("SELECT count(*) FROM customers_interaction")
        (lines,) = sql.fetchone() or (0,)
    figure.ours.append(lines / timed(work))
    return figure


def folds(person: Person, contacts: int, *, rounds: int) -> list[Figure]:
    """One long history, and the same with one line more."""
    whole = Figure(f"(7) fold {contacts:,} lines of one customer from the beginning", "ms")
    on = Figure("the same from its checkpoint", "ms", digits=1)
    of = frame()
    for _ in range(rounds):
        whole.ours.append(1000 * timed(lambda: fold_customers([person.number], anew=True, of=of)))
        on.ours.append(1000 * timed(lambda: fold_customers([person.number], of=of)))
    return [whole, on]


def brief_of(person: Person, access: Access) -> bytes:
    path = f"/api/v1/customers/{person.public_id}/brief"
    return request("GET", path, Authorization=f"Bearer {access.read}", Accept_Language="ru")


def briefs(
    bench: Bench,
    clients: Clients,
    access: Access,
    history: History,
    contacts: int,
    *,
    rounds: int,
    seconds: float,
) -> list[Figure]:
    """The brief over a page of the timeline of the same customers, and how long it takes."""
    found = []
    many = choices(history)["traffic-weighted"]
    asked: dict[str, Sequence[Person]] = {f"{contacts:,} contacts": [history.people[0]] * 4, "traffic-weighted": many}
    for words, people in asked.items():
        figure = Figure(f"(7) brief, {words}, over the timeline read", "briefs/s", OVER)
        late = Figure("the same, p95", "ms", digits=1)
        ours, floor = [brief_of(one, access) for one in people], [page(one, access) for one in people]
        clients.run(bench.place.port, ours)
        for _ in range(rounds):
            bench.idle()
            read = clients.run(bench.place.port, floor, seconds=seconds).rate
            load = clients.run(bench.place.port, ours, seconds=seconds)
            figure.round(load.rate, read, syncs(bench.var))
            late.ours.append(1000 * quantiles(load.latencies, n=20)[-1])
        found += [figure, late]
    return found


def filled(db: Database, table: str, given: dict[str, str], n: int) -> None:
    """`n` rows from expressions over `n`; what nobody gives is as the model has it."""
    left = unsaid(table, list(given)).items()
    more = {name: f"'{value}'" if isinstance(value, str) else str(value) for name, value in left}
    columns = {**more, **given}
    names, values = ", ".join(columns), ", ".join(columns.values())
    db.execute(f"INSERT INTO {table} ({names}) SELECT {values} FROM generate_series(1, {n}) AS n".encode())
    db.execute(f"VACUUM (ANALYZE) {table}".encode())


def due(db: Database, count: int, *, rounds: int) -> list[Figure]:
    """Many promises, a tenth of which wait; half of those are overdue."""
    at = "now() - interval '300 days' + n * interval '26 seconds'"
    waits = "n % 10 = 0"
    filled(
        db,
        "customers_promise",
        {
            "id": "gen_random_uuid()",
            "customer_id": "1 + n % (SELECT max(id)::int FROM customers_customer)",
            "line_id": "gen_random_uuid()",
            "at": at,
            "made_at": at,
            "due_at": f"CASE WHEN {waits} THEN now() + (n - {count // 2}) * interval '1 second' ELSE {at} END",
            "state": f"CASE WHEN {waits} THEN 'open' ELSE 'kept' END",
            "closed_at": f"CASE WHEN {waits} THEN NULL ELSE {at} END",
            "settled_at": f"CASE WHEN {waits} THEN NULL ELSE {at} END",
            "noted": "'kept'",
            "owner": "'a' || n % 40",
            "what": "'Call back'",
        },
        count,
    )
    page_, counts, scan = (
        Figure(f"(7) a page of overdue promises among {count:,}", "ms", digits=1),
        Figure("the same, counts of all states", "ms", digits=1),
        Figure("the same, one round of the follower with nothing to do", "ms", digits=1),
    )
    follow(60)
    with cursor() as sql:
        for _ in range(rounds):
            page_.ours.append(1000 * timed(lambda: owed(sql, state=OVERDUE)))
            counts.ours.append(1000 * timed(lambda: promise_counts(sql)))
            scan.ours.append(1000 * timed(lambda: follow(1)))
    db.execute(b"DELETE FROM customers_promise")
    db.execute(b"VACUUM customers_promise")
    return [page_, counts, scan]


def company(db: Database, history: History, *, rounds: int) -> list[Figure]:
    """The manager's page over the rows that five million lines make."""
    row = db.execute("SELECT count(*) FROM customers_touch").fetchone()
    lines = LINES // (1 if history.scale >= SMALL else FEWER)
    touches = int((row or (0,))[0] * lines / history.scale)
    scores = lines // 20
    at = f"now() - interval '1000 days' * (n / {scores}.0)"
    filled(
        db,
        "customers_score",
        {
            "id": "gen_random_uuid()",
            "customer_id": "1 + n % (SELECT max(id)::int FROM customers_customer)",
            "line_id": "gen_random_uuid()",
            "at": at,
            "given_at": at,
            "metric": "(ARRAY['nps', 'csat', 'ces'])[1 + n % 3]",
            "value": "CASE n % 3 WHEN 0 THEN n % 11 WHEN 1 THEN 1 + n % 5 ELSE 1 + n % 7 END",
            "low": "CASE n % 3 WHEN 0 THEN 0 ELSE 1 END",
            "high": "CASE n % 3 WHEN 0 THEN 10 WHEN 1 THEN 5 ELSE 7 END",
            "channel": "(ARRAY['phone', 'email', 'telegram', 'web'])[1 + n % 4]",
            "stage": "(ARRAY['before', 'purchase', 'after', 'again'])[1 + n % 4]",
            "agent": "'a' || n % 40",
        },
        scores,
    )
    filled(
        db,
        "customers_touch",
        {
            "customer_id": "1000000000 + n",
            "month": "date_trunc('month', now() - n % 36 * interval '1 month')::date",
            "stage": "(ARRAY['before', 'purchase', 'after', 'again'])[1 + n % 4]",
            "channel": "(ARRAY['phone', 'email', 'telegram', 'store'])[1 + n % 4]",
            "contacts": "2",
            "inbound": "1",
        },
        touches,
    )
    end = datetime.now(UTC)
    whole = Period(end - timedelta(days=365), end, "month", ZoneInfo("UTC"))
    found = []
    works: dict[str, Callable[[Any], object]] = {
        f"(7) scores of a year by stage, channel, agent and month, {scores:,} answers": lambda sql: board(sql, whole),
        f"(7) the journey map of three years, {touches:,} touches": lambda sql: journey_map(
            sql, end - timedelta(days=1095), end
        ),
        "(7) where and why customers are lost": lambda sql: losing(sql, whole),
    }
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with cursor() as sql:
        for words, work in works.items():
            figure = Figure(words, "ms", digits=1)
            figure.ours = [1000 * timed(lambda work=work: work(sql)) for _ in range(rounds)]  # type: ignore[misc]
            found.append(figure)
    more = Figure("the same, memory that this took in the web process", "MiB", digits=1)
    more.ours.append((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
    return [*found, more]


def beside(
    bench: Bench,
    clients: Clients,
    access: Access,
    stream: Stream,
    db: Database,
    *,
    rounds: int,
    batches: int,
) -> list[Figure]:
    """Events until visible while a follower folds behind them, over the same without one."""
    figure = Figure(f"(7) events in batches of {BATCH} with the follower, over without", "events/s", SLOWER)
    bench.start("worker")
    for round_ in range(rounds + 1):
        caught_up()
        bench.idle()
        alone, _ = push(bench, clients, access, stream.events(batches * BATCH), db)
        caught_up()
        bench.follow()
        time.sleep(STARTED)
        bench.idle()
        followed, _ = push(bench, clients, access, stream.events(batches * BATCH), db)
        bench.stop("follower")
        if round_:
            figure.round(followed, alone, syncs(bench.var))
    behind = Figure("the same, folded afterwards", "lines/s")
    lines = batches * BATCH  # of the last round, less what was folded meanwhile
    behind.ours.append(lines / timed(caught_up))
    bench.stop("worker")
    return [figure, behind]


def caught_up() -> None:
    while follow(60):
        pass
