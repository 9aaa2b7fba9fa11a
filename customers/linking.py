"""Putting together: births and links under the locking protocol, so that a race never splits one person."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from uuid_utils.compat import uuid7

from customers import figures, profiles
from customers.attributes import BIRTHDAY, birthday
from customers.handles import NORMALISER_VERSION
from customers.identification import ANONYMOUS, CARD, OURS, Case, Evidence, Key, Known, KnownWorld, Objection
from customers.rules import RULES_VERSION, Profile, objection
from customers.sql import Cursor, Rows, as_json

LOCK = """
SELECT pg_advisory_xact_lock(h) FROM (
    SELECT DISTINCT hashtextextended(x, 0) AS h FROM unnest(%s::text[]) AS x ORDER BY h
) hashes
"""
HOLD_CUSTOMERS = "SELECT id, merged_into_id FROM customers_customer WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
STILL_THERE = "SELECT id, customer_id FROM customers_identity WHERE id = ANY(%s)"
IDS = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"

REJECTED = """
SELECT i.customer_id, c.kind, c.scope, c.value FROM customers_identity i
  JOIN customers_candidate c ON c.identity_id = i.id AND c.state = 'rejected'
 WHERE i.customer_id = ANY(%s) AND (c.kind, c.scope, c.value) <> (i.kind, i.scope, i.value)
"""

CUSTOMERS = Rows("customers_customer", id="bigint", public_id="uuid", founder_id="bigint", created_at="timestamptz")
IDENTITIES = Rows(
    "customers_identity",
    id="bigint",
    kind="text",
    scope="text",
    value="text",
    generation="int",
    raw="text",
    match_key="text",
    linkable="bool",
    shared="bool",
    normaliser_version="int",
    trust="smallint",
    customer_id="bigint",
    created_at="timestamptz",
    valid_from="timestamptz",
)
LINKS = Rows(
    "customers_link",
    a_id="bigint",
    b_id="bigint",
    cause="text",
    evidence="jsonb",
    trust="smallint",
    rules_version="int",
    created_at="timestamptz",
    created_by="text",
    undone_by="text",
    undo_reason="text",
)
MOVES = Rows("customers_change", what="text", identity_id="bigint", left_id="bigint", joined_id="bigint")
TRUSTS = Rows("customers_identity", id="bigint", trust="smallint")


JOINS = Rows("", goes="bigint", stands="bigint")
# One statement for all joins: few rows, whatever the number of lines that hang on them. A customer that goes was
# merged into nobody, so the two updates of customers never meet in a row.
JOIN = f"""
WITH x AS MATERIALIZED (
    SELECT * FROM {JOINS.source}
), merged AS (
    UPDATE customers_customer c SET merged_into_id = x.stands FROM x WHERE c.id = x.goes
), merged_before AS (
    UPDATE customers_customer c SET merged_into_id = x.stands FROM x WHERE c.merged_into_id = x.goes
), moved AS (
    UPDATE customers_identity i SET customer_id = x.stands FROM x WHERE i.customer_id = x.goes
    RETURNING i.id, x.goes, x.stands
)
INSERT INTO customers_change (what, identity_id, left_id, joined_id) SELECT 'moved', id, goes, stands FROM moved
"""


class Retry(Exception):
    """Somebody moved an identity between our look and our lock: roll back and start over."""


class LinkingWorld(KnownWorld):
    """The identities of a few cases, locked: what is made here is written by `flush` in the same transaction.

    Lock classes are strictly ordered (advisory locks on handles, sorted; customers by id; plain writes), so no
    circle of waiting can form. Raises Retry when the ground moved.
    """

    def __init__(self, cursor: Cursor, cases: Sequence[Case], *, actor: str = "rules", cause: str = "event") -> None:
        keys = {evidence.key for case in cases for evidence in case.evidence}
        cursor.execute(LOCK, (["\x1f".join(key) for key in keys],))
        super().__init__(cursor, cases)
        self.actor, self.cause = actor, cause
        self.now = datetime.now(UTC)
        known = [identity for generations in self.identities.values() for identity in generations]
        if known:
            cursor.execute(HOLD_CUSTOMERS, (sorted({identity.customer_id for identity in known}),))
            if any(merged is not None for _, merged in cursor.fetchall()):
                raise Retry
            cursor.execute(STILL_THERE, ([identity.id for identity in known],))
            if dict(cursor.fetchall()) != {identity.id: identity.customer_id for identity in known}:
                raise Retry
        unknown = sum(1 for key in keys if not any(known.covers_all for known in self.identities.get(key, ())))
        self.identity_ids = self.reserve(cursor, "customers_identity", unknown)
        self.customer_ids = self.reserve(cursor, "customers_customer", unknown)
        self.customers: list[dict[str, Any]] = []
        self.born: dict[int, dict[str, Any]] = {}
        self.links: list[dict[str, Any]] = []
        self.moves: list[dict[str, Any]] = []
        self.trusts: dict[int, int] = {}
        self.joins: dict[int, int] = {}  # who goes into whom, straight to who stands in the end
        owners = {identity.customer_id for identity in known}
        self.profiles = profiles.load(cursor, owners)
        self.rejected = rejected(cursor, owners)

    @staticmethod
    def reserve(cursor: Cursor, table: str, count: int) -> list[int]:
        if not count:
            return []
        cursor.execute(IDS, (table, count))
        return [row[0] for row in reversed(cursor.fetchall())]

    def found(self, evidence: Evidence, case: Case) -> Known:
        """A new person, founded by this handle."""
        customer = self.customer_ids.pop()
        self.profiles[customer] = profile_of(evidence, case)
        self.profiles[customer].customers = {customer}
        identity = self.bear(evidence, customer, case.at)
        self.customers.append({"id": customer, "public_id": uuid7(), "founder_id": identity.id, "created_at": self.now})
        return identity

    def adopt(self, evidence: Evidence, into: Known, case: Case, trust: int) -> Known:
        """A new handle of a known person; raises Objection."""
        profile, newcomer = self.profiles[into.customer_id], profile_of(evidence, case)
        if (into.customer_id, evidence.key) in self.rejected and case.event.source_id != OURS:
            raise Objection("rejected")
        if settings.CXHUB_RULES and case.event.source_id != OURS and (reason := objection(profile, newcomer)):
            raise Objection(reason)
        profile.take(newcomer)
        profile.joins -= 1  # A handle that nobody owned is no other customer.
        identity = self.bear(evidence, into.customer_id, case.at)
        self.link(into, identity, case, trust)
        self.moves.append({"what": "moved", "identity_id": identity.id, "left_id": None, "joined_id": into.customer_id})
        return identity

    def bear(self, evidence: Evidence, customer: int, at: datetime) -> Known:
        handle = evidence.handle
        identity = Known(self.identity_ids.pop(), evidence.key, customer, evidence.trust, handle.linkable)
        generations = self.identities.setdefault(evidence.key, [])
        # A handle that was released begins anew where its last owner's time ended.
        ended = [known.valid_to for known in generations if known.valid_to is not None and known.valid_to <= at]
        identity.valid_from = max(ended, default=None)
        self.born[identity.id] = {
            "id": identity.id,
            **evidence.key._asdict(),
            "generation": len(generations),
            "raw": handle.raw,
            "match_key": handle.match_key,
            "linkable": handle.linkable,
            "shared": False,
            "normaliser_version": NORMALISER_VERSION,
            "trust": int(evidence.trust),
            "customer_id": customer,
            "created_at": self.now,
            "valid_from": identity.valid_from,
        }
        generations.append(identity)
        return identity

    def link(self, one: Known, other: Known, case: Case, trust: int) -> None:
        """One more piece of evidence, kept even when the two are already connected."""
        a, b = sorted((one.id, other.id))
        self.pairs.add((a, b))
        self.links.append(
            {
                "a_id": a,
                "b_id": b,
                "cause": self.cause,
                "evidence": {"line": str(case.event.line), "source": case.event.source},
                "trust": int(trust),
                "rules_version": RULES_VERSION,
                "created_at": self.now,
                "created_by": self.actor,
                "undone_by": "",
                "undo_reason": "",
            }
        )

    def join(self, one: Known, other: Known, case: Case, trust: int) -> None:
        """Two known persons are one: the older customer stands for both; raises Objection."""
        if not settings.CXHUB_RULES:
            raise Objection("other_customer")
        stands, goes = sorted((one.customer_id, other.customer_id))
        if (one.customer_id, other.key) in self.rejected or (other.customer_id, one.key) in self.rejected:
            raise Objection("rejected")
        if reason := objection(self.profiles[stands], self.profiles[goes]):
            raise Objection(reason)
        self.link(one, other, case, trust)
        self.profiles[stands].take(self.profiles.pop(goes))
        self.joins |= {gone: stands for gone, into in self.joins.items() if into == goes}
        self.joins[goes] = stands
        for generations in self.identities.values():
            for identity in generations:
                if identity.customer_id == goes:
                    identity.customer_id = stands

    def raise_trust(self, identity: Known, trust: int) -> None:
        identity.trust = int(trust)
        if identity.id in self.born:
            self.born[identity.id]["trust"] = int(trust)
        else:
            self.trusts[identity.id] = int(trust)

    def flush(self, cursor: Cursor) -> None:
        """Write what the cases made; foreign keys are checked at the commit."""
        CUSTOMERS.insert(cursor, self.customers)
        IDENTITIES.insert(cursor, list(self.born.values()))
        LINKS.insert(cursor, self.links)
        figures.add_later("links", "made", by=len(self.links))
        figures.add_later("links", "joined", by=len(self.joins))
        MOVES.insert(cursor, self.moves)
        if self.joins:
            rows = [{"goes": goes, "stands": stands} for goes, stands in sorted(self.joins.items())]
            cursor.execute(JOIN.encode(), (as_json(rows),))
        TRUSTS.update(
            cursor, [{"id": id_, "trust": trust} for id_, trust in sorted(self.trusts.items())], "t.id = x.id"
        )


def rejected(cursor: Cursor, customers: Collection[int]) -> set[tuple[int, Key]]:
    """(customer, handle) that an agent said are two."""
    if not (customers and settings.CXHUB_RULES):
        return set()
    cursor.execute(REJECTED, (sorted(customers),))
    return {(customer, Key(kind, scope, value)) for customer, kind, scope, value in cursor.fetchall()}


def profile_of(evidence: Evidence, case: Case) -> Profile:
    """What is known of whoever comes with this handle: the event's name is his."""
    profile = Profile(name=case.event.name, birthday=birthday(case.event.attributes.get(BIRTHDAY)))
    if evidence.handle.kind not in (ANONYMOUS, CARD):
        profile.add(*evidence.key)
    return profile
