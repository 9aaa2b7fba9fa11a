"""Words of synthetic contacts: Russian, Lithuanian and English texts of about 330 bytes, with a large vocabulary."""

import random
from functools import cache
from math import exp, log

LANGUAGES = ("ru", "ru", "ru", "lt", "en")
SYLLABLES = {
    "ru": "ба во го да же за ки ла мо не по ру си та фу хо це чи ша ще эт юр яр кон пра сло тре вид гор",
    "lt": "ba vo gė da že ža ki la mo ne po rū si ta šu čia je nių kas pra slo tre vyd gor tis",
    "en": "ba vo ga de shi the ki la mo ne po ru si ta fu ho ce chi wa ter con pra slo tre vid gor ing",
}
COMMON = {
    "ru": "и в не на я что заказ вы доставка когда мне спасибо добрый день пожалуйста оплата уже нет возврат",
    "lt": "ir kad ne aš jūs užsakymas pristatymas kada man ačiū laba diena prašau mokėjimas jau nėra grąžinti",
    "en": "and the not to I you order delivery when my thanks good day please payment already no return is",
}
WORDS = 12_000
BYTES = 330


@cache
def vocabulary(language: str) -> list[str]:
    """Common words first: a word is the rarer the later it stands."""
    rng = random.Random(f"words of {language}")
    syllables = SYLLABLES[language].split()
    made = ("".join(rng.choice(syllables) for _ in range(rng.randint(2, 4))) for _ in range(2 * WORDS))
    return list(dict.fromkeys([*COMMON[language].split(), *made]))[:WORDS]


@cache
def sentences(language: str) -> list[str]:
    """Halves of texts: two of them and an order number make a text, and few texts are ever the same."""
    rng, words = random.Random(f"texts of {language}"), vocabulary(language)
    found = []
    for _ in range(4_000):
        picked: list[str] = []
        size = 0
        while size < BYTES // 2 - 12:
            picked.append(words[int(exp(rng.random() * log(len(words)))) - 1])
            size += len(picked[-1].encode()) + 1
        found.append(" ".join(picked).capitalize() + ".")
    return found


def text(rng: random.Random, language: str) -> str:
    halves = sentences(language)
    order = f" AB-{rng.randrange(10**6)}" if rng.random() < 0.3 else ""
    return f"{rng.choice(halves)} {rng.choice(halves)}{order}"
