"""Whose is it: the rules that place an event, in the order in which one can read them aloud."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from customers import handles
from customers.handles import NormalHandle
from customers.incoming import ChannelEvent, Handle, Trust
from customers.models import SeenRegion
from customers.sql import Cursor, as_json

RULES_VERSION = 1
"""Kept with every link, so that one can tell which rules made it."""

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

    @property
    def key(self) -> Key:
        return Key(self.handle.kind, self.handle.scope, self.handle.value)

    @property
    def links(self) -> bool:
        return self.trust >= Trust.ASSERTED and self.handle.linkable


@dataclass(slots=True)
class Known:
    """An identity as the database has it, or as this transaction is about to make it."""

    id: int
    key: Key
    customer_id: int
    trust: int
    linkable: bool = True
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
        """It names nobody and is no line of its own: it belongs where its line lives."""
        return not self.event.handles and self.event.part != "main"

    @property
    def at(self) -> datetime:
        return self.event.occurred_at or self.event.received_at


@dataclass(slots=True)
class Verdict:
    """Where the line of a case hangs, and what became of the other handles."""

    carrier: Known
    matched_by: str
    claimed: list[Evidence] = field(default_factory=list)
    refused: list[dict[str, str]] = field(default_factory=list)


class NeedsLinking(Exception):
    """The hot path may read identities, but neither make nor link them."""


class World(Protocol):
    """The identities that a batch is about; the linking one also makes and links them."""

    def find(self, key: Key, at: datetime) -> Known | None: ...
    def linked(self, one: Known, other: Known) -> bool: ...
    def found(self, evidence: Evidence, case: Case) -> Known: ...
    def adopt(self, evidence: Evidence, into: Known, case: Case, trust: int) -> Known: ...
    def link(self, one: Known, other: Known, case: Case, trust: int) -> None: ...
    def raise_trust(self, identity: Known, trust: int) -> None: ...


def examine(event: ChannelEvent) -> Case:
    """Normal forms of the event's handles; what is blocked or no handle at all is refused, not lost."""
    evidence: dict[Key, Evidence] = {}
    refused = []
    for handle in event.handles:
        try:
            normals = as_it_stands(handle) if event.source_id == OURS else normal_forms(handle, event)
        except handles.Refused as refusal:
            refused.append({"identifier": f"{handle.kind}:{handle.value[:200]}", "reason": refusal.reason})
            continue
        for normal in normals:
            one = Evidence(normal, handle.trust)
            best = evidence.get(one.key)
            if best is None or best.trust < one.trust:
                evidence[one.key] = one
    if not evidence and (event.handles or event.part == "main"):
        nobody = NormalHandle(kind=ANONYMOUS, scope=event.source, value=str(event.line), raw="", linkable=False)
        return Case(event, [Evidence(nobody, Trust.ASSERTED)], refused)
    return Case(event, list(evidence.values()), refused)


def normal_forms(handle: Handle, event: ChannelEvent) -> tuple[NormalHandle, ...]:
    return handles.normal(
        handle.kind, handle.value, handle.scope, region=event.region or None, default_scope=event.source
    )


def as_it_stands(handle: Handle) -> tuple[NormalHandle, ...]:
    return (NormalHandle(handle.kind, handle.scope, handle.value, raw=""),)


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
    for other in others if first.links else ():
        known = world.find(other.key, case.at) if other.links else None
        if known is not None and (known.linkable or case.event.source_id == OURS):
            return Verdict(world.adopt(first, known, case, min(first.trust, other.trust)), other.handle.kind)
    return Verdict(world.found(first, case), ANONYMOUS if first.handle.kind == ANONYMOUS else "new")


def attach(other: Evidence, first: Evidence, verdict: Verdict, case: Case, world: World) -> None:
    """Every other handle is linked, kept as evidence, or refused with a reason."""
    known = world.find(other.key, case.at)
    if known is not None and known.customer_id == verdict.carrier.customer_id:
        if other.links and first.links:
            if known.trust < other.trust:
                world.raise_trust(known, other.trust)
            if not world.linked(verdict.carrier, known):
                world.link(verdict.carrier, known, case, min(first.trust, other.trust))
    elif min(other.trust, first.trust) < Trust.ASSERTED:
        verdict.claimed.append(other)
        verdict.refused.append(refusal(other, "claimed"))
    elif not (other.links and first.links):
        verdict.claimed.append(other)
        verdict.refused.append(refusal(other, "not_linkable"))
    elif known is None:
        world.adopt(other, verdict.carrier, case, min(first.trust, other.trust))
    else:
        verdict.refused.append(refusal(other, "other_customer"))


def refusal(evidence: Evidence, reason: str) -> dict[str, str]:
    kind, scope, value = evidence.key
    return {"identifier": f"{kind}:{scope}:{value}" if scope else f"{kind}:{value}", "reason": reason}


IDENTITIES = """
SELECT i.id, i.kind, i.scope, i.value, i.customer_id, i.trust, i.linkable, i.valid_from, i.valid_to
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
            for id_, kind, scope, value, customer, trust, linkable, start, end in cursor.fetchall():
                key = Key(kind, scope, value)
                self.identities.setdefault(key, []).append(Known(id_, key, customer, trust, linkable, start, end))
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

    def raise_trust(self, identity: Known, trust: int) -> None:
        raise NeedsLinking


def see_region(region: str) -> None:
    """Remember that numbers may be written the way of this region (ISO 3166)."""
    if region:
        SeenRegion.objects.get_or_create(region=region.upper())


def regions() -> list[str]:
    """The regions in use, for look-ups that name none."""
    return list(SeenRegion.objects.order_by("region").values_list("region", flat=True))
