"""One card's identifiers in the clear, for a reader who is otherwise shown masked ones: asked for with a reason.

Every grant is a row that supervisors and the person himself can read; the rows are also what the quota counts, so it
can be neither lost nor passed by. A grant is for one card and some minutes, and for its identifiers alone: texts and
everything else stay masked.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from customers.access import Principal
from customers.exporting import log_export
from customers.legible import legible
from customers.lookups import Exhausted
from customers.sql import Cursor, cursor

LEAST, MOST = 5, 500
"""Letters of a reason."""

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 716)), now()"
STANDING = """
SELECT until FROM customers_unmasking
 WHERE viewer = %s AND customer_id = %s AND until > now() ORDER BY until DESC LIMIT 1
"""
HOUR = "SELECT at FROM customers_unmasking WHERE viewer = %s AND at > %s ORDER BY at"
GRANTED = "INSERT INTO customers_unmasking (viewer, customer_id, at, until, reason) VALUES (%s, %s, %s, %s, %s)"
IDENTITIES = """
SELECT kind, value, scope FROM customers_identity
 WHERE customer_id = %s AND kind NOT IN ('anonymous', 'card', 'erased') ORDER BY kind, id LIMIT 500
"""
WINDOW = timedelta(hours=1)


class NoReason(ValueError):
    """It has too few letters, or too many."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Until when; None: not now."""

    until: datetime | None
    identities: list[dict[str, Any]]


def ask(principal: Principal, customer: int, reason: str, path: str) -> datetime:
    """Until when the card is open to him; asking again meanwhile changes nothing. Raises NoReason and Exhausted."""
    said = " ".join(str(legible(reason)).split())
    if not LEAST <= len(said) <= MOST:
        raise NoReason
    with transaction.atomic(), cursor() as sql:
        sql.execute(LOCK, (principal.viewer,))
        row = sql.fetchone()
        assert row is not None
        now: datetime = row[1]
        if (until := standing(sql, principal, customer)) is not None:
            return until
        sql.execute(HOUR, (principal.viewer, now - WINDOW))
        times = [row[0] for row in sql.fetchall()]
        if len(times) >= settings.CXHUB_UNMASKED_CARDS:
            raise Exhausted(
                int((times[0] + WINDOW - now).total_seconds()) + 1 if times else int(WINDOW.total_seconds())
            )
        until = now + timedelta(minutes=settings.CXHUB_UNMASKED_MINUTES)
        sql.execute(GRANTED, (principal.viewer, customer, now, until, said))
        log_export(sql, principal.viewer, customer, path)
    return until


def standing(sql: Cursor, principal: Principal, customer: int) -> datetime | None:
    sql.execute(STANDING, (principal.viewer, customer))
    row = sql.fetchone()
    return row[0] if row else None


def of(principal: Principal, customer: int) -> Grant:
    """The identifiers as they are: they are the caller's to mask where `until` is None."""
    with cursor() as sql:
        until = standing(sql, principal, customer)
        sql.execute(IDENTITIES, (customer,))
        found = [{"kind": kind, "value": value, "scope": scope or None} for kind, value, scope in sql.fetchall()]
    return Grant(until, found)
