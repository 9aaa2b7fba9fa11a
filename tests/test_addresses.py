"""E-mail addresses as mail and forms really hold them, and the mailbox each stands for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.addresses import Address, read

ROLES = """
    info@firma.lt Sales2@firma.lt buh+spb@firma.ru office@firma.ru support@firma.ru zakaz@firma.ru pagalba@firma.lt
    uzsakymai@firma.lt офис@пример.рф info@gmail.com
"""
UNREAD = """
    noreply@firma.ru no-reply@firma.ru No_Reply@firma.ru donotreply@firma.ru do-not-reply@firma.ru
    shop-noreply@firma.ru noreply+x1@firma.ru noreply-2@firma.ru neatsakyti@firma.lt mailer-daemon@firma.ru
    bounce@firma.ru bounces+1@firma.ru ivan@bounces.firma.ru x@users.noreply.github.com notify@facebookmail.com
    anonymous@anonymous.invalid bounce+abc-ivan=example.com@lists.example
    SRS0=HH=TT=example.com=noreply@fwd.example
"""


def value_of(value: str) -> str:
    address = read(value)
    return address.value if isinstance(address, Address) else f"refused: {address}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ivan@example.com", "ivan@example.com"),
        (" IVAN@Example.COM\n", "ivan@example.com"),
        ("mailto:ivan@example.com?subject=x", "ivan@example.com"),
        ("<ivan@example.com>", "ivan@example.com"),
        ("Ivan Petrov <Ivan@example.com>", "ivan@example.com"),
        ('"Петров, Иван" <ivan@example.com>', "ivan@example.com"),
        ('"a@x.ru, b@x.ru" <ivan@example.com>', "ivan@example.com"),
        ("ivan@example.com <ivan@example.com>", "ivan@example.com"),
        ("ivan@example.com (Иван)", "ivan@example.com"),
        ("\u202aivan@example.com\u202c", "ivan@example.com"),
        ("ivan@xn--e1afmkfd.xn--p1ai", "ivan@пример.рф"),
        ("ivan@ПРИМЕР.рф", "ivan@пример.рф"),
        ("Иван@пример.рф", "иван@пример.рф"),
        ("ivan@straße.de", "ivan@straße.de"),
        ("ﬁona@example.com", "fiona@example.com"),
        ("İvan@example.com", "ivan@example.com"),
        ("jose\u0301@example.com", "josé@example.com"),
        ("o'brien@example.com", "o'brien@example.com"),
        ("ivan@firma.test", "ivan@firma.test"),
        ("renoreply@example.com", "renoreply@example.com"),
    ],
)
def test_one_mailbox(value: str, expected: str) -> None:
    address = read(value)
    assert address == Address(expected)


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("i.van+shop@gmail.com", "ivan@gmail.com"),
        ("ivan@googlemail.com", "ivan@gmail.com"),
        ("ivan@gmail.com", ""),
        ("ivan.petrov@ya.ru", "ivan-petrov@yandex.ru"),
        ("ivan-petrov@yandex.com", "ivan-petrov@yandex.ru"),
        ("ivan-petrov@yandex.ru", ""),
        ("ivan+x@mail.ru", "ivan@mail.ru"),
        ("i.van+x@outlook.com", "i.van@outlook.com"),
        ("ivan+x@proton.me", "ivan@proton.me"),
        ("i.van+x@firma.lt", ""),
        ("+x@gmail.com", ""),
    ],
)
def test_match_key_folds_on_consumer_domains_only(value: str, key: str) -> None:
    address = read(value)
    assert isinstance(address, Address)
    assert (address.value, address.match_key) == (value, key)


@pytest.mark.parametrize(
    ("value", "inner", "flags"),
    [
        ("SRS0=HHH=TT=example.com=ivan@fwd.example", "ivan@example.com", ("unwrapped",)),
        ("SRS1=HHH=one.example==HHH=TT=example.com=ivan@two.example", "ivan@example.com", ("unwrapped",)),
        (
            "SRS0+HHH=TT=" + "a" * 30 + ".com=" + "b" * 40 + "@fwd.example",
            "b" * 40 + "@" + "a" * 30 + ".com",
            ("unwrapped",),
        ),
        ("bounces+123456-ab12-ivan=example.com@em.example", "ivan@example.com", ("unwrapped",)),
        ("list-return-12-ivan=example.com@lists.example", "ivan@example.com", ("unwrapped",)),
        ("prvs=0123456789=ivan@example.com", "ivan@example.com", ()),
        ("btv1==12ab==ivan@example.com", "ivan@example.com", ()),
    ],
)
def test_wrapped_addresses(value: str, inner: str, flags: tuple[str, ...]) -> None:
    assert read(value) == Address(inner, linkable=not flags, flags=flags)


@pytest.mark.parametrize(
    "value",
    ROLES.split(),
)
def test_role_addresses_are_desks_not_people(value: str) -> None:
    address = read(value)
    assert isinstance(address, Address)
    assert (address.linkable, address.flags) == (False, ("role",))


@pytest.mark.parametrize("value", ["ivan@yаndex.ru", "ivаn@example.com", "ivan@аррӏе.com", "ivan@xn--yndex-4ve.ru"])
def test_homographs_never_link(value: str) -> None:
    address = read(value)
    assert isinstance(address, Address)
    assert (address.linkable, address.flags) == (False, ("mixed_script",))


@pytest.mark.parametrize(
    "value",
    UNREAD.split(),
)
def test_addresses_that_nobody_reads(value: str) -> None:
    assert value_of(value) == "refused: no_reply"


@pytest.mark.parametrize(
    "value",
    [
        "", "@", "ivan", "not an email", "ivan@", "@example.com", "ivan@localhost", "ivan@mail..ru", "a..b@example.com",
        "ivan@example.com.", "ivan@mail.ru, petr@mail.ru", "ivan@mail.ru;petr@mail.ru", "ivan@mail.ru petr@mail.ru",
        "Ivan <ivan@mail.ru>, Petr <petr@mail.ru>", "a@x.ru, b <c@x.ru>", "ivan\u200b@example.com",
        "ivan\x00@example.com",
        "\ud800@example.com", "x" * 65 + "@example.com", "x@" + "a." * 130 + "ru", '"ivan petrov"@example.com',
        "ivan@[192.0.2.1]", "x" * 10**6 + "@example.com",
    ],
)  # fmt: skip
def test_what_is_no_address(value: str) -> None:
    assert value_of(value) == "refused: invalid"


@pytest.mark.parametrize("value", ["null", "Anonymous", "unknown", "none", "0", "-"])
def test_dummy_words(value: str) -> None:
    assert value_of(value) == "refused: blocked"


@settings(max_examples=200, deadline=None)
@given(st.from_regex(r"[A-Za-z0-9._+-]{1,20}@[A-Za-z0-9-]{1,10}\.(ru|lt|com)", fullmatch=True))
def test_the_fast_path_agrees_with_the_slow_one(value: str) -> None:
    from customers.addresses import _PLAIN, _read_slowly

    if _PLAIN.match(value.lower()) and "--" not in value:
        assert read(value) == _read_slowly(value)
