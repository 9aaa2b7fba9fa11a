"""Takes the headers of a mail apart without failing: encoded words, addresses, message ids, dates.

Formats: RFC 5322 sections 3.3, 3.4 and 3.6.4; RFC 2047 as senders really write it. The standard library's own
address and header parsers are slow on hostile input (python/cpython#136063) or fooled by it (CVE-2023-27043).
"""

import base64
import binascii
import quopri
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime

from channels.charsets import clean, decode

MAX_VALUE = 8 * 1024
MAX_ADDRESSES = 200

ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?\r\n]{0,2000})\?=")
BETWEEN_WORDS = re.compile(r"\?=[ \t\r\n]+=\?")
TOKEN = re.compile(
    r"""=\?[^?\s]{1,60}\?[bBqQ]\?[^?\r\n]{0,2000}\?=|"(?:[^"\\]|\\.)*"|<[^<>]*>|[,;:()]|[^"<>,;:()=]+|.""", re.DOTALL
)
ADDRESS = re.compile(r"[^\s@<>(),;:\"\[\]\x00-\x1f]{1,256}@[^\s@<>(),;:\"\x00-\x1f]{1,255}")
MESSAGE_ID = re.compile(r"<([^<>\s]{1,512})>")
SPACE = re.compile(r"\s+")
# Control characters, and the marks that turn the writing direction or are not seen at all.
INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb]"
)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address of a header, and the name that stood with it."""

    name: str
    address: str


def values(message: Message, name: str) -> list[str]:
    """The raw values of a header, unfolded, the topmost first; bytes beyond ASCII are surrogates."""
    found = (value for header, value in message.raw_items() if header.lower() == name)
    return [str(value).replace("\r", "").replace("\n", "")[:MAX_VALUE].strip() for value in found]


def value(message: Message, name: str) -> str:
    return next(iter(values(message, name)), "")


def text(raw: str) -> str:
    """A header for people: encoded words and bare 8-bit text decoded, on one line, without invisible marks."""
    return SPACE.sub(" ", INVISIBLE.sub("", SPACE.sub(" ", decoded(raw)))).strip()


def decoded(raw: str) -> str:
    """Neighbouring words of one charset are joined first: senders cut them within a character."""
    pieces: list[tuple[str, bytes]] = []
    position = 0
    raw = BETWEEN_WORDS.sub("?==?", raw)
    for match in ENCODED_WORD.finditer(raw):
        if match.start() > position:
            pieces.append(("", raw_bytes(raw[position : match.start()])))
        charset, data = match.group(1).partition("*")[0].lower(), word(match.group(2), match.group(3))
        if pieces and pieces[-1][0] == charset and match.start() == position:
            pieces[-1] = (charset, pieces[-1][1] + data)
        else:
            pieces.append((charset, data))
        position = match.end()
    pieces.append(("", raw_bytes(raw[position:])))
    return "".join(decode(data, charset) for charset, data in pieces)


def raw_bytes(raw: str) -> bytes:
    return raw.encode("utf-8", "surrogateescape")


def word(encoding: str, encoded: str) -> bytes:
    if encoding in "qQ":
        return quopri.decodestring(raw_bytes(encoded.replace("_", "=20")))
    letters = re.sub(r"[^A-Za-z0-9+/]", "", encoded)
    try:
        return base64.b64decode(letters + "=" * (-len(letters) % 4))
    except binascii.Error:
        return base64.b64decode(letters[: len(letters) // 4 * 4])


def mailboxes(message: Message, name: str) -> tuple[Mailbox, ...]:
    """The addresses of all headers of this name, without the empty and the repeated ones."""
    found: dict[str, Mailbox] = {}
    for raw in values(message, name):
        for mailbox in parse_addresses(raw):
            found.setdefault(mailbox.address, mailbox)
    return tuple(found.values())[:MAX_ADDRESSES]


def parse_addresses(raw: str) -> Iterator[Mailbox]:
    """What stands in angle brackets is the address, whatever address the display name pretends to be."""
    name: list[str] = []
    comment: list[str] = []
    angle = ""
    depth = 0
    for piece in TOKEN.findall(raw):
        if piece == "(" or (piece == ")" and depth):
            depth += 1 if piece == "(" else -1
        elif depth:
            comment.append(piece)
        elif piece in (",", ";"):
            yield from mailbox(name, comment, angle)
            name, comment, angle = [], [], ""
        elif piece == ":" and not angle:
            name = []  # The name of a group.
        elif piece.startswith("<") and piece.endswith(">"):
            angle = piece[1:-1]
        else:
            name.append(piece)
    yield from mailbox(name, comment, angle)


def mailbox(name: list[str], comment: list[str], angle: str) -> Iterator[Mailbox]:
    written = "".join(unquoted(part) for part in name)
    address = normal(angle if angle else "".join(name))
    label = text(written if angle else "".join(comment))[:200]
    if address:
        # A name that looks like an address is none: it is there to deceive.
        yield Mailbox("" if "@" in label else label.strip("'\" "), address)


def unquoted(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if len(token) > 1 and token[0] == token[-1] == '"' else token


def normal(raw: str) -> str:
    """An address as we compare it; empty if it is none."""
    address = clean(decode(raw_bytes(raw.strip()))).rpartition("mailto:")[2]
    if address.startswith("@"):
        address = address.rpartition(":")[2]  # The route of RFC 822.
    return address.casefold() if ADDRESS.fullmatch(address) else ""


def message_ids(raw: str) -> list[str]:
    """The ids of a Message-ID, In-Reply-To or References header; a bare word counts if there are no brackets."""
    found = MESSAGE_ID.findall(raw)
    bare = [piece for piece in raw.split() if "@" in piece and len(piece) <= 512]
    return [clean(decode(raw_bytes(one))) for one in found or bare[:1]]


def thread(message: Message, message_id: str) -> str:
    """The mail that started the conversation: the first of References, else In-Reply-To, else the mail itself."""
    for name in ("references", "in-reply-to"):
        found = message_ids(value(message, name))
        if found:
            return found[0]
    return message_id


def date(raw: str) -> datetime | None:
    """The sender's clock; None if it says nothing sensible. «-0000» and a missing zone are taken as UTC."""
    if len(raw) > 200:
        return None
    try:
        when = parsedate_to_datetime(raw)
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def file_name(raw: str) -> str:
    """A name that is only a label: NFKC, without paths, control characters and direction marks, at most 200 long."""
    name = INVISIBLE.sub("", unicodedata.normalize("NFKC", clean(decoded(raw))))
    name = re.split(r"[/\\]", name)[-1].strip()
    if len(name) > 200:
        stem, dot, extension = name.rpartition(".")
        name = f"{stem[: 199 - len(extension)]}{dot}{extension}" if dot and len(extension) <= 20 else name[:200]
    return "" if name in {".", ".."} else name
