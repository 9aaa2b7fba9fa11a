"""Recognises the mail that machines write about mail: bounces, receipts, automatic replies, lists.

Formats: RFC 3464 (delivery status), RFC 8098 (receipts), RFC 3834 (Auto-Submitted), RFC 2919 (List-Id),
RFC 5965 (complaints); Exim's X-Failed-Recipients.
"""

import re
from dataclasses import dataclass, replace
from email.message import Message
from email.parser import HeaderParser

from channels.charsets import decode
from channels.mailheaders import mailboxes, message_ids, normal, text, thread, value, values

ACTIONS = {
    "failed": "failed",
    "delayed": "delayed",
    "delivered": "delivered",
    "relayed": "delivered",
    "expanded": "delivered",
}
REPORTS = {"delivery-status": "bounce", "disposition-notification": "receipt", "feedback-report": "complaint"}
REPLIES = frozenset({"auto-replied", "auto_reply", "auto-reply"})
BULK = frozenset({"bulk", "junk", "list"})
DAEMON = re.compile(r"^(?:mailer-daemon|postmaster|mail-daemon)@", re.IGNORECASE)
MAX_RECIPIENTS = 50


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mail for one recipient."""

    recipient: str
    state: str  # failed, delayed, delivered, read
    status: str = ""  # RFC 3463, e.g. 5.1.1
    diagnostic: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a bounce or a receipt says of the mail that it is about."""

    kind: str
    message_id: str = ""
    thread: str = ""
    subject: str = ""
    recipients: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ()


def automatic(message: Message, sender: str, *, envelope_sender: str | None) -> str:
    """reply, bounce, receipt, complaint, generated or bulk, if a machine wrote it; else nothing."""
    submitted = next(iter(re.split(r"[;(\s]", value(message, "auto-submitted").strip().lower())), "")
    precedence = value(message, "precedence").lower()
    if kind := REPORTS.get(report_type(message)):
        return kind
    if value(message, "x-failed-recipients") or (DAEMON.match(sender) and (envelope_sender == "" or submitted)):
        return "bounce"
    if (
        submitted in REPLIES
        or precedence in REPLIES
        or value(message, "x-autoreply")
        or value(message, "x-autorespond")
    ):
        return "reply"
    if submitted.startswith("auto-"):
        return "generated"
    return "bulk" if precedence in BULK or value(message, "list-unsubscribe") or list_id(message) else ""


def list_id(message: Message) -> str:
    raw = text(value(message, "list-id"))
    match = re.search(r"<([^<>]{1,255})>", raw)
    return (match.group(1) if match else raw)[:255]


def report_type(message: Message) -> str:
    if message.get_content_type() != "multipart/report":
        return ""
    return str(message.get_param("report-type") or "").lower()


def report(message: Message, kind: str) -> Report | None:
    """The report of a bounce or a receipt; None if it names nobody."""
    original = original_headers(message)
    message_id = next(iter(message_ids(value(original, "message-id"))), "")
    found = Report(
        kind=kind,
        message_id=message_id,
        thread=thread(original, message_id),
        subject=text(value(original, "subject"))[:998],
        recipients=tuple(box.address for name in ("to", "cc") for box in mailboxes(original, name))[:MAX_RECIPIENTS],
    )
    outcomes: list[Outcome] = []
    about = found.message_id
    for part in message.walk():
        if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status"):
            outcomes += (outcome for block in blocks(part) if (outcome := delivery(block, found.recipients)))
        elif part.get_content_type() == "message/disposition-notification":
            block = next(iter(blocks(part)), Message())
            about = about or next(iter(message_ids(value(block, "original-message-id"))), "")
            outcomes += receipt(block)
    if not outcomes:
        addresses = (normal(one) for raw in values(message, "x-failed-recipients") for one in raw.split(","))
        outcomes = [Outcome(address, "failed") for address in addresses if address]
    if not outcomes:
        return None
    # The last word on each recipient.
    final = {outcome.recipient: outcome for outcome in outcomes}
    return replace(found, message_id=about, outcomes=tuple(final.values())[:MAX_RECIPIENTS])


def blocks(part: Message) -> list[Message]:
    """The header blocks of a status part, which the standard library takes for messages."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return [block for block in payload if isinstance(block, Message)][: MAX_RECIPIENTS * 2]
    return [HeaderParser().parsestr(piece) for piece in re.split(r"\r?\n\r?\n", str(payload))[: MAX_RECIPIENTS * 2]]


def original_headers(message: Message) -> Message:
    """The headers of the mail that came back, whole or as headers only."""
    for part in message.walk():
        kind = part.get_content_type()
        if kind in ("message/rfc822", "message/global") and isinstance(part.get_payload(), list) and part.get_payload():
            inner = part.get_payload(0)
            if isinstance(inner, Message):
                return inner
        if kind in ("text/rfc822-headers", "message/rfc822-headers", "message/global-headers"):
            data = part.get_payload(decode=True)
            return HeaderParser().parsestr(decode(data) if isinstance(data, bytes) else str(part.get_payload()))
    return Message()


def delivery(block: Message, recipients: tuple[str, ...]) -> Outcome | None:
    state = ACTIONS.get(value(block, "action").strip().lower())
    named = [typed(value(block, name)) for name in ("original-recipient", "final-recipient")]
    addresses = [address for address in named if address]
    if not state or not addresses:
        return None
    # A forwarding server reports where it tried last; the line is found under whom we wrote to.
    address = next(
        (one for one in addresses if one in recipients), recipients[0] if len(recipients) == 1 else addresses[0]
    )
    return Outcome(address, state, value(block, "status")[:20], text(typed_text(value(block, "diagnostic-code")))[:500])


def receipt(block: Message) -> list[Outcome]:
    reader = typed(value(block, "original-recipient")) or typed(value(block, "final-recipient"))
    displayed = "displayed" in value(block, "disposition").lower()
    return [Outcome(reader, "read")] if reader and displayed else []


def typed_text(raw: str) -> str:
    return raw.partition(";")[2].strip() or raw


def typed(raw: str) -> str:
    """The address of «rfc822; name@host»."""
    return normal(typed_text(raw).strip("<> "))
