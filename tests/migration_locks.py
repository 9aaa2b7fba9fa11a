"""Each migration on a database of its own, watched: `python -m tests.migration_locks` prints what it held and read.

A lock that keeps writers out is no harm for a moment, and great harm while a big table is read or written anew.
"""

import json
from collections.abc import Callable
from typing import Any

STRONG = ("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")
TABLES = """
SELECT c.oid::bigint, c.relname, c.relfilenode::bigint,
       coalesce(pg_stat_get_xact_numscans(c.oid), 0)
  FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
"""
LOCKS = """
SELECT DISTINCT relation::bigint, mode FROM pg_locks
 WHERE locktype = 'relation' AND pid = pg_backend_pid() AND granted AND mode = ANY(%s)
"""
# What was read so far is not this transaction's.
FLUSH = "SELECT pg_stat_force_next_flush()"


class Watch:
    """What one migration did to tables that stood before it, statement by statement."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.ask(FLUSH)
        self.before = {oid: (name, file) for oid, name, file, _ in self.ask(TABLES)}
        self.locked: dict[str, set[str]] = {}
        self.read: set[str] = set()
        self.written_anew: set[str] = set()

    def ask(self, statement: str, *how: Any) -> list[Any]:
        with self.connection.connection.cursor() as raw:
            return list(raw.execute(statement, how).fetchall())

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        raw = self.connection.connection
        if raw.autocommit and raw.info.transaction_status.name == "IDLE" and "CONCURRENTLY" not in str(sql).upper():
            self.ask(FLUSH)
            with raw.transaction():  # Of a migration without a transaction: what this statement holds to its end.
                answer = execute(sql, params, many, context)
                self.look()
            return answer
        answer = execute(sql, params, many, context)
        if raw.info.transaction_status.name == "INTRANS":
            self.look()
        return answer

    def look(self) -> None:
        held = self.ask(LOCKS, list(STRONG))
        for oid, mode in held:
            if oid in self.before:
                self.locked.setdefault(self.before[oid][0], set()).add(mode)
        for oid, name, file, scans in self.ask(TABLES):
            if oid in self.before:
                if scans:
                    self.read.add(name)
                if file != self.before[oid][1]:
                    self.written_anew.add(name)

    def found(self) -> dict[str, Any]:
        return {
            "locked": {name: sorted(modes) for name, modes in sorted(self.locked.items())},
            "read": sorted(self.read),
            "written_anew": sorted(self.written_anew),
        }


def main() -> None:
    import django

    django.setup()
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    found = {}
    for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes()):
        connection.ensure_connection()
        watch = Watch(connection)
        with connection.execute_wrapper(watch):
            executor.migrate([(migration.app_label, migration.name)])
        found[f"{migration.app_label}.{migration.name}"] = watch.found()
        executor = MigrationExecutor(connection)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
