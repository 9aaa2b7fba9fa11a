"""Makes readable text of HTML: what a mail says when it brings no plain text.

A tokenizer of our own that looks at every character once: Python 3.11's html.parser needs 2.5 s for 20 KB of
«<a » and four times that for 40 KB (CVE-2025-6069). Never a sanitiser: HTML is sanitised where it is shown.
"""

import html
import re
from collections.abc import Iterator

BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "tr",
        "ul",
    ]
)
PARAGRAPHS = frozenset(["blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"])
HIDDEN = frozenset(["head", "script", "style", "title", "template", "svg", "math", "object", "noframes"])
TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9:-]{0,30})")
ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]{0,200})"|'([^']{0,200})')""", re.IGNORECASE)
SPACES = re.compile(r"[ \t\r\n\f\u00a0]+")


def tokens(source: str) -> Iterator[tuple[str, str]]:
    """(text, following tag) pairs; the last tag is empty."""
    position = 0
    while True:
        start = source.find("<", position)
        if start < 0:
            yield source[position:], ""
            return
        end = end_of_tag(source, start)
        if end < 0:
            yield source[position:], ""
            return
        yield source[position:start], source[start:end]
        position = end


def end_of_tag(source: str, start: int) -> int:
    """Just after the tag or comment; `start` again for a «<» that opens nothing, -1 for one that never ends."""
    if source.startswith("<!--", start):
        end = source.find("-->", start + 4)
        return end + 3 if end >= 0 else -1
    following = source[start + 1 : start + 2]
    if not (following.isalpha() or following in ("/", "!", "?")):
        return start + 1
    end = source.find(">", start)
    return end + 1 if end >= 0 else -1


def html_to_text(source: str) -> str:
    """The visible words; block quotes become lines with «> », list items lines with «- »."""
    page = Page()
    for words, tag in tokens(source):
        if tag == "<":
            words += tag
        page.say(words)
        if match := TAG.match(tag):
            page.tag(match.group(1).lower(), tag)
    return page.text()


class Page:
    """The lines made so far; the words of the current line wait in `words`."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.words: list[str] = []
        self.quoted = 0
        self.hidden = ""
        self.preformatted = False

    def say(self, words: str) -> None:
        if self.hidden or not words:
            return
        words = html.unescape(words)
        if self.preformatted:
            *full, rest = words.split("\n")
            for line in full:
                self.words.append(line)
                self.end_line(always=True)
            self.words.append(rest)
        else:
            self.words.append(SPACES.sub(" ", words))

    def tag(self, name: str, source: str) -> None:
        closing = source.startswith("</")
        if self.hidden:
            if closing and name == self.hidden:
                self.hidden = ""
            return
        if name in HIDDEN and not closing and not source.endswith("/>"):
            self.hidden = name
        elif name == "br":
            self.end_line(always=True)
        elif name in ("td", "th") and closing:
            self.words.append(" ")
        elif name == "img" and (alt := ALT.search(source[:2000])):
            self.words.append(
                f"[{html.unescape(alt.group(1) or alt.group(2) or '')}]" if alt.group(1) or alt.group(2) else ""
            )
        elif name in BLOCKS:
            self.block(name, closing=closing)

    def block(self, name: str, *, closing: bool) -> None:
        self.end_line()
        if name == "blockquote" and closing:
            self.quoted = max(0, self.quoted - 1)
        if name in PARAGRAPHS and self.lines and self.lines[-1].strip("> "):
            self.lines.append(self.prefix().rstrip())
        if name == "blockquote" and not closing:
            self.quoted = min(20, self.quoted + 1)
        elif name == "li" and not closing:
            self.words.append("- ")
        elif name == "pre":
            self.preformatted = not closing

    def prefix(self) -> str:
        return "> " * self.quoted

    def end_line(self, *, always: bool = False) -> None:
        line = "".join(self.words)
        line = line.rstrip() if self.preformatted else SPACES.sub(" ", line).strip()
        self.words = []
        if line or always:
            self.lines.append((self.prefix() + line).rstrip())

    def text(self) -> str:
        self.end_line()
        kept: list[str] = []
        for line in self.lines:
            if line or (kept and kept[-1]):
                kept.append(line)
        return "\n".join(kept).strip()
