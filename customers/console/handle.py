"""One handle of a customer: several persons use it, nobody is reached by it, or it changed hands."""

from datetime import UTC, datetime
from typing import Any

import orjson
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers import blocklist, reassigning, sharing
from customers.access import Principal, log_views
from customers.console.links import IDENTITIES, handles, named
from customers.console.outcomes import REASON, done, number_of, public_ids, say
from customers.console.pages import Unreadable, clean, customer_of, page, word
from customers.models import BlockedHandle
from customers.reassigning import NotReleased
from customers.sql import Cursor, cursor

KEPT = """
SELECT i.kind, i.value, i.shared, i.valid_from, i.valid_to FROM customers_identity i
 WHERE i.id = %s AND i.customer_id = %s
"""
LISTED = "SELECT why, note, source_id FROM customers_blockedhandle WHERE kind = %s AND value = %s ORDER BY source_id"
WHY = {
    BlockedHandle.BLOCKED: gettext_lazy("nobody: made up or withheld"),
    BlockedHandle.ROLE: gettext_lazy("an organisation, not one person"),
    BlockedHandle.NO_REPLY: gettext_lazy("an automatic sender"),
    BlockedHandle.ALLOWED: gettext_lazy("a person after all"),
}
"""Whom a handle names, as the list has it."""


@page("GET", "HEAD", "POST", scope="write")
def handle(request: HttpRequest, principal: Principal, customer: str, handle: str) -> HttpResponse:
    """`/customers/{id}/handles/{identity}`; a POST names what is `done` to it."""
    id_ = number_of(handle)
    with cursor("reading") as sql:
        root = customer_of(sql, customer)
        if id_ is None or (kept := kept_of(sql, id_, root)) is None:
            raise Http404
        log_views(sql, principal.viewer, [root], request.path)
    trouble = ""
    if request.method == "POST":
        if kept["kind"] in ("card", "anonymous"):
            raise Unreadable
        try:
            return acted(request, principal, id_, kept)
        except NotReleased:
            trouble = "at"
    with cursor("reading") as sql:
        review = sharing.review(sql, id_)
        parts = [{"handles": handles(sql, ids), "contacts": contacts} for ids, contacts in review.groups]
        public = public_ids(sql, [root])[root]
    context = {
        "customer": public,
        "one": kept,
        "parts": parts if len(parts) > 1 else [],
        "resting": len(review.links),
        "reviewing": len(review.candidates),
        "why": WHY.items(),
        "trouble": trouble,
        "at": word(request.POST, "at", 40),
        "now": timezone.localtime().strftime("%Y-%m-%dT%H:%M"),
    }
    return render(request, "customers/handle.html", context, status=400 if trouble else 200)


def kept_of(sql: Cursor, id_: int, root: int) -> dict[str, Any] | None:
    """The identity in words, with what is known of it; None if it is not this customer's."""
    sql.execute(KEPT, (id_, root))
    row = sql.fetchone()
    if row is None:
        return None
    kind, value, shared, valid_from, valid_to = row
    sql.execute(IDENTITIES.encode(), ([id_],))
    ((_id, text, contacts),) = sql.fetchall()
    sql.execute(LISTED, (kind, value))
    listed = sql.fetchone()
    return {
        "id": id_,
        "kind": kind,
        "value": value,
        "words": named(orjson.loads(text)),
        "contacts": int(contacts),
        "shared": shared,
        "since": valid_from,
        "until": valid_to,
        "listed": listed and {"why": WHY.get(listed[0], listed[0]), "note": listed[1], "own": listed[2] != 0},
    }


def acted(request: HttpRequest, principal: Principal, id_: int, kept: dict[str, Any]) -> HttpResponse:
    """Raises NotReleased for a time that cannot be."""
    what = request.POST.get("done", "")
    if what == "share":
        sharing.share(id_)
        text = _("Several people use it: it links nobody any more.")
    elif what == "unshare":
        sharing.unshare(id_)
        text = _("It is one person's: it links again from the next contact on.")
    elif what == "block":
        why = request.POST.get("why", "")
        if why not in WHY:
            raise Unreadable
        note = clean(request.POST.get("note", ""))[:REASON].strip()
        blocklist.block(kept["kind"], kept["value"], why=why, note=note, by=principal.viewer)
        text = _("Listed: in force within five seconds. What stands stays.")
    elif what == "unblock":
        blocklist.unblock(kept["kind"], kept["value"])
        text = _("Taken off the list.")
    elif what == "release":
        return released(request, principal, id_)
    else:
        raise Unreadable
    with cursor("reading") as sql:
        customer = owner(sql, id_)
    return say(request, redirect("handle", customer, id_), text)


def released(request: HttpRequest, principal: Principal, id_: int) -> HttpResponse:
    found = reassigning.release(id_, moment_of(word(request.POST, "at", 40)))
    with cursor("reading") as sql:
        ids = public_ids(sql, {found.customer, found.successor or found.customer})
        log_views(sql, principal.viewer, ids, request.path)
    if found.successor is None:
        return done(request, ids[found.customer], _("It changed hands: the next contact by it is a new person's."))
    text = _("It changed hands: this is the new card, with the contacts since then.")
    return done(request, ids[found.successor], text)


def moment_of(text: str) -> datetime:
    """A time in the reader's zone; now, if none is said. Raises NotReleased for what is none."""
    if not text:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise NotReleased(str(error)) from error
    return found if found.tzinfo else found.replace(tzinfo=timezone.get_current_timezone())


def owner(sql: Cursor, id_: int) -> str:
    sql.execute(
        "SELECT c.public_id::text FROM customers_identity i JOIN customers_customer c ON c.id = i.customer_id"
        " WHERE i.id = %s",
        (id_,),
    )
    row = sql.fetchone()
    return str(row[0]) if row else ""
