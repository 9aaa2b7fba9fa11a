"""How much trouble one matter was for the customer, from what he had to do: 0 (none) to 100, without a survey.

effort = the sum of its parts; a part = min(most, count x each), by the table WEIGHTS.

| part | what is counted | each | most |
|---|---|---|---|
| repeats | times he came again: an hour or more later, by another channel, or with another call | 10 | 30 |
| switches | contacts by another channel than his contact before | 5 | 15 |
| handovers | times another colleague took over, transfers of a call among them | 5 | 15 |
| waited | full hours by the clock in which he waited for an answer | 1 | 25 |
| given_again | times he gave an order number, a phone, an address … that he had given on this matter | 5 | 15 |

What is counted follows M. Dixon, N. Toman and R. DeLisi, "The Effortless Experience", Portfolio 2013: what costs
customers effort is contacting again, switching channels, being transferred, repeating information. The weights are
ours; whether they say what customers feel is shown by their correlation with CES, where there are answers.

`given_again` sees only what pushing systems tell in `details.order.number` and `details.given` ({name: value});
nobody reads the texts, so what is said again in words alone is not counted.
"""

from collections.abc import Mapping
from typing import Final

from customers.experience.contacts import Contact, Fact
from customers.experience.engine import Out, State

HOUR: Final = 3_600_000_000
WEIGHTS: Final[dict[str, tuple[int, int]]] = {
    "repeats": (10, 30),
    "switches": (5, 15),
    "handovers": (5, 15),
    "waited": (1, 25),
    "given_again": (5, 15),
}
"""part: (each, most); the most add up to 100."""
LATELY = 3
"""A customer's effort is the mean of so many matters, his latest."""


def counts(matter: Mapping[str, int]) -> dict[str, int]:
    """What happened in a matter, by part."""
    return {
        "repeats": max(0, matter["approaches"] - 1),
        "switches": matter["switches"],
        "handovers": matter["handovers"],
        "waited": matter["waited"] // HOUR,
        "given_again": matter["given_again"],
    }


def parts(matter: Mapping[str, int]) -> dict[str, int]:
    """The points of each part."""
    return {name: min(WEIGHTS[name][1], count * WEIGHTS[name][0]) for name, count in counts(matter).items()}


def measured(matter: Mapping[str, int]) -> int:
    return sum(parts(matter).values())


def begin() -> State:
    return {}


def see(state: State, contact: Contact, out: Out) -> None:
    """What is counted is in the matters of `requests`."""


def hear(state: State, fact: Fact, out: Out) -> None:
    """The same."""


def ring(state: State, at: int, out: Out) -> None:
    """The clock adds nothing: waiting counts when it ends."""


def close(state: State, now: int, out: Out) -> None:
    """The customer's effort: the mean of his latest matters."""
    requests = state["requests"]
    known = [[matter["at"], matter["line"], measured(matter)] for matter in requests["matters"]]
    latest = [effort for *_, effort in sorted([*requests["recent"], *known])[-LATELY:]]
    if latest:
        out.summary["effort"] = (2 * sum(latest) + len(latest)) // (2 * len(latest))
