"""The partitions of the raw bytes: made ahead, dropped after the retention."""

from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, transaction

from customers.sql import cursor

AHEAD = 14
PREFIX = "channels_deliverybody_"


def make_partitions(today: date | None = None) -> int:
    """One partition a day, up to 14 days ahead; a day that already has rows in the default one is left there."""
    start = today or datetime.now(UTC).date()
    made = 0
    for day in (start + timedelta(days=offset) for offset in range(AHEAD + 1)):
        name = f"{PREFIX}{day:%Y%m%d}"
        try:
            with transaction.atomic(), cursor() as sql:
                sql.execute("SELECT to_regclass(%s) IS NOT NULL", (name,))
                row = sql.fetchone()
                if row and row[0]:
                    continue
                bounds = f"FROM ('{day:%Y-%m-%d} 00:00+00') TO ('{day + timedelta(days=1):%Y-%m-%d} 00:00+00')"
                sql.execute("SET LOCAL lock_timeout = '2s'")
                sql.execute(f"CREATE TABLE {name} PARTITION OF channels_deliverybody FOR VALUES {bounds}".encode())
                made += 1
        except DatabaseError:  # Another sweep made it, the lock was not to be had, or the default holds this day.
            continue
    return made


def prune(today: date | None = None) -> int:
    """Drop whole days older than the retention; returns how many."""
    limit = (today or datetime.now(UTC).date()) - timedelta(days=settings.CXHUB_BODY_DAYS)
    with cursor() as sql:
        sql.execute("SELECT relname FROM pg_class WHERE relname ~ %s", (f"^{PREFIX}\\d{{8}}$",))
        names = [row[0] for row in sql.fetchall()]
    old = [name for name in names if datetime.strptime(name[-8:], "%Y%m%d").replace(tzinfo=UTC).date() < limit]
    for name in old:
        with transaction.atomic(), cursor() as sql:
            sql.execute("SET LOCAL lock_timeout = '5s'")
            sql.execute(f"DROP TABLE {name}".encode())
    with cursor() as sql:
        sql.execute("DELETE FROM channels_deliverybody_default WHERE received_at < %s", (limit,))
    return len(old)
