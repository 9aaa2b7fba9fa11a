"""What a reader in the role `masked` is shown instead of numbers, addresses and ids: the one place that decides it.

Masked are: identifiers by their kind, everything in texts that looks like an address or has seven digits in a row
(separators between them do not count), and in the same answer whatever an identifier of it says. Names stay.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import phonenumbers
from phonenumbers import PhoneNumberFormat

STAR = "*"
SHORTEST = 4
"""Letters below which an identifier's value is not looked for in texts: «1» or «ann» would take whole words away."""
OPEN_KINDS = frozenset({"card", "name", "birthday", "language", "city", "company"})
"""Kinds whose value names nobody, or a name, which stays."""
GIVEN = frozenset({"details", "attributes", "evidence"})
"""Below these, sources say what they like: no key of theirs is one of ours."""
OURS = frozenset(
    {
        *("id", "ids", "customer", "customers", "interaction", "interactions", "receipt", "identities", "candidate"),
        *("link", "links", "lifted", "undone", "still_connected_by", "a", "b", "stands", "goes", "joined", "left"),
        *("next", "previous", "changes", "version"),
    }
)
"""Members that hold ids and tokens of our own making."""
TELLING = frozenset(
    ("username", "login", "user_id", "chat_id", "screen_name", "nickname", "phone", "email", "address", "vcard")
)
"""Members that hold an identifier, whatever it looks like."""
DROPPED = {"html": None, "thread": None}
"""A letter's own HTML hides numbers between its tags, and a conversation is often named by whom it is with."""

BETWEEN = r"(?:[\s().\-‐‑‒–—−/_\u00b7\u200b-\u200f\u2060]|&nbsp;|&#160;){0,3}"
DATE = (
    r"(?<!\d)(?:(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!\d)"
    r"|(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12]\d|3[01])/(?:19|20)\d\d(?!\d)"
    r"|(?:0?[1-9]|[12]\d|3[01])[./](?:0?[1-9]|1[0-2])[./](?:19|20)\d\d(?!\d))"
)
FOUND = re.compile(
    r"(?P<kept>\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"
    rf"|{DATE}(?:T\d\d:\d\d(?::\d\d(?:\.\d{{1,6}})?)?(?:Z|[+-]\d\d:\d\d)?)?)"
    r"|(?P<name>(?<![\w@.])@\w[\w.]{2,63})"
    r"|(?P<address>[^\s<>\"'(),;:@=/?&]{1,64}(?:@|%40)[^\s<>\"'(),;:@/?&]{1,255})"
    rf"|(?P<number>(?!\(?{DATE})\+?\(?\d(?:(?!{BETWEEN}{DATE}){BETWEEN}\d){{6,}})",
    re.IGNORECASE,
)
TAG = re.compile(r"<[^>]*>")
SPOKEN = re.compile(r"\b(title|alt|aria-label|content|placeholder)=(\"[^\"]*\"|'[^']*')", re.IGNORECASE)
REACHING = re.compile(r"\b(?:mailto|tel|sms|callto):[^\s\"'>]*", re.IGNORECASE)

READER: ContextVar[bool] = ContextVar("masked reader", default=False)


@contextmanager
def reader(*, masked: bool) -> Iterator[None]:
    """Whatever is made ready within is for such a reader."""
    before = READER.set(masked)
    try:
        yield
    finally:
        READER.reset(before)


def shown(value: Any) -> Any:
    """What JSON holds, as the reader of now may see it."""
    return masked(value) if READER.get() else value


def masked(value: Any) -> Any:
    """A copy with every identifier masked."""
    known = sorted({said for said in named(value) if len(said) >= SHORTEST}, key=len, reverse=True)
    hidden = re.compile("|".join(re.escape(said) for said in known), re.IGNORECASE) if known else None
    return walked(value, "", hidden, given=False)


def named(value: Any) -> Iterator[str]:
    """The values of all identifiers in it."""
    if isinstance(value, list):
        for one in value:
            yield from named(one)
    elif isinstance(value, dict):
        if is_identifier(value):
            yield value["value"]
        for one in value.values():
            yield from named(one)


def is_identifier(value: dict[str, Any]) -> bool:
    return (
        isinstance(value.get("kind"), str) and isinstance(value.get("value"), str) and value["kind"] not in OPEN_KINDS
    )


def walked(value: Any, key: str, hidden: "re.Pattern[str] | None", *, given: bool) -> Any:
    if isinstance(value, dict):
        found = {
            name: walked(one, key if name == "value" else name, hidden, given=given or name in GIVEN)
            for name, one in value.items()
            if name not in DROPPED
        }
        found |= {name: None for name in value if name in DROPPED}
        if is_identifier(value):
            found["value"] = identifier(value["kind"], value["value"])
        return found
    if isinstance(value, list):
        return [walked(one, key, hidden, given=given) for one in value]
    if isinstance(value, str):
        return of_text(value, key, hidden, given=given)
    if given and isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**8:
        return digits(str(value))
    return value


def of_text(value: str, key: str, hidden: "re.Pattern[str] | None", *, given: bool) -> str:
    if key in OURS and not given and "@" not in value and ":" not in value:
        return value
    if key in TELLING:
        return identifier(key, value)
    kind, colon, rest = value.partition(":")
    if key == "identifier" and colon and rest:
        return f"{kind}:{identifier(kind, rest)}"
    return text(hidden.sub(lambda found: opaque(found[0]), value) if hidden else value)


def identifier(kind: str, value: str) -> str:
    """`+7 343 ***-**-20`, `iv***@example.com`, `***42`"""
    if STAR * 3 in value:
        return value
    if kind == "phone":
        return digits(grouped(value))
    if "@" in value.strip("@"):
        return address(value)
    return opaque(value)


def text(value: str) -> str:
    """With every address and every number of seven digits or more masked; dates and our own ids stay."""

    def one(found: "re.Match[str]") -> str:
        if found["kept"]:
            return found[0]
        if found["name"]:
            return f"@{STAR * 3}"
        return address(found[0]) if found["address"] else digits(found[0])

    return FOUND.sub(one, value)


def grouped(value: str) -> str:
    try:
        return phonenumbers.format_number(phonenumbers.parse(value), PhoneNumberFormat.INTERNATIONAL)
    except phonenumbers.NumberParseException:
        return value


def digits(value: str) -> str:
    """At least five digits hidden: at most four stay at the beginning, and two at the end."""
    count = sum(one.isdigit() for one in value)
    begin, end, place, said = min(4, max(0, count - 7)), count - (2 if count >= 7 else 0), 0, []
    for one in value.replace("&nbsp;", " ").replace("&#160;", " "):
        if one.isdigit():
            said.append(one if place < begin or place >= end else STAR)
            place += 1
        else:
            said.append(one)
    return "".join(said)


def address(value: str) -> str:
    mark = "@" if "@" in value else "%40"
    local, _, domain = value.rpartition(mark)
    return f"{local[:2] if len(local) >= 4 else ''}{STAR * 3}{mark}{domain}"


def opaque(value: str) -> str:
    if "@" in value.strip("@"):
        return address(value)
    return STAR * 3 + (value[-2:] if len(value) > 5 else "")


def page(html: str) -> str:
    """A page of HTML for such a reader: what its templates might say of what nobody masked before."""
    parts, at = [], 0
    for tag in TAG.finditer(html):
        parts += [text(html[at : tag.start()]), of_tag(tag[0])]
        at = tag.end()
    return "".join([*parts, text(html[at:])])


def of_tag(tag: str) -> str:
    """What a tag says aloud, and where its links reach; addresses of our own pages stay as they are."""
    tag = SPOKEN.sub(lambda found: f"{found[1]}={text(found[2])}", tag)
    return REACHING.sub("", tag)


class WholeOnly(Exception):
    """Such a reader may not look for what could be part of a number or an address."""


def may_search(words: str) -> bool:
    """Whether the reader of now may look for these words in what was said: masked ones not for digits and addresses."""
    return not READER.get() or not re.search(r"[\d@]", words)
