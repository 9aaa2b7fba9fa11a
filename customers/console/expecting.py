"""Expectations for agents: what a customer expects, said on a line or on the card, and how it turned out."""

from typing import Any
from uuid import UUID, uuid4

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from customers.access import Principal, log_views
from customers.console.outcomes import key_of, say
from customers.console.pages import Unreadable, clean, page, word
from customers.console.promised import EMOTIONS, OUTCOMES, expectation
from customers.console.promises import speaker
from customers.console.sides import sides, subject
from customers.console.timelines import whole_line
from customers.experience import expected, stating
from customers.experience.facts import NoSuchLine
from customers.experience.stating import NewExpectation, NoSuchThing, OtherWords
from customers.models import Expectation
from customers.sql import cursor


@page("GET", "HEAD", "POST", scope="write")
def expects_on(request: HttpRequest, principal: Principal, customer: str, interaction: str) -> HttpResponse:
    """`/customers/{id}/expectation/{line}`: what the customer said in this line that he expects."""
    return stated(request, principal, customer, whole_line(request, principal, customer, interaction))


@page("GET", "HEAD", "POST", scope="write")
def expects(request: HttpRequest, principal: Principal, customer: str) -> HttpResponse:
    """`/customers/{id}/expectation`"""
    return stated(request, principal, customer, None)


def stated(request: HttpRequest, principal: Principal, customer: str, line: Any) -> HttpResponse:
    root, one = subject(request, principal, customer)
    what, trouble = clean(request.POST.get("what", ""))[:1000].strip(), ""
    lasting = bool(request.POST.get("lasting"))
    if request.method == "POST":
        key, by = stating.key_of(speaker(principal), key_of(request)), speaker(principal)
        trouble = "" if what else "what"
        if what:
            new = NewExpectation(what, lasting)
            try:
                if line is None:
                    stating.expect_of(root, new, key=key, by=by)
                else:
                    stating.expect_on(UUID(line.id), new, key=key, by=by)
            except (NoSuchLine, NoSuchThing) as error:
                raise Http404 from error
            except OtherWords as error:
                raise Unreadable from error
            to = f"{reverse('card', args=[one['id']])}{f'?at={line.id}' if line else ''}"
            return say(request, redirect(to), _("Noted. The card shows it to whoever speaks with him next."))
    given = {"what": what, "lasting": lasting}
    context = {"one": one, "line": line, "given": given, "trouble": trouble, "key": request.POST.get("key") or uuid4()}
    return render(request, "customers/expectation_new.html", context, status=400 if trouble else 200)


@page("GET", "HEAD", "POST", scope="write")
def outcome(request: HttpRequest, principal: Principal, number: UUID) -> HttpResponse:
    """`/expectations/{id}`: missed, met or exceeded, and how the customer felt at that moment."""
    as_, felt = word(request.POST, "outcome", 20), word(request.POST, "emotion", 2)
    trouble = ""
    try:
        if request.method == "POST":
            trouble = "" if as_ in OUTCOMES else "outcome"
            if not trouble:
                emotion = int(felt) if felt in EMOTIONS else None
                stating.state_outcome(number, as_, emotion, by=speaker(principal))
        found = stating.fresh(Expectation, number)
    except NoSuchThing as error:
        raise Http404 from error
    with cursor("reading") as sql:
        text = expected.one(sql, number)
        beside = sides(sql, [found.customer_id]).get(found.customer_id)
        log_views(sql, principal.viewer, [found.customer_id], request.path)
    if text is None or beside is None:
        raise Http404
    if request.method == "POST" and not trouble:
        return say(request, redirect(f"{reverse('card', args=[beside['id']])}?at={found.line_id}"), _("Noted."))
    context = {
        "expectation": expectation(text[0]),
        "one": beside,
        "outcomes": OUTCOMES.items(),
        "emotions": EMOTIONS.items(),
        "trouble": trouble,
    }
    return render(request, "customers/expectation.html", context, status=400 if trouble else 200)
