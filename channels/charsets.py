"""Makes text of bytes whose charset is named wrongly, unknown, or not at all.

Russian and Lithuanian mail is still sent in koi8-r, windows-1251 and windows-1257, often labelled iso-8859-1 or
us-ascii. Names: https://encoding.spec.whatwg.org/#names-and-labels
"""

import codecs
import re

# Labels that say nothing: senders put them on whatever they have.
MEANINGLESS = frozenset(
    {"", "ascii", "iso8859-1", "cp1252", "unknown-8bit", "8bit", "binary", "default", "_autodetect"}
)
# Where Python's codec is narrower than what senders mean by the label.
WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "iso8859-1": "cp1252", "shift_jis": "cp932", "euc_kr": "cp949"}
OURS = {
    "x-cp1251": "cp1251",
    "cp-1251": "cp1251",
    "win-1251": "cp1251",
    "cp1251u": "cp1251",
    "koi8": "koi8-r",
    "windows1251": "cp1251",
}
DANGEROUS = frozenset({"idna", "punycode", "raw_unicode_escape", "unicode_escape", "undefined", "mbcs", "oem", "utf-7"})
SNIFFED = ("cp1251", "koi8-r", "cp1257", "cp1252")
SAMPLE = 4096

RUSSIAN = dict(zip("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфё", range(32, 0, -1), strict=True))
LITHUANIAN = frozenset("ąčęėįšųūž")
WESTERN = frozenset("äöüßéèàçñáóíâêôîõãåæøëùúûï")
WORD = re.compile(r"[^\W\d_]+")
MULTIBYTE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def clean(text: str) -> str:
    """What PostgreSQL can store: NUL and lone surrogates become the replacement character."""
    return UNSTORABLE.sub("\ufffd", text)


def decode(data: bytes, label: str = "") -> str:
    """The text that was most probably meant; never fails."""
    if data.isascii() and not escapes(label):
        return clean(data.decode("ascii"))
    return clean(decode_8bit(data, codec(label)))


def escapes(label: str) -> bool:
    """True for the encodings that write everything in ASCII: ISO-2022-*, HZ, UTF-16 and the like."""
    return codec(label).startswith(("iso2022", "hz", "utf-16", "utf-32"))


def codec(label: str) -> str:
    """Python's name of a charset; empty if there is no such thing."""
    name = label.strip().strip("\"'").lower()
    try:
        found = codecs.lookup(OURS.get(name, name)).name
    except (LookupError, ValueError, UnicodeError):
        return ""
    return (
        ""
        if found in DANGEROUS or "_codec" in found or found in {"hex", "base64", "zlib", "bz2", "uu", "rot13", "quopri"}
        else found
    )


def decode_8bit(data: bytes, name: str) -> str:
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) and name in MEANINGLESS | {"utf-8"}:
        return data.decode("utf-8-sig" if data[0] == 0xEF else "utf-16", "replace")
    if name not in {"utf-16", "utf-32"} and is_utf8(data):
        return data.decode("utf-8")
    if name == "utf-8" and mostly_utf8(data):
        return data.decode("utf-8", "replace")
    if name in MEANINGLESS or name == "utf-8":
        return data.decode(sniff(data, "cp1252"), "replace")
    wider = WIDER.get(name, name)
    if wider in SNIFFED or wider.startswith("iso8859"):
        return data.decode(sniff(data, wider, margin=1.6), "replace")
    return data.decode(wider, "replace")


def is_utf8(data: bytes) -> bool:
    """Valid UTF-8 of some length is never anything else by chance."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def mostly_utf8(data: bytes) -> bool:
    """True for UTF-8 that was cut or damaged in a few places."""
    sample = data[: SAMPLE * 4]
    high = sum(byte > 0x7F for byte in sample)
    return sum(len(match) for match in MULTIBYTE.findall(sample)) * 10 >= high * 8


def sniff(data: bytes, labelled: str, *, margin: float = 1.05) -> str:
    """The charset that reads most like a language; another than the labelled one must be better by `margin`."""
    sample = data[:SAMPLE] if any(byte > 0x7F for byte in data[:SAMPLE]) else data[: SAMPLE * 64]
    own = plausibility(sample.decode(labelled, "replace"))
    best, best_score = labelled, own + abs(own) * (margin - 1)
    for name in SNIFFED:
        score = plausibility(sample.decode(name, "replace"))
        if score > best_score:
            best, best_score = name, score
    return best


def plausibility(text: str) -> float:
    """How much the words with letters beyond ASCII look like Russian, Lithuanian or another European language."""
    words = [word for word in WORD.findall(text) if not word.isascii()]
    score = sum(word_score(word) for word in words) / max(1, sum(map(len, words)))
    strange = text.count("\ufffd") + sum(char in "¤¦§¨©¬®°±µ¶·╜╟╠" or 0x7F <= ord(char) < 0xA0 for char in text)
    return score - strange * 20 / max(1, len(text))


def word_score(word: str) -> float:
    folded = word.lower()
    cyrillic = sum(char in RUSSIAN for char in folded)
    if cyrillic:
        if cyrillic < len(folded):
            return -20.0 * len(folded)  # Latin and Cyrillic letters in one word: wrong charset.
        upside_down = word[0].islower() and not word.islower()
        return sum(RUSSIAN[char] for char in folded) * (0.4 if upside_down else 1.0)
    foreign = [char for char in folded if not char.isascii()]
    per_letter = sum(22 if char in LITHUANIAN else 16 if char in WESTERN else -20 for char in foreign) / len(foreign)
    # A word of nothing but accented letters is no word.
    return per_letter * len(folded) * (0.2 if len(foreign) * 2 > len(folded) + 1 else 1.0)
