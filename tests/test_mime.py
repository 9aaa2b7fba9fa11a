"""What a mail says, for well-formed, broken and hostile mails; and what the e-mail provider makes of it."""

import base64
import time
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels import bounded, mail, mime, quotes, structure
from channels.authenticity import verdict
from channels.charsets import decode
from channels.htmltext import html_to_text
from channels.mailheaders import file_name, parse_addresses, text
from channels.provider import Ignored, SourceInfo, StoredDelivery, Unreadable
from channels.providers.email import Email
from customers.incoming import ChannelEvent, Trust
from tests import greedy

RECEIVED = datetime(2026, 11, 22, 12, tzinfo=UTC)
SHOP = SourceInfo(
    7, "shop-mail", "email", addresses=("Support@shop.example",), secrets={"authserv_id": "mx.shop.example"}
)


def parse(raw: bytes, source: SourceInfo = SHOP, **headers: str) -> list[ChannelEvent]:
    envelope = {name.replace("_", "-"): value for name, value in headers.items()}
    return list(Email().parse(StoredDelivery(uuid4(), source, raw, envelope, RECEIVED)))


def letter(body: str = "Hello", **headers: str) -> bytes:
    given = {"From": "Ada <ada@customer.example>", "To": "support@shop.example", "Message-ID": "<one@customer.example>"}
    given |= {"Date": "Sun, 22 Nov 2026 13:00:00 +0300", "Content-Type": "text/plain; charset=utf-8"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return "".join(f"{name}: {value}\r\n" for name, value in given.items() if value).encode() + b"\r\n" + body.encode()


def only(raw: bytes, source: SourceInfo = SHOP, **headers: str) -> ChannelEvent:
    (event,) = parse(raw, source, **headers)
    return event


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


def test_an_html_only_mail_has_text_and_keeps_its_html() -> None:
    event = only(letter("<p>Добрый день</p><blockquote>old</blockquote>", Content_Type="text/html; charset=utf-8"))
    assert event.text == "Добрый день"
    assert event.details["quoted"] == "> old"
    assert event.details["html"].startswith("<p>")


def test_attachments_and_inline_images() -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Message-ID"] = "ada@customer.example", "support@shop.example", "<m@x>"
    message.set_content("See the picture")
    message.add_alternative("<p>See <img src='cid:pic@x'></p>", subtype="html")
    payload: Any = message.get_payload()
    payload[1].add_related(b"\x89PNG", "image", "png", cid="<pic@x>")
    message.add_attachment(b"%PDF-1", maintype="application", subtype="pdf", filename="счёт.pdf")
    inner = EmailMessage()
    inner["Subject"] = "inner"
    inner.set_content("an enclosed mail")
    message.add_attachment(inner)
    event = only(message.as_bytes())
    assert event.text == "See the picture"
    assert [(one.name, one.content_type, one.size) for one in event.attachments] == [
        ("", "image/png", 4),
        ("счёт.pdf", "application/pdf", 6),
        ("message.eml", "message/rfc822", event.attachments[2].size),
    ]
    assert event.details["inline"] == {"pic@x": event.attachments[0].ref}
    raw = message.as_bytes()
    contents = [mime.attachment(raw, int(one.ref.removeprefix("mime:"))) for one in event.attachments]
    assert contents[:2] == [b"\x89PNG", b"%PDF-1"]
    assert b"an enclosed mail" in contents[2]


def test_the_sender_is_believed_only_if_our_own_relay_says_so() -> None:
    passed = "mx.shop.example; dkim=pass header.d=customer.example; dmarc=pass (p=none) header.from=customer.example"
    assert only(letter(Authentication_Results=passed)).handles[0].trust == Trust.ASSERTED
    for words in (
        passed.replace("mx.shop", "mx.evil"),
        passed.replace("dmarc=pass", "dmarc=fail"),
        passed.replace("from=customer", "from=other"),
        passed.replace("; dmarc=pass", '; spf=pass smtp.mailfrom="x; dmarc=pass"; dmarc=none'),
        'mx.shop.example; spf=pass (; dmarc=pass header.from=customer.example) x.y="; dmarc=pass header.from=customer.example"',  # noqa: E501
        "",
    ):
        assert only(letter(Authentication_Results=words)).handles[0].trust == Trust.CLAIMED
    ours_first = f"mx.shop.example; dmarc=fail header.from=customer.example\r\nAuthentication-Results: {passed}"
    assert only(letter(Authentication_Results=ours_first)).handles[0].trust == Trust.CLAIMED
    two_senders = letter(Authentication_Results=passed, From="a@customer.example, ada@customer.example")
    assert only(two_senders).handles[0].trust == Trust.CLAIMED
    assert verdict([passed], "", ["customer.example"]) == {}


def test_inbound_key_thread_and_participants() -> None:
    reply = letter(
        References="<first@x> <second@x>",
        In_Reply_To="<second@x>",
        Cc="Bob <bob@z.example>",
        Reply_To="<other@z.example>",
    )
    event = only(reply)
    assert event.direction == "inbound"
    assert event.key.startswith("one@customer.example#")
    assert event.thread == "first@x"
    assert only(letter(In_Reply_To="<second@x>")).thread == "second@x"
    assert only(letter()).thread == "one@customer.example"
    assert event.occurred_at == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert [(handle.value, handle.trust) for handle in event.handles] == [
        ("ada@customer.example", Trust.CLAIMED),
        ("other@z.example", Trust.CLAIMED),
    ]
    assert event.name == "Ada"
    assert {"role": "cc", "address": "bob@z.example", "name": "Bob"} in event.details["participants"]


def test_the_key_is_the_same_for_the_same_mail_and_another_for_another() -> None:
    key = only(letter()).key
    assert only(b"Received: from a by b\r\nX-Spam: no\r\n" + letter()).key == key
    encoded = letter(base64.encodebytes(b"Hello").decode(), Content_Transfer_Encoding="base64")
    assert only(encoded).key == key
    assert only(letter("Other")).key != key
    nameless = only(letter(Message_ID=""))
    assert nameless.key.startswith("sha:")
    assert only(letter(Message_ID="", From="b@y.example")).key != nameless.key


@pytest.mark.parametrize(
    "when", ["", "yesterday", "Sun, 22 Nov 2099 13:00:00 +0300", "Thu, 1 Jan 1970 00:00:00 +0000", "9" * 5000]
)
def test_a_date_that_cannot_be_is_none(when: str) -> None:
    assert only(letter(Date=when)).occurred_at is None


def test_mail_of_ours_is_one_line_per_outside_recipient() -> None:
    raw = letter(
        From="Support <support@shop.example>",
        To="Ada <ada@customer.example>, support+x@shop.example",
        Cc="bob@z.example",
    )
    events = parse(raw, rcpt_to="support@shop.example, hidden@q.example")
    assert [event.handles[0].value for event in events] == ["ada@customer.example", "bob@z.example", "hidden@q.example"]
    assert {event.direction for event in events} == {"outbound"}
    assert events[0].key == "one@customer.example:ada@customer.example"
    assert events[0].handles[0].trust == Trust.ASSERTED
    assert events[0].agent is not None
    assert (events[0].agent.id, events[0].agent.name) == ("support@shop.example", "Support")


def test_mail_among_ourselves_is_ignored() -> None:
    with pytest.raises(Ignored):
        parse(letter(From="support@shop.example", To="Support <support@shop.example>"))
    whole = SourceInfo(7, "m", "email", addresses=("support@shop.example", "@shop.example"))
    with pytest.raises(Ignored):
        parse(letter(From="ann@shop.example", To="support@shop.example"), whole)


def test_who_only_pretends_to_be_us_speaks_for_nobody() -> None:
    forged = "mx.shop.example; dmarc=fail header.from=shop.example"
    event = only(letter(From="support@shop.example", To="victim@z.example", Authentication_Results=forged))
    assert event.direction == "inbound"
    assert event.handles == ()


BOUNCE = """From: Mail Delivery System <MAILER-DAEMON@mx.shop.example>
To: support@shop.example
Subject: Undelivered Mail Returned to Sender
Message-ID: <bounce@mx.shop.example>
Auto-Submitted: auto-replied
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.shop.example

Final-Recipient: rfc822; ada@customer.example
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--b
Content-Type: {kind}

From: support@shop.example
To: Ada <ada@customer.example>
Subject: Your order
{original}

{body}
--b--
"""


@pytest.mark.parametrize(("kind", "body"), [("message/rfc822", "The body"), ("text/rfc822-headers", "")])
@pytest.mark.parametrize(("action", "part"), [("failed", "bounce"), ("delayed", "delayed"), ("relayed", "delivered")])
def test_a_bounce_is_a_part_of_the_mail_it_is_about(kind: str, body: str, action: str, part: str) -> None:
    raw = BOUNCE.format(action=action, kind=kind, original="Message-ID: <orig@shop.example>", body=body).encode()
    event = only(raw, mail_from="")
    (sent,) = parse(letter(From="support@shop.example", To="ada@customer.example", Message_ID="<orig@shop.example>"))
    assert event.line == sent.line
    assert (event.part, event.state, event.direction) == (part, part.replace("bounce", "failed"), "outbound")
    assert event.details["bounce"]["status"] == "5.1.1"
    assert event.details["bounce"]["diagnostic"] == "550 5.1.1 no such user"


def test_a_bounce_of_an_unknown_mail_is_a_line_of_its_own() -> None:
    event = only(BOUNCE.format(action="failed", kind="text/rfc822-headers", original="X-None: 1", body="").encode())
    assert (event.part, event.state) == ("main", "failed")
    assert event.handles[0].value == "ada@customer.example"
    assert event.details["auto"] == "bounce"


@pytest.mark.parametrize(
    ("headers", "word"),
    [
        ({"Auto-Submitted": "auto-replied (vacation)"}, "reply"),
        ({"X-Autoreply": "yes"}, "reply"),
        ({"Precedence": "auto_reply"}, "reply"),
        ({"Auto-Submitted": "auto-generated"}, "generated"),
        ({"Auto-Submitted": "no"}, ""),
        ({"Precedence": "bulk"}, "bulk"),
        ({"List-Id": "News <news.shop.example>"}, "bulk"),
        ({"From": "MAILER-DAEMON@x.example", "Auto-Submitted": "auto-generated"}, "bounce"),
    ],
)
def test_mail_of_machines_is_marked(headers: dict[str, str], word: str) -> None:
    event = only(letter(**headers))
    assert event.details.get("auto", "") == word
    if "List-Id" in headers:
        assert event.details["list"] == "news.shop.example"


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
