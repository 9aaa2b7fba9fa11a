"""The timeline that is shown, as a file to keep: with the filters of the address, whatever its place in the history."""

from typing import Any

from django.http import HttpRequest

from customers import exporting
from customers.access import Principal
from customers.api.exports import as_file
from customers.console.asked import Asked
from customers.console.pages import Refused, Unreadable, customer_of, page, uuid_of
from customers.sql import cursor


@page()
def export(request: HttpRequest, principal: Principal, customer: str) -> Any:
    """`/customers/{id}/export?format=csv`"""
    if principal.masked:
        raise Refused
    kind = request.GET.get("format", "csv")
    if kind not in exporting.CONTENT_TYPES:
        raise Unreadable
    asked = Asked.of(request.GET)
    with cursor("reading") as sql:
        root = customer_of(sql, customer)
        exporting.log_export(sql, principal.viewer, root, request.path)
    head = {"customer": str(uuid_of(customer)), "filters": asked.query()}
    return as_file("json" if kind == "json" else "csv", root, asked.filters(), head)
