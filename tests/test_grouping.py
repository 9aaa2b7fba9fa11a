"""Counts stand with their thousands apart, in the reader's language, and choose plurals as before."""

import pytest
from django.template import engines
from django.utils import translation

from customers.console.compiled import cells, environment, more_characters
from customers.console.grouping import Grouped

TEMPLATE = """{% load i18n grouping %}{{ count|grouped }}; {{ nothing|grouped|default:"—" }}; {{ yes|grouped }};
{% blocktranslate count n=count|grouped %}{{ n }} customer{% plural %}{{ n }} customers{% endblocktranslate %}"""


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "1,234,567 customers"), ("ru", "1\xa0234\xa0567 клиентов"), ("lt", "1\xa0234\xa0567 klientai")],
)
def test_in_each_language(language: str, said: str) -> None:
    with translation.override(language):
        page = engines["django"].from_string(TEMPLATE).render({"count": 1_234_567, "nothing": None, "yes": True})
        first, empty, yes, customers = [part.strip() for part in page.split(";")]
        assert customers == said
        assert first == said.rpartition(" ")[0]
        assert (empty, yes) == ("—", "True")
        compiled = environment().from_string("{{ n }} {{ n + 1 }}").render(n=Grouped(1_234_567))
        assert compiled == f"{first} 1234568"
        assert cells([7, 1_234_567]) == f"<td>7</td><td>{first}</td>"
        assert first in more_characters(1_234_567)


def test_small_ones_stay_as_they_are() -> None:
    with translation.override("ru"):
        assert str(Grouped(999)) == "999"
        assert str(Grouped(-1000)) == "-1\xa0000"
