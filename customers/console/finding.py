"""Find a customer by what one half remembers, as one types; who was seen lately; where words were said."""

from typing import Any
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from customers import lookups, masking, references, search, timeline
from customers.access import Principal, log_views
from customers.api.customers import KINDS
from customers.cards import named as called
from customers.cards import short
from customers.console.lines import Line, lines, moment, parsed
from customers.console.numbers import number
from customers.console.pages import is_htmx, page, user_id, word
from customers.console.personal import identity, readable
from customers.sql import Cursor, cursor
from customers.timeline import Filters

FOUND = 20
SAID = 10
RECENT = 8
SHORTEST = 3
"""Letters below which nobody looks for words that were said."""

RECENTLY = """
SELECT coalesce(c.merged_into_id, c.id) FROM customers_lastlook l JOIN customers_customer c ON c.id = l.customer_id
 WHERE l.user_id = %s ORDER BY l.looked_at DESC LIMIT %s
"""


@page()
def find(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/?q=`: a number in any spelling, an address, an id, a name with typos or in the other alphabet, or words."""
    sought = word(request.GET, "q")
    context: dict[str, Any] = {"q": sought, "searches": True}
    with cursor("reading") as sql:
        if sought:
            lookups.count(principal, [("", sought)])
            context["found"], context["said"], context["many"] = look(sql, sought, principal, request.path)
            context["about"] = number(sought)
        else:
            sql.execute(RECENTLY, (user_id(principal), RECENT))
            recent = [row[0] for row in sql.fetchall()]
            context["recent"] = hits(short(sql, list(dict.fromkeys(recent))))
    return render(request, "customers/results.html" if is_htmx(request) else "customers/find.html", context)


def look(sql: Cursor, sought: str, principal: Principal, path: str) -> tuple[list[dict[str, Any]], list[Line], bool]:
    """(customers, contacts in which the words were said, whether there are more customers); who was shown is logged."""
    customers = search.by_handles(sql, [(kind, sought, None) for kind in KINDS])
    best = search.by_words(sql, sought, FOUND)
    customers += [one for one in best if one not in customers]
    found = short(sql, customers[:FOUND])
    said, speakers = known_by(sql, sought)
    if len(sought) >= SHORTEST and not principal.masked:
        page_, others = search.lines(sql, Filters(q=sought), limit=SAID, token=None)
        first = {one.id for one in said}
        said += lines(one for one in parsed(page_.results) if one["id"] not in first)
        speakers += others
    log_views(sql, principal.viewer, [*found, *speakers], path)
    return hits(found), named(sql, said, list(dict.fromkeys(speakers))), best.cut or len(customers) > FOUND


def known_by(sql: Cursor, sought: str) -> tuple[list[Line], list[int]]:
    """Contacts that an order's or a call's number stands for, and whose they are."""
    known = references.find(sql, sought, limit=SAID) if len(references.normal(sought)) >= SHORTEST else []
    owners = timeline.customers_of([one.line for one in known])
    told = timeline.entries(sql, [one.line for one in known])
    found = lines(entry for one in known if one.line in told for entry in parsed(f"[{told[one.line]}]"))
    for one in found:
        one.customer = str(owners[UUID(one.id)])
    return found, [one.customer for one in known]


def named(sql: Cursor, found: list[Line], customers: list[int]) -> list[Line]:
    """Lines with the names of those whom they are of."""
    shown = (masking.shown(orjson.loads(card)) for card in called(sql, customers).values())
    names = {card["id"]: title(card) for card in shown}
    for one in found:
        one.name = names.get(one.customer, "")
    return found


def hits(found: dict[int, str]) -> list[dict[str, Any]]:
    """Cards as a list shows them."""
    return [hit(masking.shown(orjson.loads(card))) for card in found.values()]


def hit(card: dict[str, Any]) -> dict[str, Any]:
    handles = [identity(one) for one in card["identities"]]
    return {
        "id": card["id"],
        "name": card["name"] if isinstance(card["name"], str) else "",
        "title": title(card),
        "handles": handles[:6],
        "last": moment(card["last_contact"]) if card["last_contact"] else None,
        "open": len(card["open_threads"]),
    }


def title(card: dict[str, Any]) -> str:
    """The name, else how he is reached, else nothing."""
    if isinstance(card["name"], str) and card["name"].strip():
        return str(card["name"])
    known = next((one for one in card["identities"] if one["kind"] != "anonymous"), None)
    return readable(known["kind"], known["value"]) if known else ""
