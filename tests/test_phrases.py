"""Promises in words: what is suggested from a text, and until when; a worked table of three languages."""

import time as clock
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from customers.experience.calendar import Calendar
from customers.experience.duewords import due_in_words
from customers.experience.phrases import BEGINNINGS, VERBS, suggest, suggested

VILNIUS = ZoneInfo("Europe/Vilnius")
OPEN = tuple((((time(9), time(18)),) if day < 5 else ()) for day in range(7))
SHOP = Calendar(VILNIUS, OPEN, frozenset({date(2026, 3, 11)}))
MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=VILNIUS)


def day(number: int, hour: int = 18, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, number, hour, minute, tzinfo=VILNIUS)


# (what was written on Monday, 2 March 2026, at 10:00, the kind, until when)
PROMISED = [
    ("Перезвоним в течение часа.", "callback", day(2, 11)),
    ("Я перезвоню Вам через 15 минут", "callback", day(2, 10, 15)),
    ("Перезвоню через полчаса!", "callback", day(2, 10, 30)),
    ("Минут через 20 перезвоню", "callback", day(2, 10, 20)),
    ("Наш менеджер перезвонит вам в течение получаса.", "callback", day(2, 10, 30)),
    ("Вам перезвонят в течение двух часов.", "callback", day(2, 12)),
    ("Позвоню завтра утром, хорошего дня.", "callback", day(3, 12)),
    ("Позвоним вам сегодня до 18:00.", "callback", day(2, 18)),
    ("Перезвоню сегодня в 15.30", "callback", day(2, 15, 30)),
    ("Наберу вас после обеда", "callback", day(2, 18)),
    ("Спасибо за обращение! Ответим в течение двух рабочих дней.", "answer", day(4)),
    ("Пришлю счёт до конца дня.", "answer", day(2)),
    ("Отправим документы в понедельник", "answer", day(9)),
    ("Ответим не позднее чем через 3 дня", "answer", day(5)),
    ("Сообщу вам до пятницы", "answer", day(6)),
    ("Напишу вам 5 марта", "answer", day(5)),
    ("Дадим ответ к 12 марта", "answer", day(12)),
    ("Вышлем договор до 10.04", "answer", day(10, month=4)),
    ("Вернусь с ответом послезавтра", "answer", day(4)),
    ("Вы получите ответ в течение 24 часов.", "answer", day(3, 10)),
    ("Свяжемся с вами в течение недели.", "any", day(9)),
    ("Специалист свяжется с вами до конца недели", "any", day(6)),
    ("Мастер приедет к вам в четверг в 14:00", "visit", day(5, 14)),
    ("Доставим заказ завтра до обеда", "delivery", day(3, 13)),
    ("Вернём деньги в течение 10 дней", "task", day(12)),
    ("Paskambinsime rytoj.", "callback", day(3)),
    ("Perskambinsiu per pusvalandį", "callback", day(2, 10, 30)),
    ("Paskambinsiu po valandos", "callback", day(2, 11)),
    ("Paskambinsime Jums iki 17 val.", "callback", day(2, 17)),
    ("Perskambinsime per 30 minučių.", "callback", day(2, 10, 30)),
    ("Jums paskambins mūsų vadybininkė rytoj ryte", "callback", day(3, 12)),
    ("Paskambinsiu siandien po pietu", "callback", day(2, 18)),
    ("Atsakysime per dvi darbo dienas", "answer", day(4)),
    ("Atsakysiu iki penktadienio.", "answer", day(6)),
    ("Sąskaitą atsiųsime iki dienos pabaigos", "answer", day(2)),
    ("Pranešime iki kovo 12 d.", "answer", day(12)),
    ("Informuosime per savaitę", "answer", day(9)),
    ("Parašysiu poryt", "answer", day(4)),
    ("Susisieksime su Jumis per 3 dienas", "any", day(5)),
    ("Kolega susisieks su jumis kitą savaitę", "any", day(13)),
    ("Atvyksime trečiadienį 14:30", "visit", day(4, 14, 30)),
    ("Pristatysime rytoj iki pietų", "delivery", day(3, 13)),
    ("Pinigus grąžinsime per 5 darbo dienas", "task", day(9)),
    ("We will call you back within two days.", "callback", day(4)),
    ("I'll call you in half an hour", "callback", day(2, 10, 30)),
    ("We’ll give you a call tomorrow morning", "callback", day(3, 12)),
    ("I will phone you at 3 pm", "callback", day(2, 15)),
    ("A colleague will call you back within the hour.", "callback", day(2, 11)),
    ("You will get a call by noon tomorrow", "callback", day(3, 12)),
    ("We'll get back to you by end of day", "answer", day(2)),
    ("I will send the invoice by Friday", "answer", day(6)),
    ("We will reply within 2 business days", "answer", day(4)),
    ("I'll let you know on March 12", "answer", day(12)),
    ("You'll hear from us within 48 hours", "answer", day(4, 10)),
    ("We will update you next week", "answer", day(13)),
    ("I'll be in touch by 5pm today", "any", day(2, 17)),
    ("Our engineer will visit you on Wednesday at 11:00", "visit", day(4, 11)),
    ("We will deliver it the day after tomorrow", "delivery", day(4)),
    ("We'll refund you within a week", "task", day(9)),
    ("Sorry for that. We will check it today and refund you.", "task", day(2)),
    ("Hello!\nThank you for writing.\nI will answer tomorrow.\nBest regards", "answer", day(3)),
    ("Заказ готов. Курьер привезёт его 2026-03-06", "delivery", day(6)),
]
NOTHING = [
    "Перезвонить вам завтра?",
    "Вам удобно, если перезвоним завтра?",
    "Если хотите, перезвоним завтра.",
    "Мы не перезвоним сегодня.",
    "Мы перезвонили вам вчера в 10:00.",
    "Вчера обещали, что перезвоним завтра.",
    "Вы писали: «перезвоним завтра».",
    "> Перезвоним в течение часа.",
    "Возможно, перезвоним завтра.",
    "Постараемся ответить завтра.",
    "Перезвоните нам завтра, пожалуйста.",
    "Перезвоним в ближайшее время.",
    "Спасибо за заказ, хорошего дня.",
    "Он перезвонит завтра.",
    "Магазин открыт до 18:00.",
    "Ar paskambinti rytoj?",
    "Jei norite, paskambinsime rytoj.",
    "Rytoj nepaskambinsime.",
    "Paskambinkite mums rytoj.",
    "Galbūt paskambinsime rytoj.",
    "Paskambinome vakar.",
    "Susisieksime artimiausiu metu.",
    "Shall we call you tomorrow?",
    "If you like, we will call you tomorrow.",
    "We won't call today.",
    "We will not call tomorrow.",
    "We called you yesterday at 10:00.",
    "Please call us tomorrow.",
    "We may call you on May 5.",
    "We'll try to reply tomorrow.",
    'You said "we will call you tomorrow".',
    "We will call you soon.",
    "> We will call you back within two days.",
    "We will reply as soon as we know more today.",
    "Your appointment is tomorrow at 10:00.",
    "",
]


@pytest.mark.parametrize(("text", "kind", "due"), PROMISED)
def test_what_is_promised(text: str, kind: str, due: datetime) -> None:
    found = suggest(text, MONDAY, SHOP)
    assert found is not None
    assert (found.kind, found.due_at.astimezone(VILNIUS).isoformat()) == (kind, due.isoformat())
    assert found.words in text.replace("\n", " ")


@pytest.mark.parametrize("text", NOTHING)
def test_what_promises_nothing(text: str) -> None:
    assert suggest(text, MONDAY, SHOP) is None


FRIDAY_LATE = datetime(2026, 3, 6, 17, 50, tzinfo=VILNIUS)
HOURS = [
    ("within 30 minutes", FRIDAY_LATE, day(9, 9, 20)),
    ("30 minutes", FRIDAY_LATE, day(9, 9, 20)),
    ("within 24 hours", FRIDAY_LATE, day(7, 17, 50)),
    ("within two days", FRIDAY_LATE, day(9)),  # Sunday is free, so Monday
    ("2 business days", FRIDAY_LATE, day(10)),
    ("per 3 darbo dienas", FRIDAY_LATE, day(12)),  # Wednesday, the 11th, is a holiday
    ("tomorrow", FRIDAY_LATE, day(8, 0)),  # named: Saturday, to its end
    ("today", datetime(2026, 3, 6, 19, 0, tzinfo=VILNIUS), day(7, 0)),  # closed already
    ("до 17:00", FRIDAY_LATE, day(7, 17)),  # the next five o'clock
    ("в течение часа", datetime(2026, 3, 27, 17, 30, tzinfo=VILNIUS), day(30, 9, 30)),  # clocks go on between
    ("through the looking glass", FRIDAY_LATE, None),
]


@pytest.mark.parametrize(("text", "said", "due"), HOURS)
def test_words_count_business_time(text: str, said: datetime, due: datetime | None) -> None:
    assert due_in_words(text, said, SHOP) == due


def test_without_business_hours_the_clock_and_the_readers_zone_count() -> None:
    evening = datetime(2026, 3, 6, 23, 30, tzinfo=VILNIUS)
    assert due_in_words("within 2 hours", evening, None) == day(7, 1, 30)
    assert due_in_words("tomorrow", evening, None, VILNIUS) == day(8, 0)
    assert due_in_words("tomorrow", evening, None) == datetime(2026, 3, 8, tzinfo=UTC)


def test_only_what_we_wrote_promises() -> None:
    text = "We will call you tomorrow"
    assert suggested("outbound", "message", text, MONDAY, SHOP)
    assert suggested("inbound", "message", text, MONDAY, SHOP) is None
    assert suggested("outbound", "campaign", text, MONDAY, SHOP) is None


@pytest.mark.parametrize(
    "text",
    [
        "we will " * 20_000,
        "перезвоним " * 20_000,
        "«" * 100_000,
        '"' * 99_999,
        "> " * 50_000,
        " " * 100_000,
        "1" * 100_000,
        "1 " * 50_000,
        "через " * 20_000,
        "we'll get give send let just then " * 5_000,
        "a" * 100_000,
        "в " * 50_000 + "!" * 50_000,
        "\n" * 100_000,
        "до 18.00.18.00.18.00" * 5_000,
    ],
)
def test_a_hostile_text_takes_no_time(text: str) -> None:
    """Bounded work: the processor time of a text of 100 kB is that of its first 6,000 characters."""
    started = clock.process_time()
    suggest(text, MONDAY, SHOP)
    assert clock.process_time() - started < 1


def beginnings(parsed: Iterable[tuple[Any, Any]], most: int) -> set[str]:
    """How the texts begin that an expression finds, at most so many letters each."""
    found = {""}
    for kind, said in parsed:
        if all(len(one) >= most for one in found):
            break
        match str(kind):
            case "LITERAL":
                ways = {chr(said)}
            case "IN":
                assert all(str(one) == "LITERAL" for one, _ in said), said
                ways = {chr(letter) for _, letter in said}
            case "SUBPATTERN":
                ways = beginnings(said[3], most)
            case "BRANCH":
                ways = set().union(*(beginnings(one, most) for one in said[1]))
            case "MAX_REPEAT":
                assert said[:2] == (0, 1), said
                ways = {"", *beginnings(said[2], most)}
            case "ASSERT_NOT":
                ways = {""}
            case other:
                raise AssertionError(other)
        found = {one if len(one) >= most else one + way for one in found for way in ways}
    return {one[:most] for one in found}


def test_no_verb_is_overlooked_at_the_first_look() -> None:
    patterns = [pattern for verb in VERBS for pattern in (verb.own, verb.others)]
    parse = import_module("re._parser").parse
    said = set[str]().union(*(beginnings(parse(one.pattern), 4) for one in patterns))
    assert {one.strip() for one in said} == BEGINNINGS
