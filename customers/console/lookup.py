"""The screen pop: from what a telephone system or a CRM knows straight to the card, or to what it will become."""

from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from customers import founding, lookups, references, search
from customers.access import Principal, log_views
from customers.api.customers import CALL_ID, KINDS, wanted
from customers.api.problems import Problem
from customers.api.query import Query
from customers.cards import cards
from customers.console.finding import hits
from customers.console.notes import MOST
from customers.console.numbers import number
from customers.console.pages import Unreadable, clean, is_htmx, page, words
from customers.incoming import Agent
from customers.legible import legible
from customers.models import Reference
from customers.sql import Cursor, cursor

NAMES = (CALL_ID, *KINDS, "identifier", "q")
FOUND = 20


@page()
def lookup(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/lookup?phone=…` or `?call_id=…`: the card, at that call, or the choice; while it is nobody's it asks again."""
    asked = known(request)
    sought = " ".join(words(request.GET, "q", 1))
    lookups.count(principal, [(name, value) for name in NAMES for value in asked.getlist(name)])
    with cursor("reading") as sql:
        called = calls(sql, asked)
        found = [one.customer for one in called]
        try:
            found = found or search.by_handles(sql, wanted(Query(asked, *NAMES)))
        except Problem:
            found = []
        best = search.by_words(sql, sought, FOUND) if sought else search.Best()
        found = list(dict.fromkeys([*found, *best]))
        shown = cards(sql, found[:FOUND])
        log_views(sql, principal.viewer, shown, request.path)
    choice, many = hits(shown), best.cut or len(found) > FOUND
    if len(choice) == 1 and not many:
        return opened(request, choice[0]["id"], called[0].line if called else None)
    context = awaited(asked, principal) | {"choice": choice, "many": many}
    return render(request, "customers/choice.html" if is_htmx(request) else "customers/lookup.html", context)


def calls(sql: Cursor, asked: QueryDict) -> list[references.Found]:
    """The calls with one of these ids, newest first."""
    return [one for value in asked.getlist(CALL_ID) for one in references.find(sql, value, Reference.CALL)]


def awaited(asked: QueryDict, principal: Principal) -> dict[str, object]:
    """What is known of somebody who is nobody's customer yet."""
    values = [value for name in NAMES if name != CALL_ID for value in asked.getlist(name)]
    about = next((one for value in asked.getlist("phone") or values[:1] if (one := number(value))), None)
    return {
        "values": values or asked.getlist(CALL_ID),
        "about": about,
        "again": asked.urlencode(),
        "q": values[0] if values else "",
        "may_write": principal.may("write"),
        "note_key": uuid4(),
    }


def opened(request: HttpRequest, customer: str, line: UUID | None = None) -> HttpResponse:
    address = reverse("card", args=[customer]) + (f"?at={line}" if line else "")
    return HttpResponse(headers={"HX-Redirect": address}) if is_htmx(request) else redirect(address)


def known(request: HttpRequest) -> QueryDict:
    """Telephone systems add parameters of their own; those are no reason to refuse."""
    found = QueryDict(mutable=True)
    for name in NAMES:
        values = [clean(value)[:300] for value in request.GET.getlist(name)[:20]]
        found.setlist(name, [value for value in values if value.strip()])
    return found


@page("POST", scope="write")
def found(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/lookup/note`: a note on a number of which nothing is known founds its card, and opens it."""
    text = str(legible(clean(request.POST.get("text", "")))).strip()
    phone = clean(request.POST.get("phone", ""))[:300]
    try:
        key = UUID(request.POST.get("key", ""))
    except ValueError as error:
        raise Unreadable from error
    trouble = "empty" if not text else "long" if len(text) > MOST else ""
    if not trouble:
        agent = Agent(principal.viewer, principal.name)
        with cursor() as sql:
            try:
                line, fresh = founding.note_on(phone, text, key=f"{principal.viewer}:{key}", agent=agent)
            except founding.NobodysNumber:
                trouble = "nobody"
            else:
                trouble = "" if fresh else "twice"
                owner = search.by_handles(sql, [("phone", phone, None)])
                log_views(sql, principal.viewer, owner, request.path)
                (card,) = hits(cards(sql, owner[:1]))
        if not trouble:
            return redirect(f"{reverse('card', args=[card['id']])}?at={line}")
    asked = QueryDict(mutable=True)
    asked["phone"] = phone
    context = awaited(asked, principal) | {"choice": [], "trouble": trouble, "text": text[:MOST]}
    return render(request, "customers/lookup.html", context, status=400)
