"""Figure 2: pushed events until they are visible, over one connection's INSERTs of the same rows."""

import random
import time
from collections import Counter
from collections.abc import Sequence

from customers.incoming import line_id
from tests.bench.access import Access
from tests.bench.client import Clients, Connection
from tests.bench.figures import Figure, syncs
from tests.bench.history import SOURCE_ID, History
from tests.bench.loading import SLOW_TO_KEEP, counts
from tests.bench.reading import page
from tests.bench.servers import Bench, Database
from tests.bench.stream import Event, Stream, pushes

BATCH = 500
BAR = 0.25
COPY = "bench_copy"
PATIENCE = 600
OPEN = "SELECT 1 FROM channels_delivery WHERE state IN ('accepted', 'waiting') LIMIT 1"
GROWING = ("customers_interaction", "customers_customer", "customers_identity", "customers_link", "customers_change")
ROWS = """
SELECT {columns} FROM unnest(%s::uuid[]) WITH ORDINALITY AS x(id, place) JOIN customers_interaction t ON t.id = x.id
 ORDER BY place
"""


def make_copy(db: Database) -> None:
    """A table with the same rows and the same indexes as the timeline's."""
    db.execute(f"CREATE TABLE {COPY} (LIKE customers_interaction INCLUDING DEFAULTS INCLUDING STORAGE)".encode())
    db.execute(f"INSERT INTO {COPY} SELECT * FROM customers_interaction".encode())
    db.execute(b"SET maintenance_work_mem = '512MB'")
    db.execute(f"ALTER TABLE {COPY} ADD PRIMARY KEY (id)".encode())
    for name, definition in db.execute(SLOW_TO_KEEP, ("customers_interaction",)).fetchall():
        db.execute(definition.replace(f" {name} ", f" copy_{name} ").replace("customers_interaction", COPY).encode())
    db.execute(f"VACUUM (ANALYZE) {COPY}".encode())
    indexes = "SELECT count(*) FROM pg_indexes WHERE tablename = %s"
    assert db.execute(indexes, (COPY,)).fetchone() == db.execute(indexes, ("customers_interaction",)).fetchone(), (
        "the copy has other indexes"
    )


def measure(
    bench: Bench, clients: Clients, access: Access, stream: Stream, *, rounds: int, batches: int
) -> tuple[Figure, Figure]:
    """Events until visible over raw rows; and, without a floor, until accepted."""
    visible = Figure(f"(2) events in batches of {BATCH} until visible, over raw INSERTs", "events/s", BAR)
    accepted = Figure("of these: until accepted (202)", "events/s")
    with bench.connect() as db:
        make_copy(db)
        for round_ in range(rounds + 1):
            before, sorts = counts(db, *GROWING), Counter(stream.sorts)
            events = stream.events(batches * BATCH)
            bench.idle()
            came, taken = push(bench, clients, access, events, db)
            expect(db, before, stream.sorts - sorts)
            seen(bench, access, stream.history, events)
            bench.idle()
            raw = insert_raw(bench, [line_id(SOURCE_ID, event.key) for event in events])
            if round_:  # the first one warms up
                disk = syncs(bench.var)
                visible.round(came, raw, disk)
                accepted.ours.append(taken)
                accepted.syncs.append(disk)
    bench.alive()
    return visible, accepted


def push(bench: Bench, clients: Clients, access: Access, events: Sequence[Event], db: Database) -> tuple[float, float]:
    """Events a second until all are visible, and until all are accepted."""
    requests = pushes(events, access, BATCH)
    begun = time.perf_counter()
    clients.run(bench.place.port, requests, status=202)
    accepted = time.perf_counter() - begun
    drained(db)
    return len(events) / (time.perf_counter() - begun), len(events) / accepted


def drained(db: Database) -> None:
    """Wait until no delivery is open: what is recorded was committed together with its lines."""
    deadline = time.perf_counter() + PATIENCE
    while db.execute(OPEN).fetchone():
        assert time.perf_counter() < deadline, "deliveries are still waiting"
        time.sleep(0.01)


def expect(db: Database, before: dict[str, int], sorts: Counter[str]) -> None:
    """Nothing lost, nothing doubled, nobody split."""
    events = sorts.total()
    wanted = {
        "customers_interaction": events,
        "customers_customer": sorts["birth"],
        "customers_identity": sorts["birth"] + sorts["one new"],
        "customers_link": sorts["one new"],
        "customers_change": events + sorts["one new"],
    }
    found = {table: count - before[table] for table, count in counts(db, *before).items()}
    assert found == wanted, f"found {found}, wanted {wanted}"
    states = db.execute("SELECT DISTINCT state FROM channels_delivery WHERE external_id ~ '^s'").fetchall()
    assert states == [("recorded",)], states
    counted = db.execute(
        "SELECT (SELECT sum(count) FROM customers_contactcount) - (SELECT count(*) FROM customers_interaction)"
    ).fetchone()
    assert counted == (0,), f"the counts of contacts are {counted} apart from the lines"


def seen(bench: Bench, access: Access, history: History, events: Sequence[Event]) -> None:
    """A sample of them, where an agent would look: in the timelines of those who do not write every minute."""
    quiet = [event for event in events if event.person.first_identity and history.sizes[event.person.number - 1] < 100]
    connection = Connection(bench.place.port)
    for event in random.Random("sample").sample(quiet, min(20, len(quiet))):
        answer = connection.ask(page(event.person, access, limit=200), 200)
        assert str(line_id(SOURCE_ID, event.key)).encode() in answer, event.said
    connection.close()


def insert_raw(bench: Bench, ids: Sequence[object]) -> float:
    """Rows a second over one psycopg connection, committed by 500, prepared by psycopg as it sees fit."""
    with bench.connect() as db:
        columns = db.execute("SELECT * FROM customers_interaction LIMIT 0").description or []
        shown = (f"t.{one.name}::text" if one.type_display == "jsonb" else f"t.{one.name}" for one in columns)
        rows = db.execute(ROWS.format(columns=", ".join(shown)).encode(), (list(ids),)).fetchall()
        assert len(rows) == len(ids)
        one = f"({', '.join(['%s'] * len(columns))})"
        names = ", ".join(column.name for column in columns)
        statement = f"INSERT INTO {COPY} ({names}) VALUES {', '.join([one] * BATCH)}".encode()
        batches = [[value for row in rows[at : at + BATCH] for value in row] for at in range(0, len(rows), BATCH)]
        before = counts(db, COPY)[COPY]
        begun = time.perf_counter()
        for batch in batches:
            db.execute(statement, batch)
        took = time.perf_counter() - begun
        assert counts(db, COPY)[COPY] - before == len(ids)
    return len(ids) / took
