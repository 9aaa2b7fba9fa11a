"""E-mail addresses: their normal form, and the key under which a provider's spellings of one mailbox meet."""

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Final

from customers import blocked

MAX_LENGTH: Final = 1000
_MAX_LOCAL: Final = 64  # RFC 5321 4.5.3.1.1; SRS addresses exceed it, so it is asked of what is inside

# Consumer domains only: a company's own domain at Google or Yandex may give ivan.p and ivanp to two people (P11).
_GMAIL: Final = dict.fromkeys(("gmail.com", "googlemail.com"), "gmail.com")
# One login answers under all of them, and "." equals "-" (yandex.com/support/mail, "mailbox alias").
_YANDEX_DOMAINS = """
    ya.ru yandex.ru yandex.com yandex.by yandex.kz yandex.ua yandex.uz yandex.az yandex.com.am yandex.com.ge
    yandex.co.il yandex.ee yandex.fr yandex.kg yandex.lt yandex.lv yandex.md yandex.tj yandex.tm yandex.com.tr
    narod.ru
"""
_YANDEX: Final = dict.fromkeys(_YANDEX_DOMAINS.split(), "yandex.ru")
_PLUS_ONLY_DOMAINS = """
    outlook.com outlook.de outlook.fr outlook.es outlook.it outlook.lv outlook.co.il hotmail.com hotmail.co.uk
    hotmail.de hotmail.fr hotmail.it hotmail.es hotmail.ru hotmail.lt live.com live.ru live.co.uk live.de live.fr
    msn.com icloud.com me.com mac.com proton.me protonmail.com protonmail.ch pm.me fastmail.com fastmail.fm
    mail.ru bk.ru list.ru inbox.ru internet.ru xmail.ru
"""
_PLUS_ONLY: Final = frozenset(_PLUS_ONLY_DOMAINS.split())

# The whole of what most addresses are; whatever fails it takes the slow path and may still be right.
_PLAIN = re.compile(
    r"(?=.{6,254}\Z)(?=[^@]{1,64}@)([a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?:\+[a-z0-9_.+-]*[a-z0-9_])?)"
    r"@((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63})\Z"
)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_COMMENT = re.compile(r"\s*\([^()]*\)$")

# Sources: SRS (libsrs2, "SRS0=hash=timestamp=domain=local"), BATV (draft-levine-smtp-batv), Barracuda's btv1,
# VERP (cr.yp.to/proto/verp.txt: list-owner-local=domain@host; ezmlm, SendGrid).
_SRS1 = re.compile(r"srs1[=+-][^=]+=[^=]+=(?P<rest>[=+-].+)$")
_SRS0 = re.compile(r"srs0[=+-][^=]+=[^=]+=(?P<domain>[^=]+)=(?P<local>.+)$")
_BATV = re.compile(r"(?:prvs=[0-9a-z]{6,12}=|btv1==[0-9a-z]+==)(?P<local>[^=]+)$")
_VERP = re.compile(
    r"(?:(?:bounces?|return|verp)[+-](?:(?=[0-9a-f]*\d)[0-9a-f]{2,}-)*|[a-z0-9_.]+-return-\d+-|(?:[a-z0-9_.]+-)?owner-)"
    r"(?P<local>[a-z0-9._+-]+)=(?P<domain>[a-z0-9.-]+\.[a-z]{2,})$"
)
_SCRIPTS: Final = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"})
_LATIN_LOOKALIKES: Final = frozenset("асеорхуіјѕһԁԛԝӏ")


@dataclass(frozen=True, slots=True)
class Address:
    """An address in normal form: casefolded, NFC, the domain in Unicode (U-labels).

    `match_key` is the mailbox's own spelling at its provider, "" when that is the value or nothing is known.
    Flags: "role", "mixed_script", and "unwrapped" (taken out of an SRS or VERP address: the domain that signed
    the mail is not the domain of this address, so it must never rank above a claim).
    """

    value: str
    match_key: str = ""
    linkable: bool = True
    flags: tuple[str, ...] = ()


def read(value: str) -> Address | str:
    """The address in `value` (bare, `mailto:`, or RFC 5322 name-addr), or why there is none. Never raises.

    The reason is "blocked" (a dummy word), "no_reply" (no human reads it) or "invalid". No network, no DNS.
    """
    if len(value) > MAX_LENGTH:
        return "invalid"
    plain = _PLAIN.match(value.strip().lower()) if value.isascii() else None
    if plain and "xn--" not in plain[2]:
        return _judged(plain[1], plain[2])
    return _read_slowly(value)


def _read_slowly(value: str, depth: int = 0) -> Address | str:
    text = _without_invisible_ends(unicodedata.normalize("NFC", value))
    if not text:
        return "invalid"
    if "@" not in text:
        return "blocked" if text.isprintable() and blocked.is_blocked("email", text) else "invalid"
    bare = _addr_spec(text)
    parts = _validated(bare) if bare else None
    if parts is None:
        return "invalid"
    local, domain = parts
    inner = _unwrapped(local, domain)
    if inner is None or depth == 2:
        return _judged(local, domain)
    found = _read_slowly(inner, depth + 1)
    if isinstance(found, str):
        return "no_reply"
    if found.value.rpartition("@")[2] == domain:
        return found
    return replace(found, linkable=False, flags=tuple(dict.fromkeys((*found.flags, "unwrapped"))))


def _without_invisible_ends(text: str) -> str:
    start, end = 0, len(text)
    while start < end and (text[start].isspace() or unicodedata.category(text[start]) == "Cf"):
        start += 1
    while end > start and (text[end - 1].isspace() or unicodedata.category(text[end - 1]) == "Cf"):
        end -= 1
    return text[start:end]


def _addr_spec(text: str) -> str | None:
    """`ivan@example.com` out of `"Ivanov, Ivan" <ivan@example.com>`; None when there is more than one address."""
    if text[:7].lower() == "mailto:":
        text = text[7:].partition("?")[0]
    if "<" in text:
        outside = _QUOTED.sub("", text)
        if outside.count("<") != 1 or not outside.endswith(">"):
            return None
        name, _, text = outside[:-1].partition("<")
        if "@" in name and ("," in name or ";" in name):
            return None
    text = _COMMENT.sub("", text).strip()
    return text if text.count("@") == 1 else None


def _validated(bare: str) -> tuple[str, str] | None:
    """(local part, domain) by email-validator's syntax and IDNA 2008, folded; None for what is no address."""
    from email_validator import EmailNotValidError, validate_email

    try:
        # globally_deliverable off: .test and .local are addresses too; the dot is checked here.
        found = validate_email(bare, check_deliverability=False, globally_deliverable=False)
    except (EmailNotValidError, UnicodeError):
        return None
    if "." not in found.domain:
        return None
    local = found.local_part
    if not local.isascii():
        # A dotted capital I casefolds to two characters, so that İvan and ivan would be two people.
        local = unicodedata.normalize("NFC", local.replace("\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}", "i"))
        local = unicodedata.normalize("NFC", unicodedata.normalize("NFC", local.casefold()).casefold())
    return local.lower() if local.isascii() else local, found.domain.lower()


def _unwrapped(local: str, domain: str) -> str | None:
    """The address inside an SRS, BATV or VERP one; None when there is none, or when it cannot be told for sure."""
    if chained := _SRS1.match(local):
        local = "srs0" + chained["rest"]
    if found := _SRS0.match(local):
        return f"{found['local']}@{found['domain']}"
    if found := _BATV.match(local):
        return f"{found['local']}@{domain}"
    found = _VERP.match(local)
    if not found or re.match(r"[0-9a-f]+-", found["local"]):
        return None  # bounce+abc-ivan=…: is it ivan, or abc-ivan?
    return f"{found['local']}@{found['domain']}"


def _judged(local: str, domain: str) -> Address | str:
    if len(local) > _MAX_LOCAL:
        return "invalid"
    if blocked.is_no_reply(local, domain):
        return "no_reply"
    value = f"{local}@{domain}"
    flags: tuple[str, ...] = ()
    if blocked.is_role(local):
        flags = ("role",)
    if not value.isascii() and (_is_mixed(local) or any(map(_is_mixed, domain.split("."))) or _imitates(domain)):
        flags = (*flags, "mixed_script")
    key = _match_key(local, domain)
    return Address(value, "" if key == value else key, not flags, flags)


def _match_key(local: str, domain: str) -> str:
    if domain in _GMAIL:
        local, home = local.partition("+")[0].replace(".", ""), _GMAIL[domain]
    elif domain in _YANDEX:
        local, home = local.partition("+")[0].replace(".", "-"), _YANDEX[domain]
    elif domain in _PLUS_ONLY:
        local, home = local.partition("+")[0], domain
    else:
        return ""
    return f"{local}@{home}" if local else ""


def _is_mixed(label: str) -> bool:
    """Whether one label mixes scripts whose letters look alike (`yаndex` with a Cyrillic а)."""
    if label.isascii():
        return False
    scripts = {unicodedata.name(char, "").partition(" ")[0] for char in label if char.isalpha()}
    return len(scripts & _SCRIPTS) > 1


def _imitates(domain: str) -> bool:
    """Whether a label before a Latin top domain is Cyrillic, but of Latin-looking letters only (`аррӏе.com`)."""
    *labels, top = domain.split(".")
    return top.isascii() and any(not label.isascii() and _LATIN_LOOKALIKES.issuperset(label) for label in labels)
