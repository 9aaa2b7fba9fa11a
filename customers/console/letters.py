"""A letter's own HTML, cleaned, in a frame that may do nothing: no scripts, no forms, nothing from elsewhere."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import nh3
from csp.decorators import csp
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin

from customers import attachments
from customers.access import Principal
from customers.console.lines import PICTURES
from customers.console.pages import Decorated, Refused, page
from customers.console.timelines import whole_line
from customers.models.attachment import Attachment

MOST = 500_000
PICTURES_MOST = 6_000_000
"""Bytes of all the pictures of a letter that are shown in it."""
TAGS = {
    one
    for row in (
        "a abbr b big blockquote br caption center cite code col colgroup dd del div dl dt em font h1 h2 h3 h4 h5",
        "h6 hr i img ins kbd li ol p pre q s samp small span strike strong sub sup table tbody td tfoot th thead",
        "tr tt u ul",
    )
    for one in row.split()
}
DROPPED = {"script", "style", "title", "head", "noscript", "template", "svg", "math", "object", "select", "textarea"}
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align"},
    "ol": {"start"},
    "*": {"dir", "lang"},
}
SANDBOX = ["allow-popups", "allow-popups-to-escape-sandbox"]
POLICY = {
    "default-src": ["'none'"],
    "style-src": ["'self'"],
    "img-src": ["data:"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'self'"],
    "sandbox": SANDBOX,
}


def cleaned(html: str, own: Mapping[str, str] | None = None, *, images: bool = False) -> str:
    """What is left of a letter's HTML; without `images` nothing in it is fetched from anywhere.

    `own` are the pictures that came with it: {Content-ID: address of its bytes}.
    """
    cleaner = nh3.Cleaner(
        tags=TAGS,
        clean_content_tags=DROPPED,
        attributes=ATTRIBUTES,
        attribute_filter=addresses(own or {}, images=images),
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        url_relative="deny",
        link_rel="noopener noreferrer",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return cleaner.clean(html.replace("\x00", "")[:MOST])


def addresses(own: Mapping[str, str], *, images: bool) -> Callable[[str, str, str], str | None]:
    """What becomes of the addresses that the cleaner lets through: links lead out, pictures stay at home."""

    def left(tag: str, name: str, value: str) -> str | None:
        if name not in ("src", "href"):
            return value
        scheme, _, rest = value.strip().partition(":")
        if scheme.casefold() == "cid":
            return own.get(unquote(rest).strip()) if tag == "img" else None
        return value if tag != "img" or images else None

    return left


def own_pictures(entry: Mapping[str, Any]) -> dict[str, str]:
    """The stored pictures that a letter refers to by their Content-ID, as `data:`.

    From within the frame nothing can be fetched in the reader's name, so the bytes go along.
    """
    inline = entry["details"].get("inline")
    if not isinstance(inline, dict):
        return {}
    line = UUID(entry["id"])
    ids = {attachments.attachment_id(line, ref, ""): cid for cid, ref in list(inline.items())[:100] if is_text(ref)}
    rows = Attachment.objects.filter(
        line_id=line, id__in=ids, state=Attachment.STORED, content_type__in=PICTURES, stored_size__lte=PICTURES_MOST
    )
    found: dict[str, str] = {}
    left = PICTURES_MOST
    for row in rows.order_by("stored_size"):
        left -= row.stored_size or 0
        if left < 0:
            break
        try:
            with attachments.open(row) as file:
                found[ids[row.id]] = f"data:{row.content_type};base64,{b64encode(file.read()).decode()}"
        except FileNotFoundError:
            continue
    return found


def is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


# The link that asks for pictures stands outside of the frame: from within, no cookie would go along.
def letter(request: HttpRequest, customer: str, interaction: str) -> HttpResponseBase:
    """`/customers/{id}/lines/{line}/letter`; `?images=1` when the reader asked for those of other servers."""
    view: Decorated = with_images if request.GET.get("images") == "1" else without_images
    return view(request, customer, interaction)


@xframe_options_sameorigin
@csp(POLICY)
@page()
def without_images(request: HttpRequest, principal: Principal, customer: str, interaction: str) -> HttpResponse:
    return shown(request, principal, customer, interaction, images=False)


@xframe_options_sameorigin
@csp({**POLICY, "img-src": ["data:", "https:", "http:"]})
@page()
def with_images(request: HttpRequest, principal: Principal, customer: str, interaction: str) -> HttpResponse:
    return shown(request, principal, customer, interaction, images=True)


def shown(request: HttpRequest, principal: Principal, customer: str, interaction: str, *, images: bool) -> HttpResponse:
    if principal.masked:  # A letter's own HTML hides numbers between its tags.
        raise Refused
    entry = whole_line(request, principal, customer, interaction).entry
    html = entry["details"].get("html")
    if not isinstance(html, str):
        raise Http404
    answer = render(request, "customers/letter.html", {"html": cleaned(html, own_pictures(entry), images=images)})
    answer["Referrer-Policy"] = "no-referrer"
    return answer
