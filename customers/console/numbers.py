"""What a phone number says by itself of whoever calls: country, kind of line, the time there."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import phonenumbers
from django.utils.translation import gettext_lazy as _
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from customers import search
from customers.console.personal import zone_of

COUNTRIES: dict[str, Any] = {
    "RU": _("Russia"),
    "LT": _("Lithuania"),
    "LV": _("Latvia"),
    "EE": _("Estonia"),
    "PL": _("Poland"),
    "BY": _("Belarus"),
    "UA": _("Ukraine"),
    "KZ": _("Kazakhstan"),
    "DE": _("Germany"),
    "GB": _("United Kingdom"),
    "US": _("United States"),
    "CA": _("Canada"),
    "FI": _("Finland"),
    "SE": _("Sweden"),
    "NO": _("Norway"),
    "DK": _("Denmark"),
    "FR": _("France"),
    "ES": _("Spain"),
    "PT": _("Portugal"),
    "IT": _("Italy"),
    "NL": _("Netherlands"),
    "BE": _("Belgium"),
    "IE": _("Ireland"),
    "AT": _("Austria"),
    "CH": _("Switzerland"),
    "CZ": _("Czechia"),
    "SK": _("Slovakia"),
    "HU": _("Hungary"),
    "RO": _("Romania"),
    "BG": _("Bulgaria"),
    "RS": _("Serbia"),
    "GR": _("Greece"),
    "TR": _("Türkiye"),
    "GE": _("Georgia"),
    "AM": _("Armenia"),
    "AZ": _("Azerbaijan"),
    "MD": _("Moldova"),
    "UZ": _("Uzbekistan"),
    "KG": _("Kyrgyzstan"),
    "TJ": _("Tajikistan"),
    "IL": _("Israel"),
    "AE": _("United Arab Emirates"),
    "CN": _("China"),
    "IN": _("India"),
    "JP": _("Japan"),
}
"""Others are told by their two letters: the library's names take 80 MB."""
LINES: dict[int, Any] = {
    PhoneNumberType.MOBILE: _("mobile"),
    PhoneNumberType.FIXED_LINE: _("landline"),
    PhoneNumberType.FIXED_LINE_OR_MOBILE: _("landline or mobile"),
    PhoneNumberType.TOLL_FREE: _("free of charge for the caller"),
    PhoneNumberType.PREMIUM_RATE: _("premium rate"),
    PhoneNumberType.SHARED_COST: _("shared cost"),
    PhoneNumberType.VOIP: _("internet telephony"),
    PhoneNumberType.UAN: _("company number"),
}


@dataclass(frozen=True, slots=True)
class Number:
    value: str
    """E.164, as the identity of a customer would have it."""
    readable: str
    country: str
    line: str
    now: datetime | None
    zone: str


def number(sought: str) -> Number | None:
    """The phone number that was meant, if it is a whole one."""
    found = search.handles_of("phone", sought, None)
    if not found:
        return None
    value = found[0][2]
    try:
        parsed = phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        return None
    region = phonenumbers.region_code_for_number(parsed) or ""
    region = "" if region == "001" else region
    there = zone_of({"attributes": {}, "identities": [{"kind": "phone", "value": value, "shared": False}]})
    return Number(
        value,
        phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL),
        str(COUNTRIES.get(region, region)),
        str(LINES.get(phonenumbers.number_type(parsed), "")),
        there["now"] if there else None,
        there["name"] if there else "",
    )
