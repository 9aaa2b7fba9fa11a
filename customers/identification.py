"""Whose is it: the rules that place an event, in the order in which one can read them aloud."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from django.conf import settings

from customers.handles import NormalHandle
from customers.incoming import ChannelEvent, Trust
from customers.models import SeenRegion
from customers.sql import Cursor, as_json

ANONYMOUS, CARD = "anonymous", "card"
OURS = 0
"""The source of what agents add by hand: its handles are identities that stand, and link whatever they are."""


class Key(NamedTuple):
    """A handle without its generation."""

    kind: str
    scope: str
    value: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """One handle of an event, in normal form, with how far it is to be believed there."""

    handle: NormalHandle
    trust: Trust
    spells: Key | None = None  # another handle of the event, of which this is a spelling
    only_known: bool = False  # evidence where somebody has it, never born
    key: Key = field(init=False)  # asked for some twenty times an event

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", Key(self.handle.kind, self.handle.scope, self.handle.value))

    def ties(self, other: "Evidence") -> bool:
        """Whether the two may link at all: both are believed, or they spell one mailbox."""
        return tie(self, other) >= Trust.ASSERTED and self.handle.linkable and other.handle.linkable


@dataclass(slots=True)
class Known:
    """An identity as the database has it, or as this transaction is about to make it."""

    id: int
    key: Key
    customer_id: int
    trust: int
    linkable: bool = True
    shared: bool = False
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    @property
    def covers_all(self) -> bool:
        return self.valid_from is None and self.valid_to is None

    def covers(self, moment: datetime) -> bool:
        return (self.valid_from is None or self.valid_from <= moment) and (
            self.valid_to is None or moment < self.valid_to
        )


@dataclass(slots=True)
class Case:
    """An event with its handles examined; the first of `evidence` carries the line."""

    event: ChannelEvent
    evidence: list[Evidence]
    refused: list[dict[str, str]]

    @property
    def follow_up(self) -> bool:
        """It names nobody and is no line of its own, or one beside another: it belongs where that lives."""
        return not self.event.handles and (self.event.part != "main" or self.event.beside is not None)

    @property
    def lives(self) -> UUID:
        """The line that tells a follow-up where it belongs."""
        return self.event.beside or self.event.line

    @property
    def at(self) -> datetime:
        return self.event.occurred_at or self.event.received_at


class Suggestion(NamedTuple):
    """A handle that was not linked: evidence for a person to decide on."""

    evidence: Evidence
    known: Known | None
    reason: str


@dataclass(slots=True)
class Verdict:
    """Where the line of a case hangs, and what became of the other handles."""

    carrier: Known
    matched_by: str
    suggested: list[Suggestion] = field(default_factory=list)
    refused: list[dict[str, str]] = field(default_factory=list)


class Objection(Exception):
    """A rule speaks against making these one person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def tie(one: Evidence, other: Evidence) -> Trust:
    """How far it is to be believed that the two are one person's."""
    trust = min(one.trust, other.trust)
    return max(trust, Trust.ASSERTED) if one.key == other.spells else trust


class NeedsLinking(Exception):
    """The hot path may read identities, but neither make nor link them."""


class World(Protocol):
    """The identities that a batch is about; the linking one also makes, links and joins them.

    `adopt` and `join` raise Objection when a rule forbids it.
    """

    def find(self, key: Key, at: datetime) -> Known | None: ...
    def linked(self, one: Known, other: Known) -> bool: ...
    def found(self, evidence: Evidence, case: Case) -> Known: ...
    def adopt(self, evidence: Evidence, into: Known, case: Case, trust: int) -> Known: ...
    def link(self, one: Known, other: Known, case: Case, trust: int) -> None: ...
    def join(self, one: Known, other: Known, case: Case, trust: int) -> None: ...
    def raise_trust(self, identity: Known, trust: int) -> None: ...


def judge(case: Case, world: World) -> Verdict:
    """The rules. Raises NeedsLinking where the world may not be changed."""
    first, *others = case.evidence
    verdict = carry(first, others, case, world)
    verdict.refused.extend(case.refused)
    for other in others:
        attach(other, first, verdict, case, world)
    return verdict


def carry(first: Evidence, others: Sequence[Evidence], case: Case, world: World) -> Verdict:
    """The first handle carries the line; a new one joins the first known other handle, else founds a customer."""
    carrier = world.find(first.key, case.at)
    if carrier is not None:
        if carrier.trust < first.trust:
            world.raise_trust(carrier, first.trust)
        return Verdict(carrier, first.handle.kind)
    for other in others:
        known = world.find(other.key, case.at) if first.ties(other) else None
        if known is not None and links_anybody(known, case):
            try:
                return Verdict(world.adopt(first, known, case, tie(first, other)), other.handle.kind)
            except Objection:
                continue  # Told when the other handle is attached.
    return Verdict(world.found(first, case), ANONYMOUS if first.handle.kind == ANONYMOUS else "new")


def attach(other: Evidence, first: Evidence, verdict: Verdict, case: Case, world: World) -> None:
    """Every other handle is linked or joined, or kept as evidence with the reason why not."""
    carrier, known = verdict.carrier, world.find(other.key, case.at)
    trust = tie(first, other)
    if known is None and other.only_known:
        return
    if known is not None and known.customer_id == carrier.customer_id:
        confirm(known, other, first, carrier, case, world)
        return
    try:
        if trust < Trust.ASSERTED:
            raise Objection("claimed")
        if not (first.ties(other) and links_anybody(carrier, case)):
            raise Objection("shared" if carrier.shared else "not_linkable")
        if known is None:
            world.adopt(other, carrier, case, trust)
        elif not links_anybody(known, case):
            raise Objection("shared" if known.shared else "not_linkable")
        else:
            world.join(carrier, known, case, trust)
    except Objection as objection:
        if known is None and other.spells:
            return  # Told of the handle itself, of which this is another spelling.
        verdict.suggested.append(Suggestion(other, known, objection.reason))
        verdict.refused.append(refusal(other, objection.reason))


def confirm(known: Known, other: Evidence, first: Evidence, carrier: Known, case: Case, world: World) -> None:
    """One customer has both already: what is better proven now is noted, and the first direct link between them."""
    trust = tie(first, other)
    if trust >= Trust.ASSERTED and known.trust < other.trust:
        world.raise_trust(known, other.trust)
    if first.ties(other) and not (known.shared or carrier.shared or world.linked(carrier, known)):
        world.link(carrier, known, case, trust)


def links_anybody(identity: Known, case: Case) -> bool:
    """A shared or public handle is no evidence of who somebody is; what an agent adds by hand always holds."""
    return case.event.source_id == OURS or (identity.linkable and not identity.shared)


def refusal(evidence: Evidence, reason: str) -> dict[str, str]:
    kind, scope, value = evidence.key
    return {"identifier": f"{kind}:{scope}:{value}" if scope else f"{kind}:{value}", "reason": reason}


IDENTITIES = """
SELECT i.id, i.kind, i.scope, i.value, i.customer_id, i.trust, i.linkable, i.shared, i.valid_from, i.valid_to
  FROM json_to_recordset(%s::json) AS x(kind text, scope text, value text)
  JOIN customers_identity i USING (kind, scope, value)
 ORDER BY i.id
"""
HOLD = " FOR KEY SHARE OF i"


class KnownWorld:
    """The identities as they are: it finds, and refuses to change anything."""

    def __init__(self, cursor: Cursor, cases: Iterable[Case], *, hold: bool = True) -> None:
        keys = {evidence.key for case in cases for evidence in case.evidence}
        self.identities: dict[Key, list[Known]] = {}
        self.pairs: set[tuple[int, int]] = set()
        if keys:
            rows = [key._asdict() for key in sorted(keys)]
            cursor.execute(IDENTITIES + (HOLD if hold else ""), (as_json(rows),))
            for id_, kind, scope, value, *rest in cursor.fetchall():
                key = Key(kind, scope, value)
                self.identities.setdefault(key, []).append(Known(id_, key, *rest))
        self.load_links(cursor, cases)

    def load_links(self, cursor: Cursor, cases: Iterable[Case]) -> None:
        several = {
            known.id
            for case in cases
            if len(case.evidence) > 1
            for e in case.evidence
            for known in self.identities.get(e.key, ())
        }
        if len(several) > 1:
            cursor.execute(
                "SELECT a_id, b_id FROM customers_link WHERE a_id = ANY(%s) AND b_id = ANY(%s) AND undone_at IS NULL",
                (sorted(several), sorted(several)),
            )
            self.pairs.update(cursor.fetchall())

    def find(self, key: Key, at: datetime) -> Known | None:
        return next((known for known in self.identities.get(key, ()) if known.covers(at)), None)

    def linked(self, one: Known, other: Known) -> bool:
        return (min(one.id, other.id), max(one.id, other.id)) in self.pairs

    def found(self, evidence: Evidence, case: Case) -> Known:
        raise NeedsLinking

    def adopt(self, evidence: Evidence, into: Known, case: Case, trust: int) -> Known:
        raise NeedsLinking

    def link(self, one: Known, other: Known, case: Case, trust: int) -> None:
        raise NeedsLinking

    def join(self, one: Known, other: Known, case: Case, trust: int) -> None:
        if not settings.CXHUB_RULES:
            raise Objection("other_customer")
        raise NeedsLinking

    def raise_trust(self, identity: Known, trust: int) -> None:
        raise NeedsLinking


def see_region(region: str) -> None:
    """Remember that numbers may be written the way of this region (ISO 3166)."""
    if region:
        SeenRegion.objects.get_or_create(region=region.upper())


def regions() -> list[str]:
    """The regions in use, for look-ups that name none."""
    return list(SeenRegion.objects.order_by("region").values_list("region", flat=True))
