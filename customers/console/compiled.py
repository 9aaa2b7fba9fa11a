"""Templates that Jinja2 compiles, for what a page says hundreds of times: their escaping, and what they may call.

Django's own take fifteen times as long for a line of the timeline. Each language has templates of its own, whose words
were translated when they were compiled. Whatever a template prints is escaped unless it is `Markup` or a SafeString:
only icons and pictures of ours are. A name that nobody gave is an error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template import engines
from django.template.defaultfilters import filesizeformat, floatformat
from django.templatetags.static import static
from django.utils import timezone, translation
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timesince import timesince
from django.utils.translation import get_language, gettext, ngettext
from jinja2 import Environment, StrictUndefined, Template, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.meta import find_undeclared_variables
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape
from markupsafe import _escape_inner as escape_inner  # type: ignore[attr-defined]

from customers.console import words
from customers.console.addressing import addresses
from customers.console.grouping import Grouped


def escaped(value: object) -> str:
    """What `markupsafe.escape` says, without making each of 1,500 texts of a page an object that knows it is safe."""
    kind = type(value)
    if kind is str:
        return escape_inner(value)  # type: ignore[arg-type]
    return value if kind in (SafeString, Markup) else escape(value)  # type: ignore[return-value]


class Quick(Template):
    """Compiled code calls `escape` for all that it prints, and what comes of it is joined at once."""

    @classmethod
    def from_code(cls, *args: Any, **kwargs: Any) -> Template:
        found = super().from_code(*args, **kwargs)
        found.root_render_func.__globals__.update(escape=escaped, escape_inner=escape_inner)
        return found


class Translated(NodeTransformer):
    """`_("…")` becomes what it says in the language that is active."""

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        match node:
            case nodes.Call(node=nodes.Name(name="_"), args=[nodes.Const(value=text)]):
                return nodes.Const(gettext(text), lineno=node.lineno)
        return self.generic_visit(node)


class Whole(NodeTransformer):
    """What a template includes stands in it: made at once, with the names of the template around it."""

    def __init__(self, within: "Quickly") -> None:
        self.within = within

    def visit_Include(self, node: nodes.Include) -> Any:
        match node.template:
            case nodes.Const(value=str(name)) if self.within.loader is not None:
                source, filename, _ = self.within.loader.get_source(self.within, name)
                return self.within._parse(source, name, filename).body
        return node


class Direct(CodeGenerator):
    """What is at hand is taken at once, not by functions that try several ways.

    A dictionary is asked for its key and an object for its attribute; what is called wants nothing of the template.
    """

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        self.visit(node.node, frame)
        self.write("(")
        for arg in (*node.args, *node.kwargs):
            self.visit(arg, frame)
            self.write(", ")
        self.write(")")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        """Most of what is printed is plain text, which is escaped without asking what it is."""
        self.printed = self.temporary_identifier()
        self.write(f"(escape_inner({self.printed}) if ({self.printed} := ")

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        self.write(f").__class__ is str else escape({self.printed}))")

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:
        held = self.temporary_identifier()
        self.write(f"({held}[{node.attr!r}] if ({held} := ")
        self.visit(node.node, frame)
        self.write(f").__class__ is dict else {held}.{node.attr})")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:
        self.visit(node.node, frame)
        self.write("[")
        self.visit(node.arg, frame)
        self.write("]")


class Quickly(Environment):
    template_class = Quick
    code_generator_class = Direct
    language = settings.LANGUAGE_CODE

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        found = super()._parse(source, name, filename)
        with translation.override(self.language):
            Translated().visit(found)
        Whole(self).visit(found)
        return found

    def _generate(self, source: nodes.Template, *rest: Any, **options: Any) -> str:
        """What is given is looked up once, not again for each line that says it."""
        ours = self.globals.keys() & {one.name for one in source.find_all(nodes.Name)}
        given = [nodes.Name(name, "load") for name in sorted(find_undeclared_variables(source) | ours)]
        source.body.insert(0, nodes.ExprStmt(nodes.Tuple(given, "load")))
        source.set_environment(self)
        return super()._generate(source, *rest, **options)

    @lru_cache(maxsize=8)  # noqa: B019 - there is one, as long as the process
    def speaking(self, language: str | None) -> "Quickly":
        """With the words of a language."""
        found: Quickly = self.overlay()
        found.language = language or settings.LANGUAGE_CODE
        return found


def environment(**options: Any) -> Environment:
    """What the settings name."""
    found = Quickly(**(options | {"autoescape": True, "undefined": StrictUndefined}))  # nosec B701 - it is on
    found.globals |= {
        "icons": Icons(),
        "clock": clock,
        "more_characters": more_characters,
        "more_files": more_files,
        "what_it_said_before": what_it_said_before,
        "tried": tried,
        "nobody_took": nobody_took,
    }
    found.filters |= {"cut": cut, "quoted": quoted, "since": since, "cells": cells, "listed": listed}
    found.filters |= {"filesizeformat": filesizeformat, "floatformat": decimal}
    return found


def drawn(name: str, /, **said: Any) -> SafeString:
    """A template with what it says, for another template to show as it is."""
    engine: Any = engines["jinja2"]
    language = get_language()
    template = engine.env.speaking(language).get_template(name)
    at = Times(language, timezone.get_current_timezone())
    known = {"to": addresses(), "short": at.short, "moment": at.moment, "when": at.when, "day": at.day}
    return SafeString(template.render(known | said))  # nosec B703


def answered(name: str, /, **said: Any) -> HttpResponse:
    return HttpResponse(drawn(name, **said))


def token(request: HttpRequest) -> SafeString:
    """The field of a form that changes something: one for all forms of an answer, another for each answer."""
    held: Any = request
    if not hasattr(held, "csrf_field"):
        value = get_token(request)
        # A cookie that the browser has sent is not sent back with each page: it is good for a year.
        if request.COOKIES.get(settings.CSRF_COOKIE_NAME) == request.META["CSRF_COOKIE"]:
            request.META["CSRF_COOKIE_NEEDS_UPDATE"] = False
        held.csrf_field = SafeString(f'<input type="hidden" name="csrfmiddlewaretoken" value="{value}">')  # nosec B703
    found: SafeString = held.csrf_field
    return found


def may_write(request: HttpRequest) -> bool:
    principal = getattr(request, "principal", None)
    return principal is not None and principal.may("write")


def articles(request: HttpRequest, lines: list[Any], *, show_day: bool = False) -> SafeString:
    """Lines as articles; with `show_day` each says its date."""
    return drawn("customers/articles.html", lines=lines, may_write=may_write(request), show_day=show_day, days=False)


@lru_cache(maxsize=100)
def icon(name: str) -> SafeString:
    """A picture that says nothing by itself: words stand beside it."""
    place = f"{static('customers/icons.svg')}#{name}"
    return format_html('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}"></use></svg>', place)


class Icons(dict[str, SafeString]):
    """All of them, each made when it is first shown; what is shown is a word of ours."""

    def __missing__(self, name: str) -> SafeString:
        return icon(name)


def cut(text: object, most: int) -> str:
    """At most so many characters."""
    whole = str(text)
    return whole if len(whole) <= most else Truncator(whole).chars(most)


def cells(numbers: Sequence[int]) -> SafeString:
    """One row of a table of counts."""
    return SafeString("".join(f"<td>{Grouped(number)}</td>" for number in numbers))  # nosec B703


def listed(names: Sequence[str]) -> SafeString:
    """One after the other, each in its own direction of writing."""
    return format_html_join(", ", "<bdi>{}</bdi>", ((name,) for name in names))


def quoted(text: object) -> str:
    """For an address."""
    return quote(str(text), safe="")


def clock(at: datetime) -> str:
    """14:05, of a time in the reader's zone."""
    return f"{at.hour:02}:{at.minute:02}"


@dataclass(frozen=True, slots=True)
class Times:
    """As the reader tells the time: in his language and zone."""

    language: str | None
    zone: tzinfo

    def short(self, at: datetime) -> str:
        """Its date in figures."""
        return words.figures(at.date(), self.language)

    def moment(self, at: datetime) -> str:
        """Date and time."""
        here = at.astimezone(self.zone)
        return f"{self.short(here)} {clock(here)}"

    def when(self, at: datetime) -> SafeString:
        """The same for programs, too."""
        here = at.astimezone(self.zone)
        return SafeString(f'<time datetime="{here.isoformat()}">{self.short(here)} {clock(here)}</time>')  # nosec B703

    def day(self, at: datetime) -> SafeString:
        """Its date, for programs, too."""
        here = at.astimezone(self.zone)
        return SafeString(f'<time datetime="{here.isoformat()}">{self.short(here)}</time>')  # nosec B703


def decimal(number: float | None) -> str:
    """What `floatformat` says; most numbers are whole ones."""
    return str(int(number)) if number is not None and number % 1 == 0 else str(floatformat(number))


def since(at: datetime) -> str:
    """How long ago, in the two largest units."""
    return timesince(at)


def more_characters(number: int) -> str:
    return ngettext("%(number)s more character", "%(number)s more characters", number) % {"number": Grouped(number)}


def more_files(number: int) -> str:
    return ngettext("%(number)s more file", "%(number)s more files", number) % {"number": number}


def what_it_said_before(number: int) -> str:
    said = ngettext("What it said before (%(number)s edit)", "What it said before (%(number)s edits)", number)
    return said % {"number": number}


def tried(number: int) -> str:
    return ngettext("tried %(n)s time", "tried %(n)s times", number) % {"n": number}


def nobody_took(number: int) -> str:
    return ngettext("%(n)s call nobody took", "%(n)s calls nobody took", number) % {"n": number}
