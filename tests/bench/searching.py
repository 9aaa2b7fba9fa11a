"""Figure 4: words and numbers, over everybody's contacts and inside one timeline."""

import random
from collections.abc import Callable
from statistics import quantiles
from urllib.parse import quote

import orjson

from tests.bench import wording
from tests.bench.access import Access
from tests.bench.client import Connection, request
from tests.bench.figures import Figure, syncs
from tests.bench.growing import one_by_one
from tests.bench.history import History, Person
from tests.bench.reading import choices
from tests.bench.servers import Bench, Database

ASKED = 60
LANGUAGE = "ru"
NUMBERS = (
    "SELECT substring(text from 'AB-[0-9]+') FROM customers_interaction TABLESAMPLE SYSTEM (%s) WHERE text ~ 'AB-'"
)


def shares() -> dict[str, float]:
    """How many of all contacts hold a word: a text is two of its language's sentences."""
    sentences = wording.sentences(LANGUAGE)
    spoken = wording.LANGUAGES.count(LANGUAGE) / len(wording.LANGUAGES)
    held: dict[str, int] = {}
    for sentence in sentences:
        for word in set(sentence.casefold().replace(".", "").split()):
            held[word] = held.get(word, 0) + 1
    return {word: spoken * (1 - (1 - count / len(sentences)) ** 2) for word, count in held.items()}


def words(db: Database, history: History) -> dict[str, list[str]]:
    """What is asked for, by how rare it is. Words without a meaning of their own are left out, as the index does."""
    found = sorted(shares().items(), key=lambda item: item[1])
    rng = random.Random("searches")
    long = [(word, share) for word, share in found if len(word) >= 5]
    some = [row[0] for row in db.execute(NUMBERS, (min(100, 100 * 20_000 / history.scale),)).fetchall()]
    return {
        "a rare word": rng.sample([word for word, share in long if share < 0.0006], ASKED),
        "a word in 1 % of all": [word for word, share in long if 0.007 < share < 0.014][:ASKED],
        "the most common words": [word for word, _ in long[-8:]],
        "an order's number": rng.sample(some, min(ASKED, len(some))),
    }


def measure(bench: Bench, access: Access, history: History, *, rounds: int) -> list[Figure]:
    """One agent asks; each answer is waited for."""
    key, people = f"Bearer {access.read}", choices(history)["traffic-weighted"][:ASKED]

    def everywhere(word: str, _: Person) -> bytes:
        return request("GET", f"/api/v1/search?q={quote(word)}", Authorization=key)

    def inside(word: str, person: Person) -> bytes:
        return request("GET", f"/api/v1/customers/{person.public_id}/timeline?q={quote(word)}", Authorization=key)

    where: dict[str, Callable[[str, Person], bytes]] = {"over all": everywhere, "inside one timeline": inside}
    with bench.connect() as db:
        asked = words(db, history)
    figures = []
    for place, ask in where.items():
        for what, these in asked.items():
            figure = Figure(f"(8) search at {history.scale:,} contacts, {place}: {what}, p95", "ms", digits=1)
            asks = [ask(these[number % len(these)], people[number % len(people)]) for number in range(ASKED)]
            if place == "over all":
                finds(bench.place.port, asks[0])
            one_by_one(bench.place.port, asks[:5])
            for _ in range(rounds):
                bench.idle()
                figure.ours.append(quantiles(one_by_one(bench.place.port, asks), n=20)[-1])
                figure.syncs.append(syncs(bench.var))
            figures.append(figure)
    return figures


def finds(port: int, ask: bytes) -> None:
    connection = Connection(port)
    assert orjson.loads(connection.ask(ask, 200))["results"], ask
    connection.close()
