"""Matters by hand: which contact belongs to which, when it is answered and solved, and what it cost the customer."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from customers.experience.contacts import Contact
from customers.experience.meaning import Meaning
from tests.stories import call, folded, id_of, line, matters, office, op, order, reply, rfc, when

HOUR, DAY = 3600, 86400


def states(found: list[dict[str, Any]]) -> list[str]:
    return [row["state"] for row in found]


class TestWhichMatter:
    def test_a_question_opens_one_and_whatever_follows_joins_it(self) -> None:
        story = [
            line("mail", when(), channel="email", kind="email", subject="Where is it?"),
            line("chat", when(hours=5), channel="telegram"),
            reply("answer", when(hours=6), channel="telegram"),
        ]
        (row,) = matters(story, now=when(days=1))
        assert row["state"] == "answered"
        assert row["subject"] == "Where is it?"
        assert row["channels"] == ["email", "telegram"]
        assert [str(one) for one in row["lines"]] == [id_of(name) for name in ("mail", "chat", "answer")]
        assert (row["inbound"], row["outbound"], row["switches"]) == (2, 1, 1)
        assert row["by_channel"] == {"email": {"in": 1}, "telegram": {"in": 1, "out": 1}}

    def test_the_channels_he_used_least_are_told_together(self) -> None:
        names = [f"way-{number}" for number in range(10)]
        story = [line(f"{name} {n}", when(hours=n), channel=name) for n in range(2) for name in names[n * 9 :]]
        (row,) = matters(story, now=when(days=1))
        by = row["by_channel"]
        assert (len(by), by["way-9"]["in"], sum(one["in"] for one in by.values())) == (8, 2, 11)
        assert by["other"] == {"in": 3, "waiting": 3}

    def test_what_is_no_question_opens_none(self) -> None:
        story = [
            order("buy", when()),
            reply("news", when(days=1), kind="campaign"),
            reply("hello", when(days=2)),
            line("stars", when(days=3), kind="review", channel="reviews"),
            line("note", when(days=4), kind="note", direction="internal"),
            line("score", when(days=5), kind="survey"),
        ]
        assert matters(story) == []

    def test_a_call_that_was_taken_is_answered_at_once(self) -> None:
        taken = {"call": {"answered_at": rfc(minutes=0.5)}}
        (row,) = matters([call("call", when(), agent="ann", details=taken)], now=when(days=1))
        assert (row["state"], row["answer_s"], row["waited_s"]) == ("answered", 30, 30)
        assert row["agents"] == ["ann"]

    def test_a_robot_answers_nobody(self) -> None:
        story = [
            line("ask", when()),
            reply("bot", when(minutes=1), human=False),
            reply("auto", when(minutes=2), details={"auto": True}),
            reply("lost", when(minutes=3), state="failed"),
            call("tried", when(minutes=4), "no-answer", direction="outbound", agent="ann"),
        ]
        (row,) = matters(story, now=when(days=1))
        assert (row["state"], row["answered_at"], row["waiting_since"]) == ("open", None, when())
        assert row["by_channel"] == {"sms": {"in": 1, "out": 2, "waiting": 1}, "phone": {"out": 1}}

    def test_the_conversation_goes_before_the_latest(self) -> None:
        story = [
            line("a", when(), thread="a", details={"request": {"id": "T-1"}}),
            line("b", when(hours=1), thread="b", details={"request": {"id": "T-2"}}),
            line("a2", when(hours=2), thread="a"),
            line("c", when(hours=3)),
            line("b2", when(hours=4), channel="email", details={"request": {"id": "T-2"}}),
        ]
        first, second = matters(story, now=when(days=1))
        assert (first["external"], second["external"]) == ("T-1", "T-2")
        assert [str(one) for one in first["lines"]] == [id_of(name) for name in ("a", "a2", "c")]
        assert [str(one) for one in second["lines"]] == [id_of(name) for name in ("b", "b2")]

    def test_a_number_that_comes_later_is_the_open_matters(self) -> None:
        story = [call("missed", when(), "missed"), line("form", when(hours=1), details={"request": {"id": "T-9"}})]
        (row,) = matters(story, now=when(days=1))
        assert row["external"] == "T-9"
        assert row["inbound"] == 2


class TestTimes:
    def test_first_answer_and_solution_by_the_clock_and_in_business_hours(self) -> None:
        """Friday 17:00 in Vilnius (UTC+2), answered on Monday at 10:00, solved on Tuesday at 9:30."""
        story = [
            line("ask", when(days=4, hours=6), details={"requests": [op("1", "solve", rfc(days=7, hours=22.5))]}),
            reply("answer", when(days=7, hours=-1)),
        ]
        (row,) = matters(story, calendars=office(), now=when(days=8))
        assert row["state"] == "solved"
        assert row["solved_by"] == "agent"
        assert row["answer_s"] == 2 * DAY + 17 * HOUR
        assert row["answer_business_s"] == 2 * HOUR  # an hour on Friday, another on Monday
        assert row["solution_s"] == 3 * DAY + 16 * HOUR + 1800
        assert row["solution_business_s"] == 10 * HOUR + 1800

    def test_a_holiday_and_the_change_of_the_clock(self) -> None:
        """Clocks in Vilnius go forward on Sunday, 29 March: 24 hours by the wall are 23; Monday is a holiday."""
        story = [line("ask", when(days=25, hours=6)), reply("answer", when(days=29, hours=-2))]  # Fri 17:00, Tue 10:00
        (row,) = matters(story, calendars=office(holidays=[date(2026, 3, 30)]), now=when(days=30))
        assert row["answer_s"] == 3 * DAY + 16 * HOUR
        assert row["answer_business_s"] == 2 * HOUR
        (usual,) = matters(story, calendars=office(), now=when(days=30))
        assert usual["answer_business_s"] == 11 * HOUR

    def test_the_zone_is_the_calendars(self) -> None:
        story = [line("ask", when()), reply("answer", when(hours=1))]
        (row,) = matters(story, calendars=office("America/New_York"), now=when(days=1))
        assert (row["answer_s"], row["answer_business_s"]) == (HOUR, 0)  # five o'clock in the morning

    def test_silence_solves_what_was_answered_as_of_the_last_word(self) -> None:
        story = [line("ask", when()), reply("answer", when(hours=2))]
        assert states(matters(story, now=when(days=7))) == ["answered"]
        (row,) = matters(story, now=when(days=7, hours=2))
        assert (row["state"], row["solved_by"], row["solved_at"]) == ("solved", "silence", when(days=7, hours=2))
        assert row["solution_s"] == 2 * HOUR

    def test_what_nobody_answered_is_abandoned_not_solved(self) -> None:
        (row,) = matters([call("missed", when(), "missed")], now=when(days=8))
        assert (row["state"], row["solution_s"], row["missed"]) == ("abandoned", None, 1)
        assert row["by_channel"] == {"phone": {"in": 1, "missed": 1, "abandoned": 1, "unanswered": 1}}

    def test_days_are_the_companys(self) -> None:
        story = [line("ask", when()), reply("answer", when(hours=2))]
        assert states(matters(story, now=when(days=3), meaning=Meaning(solved_after_days=2))) == ["solved"]

    def test_the_engine_says_when_silence_will_have_solved_it(self) -> None:
        assert folded([line("ask", when())], now=when(days=1)).next_at == when(days=7)

    def test_each_waiting_counts_until_it_ends(self) -> None:
        story = [
            line("ask", when()),
            reply("answer", when(hours=1)),
            line("again", when(hours=10)),
            line("please", when(hours=11)),
            reply("there", when(hours=13)),
            line("thanks", when(hours=14)),
        ]
        (row,) = matters(story, now=when(days=1))
        assert row["waited_s"] == 4 * HOUR
        assert (row["state"], row["waiting_since"]) == ("open", when(hours=14))


class TestReturns:
    def test_within_seven_days_it_is_the_same_matter(self) -> None:
        solved = {"requests": [op("1", "solve", rfc(hours=3))]}
        story = [line("ask", when(), details=solved), reply("answer", when(hours=2))]
        (row,) = matters([*story, line("back", when(days=7))], now=when(days=7, hours=1))
        assert (row["state"], row["reopened"], row["solved_at"], row["inbound"]) == ("open", 1, None, 2)
        assert states(matters([*story, line("new", when(days=7, hours=4))], now=when(days=8))) == ["solved", "open"]

    def test_a_conversation_finds_its_own_solved_matter(self) -> None:
        solved = {"request": {"id": "T-1", "state": "solved"}}
        story = [
            line("a", when(), thread="a"),
            reply("done", when(hours=1), thread="a", details=solved),
            line("b", when(hours=2), thread="b", details={"request": {"id": "T-2"}}),
            line("a2", when(hours=3), thread="a"),
        ]
        first, second = matters(story, now=when(days=1))
        assert (first["reopened"], first["inbound"], second["inbound"]) == (1, 2, 1)

    def test_a_word_of_ours_afterwards_does_not_open_it_again(self) -> None:
        story = [
            line("a", when(), thread="a"),
            reply("done", when(hours=1), thread="a", details={"request": {"state": "solved"}}),
            reply("how was it", when(days=1), thread="a"),
        ]
        (row,) = matters(story, now=when(days=2))
        assert (row["state"], row["solved_by"], row["outbound"]) == ("solved", "event", 2)

    def test_systems_say_open_answered_and_abandoned(self) -> None:
        def pushed(state: str, at: int, name: str) -> Any:
            said = {"request": {"id": "T-1", "state": state}}
            return line(name, at, direction="internal", kind="other", details=said)

        ask = line("ask", when(), details={"request": {"id": "T-1"}})
        answered = [ask, pushed("answered", when(hours=1), "1")]
        assert [(row["state"], row["answer_s"]) for row in matters(answered, now=when(days=1))] == [("answered", HOUR)]
        given_up = [ask, pushed("abandoned", when(hours=1), "1")]
        assert states(matters(given_up, now=when(days=1))) == ["abandoned"]
        (row,) = matters([*given_up, pushed("open", when(hours=2), "2")], now=when(days=1))
        assert (row["state"], row["reopened"], row["waiting_since"]) == ("open", 1, when(hours=2))


class TestAgents:
    def story(self, **said: Any) -> list[Any]:
        """Two questions in two conversations, and what agents say of them: `ask={"requests": […]}`."""
        lines = [
            line("ask", when(), thread="a"),
            reply("answer", when(hours=1), thread="a"),
            line("other", when(hours=2), thread="a"),
            line("more", when(hours=3), thread="a"),
            line("late", when(days=30), thread="b"),
        ]
        named = {id_of(name): {"requests": said[name]} for name in said}
        return [line_ if line_.id not in named else with_(line_, named[line_.id]) for line_ in lines]

    def test_without_a_word_of_theirs(self) -> None:
        assert [row["inbound"] for row in matters(self.story())] == [3, 1]

    def test_split_begins_a_matter_and_what_follows_belongs_to_it(self) -> None:
        rows = matters(self.story(other=[op("1", "split", rfc(hours=5))]))
        assert [row["inbound"] for row in rows] == [1, 2, 1]

    def test_join_puts_a_contact_back(self) -> None:
        said = {"other": [op("1", "split", rfc(hours=5))], "more": [op("2", "join", rfc(hours=5), "ask")]}
        assert [row["inbound"] for row in matters(self.story(**said))] == [2, 1, 1]

    def test_merge_reaches_a_matter_long_forgotten(self) -> None:
        (row,) = matters(self.story(ask=[op("1", "merge", rfc(days=31), "late")]), now=when(days=31, hours=1))
        assert (row["inbound"], row["reopened"], row["state"]) == (4, 1, "open")

    def test_a_later_word_takes_an_earlier_one_back(self) -> None:
        merged = [op("1", "merge", rfc(days=31), "late")]
        parted = [op("2", "split", rfc(days=32))]
        assert len(matters(self.story(ask=merged, late=parted))) == 2
        assert len(matters(self.story(ask=[op("1", "merge", rfc(days=33), "late")], late=parted))) == 1
        assert len(matters(self.story(ask=[{**merged[0], "undone": {"at": rfc(days=34)}}]))) == 2

    def test_solve_and_reopen_from_their_time_on(self) -> None:
        said = [op("1", "solve", rfc(hours=4)), op("2", "reopen", rfc(days=3)), op("3", "solve", rfc(days=4))]
        found = matters(self.story(ask=said), now=when(days=5))
        assert [(row["state"], row["reopened"], row["solved_at"]) for row in found[:1]] == [
            ("solved", 1, when(days=4)),
        ]
        assert states(matters(self.story(ask=said[:2]), now=when(days=3, hours=1)))[0] == "open"

    def test_a_reopening_long_after_still_finds_it(self) -> None:
        said = [op("1", "solve", rfc(hours=4)), op("2", "reopen", rfc(days=60))]
        rows = matters(self.story(ask=said), now=when(days=61))
        assert [row["state"] for row in rows] == ["open", "abandoned"]


def with_(contact: Any, details: dict[str, Any]) -> Any:
    return replace(contact, details=details)


class TestEffort:
    def test_every_part_by_hand(self) -> None:
        given = {"order": {"number": "AB-1"}, "given": {"phone": "+7 912 000-00-01"}}
        story = [
            line("mail", when(), channel="email", kind="email", details=given),
            call("call", when(hours=3), "missed"),
            call("call again", when(hours=3.2), agent="ann", details={"given": {"phone": "79120000001"}}),
            call("passed", when(days=1), agent="bob", details={"transfer": [{"from": "ann", "to": "bob"}]}),
            line("chat", when(days=2), channel="telegram", details={"order": {"number": "ab1"}}),
            reply("answer", when(days=2, hours=2), agent="cem", channel="telegram"),
        ]
        (row,) = matters(story, now=when(days=3))
        assert row["effort_parts"] == {
            "repeats": 30,  # four times again, ten points each, thirty at most
            "switches": 10,  # by phone after the mail, by chat after the call
            "handovers": 10,  # the call that was passed on, and another colleague's answer
            "waited": 5,  # 3 h 12 min until the second call was taken, two for the answer to the chat
            "given_again": 10,  # the phone, and the order
        }
        assert row["effort"] == 65
        assert row["repeated"] == 2
        assert row["handovers"] == 2

    def test_one_sitting_is_one_approach(self) -> None:
        story = [line(str(minute), when(minutes=minute), details={"order": {"number": "1"}}) for minute in range(50)]
        (row,) = matters(story, now=when(hours=2))
        assert row["effort"] == 0
        assert row["inbound"] == 50

    def test_it_cannot_pass_a_hundred(self) -> None:
        story = []
        for day in range(40):
            channel = ("email", "sms")[day % 2]
            story += [
                line(f"q{day}", when(days=day), channel=channel, details={"order": {"number": "1"}}),
                reply(f"a{day}", when(days=day + 0.9), agent=str(day)),
            ]
        found = folded(story)
        (row,) = found.out.requests.values()
        assert row["effort"] == 100
        assert found.out.summary["effort"] == 100

    def test_whoever_writes_every_few_days_does_not_toil_for_ever(self) -> None:
        """Each question is answered within an hour, and four days later there is another: one matter, no effort."""
        given = {"order": {"number": "1"}}
        story = []
        for turn in range(20):
            by = {"channel": ("email", "sms")[turn % 2], "details": given, "thread": "for ever"}
            story += [line(f"q{turn}", when(days=4 * turn), **by)]
            story += [reply(f"a{turn}", when(days=4 * turn, hours=0.9), agent=f"agent {turn % 2}")]
        (row,) = matters(story)
        assert (row["effort"], row["inbound"]) == (0, 20)

    def test_it_is_that_of_the_hardest_stretch(self) -> None:
        hard = [call(f"call {hour}", when(hours=hour), "missed") for hour in (0, 1, 2)]
        hard += [reply("answer", when(hours=4))]
        easy = [line("new", when(days=4)), reply("new answer", when(days=4, hours=1))]
        (row,) = matters([*hard, *easy], now=when(days=5))
        assert row["effort_parts"] == {"repeats": 20, "switches": 0, "handovers": 0, "waited": 4, "given_again": 0}
        (row,) = matters([*hard, *easy[:1]], now=when(days=5))
        assert row["effort"] == 24

    @pytest.mark.parametrize(
        ("between", "later", "more"),
        [
            ([], 4, {}),  # nobody answered
            ([reply("a", when(hours=1))], 2.9, {}),  # too soon
            ([reply("a", when(hours=1))], 4, {"request": {"id": "7"}}),  # his ticket
            ([reply("a", when(hours=1), details={"requests": [op("x", "solve", rfc(hours=2))]})], 4, {}),
        ],
    )
    def test_whoever_comes_with_the_same_comes_again(
        self, between: list[Contact], later: float, more: dict[str, Any]
    ) -> None:
        first = line("q", when(), details={"request": {"id": "7"}})
        (row,) = matters([first, *between, line("again", when(days=later), details=more)], now=when(days=5))
        assert row["effort_parts"]["repeats"] == 10

    def test_silence_is_no_proof_that_it_is_the_same(self) -> None:
        story = [line("q", when()), reply("a", when(hours=0.5)), line("again", when(days=9))]
        (row,) = matters(story, now=when(days=9.5))
        assert (row["reopened"], row["effort"]) == (1, 0)

    def test_of_a_customer_it_is_the_mean_of_the_latest_three(self) -> None:
        story = []
        for number, times in enumerate((4, 3, 1, 2)):  # 30, 20, 0 and 10 points
            story += [call(f"{number}-{time}", when(days=30 * number, hours=time)) for time in range(times)]
        assert folded(story).out.summary["effort"] == 10


class TestTheExamplesOfTheDocs:
    """As docs/experience.md tells them."""

    def test_a_letter_on_friday_and_a_call_on_saturday(self) -> None:
        story = [
            line("letter", when(days=4, hours=6), channel="email", kind="email"),  # 17:00 in Vilnius
            call("call", when(days=5, hours=3), "missed"),
            reply("answer", when(days=7, hours=-1.5), channel="email", kind="email"),
        ]
        (row,) = matters(story, calendars=office(), now=when(days=8))
        assert (row["answer_s"], row["answer_business_s"]) == (64 * HOUR + 1800, HOUR + 1800)
        assert (row["inbound"], row["switches"], row["missed"]) == (2, 1, 1)

    def test_an_effort_of_42(self) -> None:
        given = {"order": {"number": "AB-1"}}
        story = [
            line("form", when(), channel="web", kind="form", details=given),
            reply("first", when(hours=3), agent="ann"),
            line("again", when(hours=5), channel="web", kind="form"),
            reply("second", when(hours=7), agent="bob"),
            line("third", when(hours=24), channel="sms", details=given),
            reply("last", when(hours=26), agent="bob"),
        ]
        (row,) = matters(story, now=when(days=2))
        assert row["effort_parts"] == {"repeats": 20, "switches": 5, "handovers": 5, "waited": 7, "given_again": 5}
        assert row["effort"] == 42


def test_the_summary_counts_what_is_open() -> None:
    story = [line("ask", when()), line("b", when(hours=1), details={"request": {"id": "1"}})]
    assert folded(story, now=when(days=1)).out.summary["open_requests"] == 1
    assert folded(story).out.summary["open_requests"] == 0
