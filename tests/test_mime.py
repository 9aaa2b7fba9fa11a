"""What a mail says, for well-formed, broken and hostile mails."""

import time
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels import bounded, mail, mime, structure
from channels.charsets import decode
from channels.mailheaders import file_name, parse_addresses, text
from channels.provider import Ignored, Unreadable
from tests import greedy
from tests.letters import BOUNCE, letter, only, parse

TEXTS = [
    "Здравствуйте, где мой заказ 15? Очень жду ответа.",
    "Labas, norėčiau grąžinti prekę, ačiū už pagalbą",
    "Grüße aus München, wo bleibt meine Bestellung?",
    "Où est ma commande ? Déjà payée.",
]


WRITTEN = [(TEXTS[0], "cp1251"), (TEXTS[0], "koi8-r"), (TEXTS[1], "cp1257"), (TEXTS[2], "cp1252"), (TEXTS[3], "cp1252")]
WRITTEN += [(words, "utf-8") for words in TEXTS]


@pytest.mark.parametrize(("words", "charset"), WRITTEN)
@pytest.mark.parametrize("label", ["", "right", "us-ascii", "iso-8859-1", "utf-8", "x-nonsense", "unknown-8bit"])
def test_text_is_read_whatever_its_label_says(words: str, charset: str, label: str) -> None:
    assert decode(words.encode(charset), charset if label == "right" else label) == words


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("=?utf-8?Q?=D0=9F=D1=80=D0?= =?utf-8?Q?=B8=D0=B2=D0=B5=D1=82?=", "Привет"),  # cut within a letter
        ("=?koi8-r?B?8NLJ18XU?=", "Привет"),
        ("=?windows-1251?b?z/Do4uXy?= world", "Привет world"),
        ("=?utf-8?B?0J/RgNC40LLQtdGC?=", "Привет"),
        ("=?utf-8?B?0J/RgNC40LLQtdG?=", "Приве\ufffd"),
        ("=?no-such?Q?abc?=", "abc"),
        ("=?utf-8?Q?broken", "=?utf-8?Q?broken"),
        ("Re: \x1b[31mred\x00", "Re: [31mred\ufffd"),
        ("=?utf-8?Q?two=0D=0ABcc:_x?=", "two Bcc: x"),
        (b"\xcf\xf0\xe8\xe2\xe5\xf2".decode("ascii", "surrogateescape"), "Привет"),
    ],
)
def test_headers_are_decoded_as_senders_write_them(raw: str, said: str) -> None:
    assert text(raw) == said


@pytest.mark.parametrize(
    ("raw", "addresses"),
    [
        ("Ada <ada@x.example>", [("Ada", "ada@x.example")]),
        ('"Byron, Ada" <Ada@X.example>, b@y.example', [("Byron, Ada", "ada@x.example"), ("", "b@y.example")]),
        ("good@bank.example <evil@y.example>", [("", "evil@y.example")]),
        ("alice@example.org)bob@y.example", []),
        ("Team: a@x.example, b@y.example;", [("", "a@x.example"), ("", "b@y.example")]),
        ("ada@x.example (Ada)", [("Ada", "ada@x.example")]),
        ("=?utf-8?Q?Doe,_John?= <j@x.example>", [("Doe, John", "j@x.example")]),
        ("<@relay.example:a@x.example>", [("", "a@x.example")]),
        ("undisclosed-recipients:;", []),
        ('"unclosed <a@x.example>', [("unclosed", "a@x.example")]),
    ],
)
def test_addresses(raw: str, addresses: list[tuple[str, str]]) -> None:
    assert [(box.name.strip('"'), box.address) for box in parse_addresses(raw)] == addresses


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\x.doc", "x.doc"),
        ("\u200b.htaccess", ".htaccess"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("ｆｕｌｌ.txt", "full.txt"),
        ("a\r\nContent-Type: text", "aContent-Type: text"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("..", ""),
    ],
)
def test_a_file_name_is_only_a_label(raw: str, name: str) -> None:
    assert file_name(raw) == name


def nested(depth: int) -> bytes:
    head = b"From: a@x.example\r\n"
    for level in range(depth):
        head += b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (level, level)
    return head + b"Content-Type: text/plain\r\n\r\ndeep\r\n"


def many_parts(number: int) -> bytes:
    return (
        b"From: a@x.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        + b"--b\r\n\r\nx\r\n" * number
        + b"--b--\r\n"
    )


BOMBS = {
    "10,000 parts": many_parts(10_000),
    "parts behind a boundary in pieces": many_parts(5_000).replace(b"=b\r\n", b'*0="b"; boundary*1=""\r\n'),
    "depth": nested(60),
    "messages in messages": b"Content-Type: message/rfc822\r\n\r\n" * 300,
    "500 headers": b"".join(b"X-%d: y\r\n" % n for n in range(600)) + b"\r\nx",
    "long header": b"Subject: " + b"x" * 70_000 + b"\r\n\r\nx",
    "no end of headers": b"x" * 200_000,
    "delivery status blocks": b"Content-Type: message/delivery-status\r\n\r\n" + b"A: b\r\n\r\n" * 30_000,
    "30 MB": b"From: a@x.example\r\n\r\n" + b"x" * structure.MAX_SIZE,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_before_they_are_parsed(name: str) -> None:
    started = time.process_time()
    with pytest.raises(Unreadable):
        mime.read(BOMBS[name])
    assert time.process_time() - started < 2


NEARLY = {
    "many parts": many_parts(490),
    "deep": nested(18),
    "quotes in a parameter": b'Content-Type: text/plain; a="' + b';"' * 20_000 + b"\r\n\r\nx",
    "long reference": b"References: " + b"<a@b> " * 9_000 + b"\r\n\r\nx",
    "open words": b"Subject: " + b"=?utf-8?q?" * 6_000 + b"\r\n\r\nx",
    "addresses": b"To: " + b"(" * 60_000 + b"\r\n\r\nx",
    "large": b"From: a@x.example\r\n\r\n" + b"Line of text\r\n" * 500_000,
    "dashes": b"From: a@x.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--x\r\n" * 100_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NEARLY)
def test_what_is_nearly_a_bomb_is_read_or_refused_in_time(name: str) -> None:
    started = time.monotonic()
    with suppress(Unreadable):
        mime.read(NEARLY[name])
    assert time.monotonic() - started < bounded.WALL_SECONDS + 2


@pytest.mark.slow
def test_a_child_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(bounded.OutOfBounds, match="MB of memory"):
        bounded.bounded(greedy.eat, b"")
    with pytest.raises(bounded.OutOfBounds, match=r"crashed \(RuntimeError") as caught:
        bounded.bounded(greedy.die, b"")
    assert "what the mail said" not in str(caught.value)
    with pytest.raises(bounded.Refused, match="no"):
        bounded.bounded(greedy.refuse, b"")
    monkeypatch.setattr(bounded, "WALL_SECONDS", 1)
    with pytest.raises(bounded.OutOfBounds, match="longer than 1 s"):
        bounded.bounded(greedy.spin, b"")


def test_a_child_gives_the_same_answer() -> None:
    raw = letter("Hello\n\nOn Mon, 21 Nov 2026 at 10:00, Shop <s@shop.example> wrote:\n> old", Cc="Bob <bob@z.example>")
    assert mail.Mail.from_json(bounded.bounded(mail.read_json, raw, "mx", "")) == mail.read(raw, "mx", "")
    bounce = BOUNCE.format(action="failed", kind="message/rfc822", original="Message-ID: <o@x>", body="").encode()
    assert mail.Mail.from_json(mail.read(bounce).to_json()) == mail.read(bounce)


def test_flowed_text_is_joined() -> None:
    raw = letter("One long \r\nline.\r\nTwo\r\n", Content_Type="text/plain; charset=utf-8; format=flowed")
    assert only(raw).text == "One long line.\nTwo"


HEADERS = st.sampled_from(
    [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "References",
        "Content-Type",
        "Content-Transfer-Encoding",
        "Content-Disposition",
    ]
)
VALUES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"multipart/mixed; boundary=b",
            b"multipart/report; report-type=delivery-status; boundary=b",
            b"message/rfc822",
        ]
    ),
    st.sampled_from(
        [b"base64", b"quoted-printable", b"x-uuencode", b"text/html; charset*=x''y", b'attachment; filename*0*="a']
    ),
)
LINES = st.one_of(
    st.binary(max_size=80), st.sampled_from([b"--b", b"--b--", b"", b"Content-Type: text/plain; charset=bogus", b"> q"])
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(HEADERS, VALUES), max_size=8), st.lists(LINES, max_size=25))
def test_any_mail_is_read_or_refused(headers: list[tuple[str, bytes]], lines: list[bytes]) -> None:
    raw = b"".join(name.encode() + b": " + value.replace(b"\n", b"") + b"\r\n" for name, value in headers)
    raw += b"\r\n" + b"\r\n".join(lines)
    try:
        events = parse(raw)
        assert events == parse(raw) or all(one.origin for one in events)
    except (Unreadable, Ignored):
        return
    for event in events:
        assert "\x00" not in f"{event.text}{event.subject}{event.key}{event.details}"
        event.text.encode()
        str(event.details).encode()
        for one in event.attachments:
            assert len(mime.attachment(raw, int(one.ref.removeprefix("mime:")))) == one.size
