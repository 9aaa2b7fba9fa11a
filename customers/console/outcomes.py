"""What was done is said on the next page, with a way back; what was not done is said on the same one."""

from collections.abc import Iterable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.translation import gettext as _

from customers.console.pages import Unreadable, clean
from customers.sql import Cursor

REASON = 1_000
NAMES = """
SELECT 'user:' || id, username FROM auth_user WHERE 'user:' || id = ANY(%(viewers)s)
 UNION ALL SELECT 'key:' || id, name FROM customers_apikey WHERE 'key:' || id = ANY(%(viewers)s)
"""
PUBLIC = "SELECT id, public_id::text FROM customers_customer WHERE id = ANY(%s)"


def done(request: HttpRequest, customer: str, text: str, *, take_back: str = "") -> HttpResponse:
    """To the card with a sentence; no personal data in it, it travels in a cookie."""
    return say(request, redirect("card", customer), text, take_back=take_back)


def say(request: HttpRequest, answer: HttpResponse, text: str, *, take_back: str = "") -> HttpResponse:
    if take_back:
        text = format_html('{} <a id="take-back" href="{}">{}</a>', text, take_back, _("Take it back"))
    messages.success(request, text)
    return answer


def reason_of(request: HttpRequest) -> str:
    return clean(request.POST.get("reason", ""))[:REASON].strip()


def key_of(request: HttpRequest) -> str:
    """The key of a form, made when it was shown: sent twice it does its work once."""
    try:
        return str(UUID(request.POST.get("key", "")))
    except ValueError as error:
        raise Unreadable from error


def number_of(text: str) -> int | None:
    """An id of ours as it stands in addresses and forms."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def public_ids(sql: Cursor, customers: Iterable[int]) -> dict[int, str]:
    sql.execute(PUBLIC, (sorted(set(customers)),))
    return dict(sql.fetchall())


def names_of(sql: Cursor, viewers: Iterable[str]) -> dict[str, str]:
    """Who is meant by «user:7», «key:3», or by the rules themselves."""
    asked = sorted(set(viewers))
    found = {one: str(_("the rules")) for one in asked if one in ("rules", "")}
    sql.execute(NAMES, {"viewers": asked})
    found.update(sql.fetchall())
    return {one: found.get(one, one) for one in asked}
