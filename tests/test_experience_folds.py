"""Properties of all folds together: from a checkpoint as from the beginning, in whatever order, what adds up."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.experience import engine
from customers.experience.contacts import Contact, moment
from customers.experience.engine import Folded
from customers.experience.meaning import Meaning
from tests.stories import folded, id_of, line, office, rfc, told, when
from tests.support import LONG

MEANING = Meaning(solved_after_days=3, reopened_within_days=2, lost_after_days=20)
STEPS: tuple[str, ...] = (
    "message",
    "message",
    "call",
    "missed",
    "reply",
    "reply",
    "order",
    "campaign",
    "visit",
    "note",
    "event",
    "review",
)
NAMES = st.integers(0, 30).map(str)
MOODS = st.sampled_from([-1, 0, 1])


@st.composite
def said(draw: st.DrawFn) -> dict[str, Any]:
    """Details of a line: mostly nothing, else one of the things that the folds hear."""
    later = draw(st.integers(-5, 200))
    return draw(
        st.one_of(
            st.just({}),
            st.just({}),
            st.builds(lambda number: {"order": {"number": number}}, st.sampled_from("abc")),
            st.builds(lambda number: {"order": {"number": number, "state": "delivered"}}, st.sampled_from("abc")),
            st.builds(lambda mood: {"emotion": mood}, MOODS),
            st.builds(lambda stage: {"stage": stage}, st.sampled_from(["before", "after", "again", "left"])),
            st.just({"lost": "elsewhere"}),
            st.builds(
                lambda number, state: {"request": {"id": number, **({"state": state} if state else {})}},
                st.sampled_from(["1", "2"]),
                st.sampled_from(["", "open", "answered", "solved", "abandoned"]),
            ),
            st.builds(
                lambda do, other: {"requests": [{"id": "x", "do": do, "at": rfc(days=later), "with": id_of(other)}]},
                st.sampled_from(["solve", "reopen", "split", "join", "merge"]),
                NAMES,
            ),
            st.builds(
                lambda due: {"promise": {"what": "call", "due_at": rfc(days=later + due), "at": rfc(days=later)}},
                st.integers(0, 9),
            ),
            st.builds(
                lambda mood: {
                    "expectation": {
                        "what": "soon",
                        "outcome": {"as": "missed", "emotion": mood, "at": rfc(days=later)},
                    }
                },
                MOODS,
            ),
            st.builds(lambda value: {"score": {"metric": "ces", "value": value}}, st.integers(1, 7)),
            st.just({"tags": ["complaint"]}),
            st.builds(
                lambda state, mood: {"feedback": {"state": state, "sentiment": mood, "topic": state}},
                st.sampled_from(["new", "answered", "solved", "told"]),
                MOODS,
            ),
            st.builds(
                lambda state: {"feedbacks": [{"id": "x", "state": state, "at": rfc(days=later), "by": "a"}]},
                st.sampled_from(["answered", "solved", "told"]),
            ),
        )
    )


@st.composite
def stories(draw: st.DrawFn) -> list[Contact]:
    lines, hours = [], 0
    for place in range(draw(st.integers(12, 40))):
        hours += draw(st.sampled_from([0, 1, 1, 5, 26, 26, 60, 60, 200, 600]))
        step = draw(st.sampled_from(STEPS))
        more: dict[str, Any] = {"thread": draw(st.sampled_from(["", "", "a", "b"])), "details": draw(said())}
        more["channel"] = draw(st.sampled_from(["sms", "email"]))
        if step in ("call", "missed"):
            way = draw(st.sampled_from(["inbound", "outbound"]))
            more |= {"channel": "phone", "kind": "call", "direction": way, "agent": draw(st.sampled_from("ab"))}
            more["state"] = "completed" if step == "call" else "missed"
        elif step == "reply":
            more |= {"direction": "outbound", "agent": draw(st.sampled_from(["a", "b", ""]))}
        elif step in ("note", "event"):
            more |= {"direction": "internal", "kind": "note" if step == "note" else "other"}
        elif step in ("order", "campaign"):
            more |= {"kind": "purchase" if step == "order" else "campaign"}
            more["direction"] = "inbound" if step == "order" else "outbound"
        elif step == "review":
            more |= {"kind": draw(st.sampled_from(["review", "comment", "mention"])), "channel": "reviews"}
        elif step == "visit":
            more |= {"kind": "visit", "channel": "store", "agent": draw(st.sampled_from(["a", ""]))}
        lines.append(line(str(place), when(hours=hours), **more))
    return lines


def fold(lines: list[Contact], now: int, start: Any = None) -> Folded:
    return folded(lines, now=now, start=start, meaning=MEANING, calendars=office())


def kept(before: Folded, after: Folded, since: int) -> dict[str, Any]:
    """The rows that stand when those of a second fold replaced those of the first from its checkpoint on."""
    month = moment(since).strftime("%Y-%m-01")
    stands = told(after)
    for name, rows in told(before).items():
        if name == "touches":
            stands[name] = {key: row for key, row in rows.items() if key[0] < month} | stands[name]
        elif name not in ("summary", "next"):
            stands[name] = {key: row for key, row in rows.items() if row["at"] <= since} | stands[name]
    return stands


@settings(max_examples=50 if LONG else 15, deadline=None, suppress_health_check=list(HealthCheck))
@given(stories(), st.data())
def test_from_a_checkpoint_as_from_the_beginning(story: list[Contact], data: st.DataObject) -> None:
    """Half of the story folded with the rows written, then the rest from the checkpoint: as if folded at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "LONG", 8)
        patch.setattr(engine, "RECENT", 5)
        cut = data.draw(st.integers(8, len(story)))
        early, now = story[:cut], story[-1].at + data.draw(st.integers(0, 30)) * 86_400_000_000
        first = fold(early, data.draw(st.sampled_from([early[-1].at, now])))
        if first.checkpoint is None:
            return
        since = first.checkpoint.at
        rest = [one for one in story if one.at > since]
        if any(one.at <= since for one in story[cut:]):
            return  # The follower sees that a line came before the checkpoint, and begins anew.
        assert kept(first, fold(rest, now, first.checkpoint), since) == told(fold(story, now))


@settings(max_examples=50 if LONG else 15, deadline=None, suppress_health_check=list(HealthCheck))
@given(stories(), st.randoms(use_true_random=False))
def test_the_order_in_which_lines_come_does_not_matter(story: list[Contact], chance: Any) -> None:
    now = story[-1].at
    shuffled = list(story)
    chance.shuffle(shuffled)
    assert told(fold(shuffled, now)) == told(fold(story, now))


@settings(max_examples=50 if LONG else 15, deadline=None, suppress_health_check=list(HealthCheck))
@given(stories())
def test_what_is_counted_adds_up(story: list[Contact]) -> None:
    """Every contact is in one matter at most and in one touch; nobody waits twice; the parts make the effort."""
    out = fold(story, story[-1].at).out
    matters = list(out.requests.values())
    lines = [one for row in matters for one in row["lines"]]
    assert len(lines) == len(set(lines))
    for row in matters:
        counted = row["by_channel"].values()
        assert sum(one.get("in", 0) for one in counted) == row["inbound"]
        assert sum(one.get("out", 0) for one in counted) == row["outbound"]
        assert (row["state"] == "open") == (row["waiting_since"] is not None)
        assert (row["solved_at"] is not None) == (row["state"] in ("solved", "abandoned"))
        assert row["effort"] == sum(row["effort_parts"].values()) <= 100
        assert row["at"] <= row["last_at"]
        assert row["answered_at"] is None or row["answer_s"] >= row["answer_business_s"] >= 0
    seen = [one for one in story if (one.direction != "internal" and one.kind != "note") or one.kind == "purchase"]
    assert sum(row["contacts"] for row in out.touches.values()) == len(seen)
    path = sorted(out.stages.values(), key=lambda row: int(row["at"]))
    assert all(row["was"] != row["stage"] for row in path)
