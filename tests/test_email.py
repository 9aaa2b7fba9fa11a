"""What the e-mail provider makes of mail: whose line it is, which key it has, and how far the sender is believed."""

import base64
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest

from channels import mime
from channels.authenticity import verdict
from channels.provider import Ignored, SourceInfo
from customers.incoming import Trust
from tests.letters import BOUNCE, letter, only, parse


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
