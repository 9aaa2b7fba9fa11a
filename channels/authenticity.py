"""Reads what our own mail relay found out about the sender of a mail.

Format: RFC 8601 (Authentication-Results). Anybody can write such a header, so only those of our own authserv-id
count, and of those the topmost one that names a method: the relay puts its own above whatever was there.
"""

import re
from collections.abc import Sequence

RESULT = re.compile(r"^\s*([a-z0-9-]{1,40})(?:/\d+)?\s*=\s*([a-z]{1,20})\b", re.IGNORECASE)
HEADER_FROM = re.compile(r"\bheader\.from\s*=\s*([^\s;]{1,255})", re.IGNORECASE)


def verdict(headers: Sequence[str], authserv_id: str, domains: Sequence[str]) -> dict[str, str]:
    """{method: result} of our relay, e.g. {"dmarc": "pass", "spf": "fail"}.

    A pass of DMARC counts for one From address only, and for the domain that the relay saw (`header.from`).
    """
    found: dict[str, str] = {}
    if not authserv_id:
        return found
    for header in headers:
        name, *results = bare(header).split(";")
        if next(iter(name.split()), "").casefold() != authserv_id.casefold():
            continue
        for result in results:
            match = RESULT.match(result)
            if match and match.group(1).lower() not in found:
                method, word = match.group(1).lower(), match.group(2).lower()
                if method == "dmarc" and word == "pass" and not aligned(result, domains):
                    word = "misaligned"
                found[method] = word
    return found


def aligned(result: str, domains: Sequence[str]) -> bool:
    match = HEADER_FROM.search(result)
    return match is not None and [match.group(1).casefold().rstrip(".")] == list(domains)


def bare(header: str) -> str:
    """The header without its (comments), which nest, and its "quoted" values: the sender may have written them."""
    kept: list[str] = []
    depth = 0
    for index, piece in enumerate(header.split('"')):
        if index % 2:
            continue
        for char in piece:
            depth += char == "("
            if not depth:
                kept.append(char)
            depth -= char == ")" and depth > 0
    return "".join(kept)
