"""Rounds of operations, and what must hold after the last."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from channels.draining import drain_all
from channels.models import Delivery, Source
from channels.sources import make_source
from customers.incoming import line_id
from customers.sql import Cursor, cursor
from customers.verifying import verify
from tests.invariants import asked, violations
from tests.soak import operations
from tests.support import due_again
from tests.workers import WORKERS, Workers

SETTLED = {Delivery.RECORDED, Delivery.DUPLICATE, Delivery.CONFLICT}


@dataclass
class Report:
    """`wrong` is empty when all is well."""

    done: Counter[str] = field(default_factory=Counter)
    pushed: int = 0
    deadlocks: int = 0
    wrong: list[str] = field(default_factory=list)


def soak(
    pool: Workers, *, seed: str, count: int, share: int = 100, tell: Callable[[str], object] = lambda line: None
) -> Report:
    """`count` operations, `share` of each worker in a round."""
    make_source("push", "soak", region="RU")
    report = Report()
    turns = -(-count // (share * WORKERS))
    for turn in range(turns):
        for done, pushed, failed in pool.each(operations.play, seed, turn, share):
            report.done += done
            report.pushed += pushed
            report.wrong += failed
        played = min((turn + 1) * share * WORKERS, count)
        tell(f"{played:>6} operations, {report.pushed} events, {len(report.wrong)} failed")
    for _ in range(10):
        drain_all(seconds=600)
        due_again()
    with cursor() as sql:
        (report.deadlocks,) = asked(sql, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")[0]
        report.wrong += violations(sql) + lost(sql, turns, report)
    report.wrong += verify().troubles
    return report


def lost(sql: Cursor, turns: int, report: Report) -> list[str]:
    """Every event that was accepted is one line; every note, too."""
    wrong = [
        f"{count} deliveries are {state}: {reason}"
        for state, reason, count in asked(sql, "SELECT state, reason, count(*) FROM channels_delivery GROUP BY 1, 2")
        if state not in SETTLED
    ]
    source = Source.objects.get(slug="soak")
    ids = {row[0] for row in asked(sql, "SELECT id FROM customers_interaction")}
    pushed = {row[0] for row in asked(sql, "SELECT external_id FROM channels_delivery")}
    if len(pushed) != report.pushed:
        wrong.append(f"{len(pushed)} events are stored, {report.pushed} were accepted")
    wrong += [f"event {one} has no line" for one in sorted(pushed) if line_id(source.pk, one) not in ids]
    if len(ids) != len(pushed) + report.done["note"]:
        wrong.append(f"{len(ids)} lines of {len(pushed)} events and {report.done['note']} notes")
    return wrong
