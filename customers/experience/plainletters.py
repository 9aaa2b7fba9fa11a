"""Texts in small letters without marks, so that words are found however they are written."""

import re
import unicodedata


class Folded(dict[int, str]):
    """What becomes of each letter; those of alphabets are looked up once."""

    def __missing__(self, letter: int) -> str:
        found = (unicodedata.normalize("NFKD", chr(letter))[:1] or " ").lower()[:1]
        if letter < 0x2200:
            self[letter] = found
        return found


FOLDED = Folded()
MARKED = tuple(zip("йёąčęėįšųūž", "иеaceeisuuz", strict=True))
USUAL = re.compile(r"[\0-\x7fА-яЁёĄąČčĘęĖėĮįŠšŲųŪūŽž«»„“”’–—•]*")
"""Of whole texts nothing else but the marks of `MARKED` changes: that takes a tenth of looking at each letter."""


def fold(text: str) -> str:
    """Small letters without marks, each where it was: «Šį» is `si`, «час» stays."""
    if USUAL.fullmatch(text) is None:
        return text.translate(FOLDED)
    text = text.lower()
    if not text.isascii():
        for letter, plain in MARKED:
            text = text.replace(letter, plain)
    return text
