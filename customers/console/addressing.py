"""Addresses of what hangs on a line: `reverse` looks each of them up anew, and a page has hundreds."""

from functools import lru_cache
from typing import NamedTuple, Protocol
from uuid import UUID

from django.urls import get_script_prefix, reverse


class OfCustomer(Protocol):
    """A line with its id and its customer's: UUIDs as text, so that nothing in them needs quoting."""

    customer: str

    @property
    def id(self) -> str: ...


@lru_cache(maxsize=256)
def pieces(name: str, count: int, prefix: str) -> tuple[str, ...]:
    """What an address says around its `count` ids; `prefix` is where the whole site is hung up."""
    marks = [UUID(int=2**127 + number) for number in range(count)]
    rest, found = reverse(name, args=marks), []
    for mark in marks:
        before, _, rest = rest.partition(str(mark))
        found.append(before)
    return (*found, rest)


class Hrefs(NamedTuple):
    """Of one line."""

    card: str
    line: str
    letter: str
    conversation: str
    promise: str
    expects: str
    move: str


def addresses() -> "Addresses":
    """Where the site is hung up now."""
    return of_site(get_script_prefix())


class Addresses:
    """Of a site that is hung up at `prefix`."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.before, self.after = pieces("card", 1, self.prefix)
        self.pairs = [
            pieces(name, 2, self.prefix)
            for name in ("line", "letter", "conversation", "promise_on", "expects_on", "move")
        ]

    def of(self, line: OfCustomer) -> Hrefs:
        who, id_ = line.customer, line.id
        return Hrefs(
            f"{self.before}{who}{self.after}",
            *[f"{before}{who}{between}{id_}{after}" for before, between, after in self.pairs],
        )

    def of_customer(self, name: str, customer: str) -> str:
        before, after = pieces(name, 1, self.prefix)
        return f"{before}{customer}{after}"

    def page(self, name: str) -> str:
        """Of what is nobody's."""
        return pieces(name, 0, self.prefix)[0]

    def a_promise(self, number: str) -> str:
        before, after = pieces("promise", 1, self.prefix)
        return f"{before}{number}{after}"

    def an_expectation(self, number: str) -> str:
        before, after = pieces("expectation", 1, self.prefix)
        return f"{before}{number}{after}"

    def matter(self, customer: str, number: str) -> str:
        before, between, after = pieces("matter", 2, self.prefix)
        return f"{before}{customer}{between}{number}{after}"

    def handle(self, customer: str, number: str) -> str:
        before, between, after = pieces("handle", 2, self.prefix)
        return f"{before}{customer}{between}{number}{after}"

    def candidate(self, number: str) -> str:
        before, after = pieces("candidate", 1, self.prefix)
        return f"{before}{number}{after}"


of_site = lru_cache(maxsize=8)(Addresses)
