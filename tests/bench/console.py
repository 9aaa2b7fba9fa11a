"""Figure 6: the agents' console: a heavy card, the bytes of its first view, finding as one types, staying live."""

import gzip
import re
import time
from statistics import quantiles
from urllib.parse import quote, urljoin

import psutil
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group, User
from django.db import connections
from django.utils.crypto import get_random_string

from customers.console.timelines import FIRST
from customers.signin.sessions import SessionStore
from tests.bench.access import Access
from tests.bench.client import Clients, Connection, request
from tests.bench.figures import Figure, syncs
from tests.bench.history import History, Person
from tests.bench.servers import Bench, Database

HEAVY = 50_000
CONNECTIONS = 16
"""Of the web processes: each plans a statement five times before it keeps the plan, once in its life."""
POLLS_A_MINUTE = 30
TYPED = 24
GZIP = "gzip, deflate, br"
PLACES = re.compile(r'(?:<link[^>]*\shref|<script[^>]*\ssrc|<img[^>]*\ssrc|<use\s+href)="([^"#]+)')
MORE = """
INSERT INTO customers_interaction ({columns})
SELECT {values} FROM customers_interaction t JOIN customers_identity i ON i.id = t.identity_id
 CROSS JOIN generate_series(1, %(times)s) AS n WHERE i.customer_id = %(customer)s LIMIT %(wanted)s
"""
COUNTED = """
INSERT INTO customers_contactcount (identity_id, channel, month, count)
SELECT t.identity_id, t.channel, date_trunc('month', t.sorted_at AT TIME ZONE 'UTC')::date, count(*)
  FROM customers_interaction t JOIN customers_identity i ON i.id = t.identity_id WHERE i.customer_id = %(customer)s
 GROUP BY 1, 2, 3
    ON CONFLICT (identity_id, channel, month) DO UPDATE SET count = excluded.count
"""


def grow(db: Database, person: Person, wanted: int) -> int:
    """Give a customer more contacts, in front of those that he has; how many there are then."""
    mine = "SELECT count(*) FROM customers_interaction t JOIN customers_identity i ON i.id = t.identity_id"
    at = {"customer": person.number}
    (have,) = db.execute(f"{mine} WHERE i.customer_id = %(customer)s".encode(), at).fetchone() or (0,)
    if have < wanted:
        columns = [name for (name,) in db.execute(COLUMNS).fetchall()]
        earlier = {name: f"t.{name} - n * interval '1000 days'" for name in ("sorted_at", "occurred_at", "recorded_at")}
        fresh = {"id": "gen_random_uuid()", "origin": "gen_random_uuid()", **earlier}
        values = ", ".join(fresh.get(name, f"t.{name}") for name in columns)
        statement = MORE.format(columns=", ".join(columns), values=values)
        db.execute(statement.encode(), {**at, "wanted": wanted - have, "times": -(-wanted // have)})
        db.execute(COUNTED, at)
        db.execute("VACUUM (ANALYZE) customers_interaction")
        (have,) = db.execute(f"{mine} WHERE i.customer_id = %(customer)s".encode(), at).fetchone() or (0,)
    assert have >= wanted, f"{have} contacts, wanted {wanted}"
    return int(have)


COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_name = 'customers_interaction'"


def signed_in() -> str:
    """The cookies of an agent, as his browser has them after he signed in."""
    user = User.objects.create_user("bench")
    user.groups.add(Group.objects.get_or_create(name="agent")[0])
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    connections.close_all()
    forms = f"{settings.CSRF_COOKIE_NAME}={get_random_string(32)}"
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}; {forms}"


def asked(path: str, cookie: str, **headers: str) -> bytes:
    return request("GET", path, b"", Cookie=cookie, Accept_Encoding=GZIP, **headers)


def measure(
    bench: Bench, clients: Clients, access: Access, history: History, *, rounds: int, seconds: float
) -> list[Figure]:
    person, cookie = history.people[0], signed_in()
    with bench.connect() as db:
        contacts = grow(db, person, HEAVY if history.scale >= HEAVY else 2 * history.sizes[0])
    path = f"/customers/{person.public_id}"
    found = [opened(bench, clients, access, path, cookie, contacts, rounds=rounds, seconds=seconds)]
    found.append(first_view(bench, path, cookie))
    found.append(typed(bench, history, cookie, rounds=rounds))
    found += staying(bench, path, cookie, rounds=rounds)
    bench.alive()
    return found


def opened(
    bench: Bench,
    clients: Clients,
    access: Access,
    path: str,
    cookie: str,
    contacts: int,
    *,
    rounds: int,
    seconds: float,
) -> Figure:
    """Card and first page as a browser asks for them, over the API's first page of the same customer."""
    figure = Figure(
        f"(6) card and first page, {contacts:,} contacts, over the API's timeline read", "pages/s", 1 / 3, digits=1
    )
    port = bench.place.port
    page = asked(path, cookie)
    key = f"Bearer {access.read}"
    read = request("GET", f"/api/v1{path}/timeline", Authorization=key, Accept_Encoding=GZIP)
    html = gzip.decompress(Connection(port).ask(page, 200)).decode()
    assert html.count("<article") == FIRST, html.count("<article")
    for cold in (read, page):
        clients.run(port, [cold] * CONNECTIONS, seconds=2 * seconds)
    for _ in range(rounds):
        bench.idle()
        floor = clients.run(port, [read] * 4, seconds=seconds).rate
        figure.round(clients.run(port, [page] * 4, seconds=seconds).rate, floor, syncs(bench.var))
    return figure


def first_view(bench: Bench, path: str, cookie: str) -> Figure:
    """All that a browser with an empty cache fetches before the card is whole; heads count, too."""
    figure = Figure("bytes over the wire of its first view, all included", "kB", most=100, digits=1)
    connection = Connection(bench.place.port)
    html = gzip.decompress(connection.ask(asked(path, cookie), 200)).decode()
    places = sorted({urljoin(path, place) for place in PLACES.findall(html)})
    assert any(place.endswith(".css") for place in places), places
    assert any(place.endswith(".js") for place in places), places
    connection.close()
    whole = sum(weight(bench, asked(place, cookie)) for place in [path, *places])
    figure.ours.append(whole / 1000)
    return figure


def weight(bench: Bench, what: bytes) -> int:
    """Bytes of the answer, its head included."""
    connection = Connection(bench.place.port)
    connection.socket.sendall(what.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
    size, head = 0, b""
    while chunk := connection.socket.recv(262_144):
        size += len(chunk)
        head = head or chunk[:12]
    connection.close()
    assert head.endswith(b"200"), (head, what)
    return size


def prefixes(history: History) -> list[str]:
    """What is in the field, letter by letter: half a number, a name, an address."""
    people = [history.people[place] for place in history.traffic[:TYPED]]
    found = []
    for person in people:
        digits = dict(person.handles).get("phone", f"+79{120_000_000 + person.number}")[-7:]
        name = f"Клиент {person.number}"
        found += [digits[:length] for length in range(3, 8)] + [name[:length] for length in range(3, len(name) + 1, 2)]
    return found


def typed(bench: Bench, history: History, cookie: str, *, rounds: int) -> Figure:
    """One agent types; each letter is answered before the next is sent."""
    figure = Figure(f"find as one types, p95, at {history.scale:,} contacts", "ms", most=100, digits=1)
    connection = Connection(bench.place.port)
    asks = [asked(f"/?q={quote(one)}", cookie, HX_Request="true") for one in prefixes(history)]
    for one in asks[:10]:
        connection.ask(one, 200)
    for _ in range(rounds):
        bench.idle()
        took = []
        for one in asks:
            begun = time.perf_counter()
            connection.ask(one, 200)
            took.append(time.perf_counter() - begun)
        figure.ours.append(quantiles(took, n=20)[-1] * 1000)
        figure.syncs.append(syncs(bench.var))
    connection.close()
    return figure


def staying(bench: Bench, path: str, cookie: str, *, rounds: int) -> list[Figure]:
    """What one open card costs in a minute in which nothing happens: it asks every two seconds."""
    size = Figure(f"an open card, a minute, {POLLS_A_MINUTE} requests: bytes", "kB", digits=1)
    work = Figure("the same: processor time of web and PostgreSQL", "ms", digits=0)
    connection = Connection(bench.place.port)
    html = gzip.decompress(connection.ask(asked(path, cookie), 200)).decode()
    since = re.search(r'data-since="([^"]+)"', html)
    assert since
    news = f"{path}/news?&since={since[1]}"
    ask = asked(news, cookie, HX_Request="true", If_None_Match=f'"{since[1]}"')
    for _ in range(rounds):
        begun, polls = spent(bench), 5 * POLLS_A_MINUTE
        for _ in range(polls):
            connection.socket.sendall(ask)
            head = connection.socket.recv(65_536)
            assert head.startswith(b"HTTP/1.1 304"), head[:200]
        work.ours.append((spent(bench) - begun) * 1000 * POLLS_A_MINUTE / polls)
        size.ours.append((len(head) + len(ask)) * POLLS_A_MINUTE / 1000)
    connection.close()
    return [size, work]


def spent(bench: Bench) -> float:
    """Processor seconds of the web server with its workers, and of PostgreSQL."""
    roots = [psutil.Process(pid) for pid in (bench.children["web"].pid, *bench.servers.pids.values()) if pid]
    trees = [one for root in roots for one in (root, *root.children(recursive=True))]
    return float(sum(sum(one.cpu_times()[:2]) for one in trees if one.is_running()))
