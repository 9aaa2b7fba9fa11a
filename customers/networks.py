"""Telephone networks without a country: satellites, ships, the sky."""


def may_be(digits: str) -> bool:
    """Whether `+` and these may be a number of one: libphonenumber knows their lengths, but not every number."""
    from phonenumbers import COUNTRY_CODES_FOR_NON_GEO_REGIONS, NumberParseException, is_possible_number, parse

    try:
        number = parse(f"+{digits}")
    except NumberParseException:
        return False
    return number.country_code in COUNTRY_CODES_FOR_NON_GEO_REGIONS and is_possible_number(number)
