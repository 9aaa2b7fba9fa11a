"""The sources and keys of a run, made by the service's own code."""

from dataclasses import dataclass

from channels.models import Source
from channels.sources import make_source
from customers.access import issue_key
from tests.bench.history import SOURCE, SOURCE_ID

TELEGRAM_SECRET = "not-a-secret-of-anybody"


@dataclass(frozen=True, slots=True)
class Access:
    """What a client needs to be let in."""

    read: str
    ingest: str
    telegram: Source


def grant() -> Access:
    source = make_source("push", SOURCE, region="RU")
    assert source.pk == SOURCE_ID, source.pk
    telegram = make_source("telegram", "bot", secrets={"secret_token": TELEGRAM_SECRET})
    _, read = issue_key("bench reads", ["read"])
    _, ingest = issue_key("bench pushes", ["ingest"], source=SOURCE)
    return Access(read, ingest, telegram)
