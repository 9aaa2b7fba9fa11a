"""May two customers be one: the objections, in the order in which one can read them aloud."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from customers.names import given_names_differ

RULES_VERSION = 2
"""Kept with every link, so that one can tell which rules made it."""

MESSENGERS = frozenset(
    {"telegram", "whatsapp", "wa_bsuid", "viber", "vk", "max", "messenger", "instagram", "line", "slack"}
)
CAPS = {"phone": 10, "email": 10, "messenger": 20, "loyalty": 3, "device": 200}
UNIQUE = frozenset({"crm_id"})
"""Kinds of which a person has one per scope: two CRM ids of one CRM are two persons."""
JOINS, IDENTITIES = 100, 1_000


def counted_as(kind: str) -> str:
    """The kind under whose cap an identity falls."""
    return "messenger" if kind in MESSENGERS else kind


@dataclass(slots=True)
class Profile:
    """What the rules ask of a customer, or of a handle that nobody owns yet."""

    customers: set[int] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)  # identities, by the kind they are counted as
    unique: dict[tuple[str, str], set[str]] = field(default_factory=dict)  # values by (kind, scope)
    joins: int = 0
    name: str = ""
    birthday: str = ""
    apart: set[int] = field(default_factory=set)  # customers that no path of links may reach

    def add(self, kind: str, scope: str, value: str) -> None:
        self.counts[counted_as(kind)] += 1
        if kind in UNIQUE:
            self.unique.setdefault((kind, scope), set()).add(value)

    def take(self, other: "Profile") -> None:
        """Become the profile of both."""
        self.customers |= other.customers
        for kind, count in other.counts.items():
            self.counts[kind] += count
        for place, values in other.unique.items():
            self.unique.setdefault(place, set()).update(values)
        self.joins += other.joins + 1
        self.name = self.name or other.name
        self.birthday = self.birthday or other.birthday
        self.apart |= other.apart


def kept_apart(one: Profile, other: Profile) -> bool:
    """An agent said that they are two, or took the link between them back."""
    return bool(one.apart & other.customers or other.apart & one.customers)


def unique_conflict(one: Profile, other: Profile) -> bool:
    """Each has an id of the same CRM, and the ids differ."""
    return any(other.unique.get(place, values) != values for place, values in one.unique.items())


def contradiction(one: Profile, other: Profile) -> bool:
    """Their birthdays differ, or both first names are known and different."""
    if one.birthday and other.birthday and one.birthday != other.birthday:
        return True
    return bool(one.name and other.name and given_names_differ(one.name, other.name))


def over_caps(one: Profile, other: Profile) -> bool:
    """Together they would have more handles of a kind, identities or joins than a person has."""
    few, many = sorted((one.counts, other.counts), key=len)
    return (
        any(kind in many and count + many[kind] > CAPS.get(kind, IDENTITIES) for kind, count in few.items())
        or few.total() + many.total() > IDENTITIES
        or one.joins + other.joins >= JOINS
    )


OBJECTIONS: tuple[tuple[str, Callable[[Profile, Profile], bool]], ...] = (
    ("keep_apart", kept_apart),
    ("unique_conflict", unique_conflict),
    ("contradiction", contradiction),
    ("cap", over_caps),
)


def objection(one: Profile, other: Profile) -> str | None:
    """Why the machine must not make these one person; None if it may."""
    return next((reason for reason, objects in OBJECTIONS if objects(one, other)), None)
