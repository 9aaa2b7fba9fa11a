"""expectations: to be written."""

from customers.experience.contacts import Contact, Fact
from customers.experience.engine import Out, State


def begin() -> State:
    return {}


def see(state: State, contact: Contact, out: Out) -> None:
    """Nothing yet."""


def hear(state: State, fact: Fact, out: Out) -> None:
    """Nothing yet."""


def ring(state: State, at: int, out: Out) -> None:
    """Nothing yet."""


def close(state: State, now: int, out: Out) -> None:
    """Nothing yet."""
