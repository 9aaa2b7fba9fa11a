"""Every regular expression of the tree against words made to make it slow: found, not listed, so none is forgotten.

A word is 20,000 characters, half a second of processor time is hundreds of times what a linear one needs.
"""

import ast
import importlib
import pkgutil
import re
import signal
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from customers import addresses, phones

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("customers", "channels", "cxhub")
LENGTH, SECONDS = 20_000, 0.5
FUNCTIONS = {"search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer"}
ANCHORED = {"match", "fullmatch"}
SHORT = {
    "customers.addresses._QUOTED": addresses.MAX_LENGTH,
    "customers.addresses._COMMENT": addresses.MAX_LENGTH,
    "customers.phones._VANITY": phones.MAX_LENGTH,
    "customers.experience.wording.SENTENCE": 2_000,
}
"""Whatever is longer is refused or cut before."""


def modules() -> list[str]:
    found = []
    for package in PACKAGES:
        top = importlib.import_module(package)
        found += [one.name for one in pkgutil.walk_packages(top.__path__, f"{package}.")]
    return [one for one in found if ".migrations." not in one and not one.startswith("cxhub.demo")]


def compiled() -> dict[str, "re.Pattern[Any]"]:
    """Those that modules keep, wherever they keep them; and those that are written where they are used."""
    found: dict[str, re.Pattern[Any]] = {}
    for name in modules():
        module = importlib.import_module(name)
        for own, value in vars(module).items():
            for place, pattern in enumerate(patterns_in(value)):
                found.setdefault(f"{name}.{own}" + (f"[{place}]" if place else ""), pattern)
    for path in sorted(one for package in PACKAGES for one in (ROOT / package).rglob("*.py")):
        for number, text, used in written(path):
            found[f"{path.relative_to(ROOT)}:{number} {used}"] = re.compile(text)
    first = {pattern: name for name, pattern in reversed(found.items())}
    return {name: pattern for pattern, name in first.items()}


def patterns_in(value: Any, depth: int = 0) -> Iterator["re.Pattern[Any]"]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict) and depth < 3:
        for one in value.values():
            yield from patterns_in(one, depth + 1)
    elif isinstance(value, (list, tuple, frozenset, set)) and depth < 3:
        for one in value:
            yield from patterns_in(one, depth + 1)
    elif hasattr(value, "__dataclass_fields__") and not isinstance(value, type) and depth < 3:
        for name in value.__dataclass_fields__:
            yield from patterns_in(getattr(value, name, None), depth + 1)


def written(path: Path) -> Iterator[tuple[int, str | bytes, str]]:
    """`re.sub(r"…", …)` and what pydantic is given as a pattern."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        of_re = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "re"
        used = node.func.attr if isinstance(node.func, ast.Attribute) and of_re else "match"
        given = [node.args[0]] if of_re and node.args and used in FUNCTIONS else []
        given += [one.value for one in node.keywords if one.arg == "pattern"]
        for one in given:
            if isinstance(one, ast.Constant) and isinstance(one.value, (str, bytes)):
                yield node.lineno, one.value, used


def ways(name: str) -> set[str]:
    """How the tree uses a pattern of that name."""
    if " " in name:
        return {name.rpartition(" ")[2]}
    own = name.rpartition(".")[2].partition("[")[0]
    text = SOURCES[0]
    return {one for one in FUNCTIONS if re.search(rf"\b{re.escape(own)}(?:\[\w+\])?\.{one}\b", text)} or FUNCTIONS


SOURCES: list[str] = []
PARTS = ("", "a", "0", " ", "-", "\n")


def letters(pattern: "re.Pattern[Any]") -> list[str]:
    """What the pattern speaks of, by a walk over its parse: literals, ends of ranges, one of each class."""
    import re._parser as parser  # type: ignore[import-not-found]

    found: dict[str, None] = dict.fromkeys(("a", "1", " "))
    classes = {"DIGIT": "7", "SPACE": "\t", "WORD": "w", "NOT_SPACE": "x", "NOT_DIGIT": "x", "NOT_WORD": "."}

    def walk(node: Any) -> None:
        if isinstance(node, parser.SubPattern):
            node = node.data
        if isinstance(node, (list, tuple)):
            if len(node) == 2 and str(node[0]) in ("LITERAL", "NOT_LITERAL") and isinstance(node[1], int):
                found[chr(node[1])] = None
            elif len(node) == 2 and str(node[0]) == "RANGE":
                found[chr(node[1][0])] = None
            elif len(node) == 2 and str(node[0]) == "CATEGORY":
                found[classes.get(str(node[1]).removeprefix("CATEGORY_"), "x")] = None
            else:
                for one in node:
                    walk(one)
        elif isinstance(node, dict):
            for one in node.values():
                walk(one)

    walk(parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG))
    return list(islice(found, 8))


def words(pattern: "re.Pattern[Any]", length: int) -> Iterator[str]:
    """One letter, pairs and what lies before and behind them, ending in what fits nothing."""
    known = letters(pattern)
    start = "".join(known)[:8]
    for one in known:
        for other in known:
            unit = one + other if one != other else one
            body = (unit * length)[:length]
            yield body + "\x00!"
            yield start + body
        yield one * (length // 2) + "\x00" + one * (length // 2)
    yield ("".join(known) * length)[:length] + "!"


class TooSlow(Exception):
    pass


def rung(*_: Any) -> None:
    raise TooSlow


def tried(pattern: "re.Pattern[Any]", used: set[str], length: int) -> str:
    """The word over which it is too slow; nothing for none."""
    calls: dict[str, Callable[[Any], Any]] = {
        "search": lambda word: sum(1 for _ in pattern.finditer(word)),
        "match": pattern.match,
        "fullmatch": pattern.fullmatch,
    }
    wanted = {one if one in ANCHORED else "search" for one in used}
    binary = isinstance(pattern.pattern, bytes)
    for word in words(pattern, length):
        given: Any = word.encode("latin-1", "replace") if binary else word
        for one in sorted(wanted):
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
            try:
                calls[one](given)
            except TooSlow:
                return f"{one} of {word[:24]!r}"
            finally:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return ""


@pytest.fixture
def clock() -> Iterator[None]:
    before = signal.signal(signal.SIGVTALRM, rung)
    yield
    signal.signal(signal.SIGVTALRM, before)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_no_expression_is_slow(clock: None) -> None:
    files = [one for package in PACKAGES for one in (ROOT / package).rglob("*.py")]
    SOURCES[:] = ["\n".join(one.read_text() for one in files)]
    found = compiled()
    assert len(found) > 90
    slow = {
        name: said for name, pattern in found.items() if (said := tried(pattern, ways(name), SHORT.get(name, LENGTH)))
    }
    assert not slow, "\n".join(f"{name}: {said}" for name, said in slow.items())
    assert not set(SHORT) - set(found)


def test_a_slow_one_is_found(clock: None) -> None:
    for bad in (r"(a+)+$", r"(\w|\d)*!", r"\s+$"):
        assert tried(re.compile(bad), {"search"}, LENGTH), bad
