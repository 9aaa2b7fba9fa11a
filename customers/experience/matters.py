"""One matter of a customer as plain data: what a contact adds to it, how it is answered and closed, and its row."""

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from customers.experience import journey
from customers.experience.contacts import Contact
from customers.experience.effort import HOUR, measured, parts
from customers.experience.encounters import NOBODY_CAME, asks, missed, served, taken_at, who
from customers.experience.engine import Out, Row, State, row_id
from customers.models import Request

Matter = dict[str, Any]

SAME_SITTING: Final = HOUR
"""Messages of one channel that follow each other within it are one approach."""
LINES, THREADS, AGENTS, GIVEN, CHANNELS = 100, 20, 20, 50, 8
"""How many of each are remembered, the latest; of channels those by which he came most."""
OTHER: Final = "other"
AGENT, EVENT, SILENCE, CUSTOMER = "agent", "event", "silence", "customer"
"""Who solved it; `customer`: he gave it up, says a system."""
COUNTED = ("reopened", "in", "out", "missed", "switches", "handovers", "given_again", "approaches", "waited")


def opened(contact: Contact) -> Matter:
    never = dict.fromkeys(("since", "answered_at", "answer_line", "solved_at", "asked_at"))
    return {
        **dict.fromkeys(COUNTED, 0),
        **never,
        "line": contact.id,
        "at": contact.at,
        "subject": contact.subject,
        "source": contact.source,
        "channel": contact.channel,
        **dict.fromkeys(("external", "solved_by", "asked_by", "since_by", "agent"), ""),
        **{name: [] for name in ("threads", "channels", "agents", "lines")},
        **{name: {} for name in ("waiting", "by", "given", "awaits", "rested", "hardest")},
        "ignored": False,
        "keep": 0,
    }


def is_open(matter: Matter) -> bool:
    return matter["solved_at"] is None


def thread_of(contact: Contact) -> str:
    return f"{contact.identity}|{contact.channel}|{contact.thread}" if contact.thread else ""


def join(state: State, matter: Matter, contact: Contact, out: Out) -> None:
    """The contact is about this matter."""
    matter.update(last_at=contact.at, last_line=contact.id, active=contact.at)
    remember(matter["lines"], contact.id, LINES)
    remember(matter["channels"], contact.channel, LINES)
    if thread := thread_of(contact):
        remember(matter["threads"], thread, THREADS)
    matter["subject"] = matter["subject"] or contact.subject
    if contact.direction == "inbound":
        came(matter, contact)
    else:
        matter["out"] += 1
        count(matter, contact.channel, "out")
    if served(contact):
        hand_over(matter, contact)
        answer(state, matter, taken_at(contact), contact, out)


def remember(known: list[str], name: str, most: int) -> None:
    if name not in known:
        known.append(name)
        del known[:-most]


def count(matter: Matter, channel: str, name: str, more: int = 1) -> None:
    counts = matter["by"].setdefault(channel, {})
    counts[name] = counts.get(name, 0) + more


def came(matter: Matter, contact: Contact) -> None:
    """The customer came: whether he had to come again, by another channel, in vain, with what he had said before."""
    channel, before = contact.channel, matter["asked_at"]
    again = before is None or contact.kind == "call" or contact.at - before >= SAME_SITTING
    elsewhere = before is not None and channel != matter["asked_by"]
    matter["approaches"] += again or elsewhere
    matter["switches"] += elsewhere
    matter["in"] += 1
    count(matter, channel, "in")
    if missed(contact):
        matter["missed"] += 1
        count(matter, channel, "missed")
        if contact.state in NOBODY_CAME:
            count(matter, channel, "abandoned")
    matter["asked_at"], matter["asked_by"] = contact.at, channel
    if asks(contact):
        if matter["since"] is None:
            matter["since"], matter["since_by"] = contact.at, channel
        matter["waiting"][channel] = matter["waiting"].get(channel, 0) + 1
    if contact.details:
        repeat(matter, contact)


def repeat(matter: Matter, contact: Contact) -> None:
    """Data that he gives at this approach and gave at an earlier one; only digests are kept."""
    given, now = matter["given"], matter["approaches"]
    for token in sorted(set(tokens(contact))):
        if given.get(token, now) < now:
            matter["given_again"] += 1
        given[token] = now
    while len(given) > GIVEN:
        del given[min(given, key=lambda token: (given[token], token))]


def tokens(contact: Contact) -> Iterator[str]:
    told = contact.details.get("given")
    said = dict(told) if isinstance(told, Mapping) else {}
    if number := journey.order_number(contact):
        said["order"] = number
    for name, value in said.items():
        plain = "".join(one for one in str(value).casefold() if one.isalnum())
        if plain and isinstance(value, str | int):
            yield blake2b(f"{name}:{plain}".encode(), digest_size=6).hexdigest()


def hand_over(matter: Matter, contact: Contact) -> None:
    """Whether another colleague took over; a call says in `details.transfer` when it was passed on."""
    agent, passed = who(contact), contact.details.get("transfer")
    if passed:
        matter["handovers"] += len(passed) if isinstance(passed, list) else 1
    elif agent and matter["agent"] and agent != matter["agent"]:
        matter["handovers"] += 1
    if agent:
        matter["agent"] = agent
        remember(matter["agents"], agent, AGENTS)


def answer(state: State, matter: Matter, at: int, contact: Contact, out: Out) -> None:
    """A person answered, or a system says that one did: what waited waits no more."""
    if matter["answered_at"] is None:
        matter.update(answered_at=at, answer_line=contact.id)
    if matter["since"] is not None:
        waited = max(0, at - matter["since"])
        matter["waited"] += waited
        journey.waited(state, max(contact.at, matter["since"]), matter["since_by"], waited, out)
    matter.update(since=None, waiting={}, ignored=False)


def solve(matter: Matter, at: int, by: str) -> None:
    """It is closed; what still waited stays unanswered. By silence nobody knows until when he waited."""
    if matter["since"] is not None and by != SILENCE:
        matter["waited"] += max(0, at - matter["since"])
    for channel, waiting in matter["waiting"].items():
        count(matter, channel, "unanswered", waiting)
    matter.update(since=None, waiting={}, solved_at=at, solved_by=by, ignored=matter["since"] is not None)


def reopen(matter: Matter, at: int, *, waits: bool = False) -> None:
    """It goes on; `waits`: the customer did not come by himself, somebody says that he waits."""
    matter.update(solved_at=None, solved_by="", active=at)
    matter["reopened"] += 1
    if waits:
        matter.update(since=at, since_by=matter["channel"])


def state_of(matter: Matter) -> str:
    if not is_open(matter):
        ignored = matter["solved_by"] == SILENCE and matter["answered_at"] is None and matter["in"]
        return Request.ABANDONED if ignored or matter["solved_by"] == CUSTOMER else Request.SOLVED
    return Request.ANSWERED if matter["since"] is None else Request.OPEN


def emit(matter: Matter, out: Out) -> None:
    out.requests[row_id(matter["line"], "request")] = row(matter, out)


def within_bounds(by: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """Those by which he came most; the rest together as `other`: an index carries them, and its entries are small."""
    if len(by) <= CHANNELS:
        return by
    most = sorted(by, key=lambda channel: (channel == OTHER, -by[channel].get("in", 0), channel))
    rest: dict[str, int] = {}
    for channel in most[CHANNELS - 1 :]:
        for name, number in by[channel].items():
            rest[name] = rest.get(name, 0) + number
    return {**{channel: by[channel] for channel in most[: CHANNELS - 1]}, OTHER: rest}


def row(matter: Matter, out: Out) -> Row:
    state = state_of(matter)
    first, source = matter["at"], matter["source"]
    answered = matter["answered_at"]
    # Silence solves days after the last word: the solution was there with that word.
    done = matter["last_at"] if matter["solved_by"] == SILENCE else matter["solved_at"]
    solved = max(first, done) if state == Request.SOLVED else None
    by = {channel: dict(counts) for channel, counts in matter["by"].items()}
    for channel, waiting in matter["waiting"].items():
        by[channel]["waiting"] = waiting
    by = within_bounds(by)

    def clock(end: int | None) -> int | None:
        return None if end is None else (end - first) // 1_000_000

    def business(end: int | None) -> int | None:
        return None if end is None else out.calendars.between(source, first, end) // 1_000_000

    return {
        **{name: matter[name] for name in ("at", "subject", "source", "channel", "external", "channels", "agents")},
        **{name: matter[name] for name in ("last_at", "answered_at", "solved_at", "solved_by", "reopened", "missed")},
        **{name: matter[name] for name in ("switches", "handovers", "lines")},
        "line_id": UUID(matter["line"]),
        "state": state,
        "last_line": UUID(matter["last_line"]),
        "waiting_since": matter["since"],
        "answer_line": matter["answer_line"],
        "inbound": matter["in"],
        "outbound": matter["out"],
        "repeated": matter["given_again"],
        "waited_s": matter["waited"] // 1_000_000,
        "answer_s": clock(answered),
        "answer_business_s": business(answered),
        "solution_s": clock(solved),
        "solution_business_s": business(solved),
        "effort": measured(matter),
        "effort_parts": parts(matter),
        "by_channel": by,
    }
