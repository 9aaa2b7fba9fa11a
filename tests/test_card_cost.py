"""What a card may cost, and that what makes it quick says the same: addresses, words, letters, escaping."""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import psycopg
import pytest
from django.template import engines
from django.urls import reverse
from django.utils import translation
from jinja2 import UndefinedError

from customers.console import words
from customers.console.addressing import addresses
from customers.console.compiled import icon
from customers.console.quickly import Quickly
from customers.experience.plainletters import fold
from tests.support import COMMITTED, Api, everything, shop
from tests.test_console import agent, customer, ok

pytestmark = COMMITTED

STATEMENTS = 3


@contextmanager
def counted() -> Iterator[list[str]]:
    """What is asked of PostgreSQL."""
    found: list[str] = []
    execute = psycopg.Cursor.execute

    def noted(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        found.append(query.decode() if isinstance(query, bytes) else str(query))
        return execute(self, query, *args, **kwargs)

    with patch.object(psycopg.Cursor, "execute", noted):
        yield found


@pytest.mark.parametrize("lines", [1, 60])
def test_a_card_takes_few_statements_whatever_its_length(committed: None, lines: int) -> None:
    shop()
    api: Api = everything()
    _, who = customer(api, *({"text": f"word {number}"} for number in range(lines)))
    client = agent()
    ok(client, f"/customers/{who}")
    with counted() as asked:
        ok(client, f"/customers/{who}")
    assert len(asked) <= STATEMENTS, asked


@pytest.fixture
def jinja() -> Quickly:
    found: Quickly = engines["jinja2"].env  # type: ignore[attr-defined]  # Django types no engine but its own
    return found


def test_everything_is_escaped_but_pictures_of_ours(jinja: Quickly) -> None:
    shown = jinja.from_string("{{ said }}|{{ said|cut(3) }}|{{ said|quoted }}|{{ icons['bad'] }}|{{ icons[said] }}")
    html = shown.render({"said": '<b a="\'">&'})
    assert "<b" not in html
    assert html.startswith("&lt;b a=&#34;&#39;&#34;&gt;&amp;|&lt;b…|%3Cb%20a%3D%22%27%22%3E%26|<svg ")
    assert str(icon("bad")) in html


def test_a_name_that_nobody_gave_is_an_error(jinja: Quickly) -> None:
    with pytest.raises(UndefinedError):
        jinja.from_string("{{ misspelt }}").render({})


def test_addresses_are_those_that_the_pages_have() -> None:
    class Line:
        id, customer = str(uuid4()), str(uuid4())

    one, to = Line(), addresses()
    names = ("line", "letter", "conversation", "promise_on", "expects_on", "move")
    both = [reverse(name, args=[one.customer, one.id]) for name in names]
    assert list(to.of(one)) == [reverse("card", args=[one.customer]), *both]
    assert to.of_customer("known", one.customer) == reverse("known", args=[one.customer])
    assert to.a_promise(one.id) == reverse("promise", args=[one.id])
    assert to.an_expectation(one.id) == reverse("expectation", args=[one.id])
    assert to.page("admin:index") == reverse("admin:index")


def test_words_that_are_looked_up_once_are_those_of_the_language(jinja: Quickly) -> None:
    for language in ("lt", "ru", "en", "lt"):
        with translation.override(language):
            assert words.said(words.KINDS)["email"] == str(words.KINDS["email"])
            shown = jinja.speaking(language).from_string("{{ _('Add note') }}, {{ _('No %(n)s') % {'n': '<'} }}")
            assert shown.render() == translation.gettext("Add note") + ", No &lt;"


def test_letters_are_folded_one_by_one() -> None:
    text = "".join(chr(code) for code in range(1, 0x30000) if not 0xD800 <= code < 0xE000)
    assert fold(text) == "".join((unicodedata.normalize("NFKD", one)[:1] or " ").lower()[:1] for one in text)
    assert len(fold(text)) == len(text)
