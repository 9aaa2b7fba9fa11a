"""Counts as people read them: thousands apart, in the reader's language. Never for ids, years and telephone numbers."""

from django.utils.translation import get_language

COMMA, SPACE = ",", "\N{NO-BREAK SPACE}"


class Grouped(int):
    """A number that counts and chooses plurals as before, and shows itself grouped."""

    def __str__(self) -> str:
        text = f"{int(self):,}"
        return text if (get_language() or "en").startswith("en") else text.replace(COMMA, SPACE)


def grouped(number: object) -> object:
    """Whatever is no number stays as it is."""
    return Grouped(number) if isinstance(number, int) and not isinstance(number, bool) else number
