"""Telephone numbers: whatever a source writes into its field becomes one E.164 number, or nothing.

How digits without a `+` are read (`region` is the source's, never a guess):

1. under the region (`8 (343) 344-34-20`, `73433443420`, `9123456789` in RU; `8 612 34567` in LT);
2. when that gives no valid number, as international digits (`79123456789` in LT, KZ or with no region at all),
   and then with a leading `00` taken for the `+`;
3. when both readings are valid the region wins, unless its trunk zero is missing from a landline or before its
   own calling code: nobody in Germany writes Künzelsau's 07912 as 7912, `79123456789` stays Russian there.

One leading space before a digit counts as the `+` that a URL lost. `+8 912…` is the Russian trunk 8 with a plus in
front: no calling code is 8 alone; `+88213…` may be a satellite's as well, and is read as that or not at all. Only
numbers that libphonenumber calls valid come out.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from customers import blocked, networks

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

MAX_LENGTH: Final = 256
_CACHED_LENGTH: Final = 64

# phonenumbers.PhoneNumberType → flag, for numbers that stand for a service and not for a person.
_SERVICE_TYPES: Final = {3: "toll_free", 4: "premium", 5: "shared_cost", 9: "uan", 10: "voicemail"}
_UNKNOWN_TYPE: Final = 99

_SCHEME = re.compile(r"(sips?|tel|callto|sms|smsto|whatsapp|wa|viber):/{0,2}", re.IGNORECASE)
_WHATSAPP_HOST = re.compile(r"(?::\d+)?@(?:s\.whatsapp\.net|c\.us)$", re.IGNORECASE)
_CONTEXT = re.compile(r";phone-context=\+(\d{1,4})$", re.IGNORECASE)
_PARAMETER = re.compile(r";(?!ext=|phone-context=)[a-z][a-z0-9-]*(?:=[^;]*)?", re.IGNORECASE)
_EXTENSION = re.compile(
    r"^(.*?\d[\s)]*)(?:;ext=|,+|[;,\s(]*(?:extension|ext|доб(?:авочный)?|доп|вн(?:утр(?:енний)?)?|vid(?:inis)?|x|х|#)[\s.:№]*)"
    r"\s*(\d{1,6})[#)]?$",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"[\d\s().\-/~]+")
_VANITY = re.compile(r"[\d\s().\-A-Z]*\d[\d\s().\-A-Z]*", re.IGNORECASE)

# Spellings that a numbering plan has left behind → today's. Argentina's 9 only tells a foreign exchange that
# the number is mobile: the subscriber's digits are given out once, with it or without.
_OLD_FORMS: Final = (
    (re.compile(r"\+55(\d\d)([6-9]\d{7})"), r"+55\g<1>9\2"),
    (re.compile(r"\+52(?:1|01|044|045)(\d{10})"), r"+52\1"),
    (re.compile(r"\+54([1-8]\d{9})"), r"+549\1"),
)
# The reverse, for the aliases.
_FORMER: Final = (
    (re.compile(r"\+55(\d\d)9([6-9]\d{7})"), r"+55\1\2"),
    (re.compile(r"\+52(\d{10})"), r"+521\1"),
    (re.compile(r"\+549([1-8]\d{9})"), r"+54\1"),
)


@dataclass(frozen=True, slots=True)
class Phone:
    """A number in normal form: `+73433443420`, `+73433443420;ext=123` or (short) `112;phone-context=+7` (RFC 3966)."""

    value: str
    linkable: bool = True
    flags: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


def read(value: str, region: str | None = None) -> Phone | str:
    """The number that `value` stands for in a source of `region` (ISO 3166-1 alpha-2), or why not.

    The reason is "blocked" (a hidden caller, a dummy, words only) or "invalid". Never raises.
    """
    if len(value) > MAX_LENGTH:
        return "invalid"
    lost_plus = value[:1] == " " and value[1:2].isdecimal()
    text = _clean(value)
    if not text:
        return "invalid"
    if blocked.is_blocked("phone", text):
        return "blocked"
    bare = _without_uri(text)
    if bare is None:
        return "invalid"
    context = _CONTEXT.search(bare)
    number = bare[: context.start()] if context else bare
    extension = ""
    if found := _EXTENSION.match(number):
        number, extension = found.group(1), found.group(2)
    return _resolve(number.strip(), extension, context.group(1) if context else "", lost_plus, _known(region))


def candidates(value: str, regions: Iterable[str]) -> tuple[str, ...]:
    """Every normal form of `value` under the `regions` in use and under none, each once, the best first.

    Best are numbers of the very region they were read in, in the order of `regions`; never raises.
    """
    if len(value) > _CACHED_LENGTH:
        return _candidates.__wrapped__(value, tuple(regions))
    return _candidates(value, tuple(regions))


@lru_cache(maxsize=8192)
def _candidates(value: str, regions: tuple[str, ...]) -> tuple[str, ...]:
    from phonenumbers import country_code_for_region

    at_home: list[str] = []
    abroad: list[str] = []
    for region in (*regions, None):
        phone = read(value, region)
        if isinstance(phone, str):
            continue
        code = country_code_for_region(region.strip().upper()) if region else 0
        national = phone.value.startswith(f"+{code}") or phone.value.endswith(f";phone-context=+{code}")
        (at_home if code and national else abroad).append(phone.value)
    return tuple(dict.fromkeys(at_home + abroad))


def whatsapp(value: str, region: str | None = None) -> tuple[str, tuple[str, ...], Phone | None] | str:
    """WhatsApp's own id of a number (digits, always international), its other spellings, and its phone if valid.

    The id is kept as the provider spells it (Brazil's `551187654321` is no valid E.164); what makes no
    international number but one of `region` (`8 912 345-67-89`) is taken for that. Reasons as in `read`.
    """
    phone = read(value, region)
    text = _without_uri(_clean(value)) if len(value) <= MAX_LENGTH else None
    digits = re.sub(r"^\+|[\s().\-]", "", text or "")
    if digits.isdigit() and 7 <= len(digits) <= 15 and digits[0] != "0" and phone != "blocked":
        abroad = read(f"+{digits}")
        if abroad == "blocked":
            return abroad
        if isinstance(abroad, Phone) or isinstance(phone, str):
            own = abroad if isinstance(abroad, Phone) else None
            return digits, _wa_aliases(digits, own), own
    if isinstance(phone, str):
        return phone
    if not phone.value[1:].isdigit():
        return "invalid"
    return phone.value[1:], _wa_aliases(phone.value[1:], phone), phone


def _wa_aliases(digits: str, phone: Phone | None) -> tuple[str, ...]:
    spellings = (phone.value, *phone.aliases) if phone else ()
    return tuple(other[1:] for other in spellings if other[1:] != digits)


def _clean(value: str) -> str:
    """ASCII digits, plain spaces and hyphens, nothing invisible; "" for control characters and lone surrogates."""
    if value.isascii() and value.isprintable():
        return value.strip()
    kept: list[str] = []
    for char in unicodedata.normalize("NFKC", value.strip()):
        category = unicodedata.category(char)
        if category in ("Cc", "Cs"):
            return ""
        if category == "Nd":
            kept.append(str(unicodedata.decimal(char)))
        elif category == "Pd" or char == "\N{MINUS SIGN}":
            kept.append("-")
        elif category in ("Zs", "Zl", "Zp"):
            kept.append(" ")
        elif category != "Cf":
            kept.append(char)
    return "".join(kept).strip()[:MAX_LENGTH]


def _without_uri(text: str) -> str | None:
    """The number in `"Ivan" <sip:+7912…@pbx;user=phone>`, `tel:…`, `whatsapp:…`; None when it is something else."""
    if "<" in text:
        text = text.rpartition("<")[2].partition(">")[0].strip()
    text = _WHATSAPP_HOST.sub("", text)
    if scheme := _SCHEME.match(text):
        text = text[scheme.end() :].replace("%2B", "+").replace("%2b", "+").replace("%20", " ")
        text = text.partition("@")[0].partition("?")[0]
    if "@" in text:
        return None
    return _PARAMETER.sub("", text).strip()


def _known(region: str | None) -> str | None:
    if not region:
        return None
    from phonenumbers import SUPPORTED_REGIONS

    region = region.strip().upper()
    return region if region in SUPPORTED_REGIONS else None


def _resolve(number: str, extension: str, context: str, lost_plus: bool, region: str | None) -> Phone | str:
    plus = number.startswith("+") or lost_plus
    body = number.lstrip("+ ")
    digits = "".join(filter(str.isdigit, body))
    if not digits:
        return "blocked" if any(map(str.isalpha, body)) else "invalid"
    if blocked.is_blocked("phone", body) or blocked.is_dummy_phone(digits):
        return "blocked"
    if context and not plus:
        return _short(digits, f"+{context}", context) or _finished(_valid(f"+{context}{digits}", None), extension)
    if not _PLAIN.fullmatch(body):
        return _finished(_vanity(number, region), extension)
    found = _international_first(body, digits, region, lost_plus) if plus else _national_first(digits, region)
    if found is None and region and not plus and not extension:
        from phonenumbers import country_code_for_region

        short = _short(digits, region, str(country_code_for_region(region)))
        if short:
            return short
    return _finished(found, extension)


def _international_first(body: str, digits: str, region: str | None, lost_plus: bool) -> "PhoneNumber | None":
    trunk_eight = len(body) > 1 and body[0] == "8" and not body[1].isdigit()
    if trunk_eight and region and (found := _valid(digits, region)):
        return found
    found = _valid(f"+{digits}", None)
    if found is None and region and body[0] == "8" and (trunk_eight or lost_plus or not networks.may_be(digits)):
        return _valid(digits, region)
    if found is None and digits.startswith("00"):
        return _valid(f"+{digits[2:]}", None)
    return found


def _national_first(digits: str, region: str | None) -> "PhoneNumber | None":
    national = _valid(digits, region) if region else None
    if national is not None and not (region and digits[0] != "0" and _lacks_trunk_zero(national, digits, region)):
        return national
    if digits.startswith("00"):
        return national or _valid(f"+{digits[2:]}", None)
    return _valid(f"+{digits}", None) or national


def _lacks_trunk_zero(number: "PhoneNumber", digits: str, region: str) -> bool:
    from phonenumbers import PhoneMetadata, number_type

    metadata = PhoneMetadata.metadata_for_region(region)
    if metadata is None or metadata.national_prefix != "0":
        return False
    return number_type(number) == 0 or digits.startswith(str(number.country_code))


def _valid(text: str, region: str | None) -> "PhoneNumber | None":
    """The valid number that `text` (digits, perhaps after a `+`) spells, today's form for a former one."""
    from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, number_type, parse

    try:
        number = parse(text, region)
        e164 = format_number(number, PhoneNumberFormat.E164)
        for old, new in _OLD_FORMS:
            if old.fullmatch(e164):
                today = parse(old.sub(new, e164))
                if number_type(today) != _UNKNOWN_TYPE:
                    return today
    except NumberParseException:
        return None
    return number if number_type(number) != _UNKNOWN_TYPE else None


def _vanity(number: str, region: str | None) -> "PhoneNumber | None":
    """`1-800-FLOWERS`: letters count only in toll-free numbers and in North America, elsewhere they are noise."""
    if not _VANITY.fullmatch(number.lstrip("+")):
        return None
    from phonenumbers import number_type

    found = _valid(number, region)
    return found if found and (found.country_code == 1 or number_type(found) == 3) else None


def _short(digits: str, region: str, code: str) -> Phone | None:
    """A short number of a region, or of any region of the calling code when `region` is `+` and that code."""
    if not 3 <= len(digits) <= 6:
        return None
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneNumber, shortnumberinfo

    number = PhoneNumber(country_code=int(code), national_number=int(digits))
    number.italian_leading_zero = digits[0] == "0" or None
    regions = COUNTRY_CODE_TO_REGION_CODE.get(int(code), ()) if region[0] == "+" else (region,)
    if any(shortnumberinfo.is_possible_short_number_for_region(number, one) for one in regions):
        return Phone(f"{digits};phone-context=+{code}", linkable=False, flags=("short",))
    return None


def _finished(number: "PhoneNumber | None", extension: str) -> Phone | str:
    if number is None:
        return "invalid"
    from phonenumbers import PhoneNumberFormat, format_number, number_type

    e164 = format_number(number, PhoneNumberFormat.E164)
    national = str(number.national_number)
    if blocked.is_dummy_phone(national) or blocked.is_dummy_phone(e164[1:]):
        return "blocked"
    service = _SERVICE_TYPES.get(number_type(number))
    aliases = tuple(old.sub(former, e164) for old, former in _FORMER if old.fullmatch(e164))
    phone = Phone(e164, service is None, (service,) if service else (), aliases)
    if not extension:
        return phone
    extended = tuple(f"{alias};ext={extension}" for alias in aliases)
    return replace(phone, value=f"{e164};ext={extension}", flags=(*phone.flags, "extension"), aliases=extended)
