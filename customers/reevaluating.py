"""Links that the machine made under older rules and today's would refuse: put up for review, never undone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction

from customers.attributes import BIRTHDAY, birthday
from customers.components import components
from customers.identification import ANONYMOUS, CARD
from customers.models import Candidate
from customers.models.identity import Trust
from customers.rules import RULES_VERSION, Profile, objection
from customers.sql import Cursor, Rows, as_json, cursor

BATCH: Final = 200

LINKS = """
SELECT l.id, l.a_id, l.b_id, l.trust, l.rules_version FROM customers_link l
  JOIN customers_identity a ON a.id = l.a_id JOIN customers_identity b ON b.id = l.b_id
 WHERE l.undone_at IS NULL AND l.cause IN ('event', 'renormalise') AND l.rules_version < %s AND l.id > %s
   AND a.kind NOT IN ('card', 'anonymous', 'erased') AND b.kind NOT IN ('card', 'anonymous', 'erased')
 ORDER BY l.id LIMIT %s
"""
MEMBERS = """
SELECT i.id, i.customer_id, i.kind, i.scope, i.value, i.linkable FROM customers_identity i
 WHERE i.customer_id IN (SELECT customer_id FROM customers_identity WHERE id = ANY(%s)) ORDER BY i.id
"""
STANDING = "SELECT id, a_id, b_id FROM customers_link WHERE undone_at IS NULL AND a_id = ANY(%s)"
FOUNDERS = "SELECT founder_id FROM customers_customer WHERE founder_id = ANY(%s)"
SAID = """
SELECT identity_id, key, value FROM customers_attributeclaim WHERE identity_id = ANY(%s) AND key IN ('name', 'birthday')
 ORDER BY trust DESC, claimed_at DESC, id
"""
DOUBTS = Rows("", link="bigint", reason="text")
REVIEW = f"""
INSERT INTO customers_candidate (identity_id, kind, scope, value, reason, trust, source, interaction_id, seen_at,
                                 times, state, decided_by, decision)
SELECT DISTINCT ON (l.a_id, b.kind, b.scope, b.value) l.a_id, b.kind, b.scope, b.value,
       '{Candidate.REVIEW}' || x.reason, l.trust, coalesce(l.evidence->>'source', ''),
       coalesce(l.evidence->>'line', '00000000-0000-0000-0000-000000000000')::uuid, l.created_at, 1, 'open', '', ''
  FROM {DOUBTS.source}
  JOIN customers_link l ON l.id = x.link AND l.undone_at IS NULL
  JOIN customers_identity b ON b.id = l.b_id
 ORDER BY l.a_id, b.kind, b.scope, b.value, l.id
    ON CONFLICT (identity_id, kind, scope, value) DO UPDATE SET reason = excluded.reason, state = 'open'
 WHERE customers_candidate.state IN ('open', 'stale')
"""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A link that today's rules would refuse, and why."""

    link: int
    customer: int
    rules_version: int
    reason: str


@dataclass(slots=True)
class People:
    """The customers that a batch of links is about, as far as the rules ask."""

    homes: dict[int, int] = field(default_factory=dict)
    handles: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    linkable: dict[int, bool] = field(default_factory=dict)
    edges: dict[int, list[tuple[int, int, int]]] = field(default_factory=dict)  # by customer: (link, a, b)
    founders: set[int] = field(default_factory=set)
    said: dict[int, list[tuple[int, str, Any]]] = field(default_factory=dict)  # (rank, key, value), the best is 0

    def side(self, members: Iterable[int]) -> Profile:
        """What the rules would see of a part of a customer."""
        profile, said = Profile(), []
        for one in members:
            if self.handles[one][0] not in (ANONYMOUS, CARD):
                profile.add(*self.handles[one])
            profile.joins += one in self.founders
            said += self.said.get(one, [])
        profile.joins = max(profile.joins - 1, 0)
        best = {key: value for _, key, value in sorted(said, key=lambda one: one[0], reverse=True)}
        profile.name = best["name"] if isinstance(best.get("name"), str) else ""
        profile.birthday = birthday(best.get(BIRTHDAY))
        return profile

    def without(self, link: int, a: int, b: int) -> tuple[Iterable[int], Iterable[int]]:
        """The two sides of a link; the two handles alone where others hold them together."""
        customer = self.homes[a]
        members = [one for one, home in self.homes.items() if home == customer]
        rest = [(one, other) for id_, one, other in self.edges.get(customer, ()) if id_ != link]
        groups = {one: group for group in components(members, rest) for one in group}
        return ([a], [b]) if b in groups[a] else (groups[a], groups[b])


def reevaluate(*, every: bool = False, dry_run: bool = False) -> Iterator[Doubt]:
    """Of links of older rules (`every`: of all), those that would be refused today; each becomes a candidate."""
    before, after = (RULES_VERSION + 1 if every else RULES_VERSION), 0
    while True:
        # One snapshot, or a link would reach an identity that came a statement later.
        with transaction.atomic(), cursor() as sql:
            sql.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            sql.execute(LINKS, (before, after, BATCH))
            batch = sql.fetchall()
            if not batch:
                return
            after = batch[-1][0]
            people = load(sql, {one for _, a, b, *_ in batch for one in (a, b)})
            doubts = [
                Doubt(link, people.homes[a], version, reason)
                for link, a, b, trust, version in batch
                if (reason := refused_today(people, link, a, b, trust))
            ]
        if doubts and not dry_run:
            with cursor() as sql:
                sql.execute(REVIEW.encode(), (as_json([{"link": d.link, "reason": d.reason} for d in doubts]),))
        yield from doubts


def refused_today(people: People, link: int, a: int, b: int, trust: int) -> str | None:
    if trust < Trust.ASSERTED:
        return "claimed"
    if not (people.linkable[a] and people.linkable[b]):
        return "not_linkable"
    one, other = people.without(link, a, b)
    return objection(people.side(one), people.side(other))


def load(sql: Cursor, identities: Iterable[int]) -> People:
    people = People()
    sql.execute(MEMBERS, (sorted(identities),))
    for id_, customer, kind, scope, value, linkable in sql.fetchall():
        people.homes[id_], people.handles[id_], people.linkable[id_] = customer, (kind, scope, value), linkable
    ids = sorted(people.homes)
    sql.execute(STANDING, (ids,))
    for link, a, b in sql.fetchall():
        people.edges.setdefault(people.homes[a], []).append((link, a, b))
    sql.execute(FOUNDERS, (ids,))
    people.founders = {row[0] for row in sql.fetchall()}
    sql.execute(SAID, (ids,))
    for rank, (identity, key, value) in enumerate(sql.fetchall()):
        people.said.setdefault(identity, []).append((rank, key, value))
    return people
