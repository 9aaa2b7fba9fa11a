"""New words are told from quoted ones, and text is made of HTML: rightly, and never slowly."""

import time

import pytest

from channels import quotes
from channels.htmltext import html_to_text

REPLIES = [
    ("Thanks!\n\nOn Mon, 21 Nov 2026 at 10:00, Shop <s@shop.example> wrote:\n> old\n> older", "Thanks!"),
    ("Спасибо!\n\nпн, 21 нояб. 2026 г. в 10:00, Магазин <s@shop.example>:\n> старое", "Спасибо!"),
    ("Спасибо!\n\n21.11.2026 10:00, Магазин пишет:\n> старое", "Спасибо!"),
    ("Да\n\n21 ноября 2026, 10:00 +03:00 от Магазин <s@shop.example> написал(а):\n\n> старое\n>\n> ещё", "Да"),
    ("Ačiū\n\n2026-11-21 10:00, Parduotuvė rašė:\n> sena", "Ačiū"),
    ("Ok\n\nOn Mon, 21 Nov 2026 at 10:00, A Very Long Name\n<someone@shop.example> wrote:\n> old", "Ok"),
    ("Fine\n\n-----Original Message-----\nFrom: Shop\nSent: Monday\nTo: Ada\nSubject: X\n\nold", "Fine"),
    ("Хорошо\n\nОт: Магазин <s@shop.example>\nОтправлено: 21 ноября\nКому: Ада\nТема: X\n\nстарое", "Хорошо"),
    ("Gerai\n\n________________________________\nNuo: Shop\nIšsiųsta: rytoj\nKam: Ada\nTema: X\n\nsena", "Gerai"),
    ("> old question\n> more\n\nMy answer", "My answer"),
    ("Hi\n> one\nanswer one\n> two\nanswer two", "Hi\n> one\nanswer one\n> two\nanswer two"),
    ("FYI\n\n---------- Forwarded message ---------\nFrom: X <x@y.example>\nDate: now\nSubject: s\nTo: z\n\nnews",) * 2,
    ("> only a quote", "> only a quote"),
    ("He wrote:\nnothing", "He wrote:\nnothing"),
    ("On 21.11.2026 at 10:00 your agent wrote:\nit comes today. It did not!",) * 2,
    ("Ok\n\nOn 21.11.2026 at 10:00 Shop <s@shop.example> wrote:\nunmarked old words", "Ok"),
    ("Text\n-- \nAda", "Text\n-- \nAda"),
]


@pytest.mark.parametrize(("whole", "new"), REPLIES)
def test_the_quoted_tail_is_folded(whole: str, new: str) -> None:
    said, quoted = quotes.split(whole)
    assert said == new
    assert not quoted or quoted in whole


def test_nothing_is_lost_by_folding() -> None:
    for whole, _ in REPLIES:
        said, quoted = quotes.split(whole)
        assert sorted(f"{said}\n{quoted}".split()) == sorted(whole.split())


PATHOLOGICAL = {
    "on": "On " * 70_000,
    "wrote": "On a@b 10:00 wrote:\n" * 10_000 + "> x",
    "wrote without marks": "On 10:00 he wrote:\n" * 10_000,
    "blank": " \n" * 100_000,
    "quoted": "> " * 100_000,
    "deep": "".join(">" * n + "\n" for n in range(600)),
    "from": "From: \n" * 30_000,
    "dashes": "-" * 200_000,
    "underscores": "\n\n" + "_" * 200_000,
    "stars": "*" * 200_000 + ":",
    "spaces": "On" + " " * 200_000 + "wrote:",
    "colons": ":" * 200_000,
    "caution": "CAUTION: mail " * 15_000,
}


@pytest.mark.parametrize("name", PATHOLOGICAL)
def test_quotes_are_never_slow(name: str) -> None:
    started = time.process_time()
    quotes.split(PATHOLOGICAL[name])
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<a ",
        "<!--",
        "<!",
        "<?",
        "</",
        "&",
        "&#x",
        "<a b='",
        "<![CDATA[",
        "<script>",
        '<a "',
        "<b x=",
        "<blockquote>",
        "<img alt=",
    ],
)
def test_html_is_never_slow(piece: str) -> None:
    started = time.process_time()
    html_to_text(piece * (200_000 // len(piece)))
    assert time.process_time() - started < 1.5


def test_html_becomes_text() -> None:
    page = (
        "<html><head><title>no</title><style>p{}</style></head><body><p>Hello&nbsp;<b>Ada</b> &amp; co</p>"
        "<ul><li>one<li>two</ul>1 < 2<br>next<script>alert(1)</script><blockquote>old<br>older</blockquote>"
        '<img src="cid:x" alt="logo"></body></html>'
    )
    assert html_to_text(page) == "Hello Ada & co\n\n- one\n- two\n\n1 < 2\nnext\n\n> old\n> older\n\n[logo]"
