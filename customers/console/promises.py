"""Promises for agents: what is due, made on a line or on a card, ended, moved, handed over."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.access import Principal, log_views
from customers.console.behind import named
from customers.console.outcomes import key_of, reason_of, say
from customers.console.pages import Unreadable, clean, page, word
from customers.console.promised import LISTS, PROMISE_KINDS, promise
from customers.console.sides import sides, subject
from customers.console.timelines import whole_line
from customers.experience import owed, stating
from customers.experience.calendar import calendars
from customers.experience.duewords import due_in_words
from customers.experience.facts import NoSuchLine
from customers.experience.stating import NewPromise, NoSuchThing, OtherWords, Settled, Speaker
from customers.models import Promise
from customers.sql import cursor

ROWS = 40
MINE, ALL = "mine", "all"


@page()
def promises(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/promises`, with `whose` (mine or all), `state` and `cursor`; the most overdue first."""
    whose, state = word(request.GET, "whose", 10), word(request.GET, "state", 20)
    whose = whose if whose in (MINE, ALL) else ALL if principal.supervises else MINE
    state = state if state in LISTS else owed.WAITING
    with cursor("reading") as sql:
        try:
            found = owed.owed(
                sql,
                state=state,
                owner=principal.name if whose == MINE else None,
                token=word(request.GET, "cursor", 100) or None,
                limit=ROWS,
            )
        except owed.BadToken as error:
            raise Unreadable from error
        rows = [promise(text) for text in found.rows]
        named(sql, rows, dict(found.whose))
        log_views(sql, principal.viewer, found.customers, request.path)
    said = {"whose": whose, "state": state}
    context = {
        "rows": rows,
        "whose": whose,
        "state": state,
        "states": LISTS.items(),
        "older": urlencode({**said, "cursor": found.next}) if found.next else "",
        "first": urlencode(said),
        "paged": "cursor" in request.GET,
        "may_write": principal.may("write"),
    }
    return render(request, "customers/promises.html", context)


@page("GET", "HEAD", "POST", scope="write")
def promise_on(request: HttpRequest, principal: Principal, customer: str, interaction: str) -> HttpResponse:
    """`/customers/{id}/promise/{line}`: what was promised in this line; filled with what its text seems to promise."""
    line = whole_line(request, principal, customer, interaction)
    return made(request, principal, customer, line)


@page("GET", "HEAD", "POST", scope="write")
def promise_to(request: HttpRequest, principal: Principal, customer: str) -> HttpResponse:
    """`/customers/{id}/promise`: a promise without a line."""
    return made(request, principal, customer, None)


def made(request: HttpRequest, principal: Principal, customer: str, line: Any) -> HttpResponse:
    root, one = subject(request, principal, customer)
    source = line.entry["source"] if line else ""
    given, trouble = first(line, principal), ""
    if request.method == "POST":
        given, key = sent(request), key_of(request)
        due = due_of(given, source)
        trouble = "what" if not given["what"] else "due" if due is None else "past" if due <= timezone.now() else ""
        if not trouble and due is not None:
            kind = given["kind"] if given["kind"] in PROMISE_KINDS else "any"
            new = NewPromise(given["what"], kind, due.astimezone(UTC), given["owner"])
            stated(root, line, new, stating.key_of(speaker(principal), key), speaker(principal))
            to = f"{reverse('card', args=[one['id']])}{f'?at={line.id}' if line else ''}"
            return say(request, redirect(to), _("Promised. Whoever owns it sees it among the promises."))
    context = {
        "one": one,
        "line": line,
        "given": given,
        "trouble": trouble,
        "key": request.POST.get("key") or uuid4(),
        "kinds": PROMISE_KINDS.items(),
        "owners": owners(),
    }
    return render(request, "customers/promise_new.html", context, status=400 if trouble else 200)


def stated(root: int, line: Any, new: NewPromise, key: str, by: Speaker) -> Promise:
    try:
        if line is None:
            return stating.promise_to(root, new, key=key, by=by)
        return stating.promise_on(UUID(line.id), new, key=key, by=by)
    except (NoSuchLine, NoSuchThing) as error:
        raise Http404 from error
    except OtherWords as error:
        raise Unreadable from error


def first(line: Any, principal: Principal) -> dict[str, str]:
    """What the form says before anybody wrote in it."""
    guess = line.suggestion if line else None
    if guess is None:
        return {"what": "", "kind": "callback", "due_at": "", "due": "", "owner": principal.name}
    said = {"what": guess["what"], "kind": guess["kind"], "due_at": f"{guess['due_at']:%Y-%m-%dT%H:%M}"}
    return {**said, "due": "", "owner": principal.name, "words": guess["words"]}


def sent(request: HttpRequest) -> dict[str, str]:
    most = {"what": 1000, "kind": 32, "due_at": 40, "due": 200, "owner": 200}
    return {name: clean(request.POST.get(name, ""))[:length].strip() for name, length in most.items()}


def due_of(given: dict[str, str], source: str) -> datetime | None:
    """Words go before the clock: whoever wrote some meant them."""
    if given["due"]:
        return due_in_words(given["due"], timezone.now(), calendars().of(source), timezone.get_current_timezone())
    return moment_of(given["due_at"])


def moment_of(text: str) -> datetime | None:
    """A time of the reader's zone, as a form sends it."""
    try:
        return timezone.make_aware(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def owners() -> list[str]:
    return list(User.objects.filter(is_active=True).order_by("username").values_list("username", flat=True)[:200])


def speaker(principal: Principal) -> Speaker:
    return Speaker(principal.viewer, principal.name)


@page("GET", "HEAD", "POST", scope="write")
def one(request: HttpRequest, principal: Principal, number: UUID) -> HttpResponse:
    """`/promises/{id}`: what became of it, and what one can do; `done` says what."""
    try:
        trouble = changed(request, principal, number) if request.method == "POST" else ""
        found = stating.fresh(Promise, number)
    except NoSuchThing as error:
        raise Http404 from error
    with cursor("reading") as sql:
        text = owed.one(sql, number)
        beside = sides(sql, [found.customer_id]).get(found.customer_id)
        log_views(sql, principal.viewer, [found.customer_id], request.path)
    if text is None or beside is None:
        raise Http404
    if request.method == "POST" and not trouble:
        if word(request.POST, "back", 10) == "list":
            return say(request, redirect("promises"), _("Noted."))
        return say(request, redirect(f"{reverse('card', args=[beside['id']])}?at={found.line_id}"), _("Noted."))
    context = {"promise": promise(text[0]), "one": beside, "trouble": trouble, "owners": owners()}
    return render(request, "customers/promise.html", context, status=400 if trouble else 200)


def changed(request: HttpRequest, principal: Principal, id_: UUID) -> str:
    """Does what was asked; the name of what is wrong with it."""
    done, why, by = word(request.POST, "done", 20), reason_of(request), speaker(principal)
    try:
        if done in (Promise.KEPT, Promise.CANCELLED):
            stating.close_promise(id_, done, why=why, by=by)
        elif done == "reopen":
            stating.reopen_promise(id_, by=by)
        elif done == "assign":
            stating.assign_promise(id_, word(request.POST, "owner", 200), by=by)
        elif done == "move":
            due = due_of(sent(request), "")
            if due is None or due <= timezone.now():
                return "due" if due is None else "past"
            stating.move_promise(id_, due.astimezone(UTC), why=why, by=by)
        else:
            raise Unreadable
    except Settled:
        return "settled"
    return ""
