"""Names across spellings: one fold for Cyrillic, Latin and Lithuanian writing, a likeness, and a contradiction."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from customers.given_names import GROUPS

MAX_LENGTH: Final = 300
_MAX_TOKENS: Final = 8
# Below this a pair of tokens is two words, not two spellings; above, the middle of the scale is stretched.
_UNLIKE: Final = 0.6
_DIFFERENT_PEOPLE: Final = 0.85

_CYRILLIC: Final = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "з": "z", "и": "i", "к": "k", "л": "l", "м": "m",
    "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "h", "э": "e", "ы": "i",
    "й": "j", "ъ": "", "ь": "",
    "ё": "e", "ж": "zh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sh", "ю": "iu", "я": "ia",
    "і": "i", "ї": "i", "є": "e", "ґ": "g", "ў": "u", "ђ": "dj", "ј": "j", "љ": "li", "њ": "ni", "ћ": "ch", "џ": "dzh",
}  # fmt: skip
_LATIN: Final = {
    "č": "ch", "ć": "ch", "š": "sh", "ś": "sh", "ş": "sh", "ș": "sh", "ž": "zh", "ź": "zh", "ż": "zh", "ł": "l",
    "ė": "e", "ę": "e", "ą": "a", "į": "i", "ų": "u", "ū": "u", "ß": "s", "æ": "e", "ø": "o", "đ": "d", "ı": "i",
}  # fmt: skip
# Apostrophes inside a word are the soft sign (Il'ya) or nothing (O'Brien); elsewhere punctuation parts words.
_LETTERS: Final = str.maketrans(_CYRILLIC | _LATIN | dict.fromkeys("'’‘ʼʹ`´ˈ", ""))
_APART = re.compile(r"[^a-z0-9]+")

# In this order, on Latin letters. Where romanisations disagree the coarser reading wins: щ = ш = š = s, ч = č = ц = c.
_RULES: Final = tuple(
    (re.compile(pattern), result)
    for pattern, result in (
        (r"shtsh|shch|szcz|sch|shh|sh|sz", "s"),
        (r"tsch|tch|cz|ch", "ç"),
        (r"zh", "z"),
        (r"kh", "h"),
        (r"ph", "f"),
        (r"th", "t"),
        (r"ck|q", "k"),
        (r"ts|tz", "ç"),
        (r"\bc(?=[^eiyj])|c\b|c(?=[bcdfgklmnpqrstvwxz])", "k"),  # Carl, Marc, Victor; Kuznecov keeps its ц
        (r"c", "ç"),
        (r"ç", "c"),
        (r"w", "v"),
        (r"ff\b", "v"),
        (r"x", "ks"),
        (r"(?<=[bcdfgklmnpqrstvz])[yj]o", "e"),  # Artyom, Solovjov: the ё
        (r"[yj]", "i"),
        (r"i+e", "e"),
        (r"(?<=[kg])ia(?=[a-z])", "e"),  # Ясикявичюс: a Lithuanian e in Cyrillic
        (r"(.)\1+", r"\1"),
    )
)


def fold(name: str) -> str:
    """A key for trigram search that is the same for the usual spellings of a name; only a-z, 0-9 and single spaces.

    `Щербакова`, `Shcherbakova` and `Scherbakova` are `serbakova`; `Юлия`, `Julia` and `Iuliia` are `iulia`.
    The order of words is kept; at most 300 characters of the name are read; never raises.
    """
    return _fold(name[:MAX_LENGTH])


@lru_cache(maxsize=16384)
def _fold(name: str) -> str:
    text = name.casefold()
    if not text.isascii():
        text = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold())
        text = text.translate(_LETTERS)
        if not text.isascii():
            text = _romanised(text)
    else:
        text = text.replace("'", "").replace("`", "")
    words = [word if word.isdigit() else _collapsed(word) for word in _APART.split(text) if word]
    return " ".join(words)[:MAX_LENGTH]


def _romanised(text: str) -> str:
    from anyascii import anyascii

    plain = "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))
    plain = plain.encode("utf-8", "ignore").decode()
    return anyascii("".join(char if char.isalnum() else " " for char in plain)).lower()


@lru_cache(maxsize=16384)
def _collapsed(word: str) -> str:
    for pattern, result in _RULES:
        word = pattern.sub(result, word)
    return word


def tokens(name: str) -> tuple[str, ...]:
    """The folded words of a name in their order."""
    return tuple(fold(name).split())


def similarity(a: str, b: str) -> float:
    """How alike two names are, 0..1, whatever the order of their words; 0 when either is empty.

    Words are paired off best first, each weighted by its length; a word too many (a patronymic) counts little,
    an initial stands for its word. 0.95 and more: one name; names that contradict (`given_names_differ`) stay
    at or below 0.85.
    """
    ours, theirs = tokens(a)[:_MAX_TOKENS], tokens(b)[:_MAX_TOKENS]
    if not ours or not theirs:
        return 0.0
    if sorted(ours) == sorted(theirs):
        return 1.0
    score = _assigned(ours, theirs)
    return min(score, _DIFFERENT_PEOPLE) if given_names_differ(a, b) else score


def _assigned(ours: tuple[str, ...], theirs: tuple[str, ...]) -> float:
    pairs = sorted(
        ((_alike(one, other), i, j) for i, one in enumerate(ours) for j, other in enumerate(theirs)), reverse=True
    )
    left, right = set(range(len(ours))), set(range(len(theirs)))
    total = weight = 0.0
    for likeness, i, j in pairs:
        if i in left and j in right:
            left.discard(i)
            right.discard(j)
            size = max(len(ours[i]), len(theirs[j]), 2)
            total += likeness * size
            weight += size
    spare = len(left) + len(right)
    alone = 0.9 if min(len(ours), len(theirs)) == 1 and spare else 1.0
    return total / weight * alone * 0.98**spare


def _alike(one: str, other: str) -> float:
    if one == other:
        return 1.0
    if _GIVEN.get(one, frozenset()) & _GIVEN.get(other, frozenset()):
        return 0.97
    if min(len(one), len(other)) == 1:
        return 0.9 if one[0] == other[0] else 0.0
    if one.isdigit() or other.isdigit():
        return 0.0
    from rapidfuzz.distance import JaroWinkler, Levenshtein

    # Jaro-Winkler alone takes Jonaitis and Jonauskas for one name, Levenshtein alone is hard on short words.
    likeness = (JaroWinkler.similarity(one, other) + Levenshtein.normalized_similarity(one, other)) / 2
    return likeness if likeness > _UNLIKE else likeness / 2


def given_names_differ(a: str, b: str) -> bool:
    """Whether both names hold a known first name and no spelling, short form or cognate makes them the same.

    False whenever one is unknown: `Саша` and `Aleksandra` agree, `Мария` and `Марина` do not. Words that both
    names share are left out first, so that a surname which is also a first name decides nothing.
    """
    ours, theirs = tokens(a), tokens(b)
    shared = set(ours) & set(theirs)
    if any(token in _GIVEN for token in shared) and not _has_more_given(ours, theirs, shared):
        return False
    mine = [_GIVEN[token] for token in ours if token in _GIVEN and token not in shared]
    yours = [_GIVEN[token] for token in theirs if token in _GIVEN and token not in shared]
    if not mine or not yours:
        return False
    return not any(one & other for one in mine for other in yours)


def _has_more_given(ours: tuple[str, ...], theirs: tuple[str, ...], shared: set[str]) -> bool:
    """Whether each side has a first name and a surname besides: Paul Simon and John Simon differ by Paul and John."""
    return all(sum(token not in shared for token in side) == 1 and len(side) == 2 for side in (ours, theirs))


def _lexicon() -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for number, line in enumerate(GROUPS.strip().splitlines()):
        for name in line.split():
            found.setdefault(_fold(name), set()).add(number)
    return {name: frozenset(groups) for name, groups in found.items()}


_GIVEN: Final = _lexicon()
