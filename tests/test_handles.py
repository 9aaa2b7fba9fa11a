"""Handles of every kind: what becomes an identity, what is refused and why, and that nothing else is ever raised."""

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.handles import (
    GLOBAL_KINDS,
    NORMALISER_VERSION,
    RESERVED_KINDS,
    SCOPED_KINDS,
    NormalHandle,
    Refused,
    normal,
)

KINDS = [*sorted(GLOBAL_KINDS | SCOPED_KINDS), "wa_lid", "bonus-card"]
REGIONS = st.sampled_from([None, "RU", "LT", "KZ", "DE", "BR", "US", "XX"])
HARD_TEXT = st.one_of(
    st.text(max_size=60),
    st.text(st.characters(), max_size=30),  # lone surrogates too
    st.text("0123456789+ ()-;=ext.,#x@:<>sipatl\u202a\u200b٣３\ud800\x00", max_size=40),
    st.builds(
        "{}@{}".format, st.text(max_size=20), st.sampled_from(["mail.ru", "gmail.com", "пример.рф", "xn--x.ru", "a"])
    ),
    st.from_regex(r"(?i)(srs0|prvs|bounces?)[=+-][a-z0-9=.+-]{1,30}@[a-z]{1,5}\.ru", fullmatch=True),
)

DUMMIES = """
    anonymous GUEST Unknown null NULL None nan NaN undefined true False "null" 'undefined' (null) -1 0 000000 0000-0000
    ---- 1111111111 9999 restricted Private unavailable n/a not_authenticated distinct_id Аноним Неизвестен nežinomas
    00000000-0000-0000-0000-000000000000
"""


def refusal(kind: str, value: str, **more: str) -> str:
    with pytest.raises(Refused) as caught:
        normal(kind, value, **more)
    return caught.value.reason


def test_version_is_kept_with_each_identity() -> None:
    assert NORMALISER_VERSION >= 1


def test_global_kinds_ignore_scope() -> None:
    for kind, value in [("phone", "+79123456789"), ("email", "ivan@example.com"), ("telegram", "100200300")]:
        (handle,) = normal(kind, value, "bot-7", default_scope="crm")
        assert handle.scope == ""


def test_scoped_kinds_take_the_default_scope_and_keep_every_letter() -> None:
    (handle,) = normal("viber", " aBcD/eF+g== ", default_scope="viber-bot")
    assert handle == NormalHandle("viber", "viber-bot", "aBcD/eF+g==", " aBcD/eF+g== ")
    assert normal("crm_id", "AB-1", "crm2", default_scope="crm")[0].scope == "crm2"
    assert normal("bonus-card", "Карта 5")[0].value == "Карта 5"
    assert normal("crm_id", "cafe\u0301")[0].value == "café"


@pytest.mark.parametrize("kind", [*sorted(RESERVED_KINDS), "", "Phone", "a b", "9x", "x" * 33, "phone\n"])
def test_unknown_kinds(kind: str) -> None:
    assert refusal(kind, "1234567") == "unknown_kind"


@pytest.mark.parametrize(
    "value",
    [*DUMMIES.split(), "[object Object]", " Anonymous ", "unknown caller", "номер скрыт"],
)
def test_values_that_name_nobody(value: str) -> None:
    for kind in ("crm_id", "device", "loyalty", "viber"):
        assert refusal(kind, value) == "blocked"
    assert refusal("phone", value, region="RU") in ("blocked", "invalid")


@pytest.mark.parametrize("value", ["7", "11", "999", "AB-12345", "guest42", "Null Petrov"])
def test_small_numbers_and_longer_words_are_somebody(value: str) -> None:
    assert normal("crm_id", value)[0].value == value


@pytest.mark.parametrize(
    "value", ["", "  ", "a\x00b", "a\nb", "a\u202eb", "a\u200bb", "\ud800", "x" * 201, "x" * 10**6]
)
def test_opaque_values_that_cannot_be_kept(value: str) -> None:
    assert refusal("crm_id", value) == "invalid"
    if value.strip():
        assert refusal("crm_id", "fine", scope=value) == "invalid"


def test_device_and_telegram_have_dummies_of_their_own() -> None:
    assert refusal("device", "9774d56d682e549c") == "blocked"
    assert refusal("telegram", "777000") == "blocked"


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("telegram", "100200300", "100200300"),
        ("telegram", " 5600700800 ", "5600700800"),
        ("telegram", "00123", "123"),
        ("vk", "-200300", "-200300"),
        ("max", "9223372036854775806", "9223372036854775806"),
    ],
)
def test_numeric_ids(kind: str, value: str, expected: str) -> None:
    assert normal(kind, value)[0].value == expected


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("telegram", "@ivan_petrov", "invalid"),
        ("telegram", "-100200300", "invalid"),
        ("telegram", "٣٤٥٦٧", "invalid"),
        ("telegram", "9223372036854775808", "invalid"),
        ("telegram", "1" + "0" * 5000, "invalid"),
        ("telegram", "0", "blocked"),
        ("vk", "-1", "blocked"),
        ("vk", "null", "blocked"),
        ("max", "12.5", "invalid"),
        ("instagram", "@shop", "invalid"),
    ],
)
def test_numeric_ids_refused(kind: str, value: str, reason: str) -> None:
    assert refusal(kind, value) == reason


@pytest.mark.parametrize(
    ("value", "region", "expected"),
    [
        ("79123456789", None, [("whatsapp", "79123456789"), ("phone", "+79123456789")]),
        ("whatsapp:+37061234567", "RU", [("whatsapp", "37061234567"), ("phone", "+37061234567")]),
        ("79123456789:12@s.whatsapp.net", "LT", [("whatsapp", "79123456789"), ("phone", "+79123456789")]),
        ("551187654321", None, [("whatsapp", "551187654321"), ("phone", "+5511987654321")]),
        ("84951234567", "RU", [("whatsapp", "84951234567"), ("phone", "+84951234567")]),
        ("8 912 345-67-89", "RU", [("whatsapp", "79123456789"), ("phone", "+79123456789")]),
        ("15550001234", "RU", [("whatsapp", "15550001234")]),
    ],
)
def test_whatsapp_also_yields_its_phone(value: str, region: str | None, expected: list[tuple[str, str]]) -> None:
    assert [(handle.kind, handle.value) for handle in normal("whatsapp", value, region=region)] == expected


@pytest.mark.parametrize("value", ["123456789012@lid", "120363041234567890@g.us", "79123456789+370", "", "12"])
def test_whatsapp_groups_and_lids_are_no_numbers(value: str) -> None:
    assert refusal("whatsapp", value) == "invalid"


def test_raw_is_kept_as_given_but_capped() -> None:
    raw = "Очень Длинное Имя " * 20 + "<ivan@example.com>"
    (handle,) = normal("email", raw)
    assert (handle.value, handle.raw) == ("ivan@example.com", raw[:200])


@pytest.mark.parametrize("value", [None, 5, b"+79123456789", ["x"]])
def test_other_types_are_invalid(value: object) -> None:
    for kind in KINDS:
        assert refusal(kind, value) == "invalid"  # type: ignore[arg-type]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(KINDS), HARD_TEXT, REGIONS)
def test_normal_is_idempotent_and_raises_nothing_else(kind: str, value: str, region: str | None) -> None:
    try:
        found = normal(kind, value, region=region, default_scope="demo")
    except Refused as refused:
        reason = refused.reason
        found = ()
    assert found or reason in ("blocked", "invalid", "no_reply")
    for handle in found:
        again = normal(handle.kind, handle.value, handle.scope, region=region)[0]
        assert (again.kind, again.scope, again.value) == (handle.kind, handle.scope, handle.value)
        assert again.match_key == handle.match_key
        assert "\x00" not in handle.value + handle.raw
        (handle.value + handle.raw + handle.match_key).encode()


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_any_kind_any_scope(kind: str, value: str, scope: str) -> None:
    with contextlib.suppress(Refused):
        assert normal(kind, value, scope)


@pytest.mark.parametrize(
    "shape",
    [
        "1",
        "+",
        " ",
        "1 ",
        "a",
        "@",
        "<",
        ".",
        "a.",
        "1x",
        "1,",
        "=",
        "-",
        "\u202a",
        "0",
        "(",
        "1)",
        "x:",
        ";a",
        "\x00",
        "ﷺ",
        "ё",
    ],
)
def test_long_garbage_is_quick(shape: str) -> None:
    started = time.perf_counter()
    for length in (64, 200, 256, 990, 10**6):
        for prefix, suffix in (("", ""), ("1", "x"), ("a@", ".ru"), ("srs0=", "@x.ru"), ('"', "<")):
            for kind in ("phone", "email", "whatsapp", "telegram", "crm_id"):
                with contextlib.suppress(Refused):
                    normal(kind, prefix + shape * (length // len(shape)) + suffix, region="RU")
    assert time.perf_counter() - started < 3
