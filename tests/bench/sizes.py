"""How many bytes a line takes, table by table: `python -m tests.bench.sizes [lines]` on a PostgreSQL of its own.

A company's history goes through the real door, the drain and whoever follows behind, so that indexes have grown as
they do in life. Sizes do not depend on how busy the machine is.
"""

import os
import shutil
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

SIZES = """
SELECT regexp_replace(c.relname, '_(default|[0-9]{8})$', ''), sum(pg_relation_size(c.oid))::bigint,
       sum(coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0))::bigint, sum(pg_indexes_size(c.oid))::bigint
  FROM pg_class c WHERE c.relkind = 'r' AND c.relname ~ '^(customers|channels)_'
 GROUP BY 1 ORDER BY sum(pg_total_relation_size(c.oid)) DESC
"""
INDEXES = """
SELECT indexrelname, pg_relation_size(indexrelid) FROM pg_stat_user_indexes
 WHERE relname = 'customers_interaction' ORDER BY 2 DESC
"""
BATCH = 500


def push_all(lines: int) -> float:
    """The whole history by pushes of 500; returns how long taking and drain took together."""
    from django.test import Client

    from channels.draining import drain_all
    from channels.sources import make_source
    from customers.access import issue_key
    from customers.experience.following import follow
    from tests.bench.history import SCOPED, SOURCE, History

    make_source("push", SOURCE, region="RU")
    _, plain = issue_key("sizes", ["ingest"], source=SOURCE)
    client = Client(headers={"Authorization": f"Bearer {plain}"}, SERVER_NAME="localhost")
    history = History(lines).lines()
    begun, number = time.monotonic(), 0
    while batch := list(islice(history, BATCH)):
        events: list[dict[str, Any]] = []
        for person, which, at, said in batch:
            number += 1
            kind, value = person.handles[which]
            handle = {"kind": kind, "value": value, **({"scope": SOURCE} if kind in SCOPED else {})}
            customer = {"identifiers": [handle], "name": f"Клиент {person.number} Иванович"}
            events.append({"id": f"line-{number}", "occurred_at": at.isoformat(), "customer": customer, **said})
        while client.post("/api/v1/events", events, content_type="application/json").status_code != 202:
            time.sleep(1)  # A busy machine: 503 means «come again».
        drain_all(seconds=600)
    took = time.monotonic() - begun
    while follow(10):
        pass
    return took


def report(lines: int, took: float) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT count(*), pg_database_size(current_database()) FROM customers_interaction")
        stored, whole = cursor.fetchone()
        assert stored == lines, f"{stored} of {lines} lines"
        cursor.execute(SIZES)
        print(f"{lines:,} lines, taken and drained in {took:.0f} s; {whole / lines:,.0f} bytes of database a line\n")
        print(f"{'bytes a line':36} {'rows':>8} {'toast':>8} {'indexes':>8} {'all':>8}")
        sums = [0, 0, 0]
        for table, heap, toast, indexes in cursor.fetchall():
            sums = [a + b for a, b in zip(sums, (heap, toast, indexes), strict=True)]
            if heap + toast + indexes > lines:  # a byte a line
                told = "".join(f" {size / lines:8,.0f}" for size in (heap, toast, indexes, heap + toast + indexes))
                print(f"{table:36}{told}")
        print(f"{'all':36}" + "".join(f" {size / lines:8,.0f}" for size in (*sums, sum(sums))))
        cursor.execute(INDEXES)
        print("\nindexes of lines: " + ", ".join(f"{name} {size / lines:,.0f}" for name, size in cursor.fetchall()))


def main(lines: int) -> None:
    from cxhub.embedded import secret_key, start

    var = Path(tempfile.mkdtemp(prefix="cxhub-sizes-"))
    os.environ |= {"CXHUB_VAR": str(var), "DJANGO_SETTINGS_MODULE": "cxhub.settings"}
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    os.environ["CXHUB_PG_OPTIONS"] = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    servers = start(var)
    try:
        servers.export()
        secret_key(var)
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections

        call_command("migrate", verbosity=0, interactive=False)
        try:
            report(lines, push_all(lines))
        finally:
            connections.close_all()
    finally:
        servers.stop()
        shutil.rmtree(var, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
