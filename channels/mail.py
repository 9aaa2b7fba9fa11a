"""What one mail says, as plain values: reads RFC 5322 bytes with the standard library, and never fails on odd ones.

Pure and free of Django, so that a bounded child can run it. Everything in `Mail` can be stored as JSON.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from typing import Any

from channels import bounces, mailheaders, structure
from channels.authenticity import verdict
from channels.bounces import Outcome, Report
from channels.bounded import Refused
from channels.charsets import clean, decode
from channels.htmltext import html_to_text
from channels.mailheaders import Mailbox
from channels.quotes import split

MAX_READ = 1024 * 1024
"""Bytes of one text that are looked at: enough for any letter, and what is kept of it is less."""
MAX_TEXT = 200 * 1024
MAX_HTML = 200 * 1024
TEXTS = frozenset({"text/plain", "text/html", "text/enriched"})


@dataclass(frozen=True, slots=True)
class File:
    """An attachment or an inline image; `index` is its place in the order of the parts."""

    index: int
    name: str
    content_type: str
    size: int
    sha256: str
    cid: str = ""
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail; the addresses are folded to lower case, texts are free of NUL and of lone surrogates."""

    message_id: str = ""
    thread: str = ""
    date: str = ""
    subject: str = ""
    senders: tuple[Mailbox, ...] = ()
    reply_to: tuple[Mailbox, ...] = ()
    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    bcc: tuple[Mailbox, ...] = ()
    text: str = ""
    quoted: str = ""
    html: str = ""
    files: tuple[File, ...] = ()
    digest: str = ""
    automatic: str = ""
    list_id: str = ""
    authentication: Mapping[str, str] = field(default_factory=dict)
    report: Report | None = None
    cut: bool = False  # text or HTML was longer than what is kept

    def to_json(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Mail":
        raw: dict[str, Any] = json.loads(data)
        for name in ("senders", "reply_to", "to", "cc", "bcc"):
            raw[name] = tuple(Mailbox(**one) for one in raw[name])
        raw["files"] = tuple(File(**one) for one in raw["files"])
        if raw["report"]:
            outcomes = tuple(Outcome(**one) for one in raw["report"].pop("outcomes"))
            recipients = tuple(raw["report"].pop("recipients"))
            raw["report"] = Report(**raw["report"], recipients=recipients, outcomes=outcomes)
        return cls(**raw)


def read(raw: bytes, authserv_id: str = "", envelope_sender: str = "?") -> Mail:
    """The mail in these bytes. An `envelope_sender` of "?" is not known, an empty one is that of a bounce."""
    message = BytesParser(policy=compat32).parsebytes(raw)
    senders = mailheaders.mailboxes(message, "from") or mailheaders.mailboxes(message, "sender")
    sender = senders[0].address if senders else ""
    automatic = bounces.automatic(message, sender, envelope_sender=None if envelope_sender == "?" else envelope_sender)
    plain, html, files = contents(message)
    words, quoted = split(plain)
    message_id = next(iter(mailheaders.message_ids(mailheaders.value(message, "message-id"))), "")
    when = mailheaders.date(mailheaders.value(message, "date"))
    domains = sorted({box.address.rpartition("@")[2] for box in senders})
    if len(mailheaders.values(message, "from")) != 1 or len(senders) != 1:
        domains = []  # Two senders: nobody can say whom the relay has looked at.
    return Mail(
        message_id=message_id,
        thread=mailheaders.thread(message, message_id),
        date=when.isoformat() if when else "",
        subject=mailheaders.text(mailheaders.value(message, "subject"))[:998],
        senders=senders,
        reply_to=mailheaders.mailboxes(message, "reply-to"),
        to=mailheaders.mailboxes(message, "to"),
        cc=mailheaders.mailboxes(message, "cc"),
        bcc=mailheaders.mailboxes(message, "bcc"),
        text=words[:MAX_TEXT],
        quoted=quoted[:MAX_TEXT],
        html=html[:MAX_HTML],
        files=tuple(file for file, _ in files),
        digest=digest(message, plain, html, [file for file, _ in files], with_headers=not message_id),
        automatic=automatic,
        list_id=bounces.list_id(message),
        authentication=verdict(mailheaders.values(message, "authentication-results"), authserv_id, domains),
        report=bounces.report(message, automatic) if automatic in ("bounce", "receipt") else None,
        cut=max(len(words), len(quoted)) > MAX_TEXT or len(html) > MAX_HTML,
    )


def read_json(raw: bytes, authserv_id: str = "", envelope_sender: str = "?") -> bytes:
    """`read` for a bounded child."""
    structure.measure(raw)
    return read(raw, authserv_id, envelope_sender).to_json()


def extract(raw: bytes, index: str) -> bytes:
    """The bytes of one attachment, again for a bounded child."""
    structure.measure(raw)
    message = BytesParser(policy=compat32).parsebytes(raw)
    for place, part in leaves(message):
        if place == int(index):
            return payload(part)
    raise Refused(f"the mail has no part {index}")


def leaves(message: Message) -> Iterator[tuple[int, Message]]:
    """The parts that hold something, with their place in the mail; an enclosed message is one part, not taken apart."""
    pending, index = [message], 0
    while pending:
        part = pending.pop()
        inner = part.get_payload()
        if part.is_multipart() and isinstance(inner, list) and part.get_content_maintype() != "message":
            pending.extend(one for one in reversed(inner) if isinstance(one, Message))
        else:
            yield index, part
        index += 1
        if index > structure.MAX_PARTS:  # Those whose boundary only the parser could put together.
            raise Refused(f"more than {structure.MAX_PARTS} parts")


def payload(part: Message) -> bytes:
    """The decoded bytes of a part; an enclosed message is written out again."""
    inner = part.get_payload()
    if isinstance(inner, list):
        return b"\n".join(written(one) for one in inner if isinstance(one, Message))
    try:
        decoded = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError):
        decoded = None
    return decoded if isinstance(decoded, bytes) else mailheaders.raw_bytes(str(inner or ""))


def written(message: Message) -> bytes:
    try:
        return message.as_bytes(policy=compat32)
    except (ValueError, LookupError, TypeError, AttributeError):
        return mailheaders.raw_bytes(str(message.get_payload()))


def contents(message: Message) -> tuple[str, str, list[tuple[File, Message]]]:
    """The plain text (made of the HTML if there is none), the HTML, and the files."""
    plain: list[str] = []
    html: list[str] = []
    files: list[tuple[File, Message]] = []
    for index, part in leaves(message):
        kind = part.get_content_type()
        if kind in TEXTS and not is_file(part):
            written_text = text_of(part)
            (html if kind == "text/html" else plain).append(written_text)
        else:
            files.append((file(index, part, kind), part))
    joined = "\n\n".join(one for one in html if one.strip())
    words = "\n\n".join(one for one in plain if one.strip())
    return words or html_to_text(joined), joined, files


def is_file(part: Message) -> bool:
    disposition = str(part.get("content-disposition", "")).strip().lower()
    return disposition.startswith("attachment") or bool(name_of(part))


def name_of(part: Message) -> str:
    try:
        raw = part.get_filename() or ""
    except (ValueError, LookupError, TypeError, AttributeError):
        raw = ""
    return mailheaders.file_name(raw)


def file(index: int, part: Message, kind: str) -> File:
    data = payload(part)
    disposition = str(part.get("content-disposition", "")).strip().lower()
    cid = next(iter(mailheaders.message_ids(mailheaders.value(part, "content-id"))), "")
    return File(
        index=index,
        name=name_of(part) or ("message.eml" if kind.startswith("message/") else ""),
        content_type=clean(kind)[:127],
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        cid=cid,
        inline=bool(cid) and not disposition.startswith("attachment"),
    )


def text_of(part: Message) -> str:
    try:
        charset = part.get_content_charset() or ""
    except (ValueError, LookupError, TypeError, AttributeError):
        charset = ""
    words = decode(payload(part)[:MAX_READ], charset).replace("\r\n", "\n").replace("\r", "\n")
    return unflowed(words, delete=parameter(part, "delsp") == "yes") if parameter(part, "format") == "flowed" else words


def parameter(part: Message, name: str) -> str:
    try:
        return str(part.get_param(name) or "").lower()
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""


def unflowed(words: str, *, delete: bool) -> str:
    """RFC 3676: a line that ends with a space goes on in the next one; quoted lines are left alone."""
    lines: list[str] = []
    going_on = False
    for line in words.split("\n"):
        quoted = line.startswith(">")
        said = line[1:] if line.startswith(" ") else line
        if going_on and not quoted and said != "-- ":
            lines[-1] += said
        else:
            lines.append(said)
        going_on = said.endswith(" ") and said != "-- " and not quoted
        if going_on and delete:
            lines[-1] = lines[-1][:-1]
    return "\n".join(lines)


def digest(message: Message, plain: str, html: str, files: list[File], *, with_headers: bool) -> str:
    """Tells mails of one Message-ID apart by what they say, not by headers, transfer encodings or white space."""
    counted = hashlib.sha256()
    for text in (plain, html):
        counted.update(" ".join(text.split()).encode("utf-8", "replace") + b"\0")
    for part in (part for _, part in leaves(message) if part.get_content_type() in TEXTS):
        counted.update(payload(part)[MAX_READ:])
    for file in files:
        counted.update(file.sha256.encode())
    if with_headers:
        for name in ("from", "to", "date", "subject"):
            counted.update(mailheaders.raw_bytes(mailheaders.value(message, name)) + b"\0")
    return counted.hexdigest()[:16]
