"""The journey by hand: each stage with its reason, how it began, what each touch adds, who left at which."""

from typing import Any

from customers.experience.journey import RULES, STAGES
from customers.experience.meaning import Meaning
from tests.stories import call, folded, id_of, line, office, order, reply, stages, when


def touches(lines: list[Any], **how: Any) -> dict[tuple[str, str, str], dict[str, int]]:
    """The sums that are not nothing."""
    found = folded(lines, **how).out.touches
    return {key: {name: count for name, count in row.items() if count} for key, row in sorted(found.items())}


def test_a_whole_journey_with_its_reasons() -> None:
    story = [
        line("visit", when(), channel="web", kind="visit"),
        line("ask", when(days=1)),
        order("one", when(days=2)),
        line("sent", when(days=3), direction="internal", kind="other", details={"order": {"state": "sent"}}),
        line("there", when(days=5), direction="internal", kind="other", details={"order": {"state": "delivered"}}),
        order("two", when(days=40)),
        order("three", when(days=50)),
        line("hello again", when(days=400)),
    ]
    found = folded(story, now=when(days=401))
    assert stages(story, now=when(days=401)) == [
        ("before", "first_contact"),
        ("purchase", "first_order"),
        ("after", "delivered"),
        ("again", "second_order"),
        ("left", "silence"),
        ("after", "came_back"),
    ]
    rows = sorted(found.out.stages.values(), key=lambda row: int(row["at"]))
    assert [row["was"] for row in rows] == ["", *(row["stage"] for row in rows[:-1])]
    assert rows[4]["at"] == when(days=50 + 180)
    assert str(rows[4]["line_id"]) == id_of("three")
    summary = found.out.summary
    assert (summary["stage"], summary["stage_since"]) == ("after", when(days=400))
    assert (summary["purchases"], summary["first_purchase_at"], summary["last_purchase_at"]) == (
        *(3, when(days=2), when(days=50)),
    )
    assert summary["first_contact_at"] == when()
    assert summary["last_contact_at"] == summary["last_inbound_at"] == when(days=400)


def test_support_after_the_order_is_after_the_purchase() -> None:
    story = [order("one", when()), line("where is it", when(days=1))]
    assert stages(story, now=when(days=2)) == [("purchase", "first_order"), ("after", "support")]
    spoken = [order("one", when()), reply("welcome", when(days=1))]
    assert stages(spoken, now=when(days=2))[-1] == ("after", "support")
    advertised = [order("one", when()), reply("sale", when(days=1), kind="campaign")]
    assert stages(advertised, now=when(days=2)) == [("purchase", "first_order")]


def test_one_order_told_twice_is_one_purchase_and_an_annulled_one_is_none() -> None:
    twice = [order("a", when(), "AB-1"), order("b", when(days=1), "AB-1")]
    assert folded(twice).out.summary["purchases"] == 1
    annulled = order("c", when(), details={"order": {"number": "AB-2", "state": "cancelled"}})
    assert stages([annulled], now=when(days=1)) == [("before", "first_contact")]
    assert folded([annulled]).out.summary["purchases"] == 0


def test_a_system_says_the_stage_or_that_he_is_lost() -> None:
    story = [
        line("ask", when()),
        line("crm", when(days=1), direction="internal", kind="other", details={"stage": "after"}),
        line("bye", when(days=2), details={"lost": "moved to Riga"}),
        line("crm", when(days=3), direction="internal", kind="other", details={"stage": "nonsense"}),
        line("back", when(days=9)),
    ]
    assert stages(story, now=when(days=10)) == [
        ("before", "first_contact"),
        ("after", "reported"),
        ("left", "reported: moved to Riga"),
        ("before", "came_back"),
    ]


def test_silence_is_the_customers_and_its_length_the_companys() -> None:
    story = [line("ask", when()), *(reply(f"sale{week}", when(days=7 * week), kind="campaign") for week in range(20))]
    short = Meaning(lost_after_days=30)
    assert stages(story, meaning=short)[-1] == ("left", "silence")
    assert folded(story, meaning=short).out.summary["stage_since"] == when(days=30)
    talked = [*story, call("talk", when(days=29), direction="outbound", agent="ann")]
    assert folded(talked, meaning=short).out.summary["stage_since"] == when(days=59)
    assert folded(story, now=when(days=1), meaning=short).next_at == when(days=7)  # the question first


def test_the_first_touch_and_the_campaign_that_brought_him() -> None:
    advert = {"campaign": {"utm_source": "vk", "utm_medium": "cpc", "name": "spring", "budget": 7}}
    story = [
        line("visit", when(), channel="web", kind="visit", details=advert),
        line("ask", when(days=1), details={"campaign": {"source": "other"}}),
    ]
    touch = folded(story).out.summary["first_touch"]
    assert touch["line"] == touch["campaign_line"] == id_of("visit")
    assert (touch["channel"], touch["campaign"]) == ("web", {"source": "vk", "medium": "cpc", "name": "spring"})
    later = [line("ask", when(days=-1)), *story]
    touch = folded(later).out.summary["first_touch"]
    assert (touch["line"], touch["campaign_line"]) == (id_of("ask"), id_of("visit"))
    bought = [line("ask", when(days=-2)), order("one", when(days=-1)), *story]
    assert folded(bought).out.summary["first_touch"]["campaign"] == {}


def test_touches_add_up_by_month_stage_and_channel() -> None:
    story = [
        line("ask", when(), channel="email", kind="email", details={"emotion": -1}),
        reply("answer", when(hours=2), channel="email", kind="email"),
        line("again", when(days=30), channel="email", kind="email"),  # 1 April
        order("one", when(days=31)),
        line("note", when(days=31), direction="internal", kind="note"),
        line("thanks", when(days=32), details={"feedback": {"sentiment": 1}}),
    ]
    assert touches(story, now=when(days=33)) == {
        ("2026-03-01", "before", "email"): {
            "contacts": 2,
            "inbound": 1,
            "emotion_sum": -1,
            "emotion_n": 1,
            "waited_s": 7200,
            "waited_n": 1,
        },
        ("2026-04-01", "before", "email"): {"contacts": 1, "inbound": 1},
        ("2026-04-01", "purchase", "web"): {"contacts": 1, "inbound": 1},
        ("2026-04-01", "after", "sms"): {"contacts": 1, "inbound": 1, "emotion_sum": 1, "emotion_n": 1},
    }


def test_the_last_touch_before_he_left_is_an_exit() -> None:
    story = [order("one", when()), line("ask", when(days=1)), reply("sale", when(days=40), kind="campaign")]
    rows = touches(story, now=when(days=300))
    assert [key for key, row in rows.items() if row.get("exits")] == [("2026-03-01", "after", "sms")]
    assert not any(row.get("exits") for row in touches(story, now=when(days=150)).values())
    said = touches([*story, call("bye", when(days=50), details={"lost": True})], now=when(days=60))
    assert [key for key, row in said.items() if row.get("exits")] == [("2026-04-01", "after", "phone")]


def test_what_the_brief_asks_for() -> None:
    story = [
        *(line(f"q{day}", when(days=day, hours=9), channel="telegram") for day in range(3)),
        line("mail", when(days=4), channel="email", kind="email"),
        reply("answer", when(days=5), agent="7"),
        reply("robot", when(days=6), human=False),
    ]
    more = folded(story, now=when(days=7), calendars=office("Europe/Vilnius")).out.summary["more"]
    assert more["human"] == {
        "line": id_of("answer"),
        "agent": "7",
        "name": "7",
        "channel": "sms",
        "at": "2026-03-07T09:00:00+00:00",
    }
    habit = more["prefers"]
    assert (habit["channel"], habit["hour"], habit["zone"], habit["n"]) == ("telegram", 20, "Europe/Vilnius", 4)
    early = folded(story[:2], now=when(days=7)).out.summary["more"]
    assert "prefers" not in early


def test_rules_read_aloud() -> None:
    assert all(rule.__doc__ for rule in RULES)
    assert len(set(STAGES)) == 5
