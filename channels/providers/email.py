"""E-mail, as it came by SMTP or LMTP: the raw message, and its envelope in the headers of the delivery.

Formats: RFC 5321, RFC 5322. https://www.rfc-editor.org/rfc/rfc5322
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from channels import mime
from channels.mime import Mail, Mailbox, Outcome
from channels.provider import Ignored, Provider, Secret, SourceInfo, StoredDelivery
from customers.incoming import Agent, Attachment, ChannelEvent, Direction, Handle, Trust

EPOCH = datetime(1995, 1, 1, tzinfo=UTC)
MAX_PARTICIPANTS = 100
KEPT_TRUST = frozenset({"dmarc", "dkim", "spf"})


class Email(Provider):
    """Mail to a source's address is inbound, one line on its sender; mail from one is one line per outside recipient.

    Takes no webhook: `channels.smtp` is its door. An address that starts with @ stands for a whole domain.
    """

    name = "email"
    label = "E-mail"
    docs = "https://www.rfc-editor.org/rfc/rfc5322"
    secrets: ClassVar[tuple[Secret, ...]] = (
        Secret(
            "authserv_id",
            "The name that your mail relay puts into its Authentication-Results; without it no sender is believed.",
            required=False,
        ),
    )
    kept_headers = ("mail-from", "rcpt-to", "peer", "protocol")
    handled = frozenset({"inbound", "outbound", "bounce", "receipt"})
    ignored = frozenset({"internal"})
    unsupported: ClassVar[frozenset[str]] = frozenset()

    def parse(self, delivery: StoredDelivery) -> Iterator[ChannelEvent]:
        mail = mime.read(
            delivery.body,
            authserv_id=delivery.source.secrets.get("authserv_id", ""),
            envelope_sender=delivery.headers.get("mail-from"),
        )
        if mail.report:
            yield from reported(delivery, mail)
        elif (
            mail.senders
            and own(delivery.source, mail.senders[0].address)
            and mail.authentication.get("dmarc") not in FORGED
        ):
            yield from outbound(delivery, mail)
        else:
            yield inbound(delivery, mail)

    def paste(self, source: SourceInfo) -> str:
        mailbox = ", ".join(source.addresses) or "the mailbox"
        return f"Let your mail server pass a copy of {mailbox} on to the SMTP or LMTP port of cxhub."


# Our own relay says that somebody else wrote this in our name: never shown as our word.
FORGED = frozenset({"fail", "misaligned"})


def inbound(delivery: StoredDelivery, mail: Mail) -> ChannelEvent:
    """One line on the sender; whom he wants answered is only a claim."""
    source = delivery.source
    proven = mail.authentication.get("dmarc") == "pass"
    handles: list[Handle] = []
    name = ""
    # A bounce that nobody can read comes from a machine of some server: it hangs on nobody.
    for box in () if mail.automatic == "bounce" else mail.senders[:1] or envelope_sender(delivery):
        if not own(source, box.address):
            handles.append(
                Handle("email", box.address, trust=source.capped(Trust.ASSERTED if proven else Trust.CLAIMED))
            )
            name = box.name
    for box in mail.reply_to[:1]:
        if handles and box.address != handles[0].value and not own(source, box.address):
            handles.append(Handle("email", box.address, trust=Trust.CLAIMED))
    return event(delivery, mail, key=base_key(mail), direction="inbound", handles=tuple(handles), name=name)


def outbound(delivery: StoredDelivery, mail: Mail) -> Iterator[ChannelEvent]:
    """One line per outside recipient; those of the envelope count too (Bcc)."""
    source = delivery.source
    outside: dict[str, Mailbox] = {}
    for box in (*mail.to, *mail.cc, *mail.bcc, *envelope_recipients(delivery)):
        if not own(source, box.address):
            outside.setdefault(box.address, box)
    if not outside:
        raise Ignored("internal: a mail of ours to nobody else")
    sender = mail.senders[0]
    agent = Agent(id=sender.address, name=sender.name, type="bot" if mail.automatic else "human")
    for box in outside.values():
        handle = Handle("email", box.address, trust=source.capped(Trust.ASSERTED))
        key = outbound_key(mail.message_id, box.address) if mail.message_id else f"{base_key(mail)}:{box.address}"
        yield event(delivery, mail, key=key, direction="outbound", handles=(handle,), name=box.name, agent=agent)


def reported(delivery: StoredDelivery, mail: Mail) -> Iterator[ChannelEvent]:
    """What became of a mail of ours: a part of its line, or a line of its own if nobody can tell which mail it was."""
    report = mail.report
    assert report is not None
    when = occurred(delivery, mail)
    for outcome in report.outcomes:
        if own(delivery.source, outcome.recipient):
            continue
        details = {mail.automatic: said(outcome), "message_id": report.message_id or mail.message_id}
        known = bool(report.message_id)
        yield ChannelEvent(
            **origin(delivery),
            key=outbound_key(report.message_id, outcome.recipient)
            if known
            else f"{base_key(mail)}:{outcome.recipient}",
            part=PARTS[outcome.state] if known else "main",
            revision=int((when or delivery.received_at).timestamp()) if known else 0,
            occurred_at=when,
            changed_at=when,
            channel="email",
            kind="email",
            direction="outbound",
            handles=(Handle("email", outcome.recipient, trust=Trust.CLAIMED),),
            thread=report.thread[:512],
            subject=report.subject or mail.subject,
            text="" if known else mail.text,
            state=outcome.state,
            details=details if known else {**details, "auto": mail.automatic},
        )
    if all(own(delivery.source, outcome.recipient) for outcome in report.outcomes):
        yield inbound(delivery, mail)


PARTS = {"failed": "bounce", "delayed": "delayed", "delivered": "delivered", "read": "read"}


def said(outcome: Outcome) -> dict[str, str]:
    found = {"recipient": outcome.recipient, "status": outcome.status, "diagnostic": outcome.diagnostic}
    return {name: value for name, value in found.items() if value}


def event(
    delivery: StoredDelivery,
    mail: Mail,
    *,
    key: str,
    direction: Direction,
    handles: tuple[Handle, ...],
    name: str,
    agent: Agent | None = None,
) -> ChannelEvent:
    return ChannelEvent(
        **origin(delivery),
        key=key,
        occurred_at=occurred(delivery, mail),
        channel="email",
        kind="email",
        direction=direction,
        handles=handles,
        name=name,
        thread=mail.thread[:512],
        subject=mail.subject,
        text=mail.text,
        agent=agent,
        attachments=tuple(
            Attachment(name=file.name, content_type=file.content_type, size=file.size, ref=f"mime:{file.index}")
            for file in mail.files
        ),
        details=details(mail),
    )


def origin(delivery: StoredDelivery) -> dict[str, Any]:
    return {
        "source_id": delivery.source.id,
        "source": delivery.source.slug,
        "region": delivery.source.region,
        "received_at": delivery.received_at,
        "origin": delivery.id,
        "replay": delivery.replay,
    }


def details(mail: Mail) -> dict[str, Any]:
    """Only what the mail itself says: the same mail by another way must give the same line."""
    participants = [
        {"role": role, "address": box.address, **({"name": box.name} if box.name else {})}
        for role, boxes in (("from", mail.senders), ("reply-to", mail.reply_to), ("to", mail.to), ("cc", mail.cc))
        for box in boxes
    ]
    inline = {file.cid: f"mime:{file.index}" for file in mail.files if file.cid}
    found = {
        "message_id": mail.message_id,
        "participants": participants[:MAX_PARTICIPANTS],
        "quoted": mail.quoted,
        "html": mail.html,
        "inline": inline,
        "auto": mail.automatic,
        "list": mail.list_id,
        "authentication": {method: word for method, word in mail.authentication.items() if method in KEPT_TRUST},
        "cut": mail.cut,
    }
    return {name: value for name, value in found.items() if value}


def base_key(mail: Mail) -> str:
    """Message-IDs are forged and repeated, so what the mail says belongs to its key."""
    return f"{mail.message_id[:512]}#{mail.digest}" if mail.message_id else f"sha:{mail.digest}"


def outbound_key(message_id: str, recipient: str) -> str:
    """Without the digest: a bounce brings back the Message-ID, seldom the whole mail, and our server made the id."""
    return f"{message_id[:512]}:{recipient}"


def occurred(delivery: StoredDelivery, mail: Mail) -> datetime | None:
    """The sender's clock if it is sane."""
    when = datetime.fromisoformat(mail.date) if mail.date else None
    return when if when and EPOCH <= when <= delivery.received_at + timedelta(days=1) else None


def own(source: SourceInfo, address: str) -> bool:
    """True for an address of the source; name+anything@ is name@, and @domain owns all of it."""
    local, _, domain = address.casefold().rpartition("@")
    known = {one.strip().casefold() for one in source.addresses}
    return bool(known & {f"{local}@{domain}", f"{local.partition('+')[0]}@{domain}", f"@{domain}"})


def envelope_sender(delivery: StoredDelivery) -> tuple[Mailbox, ...]:
    address = mime.normal(delivery.headers.get("mail-from", ""))
    return (Mailbox("", address),) if address else ()


def envelope_recipients(delivery: StoredDelivery) -> tuple[Mailbox, ...]:
    addresses = (mime.normal(one) for one in delivery.headers.get("rcpt-to", "").split(","))
    return tuple(Mailbox("", address) for address in addresses if address)
