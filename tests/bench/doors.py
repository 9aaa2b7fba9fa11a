"""Figure 4: what a provider's bytes cost to parse, and webhooks accepted over single pushes accepted."""

import itertools
import json
import time
from collections.abc import Iterator
from uuid import UUID

import orjson

from channels.provider import SourceInfo, StoredDelivery
from channels.providers import PROVIDERS
from tests.bench.access import TELEGRAM_SECRET, Access
from tests.bench.client import Clients, request
from tests.bench.figures import Figure, syncs
from tests.bench.history import SOURCE, SOURCE_ID
from tests.bench.loading import counts
from tests.bench.pushing import drained
from tests.bench.servers import Bench
from tests.bench.stream import Stream, pushes
from tests.test_payloads import PAYLOADS, RECEIVED_AT, REFUSALS, delivery_of, parsed, payloads

BAR = 0.7
MOST_A_SECOND = 4_000
CHAT = 7_000_000_000


def deliveries(stream: Stream) -> Iterator[tuple[str, StoredDelivery]]:
    """Every payload of the tests that says something, and as many pushed events."""
    for path in payloads():
        delivery = delivery_of(path)
        try:
            parsed(delivery)
        except REFUSALS:
            continue
        yield path.parent.name, delivery
    source = SourceInfo(SOURCE_ID, SOURCE, "push", "RU")
    for event in stream.events(100):
        yield "push", StoredDelivery(UUID(int=1), source, orjson.dumps(event.said), {}, RECEIVED_AT)


def parses(stream: Stream, *, rounds: int) -> list[Figure]:
    """Microseconds a delivery by provider, each round over all of its payloads."""
    found = []
    sets = {
        name: [one for _, one in some] for name, some in itertools.groupby(deliveries(stream), lambda pair: pair[0])
    }
    for name, some in sets.items():
        figure = Figure(f"(4) parse, {PROVIDERS[name].label}, {len(some)} payloads", "µs each", digits=1)
        for _ in range(max(rounds, 3)):
            begun = time.perf_counter()
            for delivery in some:
                assert parsed(delivery) is not None
            figure.ours.append((time.perf_counter() - begun) / len(some) * 1e6)
        found.append(figure)
    return found


def updates(access: Access) -> Iterator[bytes]:
    """Telegram's updates, each another message of one of many chats, with the secret that it sends along."""
    update = json.loads((PAYLOADS / "telegram" / "message__reply.json").read_text())
    path = access.telegram.hook_url.partition("/hooks/")[2]
    for number in itertools.count(1):
        person = CHAT + number % 500
        update["update_id"] = number
        update["message"]["message_id"] = number
        update["message"]["from"]["id"] = update["message"]["chat"]["id"] = person
        body = orjson.dumps(update)
        headers = {"X_Telegram_Bot_Api_Secret_Token": TELEGRAM_SECRET, "Content_Type": "application/json"}
        yield request("POST", f"/hooks/{path}", body, **headers)


def accepts(
    bench: Bench, clients: Clients, access: Access, stream: Stream, *, rounds: int, seconds: float
) -> list[Figure]:
    """At the doors alone: nobody drains meanwhile, and everything is recorded afterwards."""
    figure = Figure("(4) webhooks accepted (Telegram, signed) over single pushes accepted", "accepts/s", BAR)
    port, most = bench.place.port, int(MOST_A_SECOND * seconds)
    source = updates(access)
    with bench.connect() as db:
        before = counts(db, "channels_delivery", "customers_interaction")
        asked = 0
        for round_ in range(rounds + 1):
            bench.idle()
            single = clients.run(
                port, pushes(stream.events(most, only="known"), access, 1), status=202, seconds=seconds
            )
            webhook = clients.run(port, list(itertools.islice(source, most)), seconds=seconds)
            asked += len(single.latencies) + len(webhook.latencies)
            if round_:
                figure.round(webhook.rate, single.rate, syncs(bench.var))
        found = {table: count - before[table] for table, count in counts(db, *before).items()}
        assert found == {"channels_delivery": asked, "customers_interaction": 0}, f"{found}, asked {asked} times"
        bench.start("worker", "sweep")
        drained(db)
        lines = counts(db, *before)["customers_interaction"] - before["customers_interaction"]
        assert lines == asked, f"{lines} lines for {asked} deliveries"
        states = db.execute(
            "SELECT state, count(*) FROM channels_delivery WHERE source_id = %s GROUP BY 1", (access.telegram.pk,)
        ).fetchall()
        assert [state for state, _ in states] == ["recorded"], states
    bench.alive()
    bench.stop("worker", "sweep")
    return [figure]
