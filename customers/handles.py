"""The normal form of each kind of handle: two spellings that reach one person become one identity."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from customers import addresses, blocked, phones

# Raised whenever the same input gives another value than before; `manage.py renormalise` follows it.
NORMALISER_VERSION: Final = 1

GLOBAL_KINDS: Final = frozenset({"phone", "email", "telegram", "vk", "max", "whatsapp"})
SCOPED_KINDS: Final = frozenset(
    {"wa_bsuid", "viber", "messenger", "instagram", "line", "slack", "crm_id", "loyalty", "device"}
)
RESERVED_KINDS: Final = frozenset({"card", "anonymous"})

_SLUG = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_MAX_OPAQUE: Final = 200
_MAX_RAW: Final = 200
_CACHED_LENGTH: Final = 100
_INT64: Final = 2**63
_NUMERIC_ID = re.compile(r"-?[0-9]{1,19}")
_HIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# A username changes hands (P20): where the real id is a number, "@ivan" is an attribute.
_USERNAMES_OF: Final = frozenset({"instagram", "messenger"})


class Refused(ValueError):
    """Why a value is no identity: `reason` is "blocked", "invalid", "no_reply" or "unknown_kind"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class NormalHandle:
    """One identity in normal form; (`kind`, `scope`, `value`) is the identity, the rest is what we know of it."""

    kind: str
    scope: str  # "" for global kinds
    value: str
    raw: str  # as given, capped at 200 characters
    match_key: str = ""  # provider-folded key (e-mail), "" when equal to the value or none
    linkable: bool = True  # False: may carry a line, never links
    flags: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()  # other spellings of the same handle of the same kind


Outcome = tuple[NormalHandle, ...] | str


def normal(
    kind: str, value: str, scope: str = "", *, region: str | None = None, default_scope: str = ""
) -> tuple[NormalHandle, ...]:
    """The identities that one handle stands for, the first being the handle itself (whatsapp also yields its phone).

    `region` is the ISO 3166-1 code of the source (phones); a scoped kind without `scope` gets `default_scope`.
    Raises Refused, and nothing else, whatever the text.
    """
    reader = _READERS.get(kind)
    if reader is None:
        outcome = _scoped(kind, value, scope or default_scope)
    elif not _is_text(value, addresses.MAX_LENGTH):
        outcome = "invalid"
    elif len(value) > _CACHED_LENGTH:
        outcome = reader(value, region)
    else:
        outcome = _CACHED[kind](value, region)
    if isinstance(outcome, str):
        raise Refused(outcome)
    return outcome


def _phone(value: str, region: str | None) -> Outcome:
    phone = phones.read(value, region)
    return phone if isinstance(phone, str) else (_from_phone(phone, value),)


def _from_phone(phone: phones.Phone, raw: str) -> NormalHandle:
    return NormalHandle("phone", "", phone.value, raw[:_MAX_RAW], "", phone.linkable, phone.flags, phone.aliases)


def _whatsapp(value: str, region: str | None) -> Outcome:
    found = phones.whatsapp(value, region)
    if isinstance(found, str):
        return found
    digits, aliases, phone = found
    raw = value[:_MAX_RAW]
    if phone is None:
        return (NormalHandle("whatsapp", "", digits, raw, aliases=aliases),)
    itself = NormalHandle("whatsapp", "", digits, raw, "", phone.linkable, phone.flags, aliases)
    return itself, _from_phone(phone, value)


def _email(value: str, _region: str | None) -> Outcome:
    address = addresses.read(value)
    if isinstance(address, str):
        return address
    return (
        NormalHandle("email", "", address.value, value[:_MAX_RAW], address.match_key, address.linkable, address.flags),
    )


def _numeric(kind: str, value: str) -> Outcome:
    """A platform's numeric id, 64-bit; only VK's may be negative (a community), other negative ids are chats."""
    text = value.strip()
    if not _NUMERIC_ID.fullmatch(text):
        return "blocked" if text.isprintable() and blocked.is_blocked(kind, text) else "invalid"
    number = int(text)
    if blocked.is_blocked(kind, text) or blocked.is_blocked(kind, str(abs(number))):
        return "blocked"
    if not -_INT64 <= number < _INT64 or (number < 0 and kind != "vk"):
        return "invalid"
    return (NormalHandle(kind, "", str(number), value[:_MAX_RAW]),)


def _telegram(value: str, _region: str | None) -> Outcome:
    return _numeric("telegram", value)


def _vk(value: str, _region: str | None) -> Outcome:
    return _numeric("vk", value)


def _max(value: str, _region: str | None) -> Outcome:
    return _numeric("max", value)


def _scoped(kind: str, value: str, scope: str) -> Outcome:
    """An id that means something within its scope only, kept letter for letter (Viber's differ in case)."""
    if kind in RESERVED_KINDS or not _SLUG.fullmatch(kind):
        return "unknown_kind"
    text, place = _opaque(value), _opaque(scope)
    if not text or place is None or (text[0] == "@" and kind in _USERNAMES_OF):
        return "invalid"
    if blocked.is_blocked(kind, text):
        return "blocked"
    return (NormalHandle(kind, place, text, value[:_MAX_RAW]),)


def _is_text(value: object, limit: int) -> bool:
    return isinstance(value, str) and len(value) <= limit


def _opaque(value: str) -> str | None:
    """The value trimmed and in NFC; None when over-long or with anything invisible (controls, bidi, surrogates)."""
    if not _is_text(value, 4 * _MAX_OPAQUE):
        return None
    text = value.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).strip()
    if len(text) > _MAX_OPAQUE:
        return None
    if not text.isprintable() and any(unicodedata.category(char) in _HIDDEN_CATEGORIES for char in text):
        return None
    return text


_READERS: Final[dict[str, Callable[[str, str | None], Outcome]]] = {
    "phone": _phone,
    "email": _email,
    "telegram": _telegram,
    "vk": _vk,
    "max": _max,
    "whatsapp": _whatsapp,
}
# Numbers and addresses come again and again with every contact; phonenumbers takes 100 times as long as a look-up.
# An entry weighs about 0.6 KB; numeric ids are read faster than they would be found.
_CACHED: Final[dict[str, Callable[[str, str | None], Outcome]]] = {
    **_READERS,
    "phone": lru_cache(maxsize=65536)(_phone),
    "email": lru_cache(maxsize=16384)(_email),
    "whatsapp": lru_cache(maxsize=16384)(_whatsapp),
}
