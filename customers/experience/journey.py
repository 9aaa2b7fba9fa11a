"""The journey: in which stage a customer is and why, how he first came, and how each touch was.

The stages are before the purchase, purchase, after it, again, left. RULES are asked in their order, for every line;
the first that speaks decides. What a touch tells (how many, in which mood, after which waiting, whether it was the
last) adds up in rows of customer, month, stage and channel, from which the company's map is one sum.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from customers.experience.contacts import Contact, Fact, moment, number_of, word_of
from customers.experience.encounters import asks, served, talked, touches, who
from customers.experience.engine import Out, State, alarm, row_id
from customers.experience.meaning import DAY

BEFORE, PURCHASE, AFTER, AGAIN, LEFT = STAGES = ("before", "purchase", "after", "again", "left")
ORDERS = 50
"""Order numbers that are remembered, so that one order told twice is one purchase."""
HABIT = 64
"""Contacts after which the older ones count half: what he prefers is what he does lately."""
ENOUGH = 3
"""Contacts from which on we speak of a habit."""
CAMPAIGN = ("source", "medium", "campaign", "name", "term", "content", "id")
ON_HIS_WAY = frozenset({BEFORE, AFTER, AGAIN})
"""Stages that a mere contact does not change."""
ANNULLED = frozenset({"cancelled", "canceled", "refunded", "returned"})

Said = tuple[str, str] | None
"""(stage, reason), or nothing."""


def reported_lost(journey: State, contact: Contact) -> Said:
    """A system or a colleague says that he is lost: he closed his account, moved away, said goodbye."""
    lost = contact.details.get("lost")
    return (LEFT, reported(lost)) if lost else None


def reported_stage(journey: State, contact: Contact) -> Said:
    """A system that knows better says the stage."""
    told = contact.details.get("stage")
    stage = told.get("stage") if isinstance(told, Mapping) else told
    return (stage, reported(told)) if isinstance(stage, str) and stage in STAGES else None


def second_order(journey: State, contact: Contact) -> Said:
    """He buys, and had bought before."""
    return (AGAIN, "second_order") if journey["purchases"] and bought(journey, contact) else None


def first_order(journey: State, contact: Contact) -> Said:
    """He buys for the first time."""
    return (PURCHASE, "first_order") if bought(journey, contact) else None


def came_back(journey: State, contact: Contact) -> Said:
    """He had left, and here he is: where he goes on depends on whether he ever bought."""
    if journey["stage"] != LEFT or not sign(contact):
        return None
    return (AFTER if journey["purchases"] else BEFORE, "came_back")


def delivered(journey: State, contact: Contact) -> Said:
    """What he bought is with him."""
    arrived = journey["stage"] == PURCHASE and order_state(contact) == "delivered"
    return (AFTER, "delivered") if arrived else None


def support(journey: State, contact: Contact) -> Said:
    """He bought, and now asks us something or is spoken to."""
    return (AFTER, "support") if journey["stage"] == PURCHASE and (asks(contact) or served(contact)) else None


def first_contact(journey: State, contact: Contact) -> Said:
    """We had not met before."""
    return None if journey["stage"] else (BEFORE, "first_contact")


RULES: Final[tuple[Callable[[State, Contact], Said], ...]] = (
    *(reported_lost, reported_stage, second_order, first_order, came_back, delivered, support, first_contact),
)
"""Besides these only the clock decides: who gave no sign for `Meaning.lost_after_days` has left, by silence."""


def reported(told: object) -> str:
    words = word_of(told.get("reason"), 200) if isinstance(told, Mapping) else word_of(told, 200)
    return f"reported: {words}" if words and words not in STAGES else "reported"


def sign(contact: Contact) -> bool:
    """Whether the customer did something himself: came, wrote, bought, or spoke with us."""
    return contact.kind == "purchase" or talked(contact) or (contact.direction == "inbound" and touches(contact))


def order_of(contact: Contact) -> Mapping[str, Any]:
    order = contact.details.get("order")
    return order if isinstance(order, Mapping) else {}


def order_state(contact: Contact) -> str:
    order = order_of(contact)
    return word_of(order.get("state") or order.get("status"), 32)


def order_number(contact: Contact) -> str:
    number = order_of(contact).get("number")
    return str(number)[:80] if isinstance(number, str | int) and not isinstance(number, bool) else ""


def bought(journey: State, contact: Contact) -> bool:
    """A purchase that stands, and of an order that was not told yet."""
    return (
        contact.kind == "purchase"
        and order_state(contact) not in ANNULLED
        and (not (number := order_number(contact)) or number not in journey["orders"])
    )


def begin() -> State:
    never = dict.fromkeys(("since", "first", "last", "inbound", "first_purchase", "last_purchase", "touch", "human"))
    where = {"stage": "", "line": "", "month": "", "rows": {}, "last_row": ""}
    return never | where | {"purchases": 0, "orders": [], "channels": {}, "hours": {}, "habits": 0, "zone": "UTC"}


def see(state: State, contact: Contact, out: Out) -> None:
    journey = state["journey"]
    touched = touches(contact) or contact.kind == "purchase"
    said = (
        None if tells_nothing(journey, contact) else next((f for rule in RULES if (f := rule(journey, contact))), None)
    )
    gone = said is not None and said[0] == LEFT
    if touched and gone:  # The touch at which he left belongs to the stage that he left from.
        touch(journey, contact, out)
    if said:
        move(state, contact.at, contact.id, *said, out)
    if touched and not gone:
        touch(journey, contact, out)
    if contact.kind == "purchase" and bought(journey, contact):
        purchase(journey, contact)
    if touched and journey["stage"] != LEFT and (sign(contact) or "journey" not in state["alarms"]):
        alarm(state, "journey", contact.at + out.meaning.lost_after_days * DAY)
    if served(contact) and (agent := who(contact)):
        journey["human"] = {"line": contact.id, "at": contact.at, "agent": agent, "name": contact.agent_name}
        journey["human"]["channel"] = contact.channel


def tells_nothing(journey: State, contact: Contact) -> bool:
    """What no rule need look at: bare contacts of whoever is on his way, and our own lines, unless they tell of him."""
    said = contact.details
    if contact.kind == "purchase" or "stage" in said or "lost" in said or "order" in said:
        return False
    return journey["stage"] in ON_HIS_WAY or not touches(contact)


def hear(state: State, fact: Fact, out: Out) -> None:
    """In which mood a touch was."""
    if fact.name in ("emotion", "expectation_outcome"):
        mood = number_of(fact.data.get("emotion"))
    elif fact.name == "feedback" and not fact.id and "emotion" not in fact.contact.details:
        mood = number_of(fact.data.get("sentiment"))
    else:
        return
    if mood in (-1, 0, 1) and state["journey"]["stage"]:
        row = row_of(state["journey"], fact.at, fact.contact.channel, out)
        row["emotion_sum"] += int(mood or 0)
        row["emotion_n"] += 1


def ring(state: State, at: int, out: Out) -> None:
    """Silence."""
    move(state, at, state["journey"]["line"], LEFT, "silence", out)


def move(state: State, at: int, line: str, stage: str, reason: str, out: Out) -> None:
    journey = state["journey"]
    if stage == journey["stage"]:
        return
    change = {"line_id": UUID(line), "at": at, "was": journey["stage"], "stage": stage, "reason": reason}
    out.stages[row_id(line, "stage", f"{stage}:{at}")] = change
    if stage == LEFT:
        alarm(state, "journey", None)
        if journey["last_row"]:
            journey["rows"][journey["last_row"]]["exits"] = 1
    journey.update(stage=stage, since=at)


def touch(journey: State, contact: Contact, out: Out) -> None:
    """Count it in its month, stage and channel, and remember what the summary tells."""
    row = row_of(journey, contact.at, contact.channel, out)
    row["contacts"] += 1
    if contact.kind != "campaign" or not journey["line"]:
        journey.update(line=contact.id, last_row=key_of(journey, contact.at, contact.channel))
    if journey["first"] is None:
        journey["first"] = contact.at
    journey["last"] = contact.at
    first_touch(journey, contact)
    if contact.direction == "inbound":
        row["inbound"] += 1
        journey["inbound"] = contact.at
        habit(journey, contact, out)


def first_touch(journey: State, contact: Contact) -> None:
    """The first line, and the first campaign that a line before the first purchase names."""
    if journey["touch"] is None:
        names = {"line": contact.id, "at": moment(contact.at).isoformat(), "channel": contact.channel}
        journey["touch"] = {**names, "kind": contact.kind, "campaign": {}}
    told = contact.details.get("campaign") if contact.details else None
    if isinstance(told, Mapping) and not journey["touch"]["campaign"] and not journey["purchases"]:
        known = {name: told.get(name) or told.get(f"utm_{name}") for name in CAMPAIGN}
        campaign = {name: str(value)[:200] for name, value in known.items() if isinstance(value, str | int) and value}
        journey["touch"] |= {"campaign": campaign, **({"campaign_line": contact.id} if campaign else {})}


def habit(journey: State, contact: Contact, out: Out) -> None:
    """By what, and when, he speaks to us; an order or an answer to a survey is no talk."""
    if contact.kind not in ("message", "call", "email"):
        return
    calendar = out.calendars.of(contact.source)
    here = moment(contact.at).astimezone(calendar.zone) if calendar else moment(contact.at)
    journey["zone"] = calendar.zone.key if calendar else "UTC"
    for counts, name in ((journey["channels"], contact.channel), (journey["hours"], str(here.hour))):
        counts[name] = counts.get(name, 0) + 1
    journey["habits"] += 1
    if journey["habits"] >= HABIT:
        journey["habits"] //= 2
        for kind in ("channels", "hours"):
            journey[kind] = {name: count // 2 for name, count in journey[kind].items() if count > 1}


def purchase(journey: State, contact: Contact) -> None:
    journey["purchases"] += 1
    if journey["first_purchase"] is None:
        journey["first_purchase"] = contact.at
    journey["last_purchase"] = contact.at
    if number := order_number(contact):
        journey["orders"] = [*journey["orders"], number][-ORDERS:]


def waited(state: State, at: int, channel: str, micros: int, out: Out) -> None:
    """A question that came by this channel was answered after so long."""
    row = row_of(state["journey"], at, channel, out)
    row["waited_s"] += micros // 1_000_000
    row["waited_n"] += 1


def key_of(journey: State, at: int, channel: str) -> str:
    return f"{month_of(at // DAY)}|{journey['stage']}|{channel}"


def row_of(journey: State, at: int, channel: str, out: Out) -> dict[str, int]:
    """The sums of this moment's month; those of earlier months are done, but the one that may yet be the last."""
    key, rows = key_of(journey, at, channel), journey["rows"]
    if key not in rows:
        month = key[:10]
        if month > journey["month"]:
            journey["month"] = month
            for done in [one for one in rows if one[:10] < month and one != journey["last_row"]]:
                emit(done, rows.pop(done), out)
        counted = ("contacts", "inbound", "emotion_sum", "emotion_n", "waited_s", "waited_n", "exits")
        rows[key] = dict.fromkeys(counted, 0)
    found: dict[str, int] = rows[key]
    return found


def emit(key: str, row: Mapping[str, int], out: Out) -> None:
    month, stage, channel = key.split("|", 2)
    out.touches[(month, stage, channel)] = dict(row)


@lru_cache(maxsize=4096)
def month_of(day: int) -> str:
    """The first day of the month of a day since 1970, UTC."""
    return moment(day * DAY).strftime("%Y-%m-01")


def close(state: State, now: int, out: Out) -> None:
    journey = state["journey"]
    for key, row in journey["rows"].items():
        emit(key, row, out)
    out.summary |= {"stage": journey["stage"], "stage_since": journey["since"], "first_touch": journey["touch"]}
    out.summary |= {"first_contact_at": journey["first"], "last_contact_at": journey["last"]}
    out.summary |= {"last_inbound_at": journey["inbound"], "purchases": journey["purchases"]}
    out.summary |= {"first_purchase_at": journey["first_purchase"], "last_purchase_at": journey["last_purchase"]}
    more = out.summary.setdefault("more", {})
    if human := journey["human"]:
        more["human"] = {**human, "at": moment(human["at"]).isoformat()}
    if journey["habits"] >= ENOUGH:
        more["prefers"] = {
            "channel": most(journey["channels"]),
            "hour": int(most(journey["hours"])),
            "zone": journey["zone"],
            "n": journey["habits"],
        }


def most(counts: Mapping[str, int]) -> str:
    """The most frequent; of equals the first in the alphabet, so that it is always the same."""
    return min(counts, key=lambda name: (-counts[name], name))
