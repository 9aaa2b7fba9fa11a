"""How often somebody may be looked up: so many different questions an hour.

Of a reader of masked identifiers all are logged, and the log in PostgreSQL is the count: there is nothing else that
could be away, so the quota can be neither lost nor passed by. Everybody else has a wide one (`customers.quota`), and
what is logged is whom he saw, and that he came to its end.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import blake2b

from django.conf import settings
from django.db import transaction

from customers import masking, quota
from customers.access import Principal
from customers.sql import Rows, cursor

MOST_ROWS = 500
"""Of one hour: whoever goes on after his quota fills no disk."""


class Exhausted(Exception):
    """The quota of this hour is used up; `retry_after` seconds until the next."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


NOW = """
SELECT pg_advisory_xact_lock(hashtextextended(%s, 715)), date_trunc('hour', now(), 'UTC'),
       ceil(extract(epoch FROM date_trunc('hour', now(), 'UTC') + interval '1 hour' - now()))::int
"""
STANDING = "SELECT digest, granted FROM customers_lookup WHERE viewer = %s AND hour = %s"
ASKED = Rows(
    "customers_lookup",
    viewer="text",
    hour="timestamptz",
    digest="bytea",
    asked="text",
    asked_at="timestamptz",
    granted="boolean",
)


def count(principal: Principal, asked: Iterable[tuple[str, str]]) -> None:
    """Count what he asks for, as (kind or nothing, value), each value by itself; raises Exhausted.

    The same question again within the hour is free.
    """
    questions = {digest_of(kind, value): (kind, value) for kind, value in asked if value.strip()}
    if not questions:
        return
    if not principal.masked:
        most = settings.CXHUB_AGENT_LOOKUPS if principal.key_id is None else settings.CXHUB_KEY_LOOKUPS
        if wait := quota.wait_for(principal.viewer, questions, most):
            noted(principal.viewer)
            raise Exhausted(wait)
        return
    with transaction.atomic(), cursor() as sql:
        sql.execute(NOW, (principal.viewer,))
        _, hour, rest = sql.fetchone() or (None, None, 0)
        sql.execute(STANDING, (principal.viewer, hour))
        known = {bytes(digest): granted for digest, granted in sql.fetchall()}
        fresh = [digest for digest in questions if digest not in known]
        granted = sum(known.values()) + len(fresh) <= settings.CXHUB_MASKED_LOOKUPS
        now = datetime.now(UTC)
        whose = {"viewer": principal.viewer, "hour": hour, "asked_at": now, "granted": granted}
        rows = [whose | {"digest": f"\\x{digest.hex()}", "asked": told(*questions[digest])} for digest in fresh]
        if granted or len(known) < MOST_ROWS:
            ASKED.insert(sql, rows[:MOST_ROWS])
    if (fresh and not granted) or not all(known.get(digest, True) for digest in questions):
        raise Exhausted(int(rest))


def noted(viewer: str) -> None:
    """That he came to the end of his quota: one row an hour, among those of the masked readers."""
    now = datetime.now(UTC)
    row = {"viewer": viewer, "hour": now.replace(minute=0, second=0, microsecond=0), "digest": "\\x", "asked": ""}
    with transaction.atomic(), cursor() as sql:
        ASKED.insert(sql, [row | {"asked_at": now, "granted": False}], "ON CONFLICT DO NOTHING")


def digest_of(kind: str, value: str) -> bytes:
    said = f"{kind}:{value.strip()}".casefold().encode("utf-8", "replace")
    return blake2b(said, key=settings.SECRET_KEY.encode()[:64], digest_size=32).digest()


def told(kind: str, value: str) -> str:
    """What the log says of a question: nothing that the masked reader would not be shown himself."""
    return (f"{kind} {masking.identifier(kind, value)}" if kind else masking.text(value))[:300]
