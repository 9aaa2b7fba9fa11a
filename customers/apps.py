"""The app of customers, with the check that PostgreSQL understands Cyrillic."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections
from django.db.models.signals import post_migrate

CASE = "SELECT lower('Я') = 'я', EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm')"
TRIGRAMS = "SELECT show_trgm('яма') <> '{}'"


class CustomersConfig(AppConfig):
    name = "customers"

    def ready(self) -> None:
        register(check_locale, Tags.database)
        post_migrate.connect(keep_erased, sender=self, dispatch_uid="customers.apps.keep_erased")


def keep_erased(*, using: str = "default", **_: Any) -> None:
    """Whoever was erased after the backup that was just restored is erased again, at every start."""
    from customers.erasure import apply_journal
    from customers.models import Suppressed

    if using == "default" and Suppressed._meta.db_table in connections[using].introspection.table_names():
        apply_journal()


def check_locale(
    *, app_configs: Sequence[AppConfig] | None = None, databases: Iterable[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Under the locale C, case, trigrams and stemming of Cyrillic fail without a word: refuse such a database."""
    from customers.sql import cursor

    if "default" not in (databases or ()):
        return []
    with cursor() as sql:
        lower, installed = sql.execute(CASE).fetchone() or (False, False)
        # Before the first migration the extension is not there yet, and its function cannot even be named.
        if lower and (not installed or sql.execute(TRIGRAMS).fetchone() == (True,)):
            return []
    hint = "Create it with ENCODING UTF8 and LOCALE C.UTF-8 (or en_US.UTF-8)."
    return [Error("This database does not know Cyrillic letters.", hint=hint, id="customers.E001")]
