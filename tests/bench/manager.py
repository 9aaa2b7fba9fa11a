"""Figure 7, the manager's page: what it asks, over the rows that five million lines make, real ones or made up."""

import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from customers.experience.answertimes import answers, effort_and_score, promised
from customers.experience.churn import churn
from customers.experience.journeymap import journey_map
from customers.experience.losing import losing
from customers.experience.periods import Period
from customers.experience.scoreboard import board
from customers.sql import Cursor, cursor
from tests.bench.figures import Figure
from tests.bench.history import History
from tests.bench.loading import unsaid
from tests.bench.servers import Database

LINES = 5_000_000
SMALL, FEWER = 20_000, 100
"""For a history below so many lines a hundredth of these rows is made."""
REAL = 1_000_000
"""From so many lines on the manager's page is read over what they themselves fold into, and nothing is made up."""
SURVEYS = b"""
UPDATE customers_interaction t SET kind = 'survey', direction = 'inbound', agent = NULL,
       details = json_build_object('score', CASE get_byte(decode(md5(t.id::text), 'hex'), 1) % 3
           WHEN 0 THEN json_build_object('metric', 'nps', 'value', get_byte(decode(md5(t.id::text), 'hex'), 2) % 11)
           WHEN 1 THEN json_build_object('metric', 'csat', 'value', 1 + get_byte(decode(md5(t.id::text), 'hex'), 2) % 5)
           ELSE json_build_object('metric', 'ces', 'value', 1 + get_byte(decode(md5(t.id::text), 'hex'), 2) % 7) END)
 WHERE get_byte(decode(md5(t.id::text), 'hex'), 0) < 13 AND t.kind = 'message'
"""
"""Every twentieth message was the answer to a survey."""


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def filled(db: Database, table: str, given: dict[str, str], n: int) -> None:
    """`n` rows from expressions over `n`; what nobody gives is as the model has it."""
    left = unsaid(table, list(given)).items()
    more = {name: f"'{value}'" if isinstance(value, str) else str(value) for name, value in left}
    columns = {**more, **given}
    names, values = ", ".join(columns), ", ".join(columns.values())
    db.execute(f"INSERT INTO {table} ({names}) SELECT {values} FROM generate_series(1, {n}) AS n".encode())
    db.execute(f"VACUUM (ANALYZE) {table}".encode())


def company(db: Database, history: History, *, rounds: int) -> list[Figure]:
    """The manager's page over the rows that five million lines make."""
    row = db.execute("SELECT count(*) FROM customers_touch").fetchone()
    lines = LINES // (1 if history.scale >= SMALL else FEWER)
    touches = int((row or (0,))[0] * lines / history.scale)
    scores = lines // 20
    if history.scale < REAL:
        made_up(db, touches, scores)
    else:
        touches = (row or (0,))[0]
        (scores,) = db.execute("SELECT count(*) FROM customers_score").fetchone() or (0,)
        db.execute(b"VACUUM (ANALYZE)")
    return company_read(touches, scores, rounds=rounds)


def made_up(db: Database, touches: int, scores: int) -> None:
    """So many rows without their lines."""
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


def company_read(touches: int, scores: int, *, rounds: int) -> list[Figure]:
    end = datetime.now(UTC)
    whole = Period(end - timedelta(days=365), end, "month", ZoneInfo("UTC"))
    found = []
    works: dict[str, Callable[[Any], object]] = {
        f"(7) scores of a year by stage, channel, agent and month, {scores:,} answers": lambda sql: board(sql, whole),
        f"(7) the journey map of three years, {touches:,} touches": lambda sql: journey_map(
            sql, end - timedelta(days=1095), end
        ),
        "(7) where and why customers are lost": lambda sql: losing(sql, whole),
        "(7) how long they waited, a year": lambda sql: answers(sql, whole),
        "(7) all numbers of the manager's page, a year": lambda sql: everything(sql, whole),
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


def everything(sql: Cursor, whole: Period) -> None:
    """What `/experience` asks."""
    board(sql, whole)
    churn(sql, whole)
    answers(sql, whole)
    losing(sql, whole)
    promised(sql, whole)
    journey_map(sql, whole.since, whole.until)
    effort_and_score(sql, whole)
