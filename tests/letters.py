"""Letters to a shop, for the tests of mail: `letter` writes one, `parse` asks the provider what it means."""

from datetime import UTC, datetime
from uuid import uuid4

from channels.provider import SourceInfo, StoredDelivery
from channels.providers.email import Email
from customers.incoming import ChannelEvent

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
