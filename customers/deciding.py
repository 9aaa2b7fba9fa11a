"""What was only suggested, decided by a person: accepted it links, rejected it keeps apart; nothing else follows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import transaction

from customers import handles
from customers.byhand import bear_beside
from customers.cards import TRUST
from customers.changes import card_changed
from customers.components import regroup
from customers.handles import NormalHandle
from customers.linking import LOCK, Retry
from customers.merging import KEEP_APART, UNDO, connection, holding, merge, rows
from customers.models import Candidate
from customers.models.identity import Trust
from customers.recording import attempt
from customers.sql import Cursor, cursor

STATES: Final = (Candidate.OPEN, Candidate.ACCEPTED, Candidate.REJECTED, Candidate.STALE)

WHO = """
CASE WHEN {0}.customer_id IS NOT NULL THEN json_build_object(
  'id', (SELECT w.public_id FROM customers_customer w WHERE w.id = {0}.customer_id),
  'name', (SELECT a.value FROM customers_attributeclaim a JOIN customers_identity n ON n.id = a.identity_id
            WHERE n.customer_id = {0}.customer_id AND a.key = 'name'
            ORDER BY a.trust DESC, a.claimed_at DESC, a.id LIMIT 1)) END
"""
# The handle is whose it is today; the two may have become one by other evidence, then nothing is left to decide.
LIST = f"""
SELECT c.id, i.customer_id, o.customer_id, json_build_object(
  'id', c.id::text, 'state', c.state, 'reason', c.reason, 'trust', {TRUST.format("c")}, 'source', nullif(c.source, ''),
  'times', c.times, 'times_since_rejected', c.again, 'seen_at', c.seen_at,
  'identity', json_build_object('id', i.id::text, 'kind', i.kind, 'scope', nullif(i.scope, ''), 'value', i.value),
  'handle', json_build_object('id', o.id::text, 'kind', c.kind, 'scope', nullif(c.scope, ''), 'value', c.value),
  'customers', json_build_array({WHO.format("i")}, {WHO.format("o")}),
  'interaction', (SELECT json_build_object('id', t.id, 'channel', t.channel, 'kind', t.kind,
                         'occurred_at', t.occurred_at, 'subject', nullif(t.subject, ''), 'text', left(t.text, 300))
                    FROM customers_interaction t WHERE t.id = c.interaction_id),
  'decided_at', c.decided_at, 'decided_by', nullif(c.decided_by, ''), 'decision', nullif(c.decision, '')
)::text
  FROM customers_candidate c JOIN customers_identity i ON i.id = c.identity_id
  LEFT JOIN customers_identity o ON (o.value, o.kind, o.scope) = (c.value, c.kind, c.scope) AND o.valid_to IS NULL
 WHERE c.state = %(state)s AND (%(reason)s::text IS NULL OR c.reason = %(reason)s)
   AND (%(before)s::bigint IS NULL OR c.id < %(before)s) AND (%(ids)s::bigint[] IS NULL OR c.id = ANY(%(ids)s))
   AND (c.state <> 'open' OR c.reason = 'shared' OR c.reason LIKE '{Candidate.REVIEW}%%'
        OR o.customer_id IS DISTINCT FROM i.customer_id)
 ORDER BY c.id DESC LIMIT %(limit)s
"""
STATE = "SELECT state FROM customers_candidate WHERE id = %s"
ASKED = """
SELECT c.state, c.kind, c.scope, c.value, c.trust, c.interaction_id, i.id, i.customer_id, o.id, o.customer_id
  FROM customers_candidate c JOIN customers_identity i ON i.id = c.identity_id
  LEFT JOIN customers_identity o ON (o.value, o.kind, o.scope) = (c.value, c.kind, c.scope) AND o.valid_to IS NULL
 WHERE c.id = %s
"""
DECIDE = """
UPDATE customers_candidate SET state = %(state)s, decided_at = now(), decided_by = %(by)s, decision = %(reason)s,
       again = 0 WHERE id = %(id)s RETURNING identity_id
"""
GENERATIONS = """
SELECT coalesce(bool_or(valid_to IS NULL), false), count(*), max(valid_to) FROM customers_identity
 WHERE kind = %s AND scope = %s AND value = %s
"""
DIRECT = """
SELECT id FROM customers_link WHERE undone_at IS NULL
   AND (a_id, b_id) = (least(%(a)s, %(b)s), greatest(%(a)s, %(b)s)) ORDER BY id
"""


class NoSuchCandidate(LookupError):
    """No candidate ever had this id."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A candidate as it is now: `other` is None while the handle is nobody's."""

    state: str
    handle: NormalHandle
    trust: Trust
    line: UUID
    identity: int
    customer: int
    other: int | None
    others_customer: int | None


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision did."""

    customers: tuple[int, ...]
    link: int | None = None
    lifted: Sequence[int] = ()
    undone: Sequence[int] = ()
    still_connected_by: Sequence[int] = ()


def listed(
    sql: Cursor,
    *,
    state: str,
    reason: str | None = None,
    before: int | None = None,
    limit: int,
    ids: list[int] | None = None,
) -> list[tuple[int, set[int], str]]:
    """(id, customers shown, JSON text) of candidates, newest first."""
    sql.execute(LIST.encode(), {"state": state, "reason": reason, "before": before, "limit": limit, "ids": ids})
    return [(found, {one for one in whose if one is not None}, text) for found, *whose, text in sql.fetchall()]


def one(sql: Cursor, id_: int) -> tuple[set[int], dict[str, Any]]:
    """The customers shown, and a candidate as lists show it. Raises NoSuchCandidate."""
    sql.execute(STATE, (id_,))
    row = sql.fetchone()
    for _, customers, text in listed(sql, state=row[0] if row else "", limit=1, ids=[id_]):
        return customers, orjson.loads(text)
    raise NoSuchCandidate


def asked(sql: Cursor, id_: int) -> Asked:
    sql.execute(ASKED, (id_,))
    row = sql.fetchone()
    if row is None:
        raise NoSuchCandidate
    state, kind, scope, value, trust, line, *ends = row
    return Asked(state, normal(kind, scope, value), Trust(trust), line, *ends)


def normal(kind: str, scope: str, value: str) -> NormalHandle:
    """The normal form again, with what is known of it."""
    try:
        found = handles.normal(kind, value, scope)[0]
    except handles.Refused:
        found = None
    return found if found and found.value == value else NormalHandle(kind, scope, value, raw=value)


def decide(sql: Cursor, id_: int, state: str, by: str, reason: str) -> None:
    card_changed(sql, *rows(sql, DECIDE, {"id": id_, "state": state, "by": by, "reason": reason}))


def accept(id_: int, *, by: str, reason: str) -> Decided:
    """The two are one person: an agent's link. Raises NoSuchCandidate, merging.Refused."""

    def work() -> Decided:
        with transaction.atomic(), cursor() as sql:
            now = asked(sql, id_)
            if now.state == Candidate.ACCEPTED:
                return Decided((now.customer,))
            said = {"candidate": str(id_), "line": str(now.line)}
            if now.other is None:
                done = accept_newborn(sql, now, by, {**said, "reason": reason})
            elif now.others_customer == now.customer:
                done = Decided((now.customer,))
            else:
                assert now.others_customer is not None
                ends = (now.identity, now.other)
                merged = merge(now.customer, now.others_customer, reason=reason, by=by, ends=ends, evidence=said)
                done = Decided((merged.customer,), merged.link, merged.lifted)
            decide(sql, id_, Candidate.ACCEPTED, by, reason)
            return done

    return attempt(work)


def accept_newborn(sql: Cursor, now: Asked, by: str, evidence: dict[str, str]) -> Decided:
    """The handle was nobody's: it is born as his."""
    handle = now.handle
    sql.execute(LOCK, (["\x1f".join((handle.kind, handle.scope, handle.value))],))
    with holding(now.customer) as (held, homes):
        held.execute(GENERATIONS, (handle.kind, handle.scope, handle.value))
        owned, generations, ended = held.fetchone() or (False, 0, None)
        if owned or homes.get(now.identity) != now.customer:
            raise Retry
        born = bear_beside(
            held,
            handle,
            now.identity,
            now.customer,
            trust=now.trust,
            by=by,
            cause="agent",
            evidence=evidence,
            generation=generations,
            valid_from=ended,
        )
        links = rows(held, DIRECT, {"a": now.identity, "b": born})
    return Decided((now.customer,), links[0])


def reject(id_: int, *, by: str, reason: str) -> Decided:
    """They are two: what linked them directly is undone, and no rule joins them. Raises NoSuchCandidate."""

    def work() -> Decided:
        with transaction.atomic(), cursor() as sql:
            now = asked(sql, id_)
            if now.state == Candidate.REJECTED:
                return Decided(tuple(sorted({now.customer, now.others_customer or now.customer})))
            done = Decided((now.customer,)) if now.other is None else part(now, by, reason)
            decide(sql, id_, Candidate.REJECTED, by, reason)
            return done

    return attempt(work)


def part(now: Asked, by: str, reason: str) -> Decided:
    a, b = now.identity, now.other
    assert b is not None
    assert now.others_customer is not None
    with holding(now.customer, now.others_customer) as (sql, homes):
        if a not in homes or b not in homes:
            raise Retry
        undone = rows(sql, UNDO, {"ids": rows(sql, DIRECT, {"a": a, "b": b}), "by": by, "reason": reason})
        homes = regroup(sql, homes) if undone else homes
        apart = homes[a] != homes[b]
        if apart:
            sql.execute(KEEP_APART, {"a": a, "b": b, "reason": reason or "rejected", "by": by})
        path = () if apart else connection(sql, homes, a, b)
        return Decided(tuple(sorted({homes[a], homes[b]})), undone=undone, still_connected_by=path)
