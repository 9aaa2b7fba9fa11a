"""Texts in small letters without marks, so that words are found however they are written."""

import unicodedata


class Folded(dict[int, str]):
    """What becomes of each letter; those of alphabets are looked up once."""

    def __missing__(self, letter: int) -> str:
        found = (unicodedata.normalize("NFKD", chr(letter))[:1] or " ").lower()[:1]
        if letter < 0x2200:
            self[letter] = found
        return found


FOLDED = Folded()


def fold(text: str) -> str:
    """Small letters without marks, each where it was: «Šį» is `si`, «час» stays."""
    return text.translate(FOLDED)
