"""The connections to PostgreSQL: one for the work, one for the reads, one to a replica, and what a pooler changes."""

import os
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

from cxhub.environment import env_bool, env_int, env_secret

DATABASE_URL = env_secret("DATABASE_URL")

DATABASE_REPLICA_URL = env_secret("DATABASE_REPLICA_URL")
"""A streaming replica that the reads of the API and of the console may come from; none by default."""

CXHUB_REPLICA_LAG = env_int("CXHUB_REPLICA_LAG", 10)
"""How many seconds a replica may be behind and still be read from."""

CXHUB_PGBOUNCER = os.environ.get("CXHUB_PGBOUNCER", "").strip().lower()
"""`1`: DATABASE_URL is a PgBouncer in transaction mode; `prepared`: one that keeps prepared statements (1.22)."""

CXHUB_DISTRIBUTED = env_bool("CXHUB_DISTRIBUTED", default=False)
"""Whether `manage.py distribute` has spread the lines over Citus."""

if CXHUB_PGBOUNCER not in ("", "0", "1", "prepared"):
    raise ImproperlyConfigured(f"CXHUB_PGBOUNCER must be 1 or prepared, not {CXHUB_PGBOUNCER!r}")
POOLED = CXHUB_PGBOUNCER in ("1", "prepared")
# A host that vanished without a word is noticed in half a minute; the kernel would wait for two hours.
GONE = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}


def database(url: str, *, session: str = "", connect_timeout: int = 5) -> dict[str, Any]:
    """Django's settings of one connection; `session` are settings of the PostgreSQL session.

    A pooler gives each transaction another session: what is set in one must not be relied on in the next, so the
    role in the database has the timeouts, and nothing is prepared that another session does not know.
    """
    info: dict[str, Any] = {key: value for key, value in conninfo_to_dict(url).items() if value is not None}
    options: dict[str, Any] = {"connect_timeout": connect_timeout, **GONE}
    if CXHUB_PGBOUNCER != "1":
        options["prepare_threshold"] = 5  # Django's default is never: the timeline then costs its planning each time.
    if not POOLED:
        options["options"] = f"-c statement_timeout=30s -c idle_in_transaction_session_timeout=60s {session}"
    known = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}  # nosec B105
    settings = {ours: info.pop(theirs, "") for ours, theirs in known.items()}
    return {
        "ENGINE": "cxhub.patient",
        **settings,
        "CONN_MAX_AGE": None,
        "DISABLE_SERVER_SIDE_CURSORS": POOLED,
        "OPTIONS": {**options, **info},
    }


MIRRORED = {"TEST": {"MIRROR": "default"}}
DATABASES = {
    "default": database(DATABASE_URL),
    # The reads log each view on this connection; a crash of the database may cost the last second of views.
    "reading": {**database(DATABASE_URL, session="-c synchronous_commit=off"), **MIRRORED},
}
if DATABASE_REPLICA_URL:
    DATABASES["replica"] = {**database(DATABASE_REPLICA_URL, connect_timeout=2), **MIRRORED}
