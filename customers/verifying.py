"""Whether a live database keeps the promises about identity: read in one snapshot, told in words without names."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from customers.components import components
from customers.models import Verification
from customers.rules import CAPS, IDENTITIES, JOINS, MESSENGERS, UNIQUE
from customers.sql import Cursor, cursor

TOLD: Final = 100
"""So many troubles are told of; all are counted."""

NODES = "SELECT id, customer_id FROM customers_identity"
EDGES = "SELECT a_id, b_id FROM customers_link WHERE undone_at IS NULL"
CUSTOMERS = "SELECT id, founder_id, merged_into_id, erased_at IS NOT NULL FROM customers_customer"
APART = """
SELECT k.id FROM customers_keepapart k
  JOIN customers_identity a ON a.id = k.a_id JOIN customers_identity b ON b.id = k.b_id
 WHERE k.lifted_at IS NULL AND a.customer_id = b.customer_id ORDER BY k.id
"""
# Only people may exceed what the rules allow, and their links say so.
OVER_CAP = """
SELECT i.customer_id, CASE WHEN i.kind = ANY(%(messengers)s) THEN 'messenger' ELSE i.kind END, count(*)
  FROM customers_identity i
 WHERE i.kind NOT IN ('card', 'anonymous', 'erased') AND NOT EXISTS (
       SELECT 1 FROM customers_identity m JOIN customers_link l ON l.undone_at IS NULL AND m.id = l.b_id
        WHERE m.customer_id = i.customer_id AND m.kind <> 'card' AND l.cause IN ('agent', 'renormalise'))
 GROUP BY 1, 2
HAVING count(*) > %(least)s
"""
SEVERAL = """
SELECT i.customer_id, i.kind, count(DISTINCT i.value) FROM customers_identity i
 WHERE i.kind = ANY(%(unique)s) AND NOT EXISTS (
       SELECT 1 FROM customers_identity m JOIN customers_link l ON l.undone_at IS NULL AND m.id = l.b_id
        WHERE m.customer_id = i.customer_id AND m.kind <> 'card' AND l.cause IN ('agent', 'renormalise'))
 GROUP BY i.customer_id, i.kind, i.scope
HAVING count(DISTINCT i.value) > 1
"""
# Ids that were given out are in the log of views and in the feed.
GIVEN_OUT = """
SELECT DISTINCT v.customer_id FROM (
       SELECT customer_id FROM customers_cardview UNION ALL
       SELECT joined_id FROM customers_change WHERE joined_id IS NOT NULL UNION ALL
       SELECT left_id FROM customers_change WHERE left_id IS NOT NULL) v
 WHERE NOT EXISTS (SELECT 1 FROM customers_customer c WHERE c.id = v.customer_id) ORDER BY 1
"""
MERGES = "SELECT merged_into_id, count(*) FROM customers_customer GROUP BY merged_into_id HAVING count(*) > %(joins)s"
LINES = """
SELECT coalesce(t.identity_id, k.identity_id), coalesce(t.lines, 0), coalesce(k.counted, 0)
  FROM (SELECT identity_id, count(*) AS lines FROM customers_interaction GROUP BY identity_id) t
  FULL JOIN (SELECT identity_id, sum(count) AS counted FROM customers_contactcount GROUP BY identity_id) k
    USING (identity_id)
 WHERE coalesce(t.lines, 0) <> coalesce(k.counted, 0)
"""
STRAY = """
SELECT t.identity_id, count(*) FROM customers_interaction t
 WHERE NOT EXISTS (SELECT 1 FROM customers_identity i WHERE i.id = t.identity_id) GROUP BY t.identity_id
"""
ASTRAY = """
SELECT DISTINCT p.line_id FROM customers_interactionpart p
  JOIN customers_interaction t ON t.id = p.line_id WHERE p.identity_id <> t.identity_id
"""
GENERATIONS = """
SELECT a.id, b.id FROM customers_identity a JOIN customers_identity b USING (kind, scope, value)
 WHERE a.generation < b.generation AND (a.valid_to IS NULL OR b.valid_from IS NULL OR a.valid_to > b.valid_from)
"""
HOW_MANY = """
SELECT (SELECT count(*) FROM customers_identity), (SELECT count(*) FROM customers_customer),
       (SELECT count(*) FROM customers_link), (SELECT count(*) FROM customers_link WHERE undone_at IS NULL),
       (SELECT count(*) FROM customers_interaction), (SELECT count(*) FROM customers_candidate WHERE state = 'open')
"""
RULES: Final = (
    "answers",
    "cap",
    "counts",
    "founder",
    "generations",
    "home",
    "interactions",
    "keep_apart",
    "merged_into",
)
COUNTED = ("identities", "customers", "links", "standing_links", "interactions", "open_candidates")


@dataclass
class Findings:
    """`troubles` tells of the first ones, by ids."""

    counts: dict[str, int] = field(default_factory=dict)
    by_rule: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    seconds: float = 0

    def add(self, rule: str, words: str) -> None:
        self.by_rule[rule] += 1
        if len(self.troubles) < TOLD:
            self.troubles.append(f"{rule}: {words}")

    @property
    def total(self) -> int:
        return self.by_rule.total()


def verify() -> Findings:
    """Look at everything in one snapshot; nothing is changed."""
    started = time.monotonic()
    findings = Findings()
    with transaction.atomic(), cursor() as sql:
        sql.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        sql.execute(HOW_MANY)
        findings.counts = dict(zip(COUNTED, sql.fetchone() or (), strict=True))
        for rule, words in (*replayed(sql), *kept(sql), *counted(sql)):
            findings.add(rule, words)
    findings.seconds = round(time.monotonic() - started, 3)
    return findings


def verify_and_store() -> Findings:
    """The same, kept as the last result for `latest`."""
    found = verify()
    Verification.objects.create(
        seconds=found.seconds,
        counts={**found.counts, "by_rule": dict(found.by_rule)},
        trouble=found.total,
        found=found.troubles,
    )
    return found


def latest() -> Verification | None:
    """The last result, for /metrics and whoever watches: `at`, `seconds`, `trouble`, `counts`."""
    return Verification.objects.order_by("-pk").first()


def asked(sql: Cursor, statement: str, **params: Any) -> list[Any]:
    sql.execute(statement.encode(), params or None)
    return sql.fetchall()


def replayed(sql: Cursor) -> Iterator[tuple[str, str]]:
    """What is cached is what the standing links say, and every id ever given out answers."""
    homes = dict(asked(sql, NODES))
    rows = asked(sql, CUSTOMERS)
    founded = {founder: customer for customer, founder, _, _ in rows}
    merged = {customer: into for customer, _, into, _ in rows}
    stands: dict[int, int] = {}
    for component in components(homes, asked(sql, EDGES)):
        customers = sorted(founded[one] for one in component if one in founded)
        if not customers:
            yield "founder", f"nobody was founded by the identities {some(component)}"
            continue
        stands |= dict.fromkeys(customers, customers[0])
        for one in sorted(component):
            if homes[one] != customers[0]:
                yield "home", f"identity {one} is with customer {homes[one]}, its links say {customers[0]}"
    for (customer,) in asked(sql, GIVEN_OUT):
        yield "answers", f"customer {customer} was given out, and is not there"
    for customer, _, into, erased in rows:
        expected = stands.get(customer)
        if expected is None and not erased:
            yield "answers", f"customer {customer} has no founder among the identities"
        elif expected is not None and into != (None if expected == customer else expected):
            yield "merged_into", f"customer {customer} answers with {into}, its links say {expected}"
        if into is not None and merged.get(into) is not None:
            yield "answers", f"customer {customer} answers with {into}, which does not stand itself"


def kept(sql: Cursor) -> Iterator[tuple[str, str]]:
    """Nothing joins what is kept apart; nobody has more than a person has, unless an agent said so."""
    for (id_,) in asked(sql, APART):
        yield "keep_apart", f"the two ends of KeepApart {id_} are one customer"
    for customer, kind, count in asked(sql, OVER_CAP, messengers=list(MESSENGERS), least=min(CAPS.values())):
        if count > CAPS.get(kind, IDENTITIES):
            yield "cap", f"customer {customer} has {count} identities of the kind {kind}"
    for customer, kind, count in asked(sql, SEVERAL, unique=list(UNIQUE)) if settings.CXHUB_RULES else ():
        yield "cap", f"customer {customer} has {count} identities of the kind {kind} in one place"
    for customer, count in asked(sql, MERGES, joins=JOINS):
        if customer is not None:
            yield "cap", f"customer {customer} stands for {count} others"
    for one, other in asked(sql, GENERATIONS):
        yield "generations", f"the identities {one} and {other} have the same handle at the same time"


def counted(sql: Cursor) -> Iterator[tuple[str, str]]:
    """No link moved a contact: each hangs on an identity that is there, and was counted there once."""
    for identity, count in asked(sql, STRAY):
        yield "interactions", f"{count} contacts hang on identity {identity}, which is not there"
    for identity, lines, counts in asked(sql, LINES):
        yield "counts", f"identity {identity} has {lines} contacts, counted are {counts}"
    for (line,) in asked(sql, ASTRAY):
        yield "interactions", f"parts of contact {line} hang on another identity"


def some(ids: Any) -> str:
    first = sorted(ids)
    return ", ".join(map(str, first[:5])) + (" …" if len(first) > 5 else "")
