"""Identities as the specification has them, in memory: handles, a list of links, and walks over the graph."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from customers.incoming import Trust


class Name(NamedTuple):
    """A handle in normal form, and its how many-eth owner."""

    kind: str
    scope: str
    value: str
    generation: int = 0


@dataclass
class Edge:
    a: Name
    b: Name
    standing: bool = True


Said = Sequence[tuple[Name, Trust]]


@dataclass
class Model:
    """`born` and `founders` keep the order in which identities and customers came to be; the oldest stands."""

    may_link: Callable[[Name], bool]
    born: list[Name] = field(default_factory=list)
    founders: list[Name] = field(default_factory=list)
    links: list[Edge] = field(default_factory=list)
    apart: set[frozenset[Name]] = field(default_factory=set)
    lines: dict[str, Name] = field(default_factory=dict)
    shared: set[Name] = field(default_factory=set)
    released: dict[Name, datetime] = field(default_factory=dict)
    when: dict[str, datetime] = field(default_factory=dict)
    assigned: dict[str, Name] = field(default_factory=dict)  # where the line came in

    def person(self, one: Name) -> frozenset[Name]:
        """All that a path of standing links reaches."""
        reached, queue = {one}, [one]
        while queue:
            at = queue.pop()
            for edge in self.links:
                if edge.standing and at in (edge.a, edge.b):
                    other = edge.b if edge.a == at else edge.a
                    if other not in reached:
                        reached.add(other)
                        queue.append(other)
        return frozenset(reached)

    def persons(self) -> list[frozenset[Name]]:
        return sorted({self.person(one) for one in self.born}, key=lambda person: self.oldest(person))

    def oldest(self, person: Iterable[Name]) -> int:
        return min(self.born.index(one) for one in person)

    def first(self, person: Iterable[Name]) -> Name:
        return self.born[self.oldest(person)]

    def founder(self, person: frozenset[Name]) -> Name:
        """Whose customer stands for this person."""
        return next(one for one in self.founders if one in person)

    def objection(self, one: frozenset[Name], other: frozenset[Name]) -> bool:
        if any(len(pair & one) == 1 and len(pair & other) == 1 for pair in self.apart):
            return True
        crm = [{name.value for name in person if name.kind == "crm_id"} for person in (one, other)]
        return bool(crm[0] and crm[1] and crm[0] != crm[1])

    def joins(self, one: Name) -> bool:
        return self.may_link(one) and one not in self.shared

    def owner(self, handle: Name, at: datetime) -> Name:
        """The generation of a handle that had it then; it may not be born yet."""
        while (until := self.released.get(handle)) is not None and until <= at:
            handle = handle._replace(generation=handle.generation + 1)
        return handle

    def event(self, key: str, said: Said, at: datetime) -> None:
        (carrier, trust), *others = [(self.owner(name, at), trust) for name, trust in said]
        if carrier not in self.born:
            self.carry(carrier, trust, others)
        for other, how in others:
            self.attach(carrier, other, min(trust, how))
        self.lines.setdefault(key, carrier)
        self.when[key] = at

    def carry(self, carrier: Name, trust: Trust, others: Said) -> None:
        for other, how in others if self.may_link(carrier) else ():
            believed = min(trust, how) >= Trust.ASSERTED and other in self.born and self.joins(other)
            if believed and not self.objection(self.person(other), frozenset({carrier})):
                self.born.append(carrier)
                self.links.append(Edge(other, carrier))
                return
        self.born.append(carrier)
        self.founders.append(carrier)

    def attach(self, carrier: Name, other: Name, trust: Trust) -> None:
        one = self.person(carrier)
        believed = trust >= Trust.ASSERTED and self.joins(carrier) and self.joins(other)
        if other in one:
            if believed and not any(e.standing and {e.a, e.b} == {carrier, other} for e in self.links):
                self.links.append(Edge(carrier, other))
        elif believed and not self.objection(one, self.person(other)):
            if other not in self.born:
                self.born.append(other)
            self.links.append(Edge(carrier, other))

    def card(self, person: frozenset[Name], card: Name) -> None:
        """What hangs by hand on a customer is born when it is first needed."""
        if card not in self.born:
            self.born.append(card)
            self.links.append(Edge(self.founder(person), card))

    def assign(self, key: str, card: Name) -> None:
        if card not in self.person(self.lines[key]):
            self.assigned.setdefault(key, self.lines[key])
            self.lines[key] = card

    def release(self, one: Name, at: datetime) -> None:
        self.released[one] = at
        heir = self.owner(one, at)
        for key in [key for key, name in self.lines.items() if name == one and self.when[key] >= at]:
            if heir not in self.born:
                self.born.append(heir)
                self.founders.append(heir)
            self.lines[key] = heir

    def merge(self, one: frozenset[Name], other: frozenset[Name]) -> None:
        self.apart = {pair for pair in self.apart if not (pair & one and pair & other)}
        self.links.append(Edge(self.founder(one), self.founder(other)))

    def undo(self, edge: Edge) -> None:
        if edge.standing:
            edge.standing = False
            self.refound([self.person(edge.a), self.person(edge.b)])
            if edge.b not in self.person(edge.a):
                self.apart.add(frozenset({edge.a, edge.b}))

    def refound(self, parts: Iterable[frozenset[Name]]) -> None:
        """Whoever is left without a founder is somebody new."""
        for part in sorted(parts, key=self.oldest):
            if not part & set(self.founders):
                self.founders.append(self.first(part))

    def split(self, person: frozenset[Name], cut: frozenset[Name], to: frozenset[Name] | None) -> None:
        rest = person - cut
        for edge in self.links:
            if edge.standing and len({edge.a, edge.b} & cut) == 1 and len({edge.a, edge.b} & rest) == 1:
                edge.standing = False
                self.apart.add(frozenset({edge.a, edge.b}))
        for side in (cut, rest):
            parts = sorted({self.person(one) for one in side}, key=self.oldest)
            self.links += [Edge(self.first(parts[0]), self.first(part)) for part in parts[1:]]
        if to is not None:
            self.apart = {pair for pair in self.apart if not (pair & cut and pair & to)}
            self.links.append(Edge(self.first(cut), self.founder(to)))
            cut |= to
        self.refound([cut, rest])
