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

A matter may go on for months, because its customer writes every few days and nobody says that it is solved. He does not
toil all that time: whoever was answered, was content with it for REST and then comes again comes with something new,
and counting begins anew. The matter's effort is that of its hardest stretch. Who comes back to what was solved, or
under the number of his ticket, or was never answered, comes with the same.

`given_again` sees only what pushing systems tell in `details.order.number` and `details.given` ({name: value});
nobody reads the texts, so what is said again in words alone is not counted.
"""

from collections.abc import Mapping
from typing import Any, Final

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
REST: Final = 72 * HOUR
"""So long after the last word nobody comes again with the same; Friday evening to Monday morning is less."""
COUNTED: Final = ("approaches", "switches", "handovers", "waited", "given_again")
LATELY = 3
"""A customer's effort is the mean of so many matters, his latest."""


def counts(matter: Mapping[str, Any]) -> dict[str, int]:
    """What happened in a matter since its last rest, by part."""
    now = {name: matter[name] - matter["rested"].get(name, 0) for name in COUNTED}
    repeats, waited = max(0, now.pop("approaches") - 1), now["waited"] // HOUR
    return {"repeats": repeats, **now, "waited": waited}


def parts(matter: Mapping[str, Any]) -> dict[str, int]:
    """The points of each part, of the hardest stretch; of equals the later."""
    now = {name: min(WEIGHTS[name][1], count * WEIGHTS[name][0]) for name, count in counts(matter).items()}
    return max(now, matter["hardest"], key=lambda one: sum(one.values()))


def measured(matter: Mapping[str, Any]) -> int:
    return sum(parts(matter).values())


def rested(matter: Mapping[str, Any], at: int) -> bool:
    """Whether he was answered and content for so long that he comes with something new."""
    answered = matter["answered_at"] is not None and matter["since"] is None and not matter["ignored"]
    return answered and matter["solved_by"] in ("", "silence") and at - matter["last_at"] >= REST


def anew(matter: dict[str, Any]) -> None:
    """Counting begins anew; what was hardest is kept."""
    matter["hardest"] = parts(matter)
    matter.update(rested={name: matter[name] for name in COUNTED}, given={}, asked_at=None, asked_by="", agent="")


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
