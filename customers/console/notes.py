"""Adds a note, by a plain form or in place."""

from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from customers.access import Principal, log_views
from customers.console.compiled import drawn, token
from customers.console.pages import Unreadable, clean, customer_of, is_htmx, page, uuid_of
from customers.incoming import Agent
from customers.legible import legible
from customers.notes import add_note
from customers.sql import cursor

MOST = 50_000


def empty_form(request: HttpRequest) -> dict[str, Any]:
    """What a fresh form shows."""
    return {"note_key": uuid4(), "trouble": "", "text": "", "added": False, "csrf": token(request)}


@page("POST", scope="write")
def note(request: HttpRequest, principal: Principal, customer: str) -> HttpResponse:
    """The form's key makes sure that a note sent twice is added once."""
    text = str(legible(clean(request.POST.get("text", "")))).strip()
    try:
        key = UUID(request.POST.get("key", ""))
    except ValueError as error:
        raise Unreadable from error
    trouble = "empty" if not text else "long" if len(text) > MOST else ""
    line = None
    with cursor() as sql:
        root = customer_of(sql, customer)
        if not trouble:
            agent = Agent(principal.viewer, principal.name)
            line, fresh = add_note(sql, root, text, key=f"{principal.viewer}:{key}", agent=agent)
            log_views(sql, principal.viewer, [root], request.path)
            trouble = "" if fresh else "twice"
    if trouble or is_htmx(request):
        context = {
            "card": {"id": str(uuid_of(customer))},
            "csrf": token(request),
            "note_key": uuid4() if not trouble or trouble == "twice" else key,
            "trouble": trouble,
            "text": text[:MOST] if trouble else "",
            "added": not trouble,
        }
        form = drawn("customers/note_form.html", **context)
        if not is_htmx(request):
            return render(request, "customers/note.html", {**context, "form": form}, status=400)
        answer = HttpResponse(form)
        if not trouble:
            answer["HX-Trigger"] = "cxhub:news"
        return answer
    return redirect(f"{reverse('card', args=[customer])}?at={line}")
