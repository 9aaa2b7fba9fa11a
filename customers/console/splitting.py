"""Some handles are somebody else's: choose them, say whose they are, see both sides, confirm with a reason."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from customers import merging
from customers.access import Principal, log_views
from customers.console.links import groups, handles
from customers.console.outcomes import done, number_of, public_ids, reason_of
from customers.console.pages import customer_of, page, word
from customers.console.sides import others, side
from customers.merging import Parted
from customers.recording import attempt
from customers.sql import Cursor, cursor

MEMBERS = "SELECT id FROM customers_identity WHERE customer_id = %s ORDER BY id"
HOMES = "SELECT DISTINCT customer_id FROM customers_identity WHERE id = ANY(%s)"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a form asks for: these identities, for the customer `to` or for a new one; `q` looks for him."""

    chosen: tuple[int, ...]
    to: str
    q: str
    elsewhere: bool

    @classmethod
    def of(cls, request: HttpRequest) -> "Wanted":
        given = request.POST if request.method == "POST" else request.GET
        ids = [number_of(one) for one in given.getlist("identity")[:1_000]]
        chosen = tuple(dict.fromkeys(one for one in ids if one is not None))
        return cls(chosen, word(given, "with", 64), word(given, "q"), word(given, "whose") == "known")

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The same choice, for a form that looks for the other customer."""
        return [*(("identity", str(one)) for one in self.chosen), ("whose", "known")]

    @property
    def query(self) -> str:
        """The same as it stands in an address."""
        return urlencode(self.pairs)


@page("GET", "HEAD", "POST", scope="write")
def split(request: HttpRequest, principal: Principal, customer: str) -> HttpResponse:
    """`/customers/{id}/split`, with `identity` (several), `whose=known` and `with`; a POST does it."""
    wanted, reason = Wanted.of(request), reason_of(request)
    trouble = ""
    with cursor("reading") as sql:
        root = customer_of(sql, customer)
        to = customer_of(sql, wanted.to) if wanted.to else None
        sql.execute(MEMBERS, (root,))
        mine = [row[0] for row in sql.fetchall()]
        if request.method == "POST" and wanted.chosen and (gone := gone_to(sql, wanted.chosen, root)):
            return done(request, public_ids(sql, [gone])[gone], _("They are somebody else's already."))
        one = side(sql, root)
        context: dict[str, Any] = {"one": one, "wanted": wanted, "reason": reason, "handles": handles(sql, mine)}
        log_views(sql, principal.viewer, [root], request.path)
    if not set(wanted.chosen) < set(mine) or not wanted.chosen or to == root:
        trouble = "all" if wanted.chosen else "none" if "chosen" in request.GET else ""
        return render(request, "customers/split_choose.html", context | {"trouble": trouble})
    if request.method == "POST" and reason and (to is not None or not wanted.elsewhere):
        try:
            return parted(request, principal, root, wanted, to, reason)
        except merging.Refused:
            trouble = "refused"
    elif request.method == "POST":
        trouble = "reason"
    with cursor("reading") as sql:
        if wanted.elsewhere and to is None:
            context["found"] = others(sql, wanted.q, {root}, principal, request.path) if wanted.q else []
            return render(request, "customers/split_whose.html", context)
        context["other"] = side(sql, to) if to else None
        log_views(sql, principal.viewer, [to] if to else [], request.path)
        context["groups"] = tried(principal, root, wanted.chosen, to)
    return render(request, "customers/split.html", context | {"trouble": trouble})


def gone_to(sql: Cursor, chosen: tuple[int, ...], root: int) -> int | None:
    """The one other customer who has all of these: the form was sent twice."""
    sql.execute(HOMES, (list(chosen),))
    homes = [row[0] for row in sql.fetchall()]
    return homes[0] if len(homes) == 1 and homes[0] != root else None


def tried(principal: Principal, root: int, chosen: tuple[int, ...], to: int | None) -> list[dict[str, Any]]:
    """Where everything would be; nothing is done."""

    def work() -> Parted:
        with transaction.atomic():
            found = merging.split(root, chosen, to=to, by=principal.viewer, reason="")
            transaction.set_rollback(True)
        return found

    found = attempt(work)
    with cursor("reading") as sql:
        return groups(sql, found)


def parted(
    request: HttpRequest, principal: Principal, root: int, wanted: Wanted, to: int | None, reason: str
) -> HttpResponse:
    found = attempt(lambda: merging.split(root, wanted.chosen, to=to, by=principal.viewer, reason=reason))
    with cursor("reading") as sql:
        now = found.homes[wanted.chosen[0]]
        ids = public_ids(sql, [now])
        log_views(sql, principal.viewer, set(found.homes.values()), request.path)
    return done(request, ids[now], _("Taken apart: this is the other card."))
