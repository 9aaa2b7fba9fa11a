"""Figure 7: the experience: folds of a long history, the brief, due promises, ingestion; see also `manager`."""

import io
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles

from django.core.management import call_command
from django.db import connections

from customers.experience.folding import fold_customers
from customers.experience.following import follow
from customers.experience.framing import frame
from customers.experience.owed import OVERDUE, owed, promise_counts
from customers.sql import cursor
from tests.bench.access import Access
from tests.bench.client import Clients, request
from tests.bench.console import HEAVY, grow
from tests.bench.figures import Figure, syncs
from tests.bench.history import History, Person
from tests.bench.manager import FEWER, REAL, SMALL, SURVEYS, company, filled, timed
from tests.bench.pushing import BATCH, push
from tests.bench.reading import choices, page
from tests.bench.servers import Bench, Database
from tests.bench.stream import Stream

OVER = 1 / 3
"""A brief may cost three times what a page of the timeline costs."""
SLOWER = 0.9
"""Of the events a second that come in while nobody follows, so many must still come in."""
PROMISES = 1_000_000
ROOT = Path(__file__).resolve().parents[2]
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
        if history.scale >= REAL:
            db.execute(SURVEYS)
        found = [everybody(history, processes=2 if history.scale >= REAL else 1)]
        found += folds(heaviest, contacts, rounds=rounds)
        connections.close_all()
        found += briefs(bench, clients, access, history, contacts, rounds=rounds, seconds=seconds)
        found += due(db, PROMISES // (1 if history.scale >= SMALL else FEWER), rounds=rounds)
        found += company(db, history, rounds=rounds)
        connections.close_all()
        found += beside(bench, clients, access, stream, db, rounds=rounds, batches=batches)
    bench.alive()
    return found


def everybody(history: History, processes: int = 1) -> Figure:
    """All lines once, as `rebuild_experience` does it."""
    figure = Figure(f"(7) fold everybody's lines from the beginning, {processes} process(es)", "lines/s")
    command = [sys.executable, str(ROOT / "manage.py"), "rebuild_experience", "--quiet"]

    def work() -> None:
        if processes == 1:
            call_command("rebuild_experience", quiet=True, stdout=io.StringIO())
            return
        shares = [[*command, "--part", f"{mine}/{processes}"] for mine in range(1, processes + 1)]
        running = [subprocess.Popen(share, stdout=subprocess.DEVNULL) for share in shares]
        assert [one.wait() for one in running] == [0] * processes

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
