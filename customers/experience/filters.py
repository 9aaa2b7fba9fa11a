"""The filter of a segment: JSON that is checked as a whole, and the parametrised SQL that it means.

A filter is a condition `{"field", "op", "value"}`, or a group `{"all": […]}`, `{"any": […]}`, `{"not": …}`.

| field | what it asks | operations |
|---|---|---|
| `attribute:<key>` | what the card shows of an attribute | is, not, contains, before, after, set, unset |
| `tag:<tag>` | whether the card has the tag | set, unset |
| `stage` | stage of the journey | is, not |
| `nps`, `csat`, `ces` | the last answer that counts | is, least, most, set, unset |
| `effort` | effort of the latest matters, 0 to 100 | least, most, set, unset |
| `purchases`, `open_promises`, `open_requests` | how many | is, least, most |
| `days_since_contact`, `days_since_purchase`, `days_known` | whole days of 24 hours | least, most, set, unset |

Who has no value fits neither `least` nor `most`; `not` fits him. Names of fields never reach the SQL: each leads to a
column of ours, and what is compared goes as a parameter.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

Params = dict[str, Any]

DEPTH, CONDITIONS, LONGEST = 5, 50, 200
COLUMNS: Final = {
    **{name: f"e.{name}" for name in ("nps", "csat", "ces", "effort")},
    **{name: f"coalesce(e.{name}, 0)" for name in ("purchases", "open_promises", "open_requests")},
}
DAYS: Final = {
    "days_since_contact": "e.last_contact_at",
    "days_since_purchase": "e.last_purchase_at",
    "days_known": "e.first_contact_at",
}
COUNTED: Final = ("purchases", "open_promises", "open_requests")
STAGES: Final = ("before", "purchase", "after", "again", "left")
NUMBERS: Final = {"is": "=", "least": ">=", "most": "<="}
OPERATIONS: Final[dict[str, tuple[str, ...]]] = {
    "attribute": ("is", "not", "contains", "before", "after", "set", "unset"),
    "tag": ("set", "unset"),
    "stage": ("is", "not"),
    **dict.fromkeys(("nps", "csat", "ces"), ("is", "least", "most", "set", "unset")),
    "effort": ("least", "most", "set", "unset"),
    **dict.fromkeys(COUNTED, ("is", "least", "most")),
    **dict.fromkeys(DAYS, ("least", "most", "set", "unset")),
}
# By the rule of the cards: of what several sources say the best trust wins, then the latest, then the oldest row.
WINNERS = """
c.id IN (SELECT w.customer_id FROM (
    SELECT DISTINCT ON (i.customer_id) i.customer_id, a.value
      FROM customers_attributeclaim a JOIN customers_identity i ON i.id = a.identity_id
     WHERE a.key = %({key})s AND a.key <> 'name'
     ORDER BY i.customer_id, a.trust DESC, a.claimed_at DESC, a.id) w WHERE w.value <> 'null' AND {test})
"""
NAMED = WINNERS.replace(" AND a.key <> 'name'", " AND a.key = 'name'")


class BadFilter(ValueError):
    """`field` is the path to what is wrong, e.g. `all.1.value`."""

    def __init__(self, detail: str, field: str) -> None:
        super().__init__(detail)
        self.field = field


class Compiler:
    """One filter into one condition; parameters are named by their place."""

    def __init__(self) -> None:
        self.params: Params = {}
        self.conditions = 0

    def parameter(self, value: Any) -> str:
        name = f"p{len(self.params)}"
        self.params[name] = value
        return name

    def any_of(self, said: Any, path: str, depth: int) -> str:
        if not isinstance(said, Mapping):
            raise BadFilter("A filter is an object.", path)
        if depth > DEPTH:
            raise BadFilter(f"Groups may lie {DEPTH} deep.", path)
        groups = [name for name in ("all", "any", "not") if name in said]
        if groups:
            return self.group(said, groups[0], path, depth)
        return self.condition(said, path)

    def group(self, said: Mapping[str, Any], name: str, path: str, depth: int) -> str:
        if len(said) > 1:
            raise BadFilter("A group has one member: all, any or not.", path)
        inner = f"{path}.{name}" if path else name
        if name == "not":
            return f"NOT coalesce({self.any_of(said[name], inner, depth + 1)}, false)"
        if not isinstance(said[name], list):
            raise BadFilter(f"«{name}» is a list.", inner)
        parts = [self.any_of(one, f"{inner}.{place}", depth + 1) for place, one in enumerate(said[name])]
        between = " AND " if name == "all" else " OR "
        return f"({between.join(parts)})" if parts else ("true" if name == "all" else "false")

    def condition(self, said: Mapping[str, Any], path: str) -> str:
        dot = f"{path}." if path else ""
        self.conditions += 1
        if self.conditions > CONDITIONS:
            raise BadFilter(f"A filter may have {CONDITIONS} conditions.", path)
        for name in said:
            if name not in ("field", "op", "value"):
                raise BadFilter(f"There is no «{str(name)[:60]}» in a condition.", dot + str(name)[:60])
        field, op = said.get("field"), said.get("op")
        if not isinstance(field, str) or len(field) > LONGEST or "\x00" in field:
            raise BadFilter("«field» is missing.", f"{dot}field")
        kind, _, rest = field.partition(":")
        kind = kind if rest and kind in ("attribute", "tag") else field
        if kind not in OPERATIONS or (kind in ("attribute", "tag") and not rest.strip()):
            raise BadFilter("There is no such field.", f"{dot}field")
        if op not in OPERATIONS[kind]:
            raise BadFilter(f"«op» is one of {', '.join(OPERATIONS[kind])}.", f"{dot}op")
        value = said.get("value")
        if op in ("set", "unset"):
            if value is not None:
                raise BadFilter(f"«{op}» takes no value.", f"{dot}value")
        elif value is None:
            raise BadFilter("«value» is missing.", f"{dot}value")
        return self.of(kind, rest.strip(), str(op), value, f"{dot}value")

    def of(self, kind: str, name: str, op: str, value: Any, path: str) -> str:
        if kind == "attribute":
            return self.attribute(name, op, value, path)
        if kind == "tag":
            has = WINNERS.format(key=self.parameter(f"tag:{name}"), test="w.value = 'true'")
            return has if op == "set" else f"NOT {has}"
        if kind == "stage":
            wanted = value if isinstance(value, list) else [value]
            if not wanted or not all(one in STAGES for one in wanted if isinstance(one, str)) or len(wanted) > 5:
                raise BadFilter(f"A stage is one of {', '.join(STAGES)}.", path)
            if not all(isinstance(one, str) for one in wanted):
                raise BadFilter(f"A stage is one of {', '.join(STAGES)}.", path)
            negated = "NOT " if op == "not" else ""
            return f"{negated}coalesce(e.stage, '') = ANY(%({self.parameter(wanted)})s)"
        if kind in DAYS:
            return self.days(DAYS[kind], op, value, path)
        if op in ("set", "unset"):
            return f"{COLUMNS[kind]} IS {'NOT ' if op == 'set' else ''}NULL"
        return f"{COLUMNS[kind]} {NUMBERS[op]} %({self.parameter(number(value, path))})s"

    def days(self, column: str, op: str, value: Any, path: str) -> str:
        if op in ("set", "unset"):
            return f"{column} IS {'NOT ' if op == 'set' else ''}NULL"
        since = f"now() - %({self.parameter(number(value, path, most=100_000))})s * interval '1 day'"
        return f"{column} <= {since}" if op == "least" else f"{column} >= {since}"

    def attribute(self, name: str, op: str, value: Any, path: str) -> str:
        text = "w.value #>> '{}'"
        if op in ("set", "unset", "not"):
            test = "true" if op != "not" else f"{text} = %({self.parameter(word(value, path))})s"
        elif op == "contains":
            test = f"strpos(lower({text}), lower(%({self.parameter(word(value, path))})s)) > 0"
        else:
            sign = {"is": "=", "before": "<", "after": ">"}[op]
            test = f'{text} COLLATE "C" {sign} %({self.parameter(word(value, path))})s'
        key = self.parameter(name)
        has = (NAMED if name == "name" else WINNERS).format(key=key, test=test)
        return f"NOT {has}" if op in ("unset", "not") else has


def number(value: Any, path: str, most: float = 1e12) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not -most <= value <= most:
        raise BadFilter("The value must be a number.", path)
    return value


def word(value: Any, path: str) -> str:
    """What an attribute is compared with, as text: true is `true`, as PostgreSQL has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value) if isinstance(value, int | float | str) else ""
    if not text or len(text) > LONGEST or "\x00" in text:
        raise BadFilter("The value must be a word or a number.", path)
    return text


def guesses(said: Any) -> bool:
    """Whether a filter compares an attribute with a part of it, or with what may be a number or an address.

    Whoever is shown masked values could put them together by asking so and counting.
    """
    if isinstance(said, list):
        return any(map(guesses, said))
    if not isinstance(said, Mapping):
        return False
    if not str(said.get("field")).startswith("attribute:"):
        return any(guesses(one) for name, one in said.items() if name in ("all", "any", "not"))
    whole = said.get("op") in ("is", "not") and not re.search(r"[\d@]", str(said.get("value")))
    return not (whole or said.get("op") in ("set", "unset"))


def compiled(said: Any) -> tuple[str, Params]:
    """(condition over `c` and `e`, its parameters); raises BadFilter."""
    compiler = Compiler()
    return compiler.any_of(said, "", 1), compiler.params
