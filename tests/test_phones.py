"""Telephone numbers as sources really write them, and the number each stands for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.handles import Refused, normal
from customers.phones import Phone, candidates, read

NOBODY = """
    +266696687 +7378742833 +8656696 +86282452253 266696687 Anonymous anonymous RESTRICTED unknown Unavailable private
    MegaFon неизвестен скрыт nežinomas sip:anonymous@anonymous.invalid -1 0 0000000000 9999999999 +79999999999
    88888888888 1234567890 +71234567890 null undefined +79000000000
"""


def value_of(value: str, region: str | None = None) -> str:
    phone = read(value, region)
    return phone.value if isinstance(phone, Phone) else f"refused: {phone}"


@pytest.mark.parametrize(
    ("value", "region", "expected"),
    [
        ("8 (343) 344-34-20", "RU", "+73433443420"),
        ("+7 343 344-34-20", None, "+73433443420"),
        ("73433443420", "RU", "+73433443420"),
        ("73433443420", None, "+73433443420"),
        (" 73433443420", "LT", "+73433443420"),
        (" 7 343 344 34 20", None, "+73433443420"),
        (" 8 (343) 344-34-20", "RU", "+73433443420"),
        ("(343) 344-34-20", "RU", "+73433443420"),
        ("9123456789", "ru", "+79123456789"),
        ("79123456789", None, "+79123456789"),
        ("79123456789", "KZ", "+79123456789"),
        ("79123456789", "LT", "+79123456789"),
        ("79123456789", "DE", "+79123456789"),
        ("79123456789", "XX", "+79123456789"),
        ("4915123456789", "DE", "+4915123456789"),
        ("015123456789", "DE", "+4915123456789"),
        ("468123456", "SE", "+468123456"),
        ("375291234567", "RU", "+375291234567"),
        ("84951234567", "RU", "+74951234567"),
        ("+84951234567", "RU", "+84951234567"),
        ("+8 912 345-67-89", "RU", "+79123456789"),
        ("+8 (495) 123-45-67", "RU", "+74951234567"),
        ("+89123456789", "RU", "+79123456789"),
        ("88213123456", "RU", "+78213123456"),
        (" 88213123456", "RU", "+78213123456"),
        ("+8 (821) 312-34-56", "RU", "+78213123456"),
        ("+88005553535", "RU", "+78005553535"),
        ("+88213308000", "RU", "+88213308000"),
        ("+882 16 123 456 78", "RU", "+8821612345678"),
        ("+881612345678", "RU", "+881612345678"),
        ("8 10 370 612 34567", "RU", "+37061234567"),
        ("0037061234567", "LT", "+37061234567"),
        ("0037061234567", "RU", "+37061234567"),
        ("0037061234567", None, "+37061234567"),
        ("8 612 34567", "LT", "+37061234567"),
        ("86 12 34567", "LT", "+37061234567"),
        ("0 612 34567", "LT", "+37061234567"),
        ("612 34567", "LT", "+37061234567"),
        ("+370 (8-612) 34567", None, "+37061234567"),
        ("+8 612 34567", "LT", "+37061234567"),
        ("+7 701 234 56 78", None, "+77012345678"),
        ("8 701 234 56 78", "KZ", "+77012345678"),
        ("8 701 234 56 78", "RU", "+77012345678"),
        ("+44 (0)20 7946 0958", None, "+442079460958"),
        ("＋７９１２３４５６７８９", None, "+79123456789"),
        ("+٧٩١٢٣٤٥٦٧٨٩", None, "+79123456789"),
        ("\u202a+7 912 345\u201167\u201389\u202c", None, "+79123456789"),
        ("+7\u00a0912\u200b3456789", None, "+79123456789"),
        ("sip:+79123456789@pbx.example;user=phone", None, "+79123456789"),
        ("sip:%2B79123456789@pbx.example:5060", None, "+79123456789"),
        ('"Ivan" <sip:89123456789@pbx.example>;tag=1', "RU", "+79123456789"),
        ("tel:+7-912-345-67-89", None, "+79123456789"),
        ("tel:9123456789;phone-context=+7", None, "+79123456789"),
        ("whatsapp:+79123456789", None, "+79123456789"),
        ("79123456789@c.us", None, "+79123456789"),
        ("++79123456789", None, "+79123456789"),
    ],
)
def test_one_number(value: str, region: str | None, expected: str) -> None:
    assert value_of(value, region) == expected
    assert value_of(expected, "DE") == expected


@pytest.mark.parametrize(
    "value",
    """8(343)3443420доб.12|+73433443420;ext=12|+7 343 344-34-20 ext. 12|73433443420,12#|+73433443420 x12
    |8 343 344 34 20 вн. 12|+73433443420 #12|tel:+7-343-344-34-20;ext=12|8 (343) 344-34-20 (доб. 12)""".replace(
        "\n    |", "|"
    ).split("|"),
)
def test_an_extension_is_a_person_of_its_own(value: str) -> None:
    phone = read(value, "RU")
    assert isinstance(phone, Phone)
    assert (phone.value, phone.linkable, phone.flags) == ("+73433443420;ext=12", True, ("extension",))


@pytest.mark.parametrize(
    ("old", "region", "today", "alias"),
    [
        ("+551187654321", None, "+5511987654321", "+551187654321"),
        ("551187654321", None, "+5511987654321", "+551187654321"),
        ("(11) 8765-4321", "BR", "+5511987654321", "+551187654321"),
        ("+5215512345678", None, "+525512345678", "+5215512345678"),
        ("044 55 1234 5678", "MX", "+525512345678", "+5215512345678"),
        ("+541123456789", None, "+5491123456789", "+541123456789"),
        ("011 15 2345-6789", "AR", "+5491123456789", "+541123456789"),
    ],
)
def test_numbering_plans_that_changed(old: str, region: str | None, today: str, alias: str) -> None:
    for spelling in (old, today):
        phone = read(spelling, region)
        assert isinstance(phone, Phone)
        assert (phone.value, phone.aliases) == (today, (alias,))


@pytest.mark.parametrize(
    ("value", "region", "expected", "flag"),
    [
        ("8-800-555-35-35", "RU", "+78005553535", "toll_free"),
        ("8-800-FLOWERS", "RU", "+78003569377", "toll_free"),
        ("1-800-FLOWERS", "US", "+18003569377", "toll_free"),
        ("+37080012345", None, "+37080012345", "toll_free"),
        ("+37090012345", None, "+37090012345", "premium"),
        ("112", "RU", "112;phone-context=+7", "short"),
        ("900", "RU", "900;phone-context=+7", "short"),
        ("112;phone-context=+370", "RU", "112;phone-context=+370", "short"),
    ],
)
def test_service_numbers_carry_a_line_but_never_link(value: str, region: str | None, expected: str, flag: str) -> None:
    assert read(value, region) == Phone(expected, linkable=False, flags=(flag,))


@pytest.mark.parametrize(
    "value",
    NOBODY.split(),
)
def test_hidden_callers_and_dummies(value: str) -> None:
    assert value_of(value, "RU") == "refused: blocked"


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "???", "12", "+7", "12345", "79123456789 79123456780", "+7 912 345-67-89, +7 912 345-67-80",
        "8 (343) 344-34-20, 344-34-21", "+79123456789;+79123456780", "8 912 345 67 ABC", "+7 912 345-67-89 Иван",
        "ivan79123456789@mail.ru", "79123456789@mail.ru", "123456789012@lid", "+7+79123456789", "*100#",
        "+79123456789\x00", "\ud83d", "+7912345678901234567890", "9" * 10**6, "+790012",
        "tel:900;phone-context=a.example", "+88213123456", "+882 13 123 456",
    ],
)  # fmt: skip
def test_what_is_no_number(value: str) -> None:
    assert value_of(value, "RU") == "refused: invalid"


def test_without_a_region_national_digits_say_nothing() -> None:
    assert value_of("8 (343) 344-34-20") == "refused: invalid"
    assert value_of("112") == "refused: invalid"


def test_candidates_try_every_region_and_put_home_first() -> None:
    assert candidates("8 (343) 344-34-20", ["LT", "RU"]) == ("+73433443420",)
    assert candidates("61234567", ["RU", "LT"]) == ("+37061234567",)
    assert candidates("84951234567", ["LT", "RU", "KZ"]) == ("+74951234567", "+84951234567")
    assert candidates("+79123456789", []) == ("+79123456789",)
    assert candidates("112", ["RU", "LT"]) == ("112;phone-context=+7", "112;phone-context=+370")
    assert candidates("anonymous", ["RU"]) == ()
    assert candidates("x" * 10**6 + "\ud800", ["RU", "??"]) == ()


@settings(max_examples=300, deadline=None)
@given(
    st.from_regex(
        r" ?\+?[0-9]{1,4}[ (-]?[0-9]{3}[) -]{0,2}[0-9]{2,4}-?[0-9]{2,4}(( ext\.|;ext=|,)[0-9]{1,6})?", fullmatch=True
    ),
    st.sampled_from([None, "RU", "LT", "KZ", "DE", "GB", "US", "BR", "MX", "AR", "IT", "VN"]),
    st.sampled_from([None, "RU", "LT", "DE", "IT"]),
)
def test_a_normal_form_means_the_same_everywhere(value: str, region: str | None, elsewhere: str | None) -> None:
    try:
        (handle,) = normal("phone", value, region=region)
    except Refused:
        return
    (again,) = normal("phone", handle.value, region=elsewhere)
    assert (again.value, again.linkable, again.flags, again.aliases) == (
        handle.value, handle.linkable, handle.flags, handle.aliases,
    )  # fmt: skip
    assert handle.value in candidates(value, [region] if region else [])
    for alias in handle.aliases:
        assert normal("phone", alias, region=elsewhere)[0].value == handle.value
