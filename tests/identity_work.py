"""What workers do to identities: events, joins, merges and undos, each as its callers would do it."""

import os
import random
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import psycopg
from django.db import connections

from channels.accepting import Pushed, accept_pushes
from channels.draining import drain
from channels.models import Source
from customers import merging, reassigning, sharing
from customers.incoming import ChannelEvent, Handle, Trust
from customers.merging import Refused
from customers.reassigning import NotReleased
from customers.recording import Outcome, attempt, record
from customers.sql import cursor
from tests.workers import meet

SOURCE, SLUG = 7, "shop"
Names = Sequence[str]
AT = datetime(2026, 3, 2, tzinfo=UTC)
HOURS = 48


def said(key: str, *names: str, trust: Trust = Trust.ASSERTED) -> ChannelEvent:
    """A message that came with these ids, which are devices' or chats' by what they begin with."""
    handles = tuple(Handle("telegram" if name.isdigit() else "device", name, "", trust) for name in names)
    return ChannelEvent(
        source_id=SOURCE,
        source=SLUG,
        key=key,
        received_at=AT,
        channel="sms",
        kind="message",
        direction="inbound",
        handles=handles,
        text=key,
    )


def tell(*events: ChannelEvent) -> list[Outcome]:
    told: list[Outcome] = []
    record([[event] for event in events], lambda _, outcomes: told.extend(outcomes))
    return told


def link_one_by_one(number: int, groups: Sequence[Sequence[Names]]) -> None:
    """Of each group the pair that is this worker's, at the same instant as all others link theirs."""
    for place, pairs in enumerate(groups):
        meet()
        if number < len(pairs):
            tell(said(f"{place}/{number}/{'+'.join(pairs[number])}", *pairs[number]))


def link_in_batches(number: int, groups: Sequence[Sequence[Names]]) -> None:
    """The same as a drain does it: many groups in one transaction."""
    tell(*(said(f"{place}/{number}", *pairs[number]) for place, pairs in enumerate(groups) if number < len(pairs)))


def come_in(number: int, names: Names, events: int) -> None:
    for n in range(events):
        tell(said(f"in/{number}/{n}", names[(number + n) % len(names)]))


def home(name: str) -> int:
    """The customer that stands for whoever has this id."""
    with cursor() as sql:
        sql.execute("SELECT customer_id FROM customers_identity WHERE value = %s", (name,))
        row = sql.fetchone()
    assert row is not None
    return int(row[0])


def merge(one: str, other: str) -> int | None:
    """As the API does it: the customers are looked up anew at each try."""
    return attempt(lambda: merging.merge(home(one), home(other), reason="race", by="agent").link)


def undo(link: int) -> None:
    attempt(lambda: merging.undo(link, by="agent", reason="race"))


def split(name: str) -> None:
    """Cut one id off, if it is not alone."""

    def work() -> None:
        with cursor() as sql:
            sql.execute("SELECT id, customer_id FROM customers_identity WHERE value = %s", (name,))
            row = sql.fetchone()
        assert row is not None
        try:
            merging.split(row[1], [row[0]], to=None, by="agent", reason="race")
        except Refused:
            return

    attempt(work)


def release_again_and_again(number: int, name: str, times: int) -> None:
    """Whoever has this id now had it until some time of those at which contacts are made."""
    chance = random.Random(f"release/{number}")
    for _ in range(times):
        with cursor() as sql:
            sql.execute("SELECT id FROM customers_identity WHERE value = %s ORDER BY generation DESC LIMIT 1", (name,))
            (identity,) = sql.fetchone() or (0,)
        with suppress(NotReleased):
            reassigning.release(identity, AT + timedelta(minutes=chance.randrange(HOURS * 60)))


def share_again_and_again(number: int, name: str, times: int) -> None:
    with cursor() as sql:
        sql.execute("SELECT id FROM customers_identity WHERE value = %s", (name,))
        (identity,) = sql.fetchone() or (0,)
    for n in range(times):
        change = sharing.unshare if (number + n) % 2 else sharing.share
        attempt(lambda change=change: change(identity))  # type: ignore[misc]


def come_at_all_times(number: int, names: Names, events: int) -> None:
    """Contacts by one or two of these ids, made at times between which an id may have changed hands."""
    chance = random.Random(f"come/{number}")
    for n in range(events):
        by = chance.sample(names, chance.choice((1, 1, 2)))
        moment = AT + timedelta(minutes=chance.randrange(HOURS * 60))
        tell(replace(said(f"at/{number}/{n}", *by), received_at=moment))


def merge_and_undo(number: int, one: str, other: str, times: int) -> None:
    for _ in range(times):
        link = merge(one, other)
        if link is not None and number % 2 == 0:
            undo(link)


def link_again_and_again(number: int, one: str, other: str, times: int) -> None:
    for n in range(times):
        tell(said(f"link/{number}/{n}", one, other))


def in_turn(number: int, jobs: Sequence[Callable[..., Any]]) -> Any:
    """Each worker another job."""
    return jobs[number % len(jobs)](number)


def killed_at(statement: int, work: Callable[[], object]) -> bool:
    """Do it in a fork that is killed before this statement (or commit); False if it was through before."""
    connections.close_all()
    child = os.fork()
    if not child:
        try:
            arm(statement)
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "it failed by itself"
    return os.WIFSIGNALED(status)


def arm(statement: int) -> None:
    left = [statement]

    def counted(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return call(*args, **kwargs)

    for owner, name in ((psycopg.Cursor, "execute"), (psycopg.Connection, "commit")):
        call = getattr(owner, name)
        setattr(owner, name, lambda *args, call=call, **kwargs: counted(call, *args, **kwargs))


def kill_every_drain(cases: int) -> int:
    """A contact is stored, and whoever works it off is killed at its n-th statement; how many were killed."""
    source = Source.objects.get(slug=SLUG)
    killed = []
    for n in range(cases):
        identifiers = [{"kind": "device", "value": f"{name}-{n}"} for name in "abd"]
        event = {"channel": "sms", "kind": "message", "direction": "inbound", "occurred_at": AT.isoformat()}
        body = orjson.dumps({**event, "id": f"join/{n}", "customer": {"identifiers": identifiers}, "text": "join"})
        accept_pushes([Pushed(source.pk, f"join/{n}", "main", 0, body)], key_id=1, received_at=datetime.now(UTC))
        killed.append(killed_at(n, drain))
    assert killed == sorted(killed, reverse=True), "a statement more is killed later"
    return sum(killed)


def kill_everywhere(works: Sequence[Callable[[], object]]) -> int:
    """The n-th work is killed at its n-th statement, then done again; how many were killed."""
    killed = [killed_at(statement, work) for statement, work in enumerate(works)]
    for work in works:
        work()
    assert killed == sorted(killed, reverse=True), "a statement more is killed later"
    return sum(killed)
