"""Segments: saved filters with live counts, a form to make them, their customers as a table; and the dates due."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from customers.access import Principal, log_views
from customers.api.segments import as_file, may_ask
from customers.console import meanings
from customers.console.behind import named
from customers.console.measures import stages
from customers.console.outcomes import say
from customers.console.pages import Refused, Unreadable, clean, page, word
from customers.experience import dates, segments
from customers.experience.filters import OPERATIONS, BadFilter
from customers.experience.paging import BadToken
from customers.models import Segment
from customers.sql import Cursor, cursor

BLANK, MOST = 3, 10
DAYS, ROWS = 30, 50
NAMED = ("attribute", "tag")
Given = list[dict[str, str]] | None
"""The lines of the form; None for a filter that it cannot hold."""
COLUMNS = ("field", "of", "op", "value")


@page()
def overview(request: HttpRequest, principal: Principal) -> HttpResponse:
    """`/segments`: all of them with how many they mean now, and whose day comes."""
    with cursor("reading") as sql:
        known = [(one, counted(sql, one.filter)) for one in Segment.objects.order_by("name", "id")[:200]]
        due = dates.due(sql, DAYS)
        rows: list[dict[str, Any]] = [
            {"on": one.on, "what": meanings.DATES[one.what], "years": one.years, "customer": one.customer}
            for one in due
        ]
        named(sql, rows, {str(one.customer): one.customer_id for one in due})
        log_views(sql, principal.viewer, [one.customer_id for one in due], request.path)
    context = {"segments": known, "due": rows, "days": DAYS, "may_write": principal.may("write")}
    return render(request, "customers/segments.html", context)


def counted(sql: Cursor, said: Any) -> int | None:
    """None for a filter that nobody can read any more."""
    try:
        return segments.count(sql, said)
    except BadFilter:
        return None


@page("GET", "HEAD", "POST")
def segment(request: HttpRequest, principal: Principal, number: int | None = None) -> HttpResponse:
    """`/segments/new`, `/segments/{number}`: whom it means; the form counts, saves and removes."""
    if request.method == "POST" and not principal.may("write"):
        raise Refused
    known = of(number) if number is not None else None
    trouble: dict[str, str] = {}
    given: Given
    if request.method == "POST":
        do, name = word(request.POST, "do", 10), clean(request.POST.get("name", "")).strip()[:200]
        if do == "remove" and known:
            known.delete()
            return say(request, redirect("segments"), _("Removed."))
        given = rows_of(request.POST)
        said = filter_of(given or [], word(request.POST, "all", 5))
        may_ask(said)
        if do == "save":
            trouble = save(known, name, said, principal)
            if not trouble:
                return say(request, redirect("segments"), _("Saved."))
    else:
        said = known.filter if known else {"all": []}
        name, given = known.name if known else "", shown(said)
    context = {
        "segment": known,
        "name": name,
        "given": None if given is None else padded(given),
        "any": "any" in said,
        "filter": said,
        "fields": meanings.FIELDS.items(),
        "operations": meanings.OPERATIONS.items(),
        "stages": stages().values(),
        "trouble": trouble,
        "may_write": principal.may("write"),
        "may_export": not principal.masked and known is not None,
        **members(request, principal, said),
    }
    return render(request, "customers/segment.html", context, status=400 if trouble else 200)


def members(request: HttpRequest, principal: Principal, said: Any) -> dict[str, Any]:
    """How many, and the first of them; or what is wrong with the filter."""
    try:
        with cursor("reading") as sql:
            rows, ids, following = segments.members(
                sql, said, limit=ROWS, cursor=word(request.GET, "cursor", 60) or None
            )
            log_views(sql, principal.viewer, ids, request.path)
            count = segments.count(sql, said)
    except BadToken as error:
        raise Unreadable from error
    except BadFilter as error:
        return {"wrong": wrong(error), "count": None}
    for one in rows:
        one["stage"] = stages().get(one["stage"] or "", "")
    return {"count": count, "rows": rows, "older": following}


def wrong(error: BadFilter) -> str:
    place = error.field.split(".")[1] if error.field.count(".") else ""
    line = str(int(place) + 1) if place.isdigit() else ""
    return _("Line %(line)s of the filter cannot be read: see what its field is compared with.") % {"line": line or "?"}


def of(number: int) -> Segment:
    try:
        return Segment.objects.get(pk=number)
    except (Segment.DoesNotExist, OverflowError) as error:
        raise Http404 from error


def save(known: Segment | None, name: str, said: Any, principal: Principal) -> dict[str, str]:
    if not name:
        return {"name": _("Give it a name.")}
    try:
        with cursor("reading") as sql:
            segments.count(sql, said)
        with transaction.atomic():
            if known:
                known.name, known.filter = name, said
                known.save(update_fields=["name", "filter"])
            else:
                Segment.objects.create(name=name, filter=said, created_by=principal.name)
    except BadFilter as error:
        return {"filter": wrong(error)}
    except IntegrityError:
        return {"name": _("There is a segment of this name.")}
    return {}


def rows_of(given: QueryDict) -> list[dict[str, str]]:
    """The lines of the form that say something."""
    columns = [
        [clean(str(one))[:200].strip() for one in given.getlist(name)[:MOST]] for name in ("field", "of", "op", "value")
    ]
    found = [dict(zip(("field", "of", "op", "value"), row, strict=True)) for row in zip(*columns, strict=False)]
    return [one for one in found if one["field"]]


def filter_of(given: list[dict[str, str]], how: str) -> dict[str, Any]:
    return {"any" if how == "any" else "all": [condition(one) for one in given]}


def condition(row: Mapping[str, str]) -> dict[str, Any]:
    field = f"{row['field']}:{row['of']}" if row["field"] in NAMED else row["field"]
    found: dict[str, Any] = {"field": field, "op": row["op"]}
    if row["op"] in ("set", "unset"):
        return found
    return {**found, "value": value_of(row["field"], row["value"])}


def value_of(field: str, text: str) -> Any:
    """Numbers for what is counted, a stage by its name."""
    if field == "stage":
        return {name.casefold(): stage for stage, name in stages().items()}.get(text.casefold(), text)
    if field in NAMED or field not in OPERATIONS:
        return text
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return text
    return int(number) if number.is_integer() else number


def shown(said: Any) -> list[dict[str, str]] | None:
    """A filter as the lines of the form; None for one that the form cannot hold."""
    if not isinstance(said, Mapping):
        return None
    conditions = said.get("all", said.get("any", [said] if "field" in said else None))
    if not isinstance(conditions, list) or len(conditions) > MOST:
        return None
    found = []
    for one in conditions:
        if not isinstance(one, Mapping) or not isinstance(one.get("field"), str) or isinstance(one.get("value"), list):
            return None
        kind, _colon, rest = one["field"].partition(":")
        value = one.get("value")
        text = stages().get(str(value), str(value)) if kind == "stage" else "" if value is None else str(value)
        found.append({"field": kind, "of": rest, "op": str(one.get("op")), "value": text})
    return found


def padded(given: list[dict[str, str]]) -> list[dict[str, str]]:
    return [*given, *({"field": "", "of": "", "op": "is", "value": ""} for _number in range(BLANK))][:MOST]


@page()
def export(request: HttpRequest, principal: Principal, number: int) -> Any:
    """`/segments/{number}/export`: a table to take away, each customer logged."""
    if principal.masked:
        raise Refused
    return as_file(of(number), principal.viewer, request.path)
