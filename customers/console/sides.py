"""Customers side by side: the short cards that a decision about two of them is made with, and how to find the other."""

from typing import Any

import orjson
from django.http import HttpRequest

from customers import lookups, masking, search
from customers.access import Principal, log_views
from customers.api.customers import KINDS
from customers.cards import Erased, Unknown, cards, short
from customers.console.finding import hit, hits
from customers.console.pages import customer_of
from customers.console.personal import described
from customers.sql import Cursor, cursor

FOUND = 10


def sides(sql: Cursor, roots: list[int]) -> dict[int, dict[str, Any]]:
    """{customer: what a short card shows}, in the order asked for."""
    found = {}
    for root, text in cards(sql, roots).items():
        card = masking.shown(orjson.loads(text))
        found[root] = {**hit(card), **described(card), "version": card["version"], "counts": card["counts"]}
    return found


def side(sql: Cursor, root: int) -> dict[str, Any]:
    """The same of one; raises Erased for whoever was erased since he was looked for."""
    if root not in (found := sides(sql, [root])):
        raise Erased
    return found[root]


def subject(request: HttpRequest, principal: Principal, customer: str) -> tuple[int, dict[str, Any]]:
    """Whom a form is about, and his short card; the view is logged. Raises Unknown or Erased."""
    with cursor("reading") as sql:
        root = customer_of(sql, customer)
        found = side(sql, root)
        log_views(sql, principal.viewer, [root], request.path)
    return root, found


class Others(list[dict[str, Any]]):
    """Whom one may choose from; `many`: there are more."""

    many = False


def others(sql: Cursor, sought: str, besides: set[int], principal: Principal, path: str) -> Others:
    """Whom one may mean by a number, an address, a name or the address of a card; who was shown is logged."""
    lookups.count(principal, [("", sought)])
    best = search.Best()
    try:
        customers = [customer_of(sql, sought.rstrip("/").rpartition("/")[2])]
    except (Unknown, Erased):
        customers = search.by_handles(sql, [(kind, sought, None) for kind in KINDS])
        best = search.by_words(sql, sought, FOUND)
        customers += best
    asked = [one for one in dict.fromkeys(customers) if one not in besides]
    found = short(sql, asked[:FOUND])
    log_views(sql, principal.viewer, found, path)
    shown = Others(hits(found))
    shown.many = best.cut or len(asked) > FOUND
    return shown
