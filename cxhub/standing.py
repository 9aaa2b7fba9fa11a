"""How things stand in and around the database, asked at every scrape: counts end at a limit and stay cheap."""

from collections.abc import Iterable

import redis
from django.conf import settings
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from channels.console.sources import LAST, LATELY, QUIET, TIMES
from customers import replica
from customers.experience.following import FEED
from customers.sql import cursor
from cxhub import health

MOST = 100_000
"""Counted up to here: this many, or more."""
SOURCES_TOLD = 500

# Each state has a narrow index of its own or is open; failing ones are tried alone.
DELIVERIES = f"""
SELECT s.state, (SELECT count(*) FROM (SELECT FROM channels_delivery d WHERE d.state = s.state
                    AND d.state IN ('waiting', 'conflict', 'unsupported', 'quarantined') LIMIT {MOST}) x)
  FROM unnest(ARRAY['waiting', 'conflict', 'unsupported', 'quarantined']) AS s(state)
 UNION ALL
SELECT CASE WHEN o.failed THEN 'failing' ELSE 'accepted' END, count(*) FROM (
       SELECT failed FROM channels_delivery WHERE state = 'accepted' LIMIT {MOST}) o
 GROUP BY 1
"""
STATES = ("accepted", "failing", "waiting", "conflict", "unsupported", "quarantined")
QUEUES = f"""
SELECT (SELECT count(*) FROM (SELECT FROM customers_candidate WHERE state = 'open' LIMIT {MOST}) x),
       (SELECT count(*) FROM (SELECT FROM customers_attachment WHERE state = 'wanted' LIMIT {MOST}) x),
       coalesce((SELECT extract(epoch FROM now() - c.at) FROM customers_change c
                  WHERE c.txid >= (SELECT txid FROM customers_following WHERE name = %(feed)s) LIMIT 1), 0)
"""
SOURCES = f"""
SELECT s.slug, s.provider, extract(epoch FROM l.last),
       now() - l.last > greatest(%(quiet)s, %(times)s * (l.last - l.first) / nullif(l.seen - 1, 0))
  FROM (SELECT id, slug, provider FROM channels_source ORDER BY id DESC LIMIT {SOURCES_TOLD}) s
  JOIN {LATELY} ON l.last IS NOT NULL
"""
# A message names its receiver: nothing here does.
OUTGOING = f"""
SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0),
       (SELECT count(*) FROM channels_subscription WHERE NOT enabled AND disabled_why <> '')
  FROM (SELECT created_at FROM channels_message WHERE state = 'pending' LIMIT {MOST}) x
"""
SERVER = """
SELECT pg_database_size(current_database()), current_setting('max_connections')::int,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
       coalesce((SELECT extract(epoch FROM now() - min(xact_start)) FROM pg_stat_activity
                  WHERE datname = current_database() AND pid <> pg_backend_pid()), 0),
       coalesce((SELECT max(right(relname, 8)::date) - current_date FROM pg_class
                  WHERE relname ~ '^channels_deliverybody_[0-9]{8}$'), 0)
"""
ARCHIVE = """
SELECT extract(epoch FROM coalesce(last_archived_time, stats_reset)), failed_count,
       coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false)
  FROM pg_stat_archiver WHERE current_setting('archive_mode') <> 'off'
"""


def gauge(name: str, words: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"cxhub_{name}", words, labels=labels)


def single(name: str, words: str, value: float) -> GaugeMetricFamily:
    """A gauge without labels."""
    found = gauge(name, words)
    found.add_metric([], value)
    return found


def checks() -> Iterable[Metric]:
    """What `/readyz` says."""
    found = gauge("check", "Whether a check of /readyz is well (1) or not (0).", "check")
    ages = gauge("backlog_seconds", "How long the oldest delivery that never failed has waited.")
    for name, check in sorted(health.latest()["checks"].items()):
        found.add_metric([name], check["status"] == "ok")
        if name == "backlog":
            ages.add_metric([], check["age_seconds"])
    yield from (found, ages)


def deliveries() -> Iterable[Metric]:
    with cursor() as sql:
        sql.execute(DELIVERIES.encode())
        counts = dict(sql.fetchall())
    found = gauge("deliveries", f"Deliveries that are open or in trouble; at most {MOST} are counted.", "state")
    for state in STATES:
        found.add_metric([state], counts.get(state, 0))
    yield found


def queues() -> Iterable[Metric]:
    """What waits for people, for files, and for the experience."""
    with cursor() as sql:
        sql.execute(QUEUES.encode(), {"feed": FEED})
        candidates, files, lag = sql.fetchone() or (0, 0, 0)
    yield single("candidates_open", "Handles of which a person has to say whose they are.", candidates)
    yield single("attachments_wanted", "Files that wait to be fetched.", files)
    yield single("experience_lag_seconds", "How far the experience follows behind the timeline.", lag)


def sources() -> Iterable[Metric]:
    with cursor() as sql:
        sql.execute(SOURCES.encode(), {"quiet": QUIET, "times": TIMES, "last": LAST})
        found = sql.fetchall()
    last = gauge("source_last_timestamp_seconds", "When a source last said something.", "source", "provider")
    silent = gauge("source_silent", "Whether that is unusually long ago.", "source", "provider")
    for slug, provider, at, quiet in found:
        last.add_metric([slug, provider], at)
        silent.add_metric([slug, provider], bool(quiet))
    yield from (last, silent)


def outgoing() -> Iterable[Metric]:
    with cursor() as sql:
        sql.execute(OUTGOING.encode())
        count, age, disabled = sql.fetchone() or (0, 0, 0)
    yield single("outgoing_pending", "Outgoing messages that were not taken yet.", count)
    yield single("outgoing_oldest_seconds", "Age of the oldest of them.", age)
    yield single("outgoing_disabled", "Receivers that were given up.", disabled)


def far() -> Iterable[Metric]:
    """The replica that reads come from, where there is one."""
    status = replica.status()
    if status is None:
        return
    yield single("replica_up", "Whether the replica answers.", status.lag is not None)
    if status.lag is not None:
        yield single("replica_lag_seconds", "For how long the replica has been behind.", status.lag)


def server() -> Iterable[Metric]:
    """Of PostgreSQL only what cxhub stands or falls with; its own exporter tells the rest."""
    with cursor() as sql:
        sql.execute(SERVER)
        row = sql.fetchone() or (0, 0, 0, 0, 0)
        sql.execute(ARCHIVE)
        archive = sql.fetchone()
    for (name, words), value in zip(
        (
            ("database_bytes", "Size of the database."),
            ("database_connections_limit", "How many connections PostgreSQL takes."),
            ("database_connections", "How many there are."),
            ("oldest_transaction_seconds", "Age of the oldest transaction: the feed of changes is read below it."),
            ("partitions_ahead_days", "For how many days ahead there are partitions for raw bytes."),
        ),
        row,
        strict=True,
    ):
        yield single(name, words, value)
    if archive is not None:
        at, failures, failing = archive
        yield single("wal_archived_timestamp_seconds", "When WAL was last archived.", at)
        yield single("wal_archive_failing", "Whether the last attempt to archive WAL failed.", failing)
        failed = CounterMetricFamily("cxhub_wal_archive_failures", "Attempts to archive WAL that failed.")
        failed.add_metric([], failures)
        yield failed


def queue() -> Iterable[Metric]:
    """Nudges in the broker: nothing is lost with them, but many of them mean that no worker takes any."""
    try:
        with health.asking() as broker:
            length = broker.llen(settings.CELERY_TASK_DEFAULT_QUEUE)
    except (redis.RedisError, OSError, ValueError):
        return
    yield single("queue_length", "Tasks that wait in the broker.", length)
