"""Identities whose normal form another version of the rules gave: linked to their new form, and that can be undone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from customers import handles, profiles
from customers.byhand import bear_beside, link
from customers.components import regroup
from customers.handles import NORMALISER_VERSION, NormalHandle
from customers.linking import LOCK, Retry
from customers.merging import holding
from customers.models.identity import Trust
from customers.recording import attempt
from customers.rules import objection
from customers.sql import cursor

BATCH: Final = 500
CAUSE: Final = "renormalise"

OLD = """
SELECT id, kind, scope, value FROM customers_identity
 WHERE normaliser_version < %s AND id > %s AND kind NOT IN ('card', 'anonymous') ORDER BY id LIMIT %s
"""
STANDS = """
SELECT n.id, n.customer_id FROM customers_identity n
 WHERE (n.kind, n.scope, n.value) = (%s, %s, %s) AND n.valid_to IS NULL
"""
MINE = "SELECT customer_id, trust FROM customers_identity WHERE id = %s"
LINKED = """
SELECT 1 FROM customers_link WHERE undone_at IS NULL
   AND (a_id, b_id) = (least(%(a)s, %(b)s), greatest(%(a)s, %(b)s))
"""
MATCH = "UPDATE customers_identity SET normaliser_version = %s, match_key = %s, linkable = %s WHERE id = %s"
DONE = "UPDATE customers_identity SET normaliser_version = %s WHERE id = %s"


@dataclass(frozen=True, slots=True)
class Renormalised:
    """`what`: same, linked, born, refused (no handle any more), or the rule that objects."""

    identity: int
    what: str


def renormalise(*, by: str = "renormalise") -> Iterator[Renormalised]:
    """Every identity of an older version, each in a transaction of its own."""
    after = 0
    while True:
        with cursor() as sql:
            sql.execute(OLD, (NORMALISER_VERSION, after, BATCH))
            batch = sql.fetchall()
        if not batch:
            return
        for identity, kind, scope, value in batch:
            after = identity
            yield Renormalised(identity, attempt(lambda i=identity, k=kind, s=scope, v=value: one(i, k, s, v, by)))  # type: ignore[misc]


def one(identity: int, kind: str, scope: str, value: str, by: str) -> str:
    try:
        new = handles.normal(kind, value, scope)[0]
    except handles.Refused:
        new = None
    with transaction.atomic(), cursor() as sql:
        if new is None:
            # Its contacts stay where they are; the next ones will be refused.
            sql.execute(DONE, (NORMALISER_VERSION, identity))
            return "refused"
        if (new.kind, new.scope, new.value) == (kind, scope, value):
            sql.execute(MATCH, (NORMALISER_VERSION, new.match_key, new.linkable, identity))
            return "same"
        keys = [(kind, scope, value), (new.kind, new.scope, new.value)]
        sql.execute(LOCK, (["\x1f".join(key) for key in keys],))
        what = towards(identity, new, by)
        sql.execute(DONE, (NORMALISER_VERSION, identity))
        return what


def towards(identity: int, new: NormalHandle, by: str) -> str:
    """Link an old form to its new one, where no rule objects."""
    with cursor() as sql:
        sql.execute(MINE, (identity,))
        mine, trust = sql.fetchone() or (0, 0)
        sql.execute(STANDS, (new.kind, new.scope, new.value))
        found = sql.fetchone()
    if found is None:
        with holding(mine) as (sql, homes):
            if homes.get(identity) != mine:
                raise Retry
            bear_beside(sql, new, identity, mine, trust=Trust(trust), by=by, cause=CAUSE)
        return "born"
    stands, theirs = found
    with holding(mine, theirs) as (sql, homes):
        if homes.get(identity) != mine or homes.get(stands) != theirs:
            raise Retry
        sql.execute(LINKED, {"a": identity, "b": stands})
        if sql.fetchone():
            return "linked"
        known = profiles.load(sql, {mine, theirs})
        if mine != theirs and (reason := objection(known[mine], known[theirs])):
            return reason
        link(sql, identity, stands, trust=trust, by=by, cause=CAUSE, evidence={})
        regroup(sql, homes)
    return "linked"
