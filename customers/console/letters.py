"""A letter's own HTML, cleaned, in a frame that may do nothing: no scripts, no forms, nothing from elsewhere."""

import nh3
from csp.decorators import csp
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin

from customers.access import Principal
from customers.console.pages import Decorated, page
from customers.console.timelines import whole_line

MOST = 500_000
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
CLEANER = nh3.Cleaner(
    tags=TAGS,
    clean_content_tags=DROPPED,
    attributes=ATTRIBUTES,
    url_schemes={"http", "https", "mailto", "tel"},
    url_relative="deny",
    link_rel="noopener noreferrer",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)
BARE = nh3.Cleaner(
    tags=TAGS,
    clean_content_tags=DROPPED,
    attributes=ATTRIBUTES | {"img": {"alt"}},
    url_schemes={"http", "https", "mailto", "tel"},
    url_relative="deny",
    link_rel="noopener noreferrer",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)
SANDBOX = ["allow-popups", "allow-popups-to-escape-sandbox"]
POLICY = {
    "default-src": ["'none'"],
    "style-src": ["'self'"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'self'"],
    "sandbox": SANDBOX,
}


def cleaned(html: str, *, images: bool = False) -> str:
    """What is left of a letter's HTML; without `images` nothing in it is fetched from anywhere."""
    return (CLEANER if images else BARE).clean(html.replace("\x00", "")[:MOST])


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
@csp({**POLICY, "img-src": ["https:", "http:"]})
@page()
def with_images(request: HttpRequest, principal: Principal, customer: str, interaction: str) -> HttpResponse:
    return shown(request, principal, customer, interaction, images=True)


def shown(request: HttpRequest, principal: Principal, customer: str, interaction: str, *, images: bool) -> HttpResponse:
    entry = whole_line(request, principal, customer, interaction).entry
    html = entry["details"].get("html")
    if not isinstance(html, str):
        raise Http404
    answer = render(request, "customers/letter.html", {"html": cleaned(html, images=images)})
    answer["Referrer-Policy"] = "no-referrer"
    return answer
