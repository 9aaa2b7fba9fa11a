"""What holds a customer together: his links with what they rest on, and how one of them is taken back."""

from collections.abc import Iterable
from typing import Any

import orjson
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from customers import masking, merging
from customers.access import Principal, log_views
from customers.cards import TRUST
from customers.console import words
from customers.console.lines import moment
from customers.console.outcomes import done, names_of, number_of, public_ids, reason_of
from customers.console.pages import customer_of, page, word
from customers.console.personal import identity
from customers.console.sides import side
from customers.merging import Parted
from customers.recording import attempt
from customers.sql import Cursor, cursor

PAGE = 50
IDENTITY = (
    """
json_build_object('id', {0}.id::text, 'kind', {0}.kind, 'scope', nullif({0}.scope, ''), 'value', {0}.value,
  'shared', {0}.shared, 'trust', """
    + TRUST
    + """, 'first_seen', {0}.created_at)
"""
)
LINK = f"""
SELECT l.id, json_build_object('id', l.id::text, 'cause', l.cause, 'evidence', l.evidence,
       'trust', {TRUST.format("l")}, 'created_at', l.created_at, 'created_by', l.created_by,
       'undone_at', l.undone_at, 'undone_by', l.undone_by, 'undo_reason', l.undo_reason,
       'a', {IDENTITY.format("a")}, 'b', {IDENTITY.format("b")},
       'line', (SELECT json_build_object('id', t.id, 'channel', t.channel, 'occurred_at', t.occurred_at)
                  FROM customers_interaction t WHERE t.id::text = l.evidence->>'line'))::text
  FROM customers_link l JOIN customers_identity a ON a.id = l.a_id JOIN customers_identity b ON b.id = l.b_id
"""
# A link is found from either end; one that was undone lies between two customers and is shown on both cards.
OF_CUSTOMER = f"""
WITH mine AS (SELECT id FROM customers_identity WHERE customer_id = %(customer)s), ids AS (
    SELECT id FROM customers_link WHERE a_id IN (SELECT id FROM mine)
     UNION SELECT id FROM customers_link WHERE b_id IN (SELECT id FROM mine)
)
{LINK} WHERE l.id IN (SELECT id FROM ids) AND (%(before)s::bigint IS NULL OR l.id < %(before)s)
 ORDER BY l.id DESC LIMIT %(limit)s
"""
OF = """
SELECT 1 FROM customers_link l JOIN customers_identity i ON i.id IN (l.a_id, l.b_id)
 WHERE l.id = %s AND i.customer_id = %s
"""
BY_ID = f"{LINK} WHERE l.id = ANY(%s) ORDER BY l.id"
IDENTITIES = f"""
SELECT i.id, {IDENTITY.format("i")}::text,
       (SELECT coalesce(sum(k.count), 0) FROM customers_contactcount k WHERE k.identity_id = i.id)
  FROM customers_identity i WHERE i.id = ANY(%s) ORDER BY i.id
"""


CALLED = """
SELECT identity_id, value #>> '{}' FROM customers_attributeclaim WHERE key = 'name' AND identity_id = ANY(%s)
 ORDER BY trust DESC, claimed_at DESC, id
"""


@page()
def links(request: HttpRequest, principal: Principal, customer: str) -> HttpResponse:
    """`/customers/{id}/links`, newest first."""
    with cursor("reading") as sql:
        root = customer_of(sql, customer)
        before = number_of(word(request.GET, "before", 20))
        sql.execute(OF_CUSTOMER.encode(), {"customer": root, "before": before, "limit": PAGE + 1})
        rows = sql.fetchall()
        found = told(sql, [text for _id, text in rows[:PAGE]])
        one = side(sql, root)
        log_views(sql, principal.viewer, [root], request.path)
    older = rows[PAGE - 1][0] if len(rows) > PAGE else None
    return render(
        request,
        "customers/links.html",
        {"one": one, "links": found, "older": older, "may_write": principal.may("write")},
    )


def told(sql: Cursor, texts: Iterable[str]) -> list[dict[str, Any]]:
    """Links in words."""
    found = [masking.shown(orjson.loads(text)) for text in texts]
    who = names_of(sql, {one[name] for one in found for name in ("created_by", "undone_by")})
    return [
        {
            **one,
            "a": named(one["a"]),
            "b": named(one["b"]),
            "cause": words.CAUSES.get(one["cause"], one["cause"]),
            "reason": one["evidence"].get("reason", ""),
            "trust": words.TRUST.get(one["trust"], ""),
            "made": moment(one["created_at"]),
            "by": who[one["created_by"]],
            "undone": moment(one["undone_at"]) if one["undone_at"] else None,
            "undone_by": who[one["undone_by"]],
            "line": one["line"]
            and {
                **one["line"],
                "channel": words.CHANNELS.get(one["line"]["channel"], one["line"]["channel"]),
                "at": moment(one["line"]["occurred_at"]),
            },
        }
        for one in found
    ]


def named(one: dict[str, Any]) -> dict[str, Any]:
    """An identity in words; the one that is nobody's handle carries what agents wrote."""
    if one["kind"] == "card":
        return {**identity({**one, "value": ""}), "id": one["id"], "kind": _("Notes and what was moved here")}
    return {**identity(one), "id": one["id"]}


def handles(sql: Cursor, ids: Iterable[int]) -> list[dict[str, Any]]:
    """Identities in words, with their contacts."""
    sql.execute(IDENTITIES.encode(), (sorted(ids),))
    return [{**named(masking.shown(orjson.loads(text))), "contacts": int(count)} for _id, text, count in sql.fetchall()]


def groups(sql: Cursor, found: Parted) -> list[dict[str, Any]]:
    """Where everything would be: each customer with his handles; one without an id would first be made."""
    ids = public_ids(sql, found.homes.values())
    shown = {int(one["id"]): one for one in handles(sql, found.homes)}
    members: dict[int, list[dict[str, Any]]] = {}
    for identity_, home in sorted(found.homes.items()):
        members.setdefault(home, []).append(shown[identity_])
    sql.execute(CALLED, (list(found.homes),))
    called = sql.fetchall()
    return [
        {
            "id": ids.get(home, ""),
            "title": title(of, called),
            "handles": of,
            "contacts": sum(one["contacts"] for one in of),
        }
        for home, of in sorted(members.items())
    ]


def title(of: list[dict[str, Any]], called: list[Any]) -> str:
    """What a card with these handles would be called: by the best name that was said of them, else by the first."""
    ids = {int(one["id"]) for one in of}
    name = next((said for identity_, said in called if identity_ in ids and said), "")
    return str(name or next((one["value"] for one in of if one["value"]), ""))


@page("GET", "HEAD", "POST", scope="write")
def undo(request: HttpRequest, principal: Principal, customer: str, link: str) -> HttpResponse:
    """`/customers/{id}/links/{link}/undo`: shows where everything would go, and does it when confirmed."""
    id_, reason = number_of(link), reason_of(request)
    with cursor("reading") as sql:
        if id_ is None or not is_of(sql, id_, customer_of(sql, customer)):
            raise Http404
    if request.method == "POST" and reason:
        return undone(request, principal, customer, id_, reason)
    found = attempt(lambda: merging.undo(id_, by=principal.viewer, reason="", dry_run=True))
    with cursor("reading") as sql:
        root = customer_of(sql, customer)
        sql.execute(BY_ID.encode(), ([id_, *found.still_connected_by],))
        one, *rest = sorted(told(sql, [text for _id, text in sql.fetchall()]), key=lambda row: int(row["id"]) != id_)
        shown = groups(sql, found)
        log_views(sql, principal.viewer, [root], request.path)
    context = {
        "customer": customer,
        "link": one,
        "groups": shown,
        "rest": rest,
        "trouble": "reason" if request.method == "POST" else "",
    }
    return render(request, "customers/undo.html", context)


def is_of(sql: Cursor, link: int, customer: int) -> bool:
    """Whether one end of the link is this customer's."""
    sql.execute(OF, (link, customer))
    return sql.fetchone() is not None


def undone(request: HttpRequest, principal: Principal, customer: str, id_: int, reason: str) -> HttpResponse:
    found = attempt(lambda: merging.undo(id_, by=principal.viewer, reason=reason))
    with cursor("reading") as sql:
        root = customer_of(sql, customer)
        to = public_ids(sql, [root])[root]
        log_views(sql, principal.viewer, set(found.homes.values()), request.path)
    if found.still_connected_by:
        return done(request, to, _("Taken back. Other evidence still connects the two: see the links."))
    if len(set(found.homes.values())) > 1:
        return done(request, to, _("Taken back: they are two again, and stay two."))
    return done(request, to, _("Taken back."))
