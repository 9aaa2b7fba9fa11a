"""Contacts as mails: threads with quotes, attachments, a bounce, an automatic reply."""

import io
import math
import struct
import wave
import zlib
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, formataddr

from cxhub.demo.screenplay import AGENTS, Contact, Parcel

# Longer lines than usual: Python 3.11 loses a space where it breaks a subject that is not ASCII.
ON_THE_WIRE = policy.SMTP.clone(max_line_length=300)
MAILBOXES = {"demo": "support@demo.example", "vilnius": "pagalba@demo.example"}
RELAY = "mx.demo.example"
DOMAIN = "demo.example"
# How the programs of each language begin a quote.
WROTE = {
    "ru": "{0:%d.%m.%Y} в {0:%H:%M}, {1} <{2}> пишет:",
    "lt": "{0:%Y-%m-%d %H:%M}, {1} <{2}> rašė:",
    "en": "On {0:%d %b %Y} at {0:%H:%M}, {1} <{2}> wrote:",
}
TYPES = {
    "pdf": ("application", "pdf"),
    "png": ("image", "png"),
    "wav": ("audio", "wav"),
    "csv": ("text", "csv"),
}


@dataclass(frozen=True, slots=True)
class Letter:
    """What the door gets: the envelope and the bytes."""

    sender: str
    recipient: str
    body: bytes


class Mailbox:
    """The correspondence of one person; `re` answers the last mail, and quotes it."""

    def __init__(self) -> None:
        self.last: EmailMessage | None = None
        self.ours: EmailMessage | None = None
        self.thread: list[str] = []

    def parcel(self, contact: Contact) -> Parcel:
        if contact.verb == "bounce":
            return Parcel("mail", Letter("", MAILBOXES[contact.person.home], self.bounce(contact)))
        outbound = contact.direction == "outbound"
        mail = self.written(contact, outbound=outbound)
        self.last, self.thread = mail, [*self.thread, mail["Message-ID"]]
        if outbound:
            self.ours = mail
        ours = MAILBOXES[contact.person.home]
        sender = ours if outbound else contact.person.handles["email"]
        return Parcel("mail", Letter(sender, ours, mail.as_bytes(policy=ON_THE_WIRE)))

    def written(self, contact: Contact, *, outbound: bool) -> EmailMessage:
        person, ours = contact.person, MAILBOXES[contact.person.home]
        customer = formataddr((person.name, person.handles["email"]))
        company = formataddr((AGENTS.get(contact.agent, "Demo"), ours))
        subject, _, words = contact.text.partition(" | ")
        mail = EmailMessage()
        if not outbound:
            domain = person.handles["email"].rpartition("@")[2]
            mail["Authentication-Results"] = f"{RELAY}; dmarc=pass header.from={domain}"
        mail["From"], mail["To"] = (company, customer) if outbound else (customer, company)
        mail["Date"] = format_datetime(contact.at)
        mail["Message-ID"] = f"<{contact.id.lower()}@{DOMAIN if outbound else 'mail.example'}>"
        if contact.verb == "re" and self.last is not None:
            subject, words = self.last["Subject"], self.quoting(contact)
            subject = subject if subject.startswith("Re: ") else f"Re: {subject}"
            mail["In-Reply-To"], mail["References"] = self.last["Message-ID"], " ".join(self.thread)
        else:
            self.thread = []
        mail["Subject"] = subject
        if "auto" in contact.words:
            mail["Auto-Submitted"] = "auto-replied"
        mail.set_content(words)
        if name := contact.values.get("file"):
            main, sub = TYPES[name.rpartition(".")[2]]
            mail.add_attachment(file(name), maintype=main, subtype=sub, filename=name)
            mail.set_boundary(f"=_{contact.id}")
        return mail

    def quoting(self, contact: Contact) -> str:
        assert self.last is not None
        (author,) = self.last["From"].addresses
        wrote = WROTE[contact.values.get("lang", "lt" if contact.person.home == "vilnius" else "ru")]
        body = self.last.get_body(("plain",))
        old = body.get_content().splitlines() if body else []
        said = wrote.format(self.last["Date"].datetime, author.display_name, author.addr_spec)
        return "\n".join([contact.text, "", said, *(f"> {line}" for line in old)])

    def bounce(self, contact: Contact) -> bytes:
        """The report on our last mail (RFC 3464), with its headers only."""
        assert self.ours is not None
        recipient = contact.person.handles["email"]
        lines = [
            f"From: MAILER-DAEMON@{RELAY} (Mail Delivery System)",
            f"To: {MAILBOXES[contact.person.home]}",
            "Subject: Undelivered Mail Returned to Sender",
            f"Date: {format_datetime(contact.at)}",
            f"Message-ID: <{contact.id.lower()}@{RELAY}>",
            "Auto-Submitted: auto-replied",
            "MIME-Version: 1.0",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="=demo"',
            "",
            "--=demo",
            "Content-Type: text/plain; charset=us-ascii",
            "",
            "The mailbox is full.",
            "--=demo",
            "Content-Type: message/delivery-status",
            "",
            f"Reporting-MTA: dns; {RELAY}",
            "",
            f"Final-Recipient: rfc822; {recipient}",
            "Action: failed",
            "Status: 5.2.2",
            f"Diagnostic-Code: smtp; 552 5.2.2 {contact.text}",
            "",
            "--=demo",
            "Content-Type: text/rfc822-headers",
            "",
            f"Message-ID: {self.ours['Message-ID']}",
            f"To: {recipient}",
            "",
            "--=demo--",
            "",
        ]
        return "\r\n".join(lines).encode()


def file(name: str) -> bytes:
    """A small file that opens: a page, a picture, a sound, a table."""
    return {"pdf": page, "png": picture, "wav": sound, "csv": table}[name.rpartition(".")[2]]()


def table() -> bytes:
    return b"article,quantity\nEthiopia 250 g,12\nBrazil 1 kg,4\n"


def page() -> bytes:
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
    ]
    text = b"%PDF-1.4\n"
    places = []
    for number, one in enumerate(objects, 1):
        places.append(len(text))
        text += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    start = len(text)
    text += b"xref\n0 4\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return text + b"trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start


def picture(size: int = 64) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(
        b"\0" + bytes((60 + 2 * x, 40 + y, 20)[c] for x in range(size) for c in range(3)) for y in range(size)
    )
    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def sound(seconds: float = 1.0, rate: int = 8_000) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as tune:
        tune.setnchannels(1)
        tune.setsampwidth(1)
        tune.setframerate(rate)
        tune.writeframes(bytes(int(128 + 60 * math.sin(i * 0.35)) for i in range(int(seconds * rate))))
    return buffer.getvalue()
