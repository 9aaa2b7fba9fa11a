"""Words that would run if a page took them for more than words, and every door through which they can come."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.header import Header
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import orjson
from django.test import Client
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from channels.accepting import accept
from channels.sources import make_source
from tests.support import Api, at, event, identifier, phone

CORPUS = {
    "script": "<script>alert(1)</script>",
    "handler": '"><img src=x onerror=alert(1)>',
    "attribute": "' onmouseover='alert(1)' x='",
    "expression": "'-alert(1)-'",
    "javascript": "javascript:alert(1)",
    "javascript in disguise": "java\tscript:alert(1)//\u0001javascript&colon;alert(1)",
    "data": "data:text/html,<script>alert(1)</script>",
    "svg": "<svg/onload=alert(1)><animate onbegin=alert(1)>",
    "math": "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "out of a textarea": "</textarea></title></script></style><svg onload=alert(1)>",
    "css": "</style><style>*{background:url(https://spy.example)}</style>x{}body{color:red}",
    "style": '" style="position:fixed;inset:0;background:red" x="',
    "template": "{{7*7}}{% debug %}{{ request.user }}${7*7}#{7*7}<%= 7*7 %>",
    "htmx": '<b hx-get="/profile" hx-trigger="load" hx-on:load="alert(1)">x</b>',
    "markdown": "[x](javascript:alert(1)) ![x](https://spy.example/p.gif) <https://spy.example>",
    "frames": "<iframe srcdoc='<script>alert(1)</script>'></iframe><object data=//x><embed src=//x>",
    "base": "<base href=//spy.example><meta http-equiv=refresh content='0;url=//x'><link rel=stylesheet href=//x>",
    "form": "<form action=//spy.example><input name=password autofocus onfocus=alert(1)><button formaction=//x>",
    "comment": "<!--<title><script>--><img src=x onerror=alert(1)>",
    "cdata": "<![CDATA[<script>alert(1)</script>]]><?xml version='1.0'?>",
    "entities": "&lt;b&gt; &#60;script&#62;alert(1)&#60;/script&#62; &amp;lt;",
    "half a tag": "<img src=x onerror=alert(1) //",
    "odd quotes": "`><img src=`x`onerror=alert(1)>",
    "full width": "＜script＞alert(1)＜/script＞ ﹤img onerror=alert(1)﹥",
    "bidi": "\u202e<script>alert(1)</script>\u202d\u2066abc\u2069\u200f",
    "invisible": "<scr\u200bipt>alert(1)</scr\u00adipt>\ufeff\u2028alert(1)\u2029",
    "long s": "<ſcript>alert(1)</ſcript>\u212a",
    "unclosed": '<a href="javascript:alert(1)" <b',
    "noscript": "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "upper": "<SCRIPT SRC=//SPY.EXAMPLE></SCRIPT><IMG SRC=X ONERROR=ALERT(1)>",
}


def push(api: Api, evil: str) -> str:
    """Into every field that an event has; answers with the number that it is known by."""
    number = phone()
    dirty = event(identifier("phone", number), identifier("crm_id", evil), name=f"Ада {evil}", text=evil, subject=evil)
    dirty["customer"]["attributes"] = {"city": evil, evil[:60]: [evil, {evil[:30]: evil}], "time_zone": evil}
    dirty |= {"thread": evil[:200], "agent": {"id": evil, "name": evil}}
    dirty["attachments"] = [
        {"name": evil, "content_type": evil[:200], "url": evil},
        {"name": evil, "content_type": "image/png", "url": "https://spy.example/p.png"},
    ]
    dirty["details"] = {
        "call": {"legs": [{"id": evil, "agent": evil, "status": evil}], "recording": {"transcript": evil}},
        "order": {"number": evil[:200]},
        "campaign": {"name": evil},
        "reactions": {evil: [evil]},
        "poll": {"question": evil, "options": [{"text": evil}, evil]},
        "location": {"latitude": evil, "longitude": evil, "name": evil},
        "quoted": evil,
        "html": f"<p>{evil}</p>",
        "inline": {evil: evil},
        "participants": [{"role": evil, "address": evil, "name": evil}, evil],
        "transcript": [{"speaker": evil, "text": evil, "at_s": evil}],
        "bounce": {"diagnostic": evil},
        evil: evil,
    }
    call = event(identifier("phone", number), channel="phone", kind="call", occurred_at=at(1), text=evil)
    call["details"] = dirty["details"]
    receipts = api.push(dirty, {**dirty, "text": "later", "revision": 2}, call)
    assert all(one["receipt"] for one in receipts), receipts
    return number


def telegram(evil: str) -> str:
    source = make_source("telegram", f"bot-{uuid4().hex[:8]}", secrets={"secret_token": "top-secret"})
    who = 10**9 + uuid4().int % 10**8
    user = {"id": who, "is_bot": False, "first_name": evil, "last_name": evil, "username": evil}
    chat = {"id": who, "type": "private", "first_name": evil, "username": evil}
    file = {"file_id": evil, "file_unique_id": "u", "file_name": evil, "mime_type": evil}
    button = {"id": "7", "from": user, "data": evil, "chat_instance": "1"}
    contents: list[dict[str, Any]] = [
        {"text": evil},
        {"caption": evil, "document": file},
        {"contact": {"phone_number": evil, "first_name": evil, "vcard": evil}},
        {"poll": {"id": "1", "question": evil, "options": [{"text": evil, "voter_count": 0}]}},
        {"venue": {"location": {"latitude": 1, "longitude": 1}, "title": evil, "address": evil}},
        {"sticker": {"file_id": "s", "file_unique_id": "s", "emoji": evil}},
        {"forward_origin": {"type": "hidden_user", "sender_user_name": evil, "date": 1}, "text": evil},
    ]
    messages = [{"message_id": n, "from": user, "chat": chat, "date": 1772442000 + n} for n in range(len(contents))]
    updates = [{"message": {**one, **two}} for one, two in zip(messages, contents, strict=True)]
    updates += [
        {"edited_message": {**messages[0], "text": f"{evil} edited", "edit_date": 1772449000}},
        {"callback_query": {**button, "message": {**messages[0], "text": evil}}},
    ]
    for number, update in enumerate(updates, start=1):
        answer = Client().post(
            f"/hooks/telegram/{source.key}",
            orjson.dumps({"update_id": number, **update}),
            content_type="application/json",
            headers={"X-Telegram-Bot-Api-Secret-Token": "top-secret"},
        )
        assert answer.status_code == 200
    return str(who)


def twilio(provider: str, forms: Iterator[dict[str, str]]) -> None:
    source = make_source(
        provider, f"t-{uuid4().hex[:8]}", addresses=["+37052000000"], region="LT", secrets={"auth_token": "t" * 32}
    )
    for form in forms:
        answer = Client().post(
            f"/hooks/{provider}/{source.key}",
            urlencode(form),
            content_type="application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": RequestValidator("t" * 32).compute_signature(source.hook_url, form)},
        )
        assert answer.status_code == 200, answer.content


def twilio_sms(evil: str) -> str:
    number = phone()

    def forms() -> Iterator[dict[str, str]]:
        sid = uuid4().hex
        sides = {"From": number, "To": "+37052000000", "AccountSid": "AC" + "1" * 32}
        media = {"NumMedia": "1", "MediaUrl0": f"https://api.twilio.com/{evil}", "MediaContentType0": evil}
        yield {**sides, "MessageSid": f"SM{sid}", "Body": evil, "SmsStatus": "received", **media}
        rich = {"ProfileName": evil, "ButtonText": evil, "ListTitle": evil, "Address": evil, "Label": evil}
        yield {
            **sides,
            **rich,
            "MessageSid": f"SM{uuid4().hex}",
            "Body": evil,
            "SmsStatus": "received",
            "NumMedia": "0",
        }

    twilio("twilio_sms", forms())
    return number


def twilio_voice(evil: str) -> str:
    number = phone()

    def forms() -> Iterator[dict[str, str]]:
        call = {"CallSid": f"CA{uuid4().hex}", "From": number, "To": "+37052000000", "Direction": "inbound"}
        yield {**call, "CallStatus": "ringing", "CallerName": evil, "ForwardedFrom": evil, "StirVerstat": evil}
        leg = {"ParentCallSid": call["CallSid"], "CallSid": f"CA{uuid4().hex}", "Direction": "outbound-dial"}
        yield {**leg, "From": number, "To": f"client:{evil}", "CallStatus": "in-progress"}
        yield {**call, "CallStatus": "completed", "CallDuration": "7", "CallerName": evil}

    twilio("twilio_voice", forms())
    return number


def mail(evil: str) -> str:
    source = make_source("email", f"m-{uuid4().hex[:8]}", addresses=[f"help-{uuid4().hex[:8]}@shop.example"])
    address = f"ada-{uuid4().hex[:8]}@klient.example"

    def encoded(text: str) -> str:
        return Header(text, "utf-8", maxlinelen=10_000).encode()

    file = encoded(evil).replace('"', "")
    raw = (
        f"From: {encoded('Ada ' + evil)} <{address}>\r\nTo: {encoded(evil)} <{source.addresses[0]}>\r\n"
        f"Subject: {encoded(evil)}\r\nMessage-ID: <{uuid4().hex}@klient.example>\r\n"
        f"References: <{evil.encode('ascii', 'ignore').decode()}@x>\r\nDate: Mon, 02 Mar 2026 09:00:00 +0000\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n"
        f"--a\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{evil}\r\n\r\nOn Monday Bob wrote:\r\n> {evil}\r\n"
        f"--a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>{evil}</p>\r\n--a--\r\n"
        f'--b\r\nContent-Type: image/svg+xml; name="{file}"\r\nContent-ID: <{file}>\r\n'
        f'Content-Disposition: attachment; filename="{file}"\r\n\r\n<svg onload="alert(1)"/>\r\n--b--\r\n'
    )
    envelope = {"mail-from": address, "rcpt-to": source.addresses[0]}
    accept(source, body=raw.encode("utf-8", "replace"), headers=envelope, received_at=datetime.now(UTC))
    return address
