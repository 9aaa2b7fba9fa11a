"""The app of customers, with the check that PostgreSQL understands Cyrillic."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register

LOCALE = "SELECT lower('Я') = 'я', (SELECT show_trgm('яма') <> '{}' FROM pg_extension WHERE extname = 'pg_trgm')"


class CustomersConfig(AppConfig):
    name = "customers"

    def ready(self) -> None:
        register(check_locale, Tags.database)


def check_locale(
    *, app_configs: Sequence[AppConfig] | None = None, databases: Iterable[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Under the locale C, case, trigrams and stemming of Cyrillic fail without a word: refuse such a database."""
    from customers.sql import cursor

    if "default" not in (databases or ()):
        return []
    with cursor() as sql:
        lower, trigrams = sql.execute(LOCALE).fetchone() or (False, False)
    if lower and trigrams is not False:
        return []
    hint = "Create it with ENCODING UTF8 and LOCALE C.UTF-8 (or en_US.UTF-8)."
    return [Error("This database does not know Cyrillic letters.", hint=hint, id="customers.E001")]
