"""What the console's templates say hundreds of times a page."""

from typing import Any

from django import template
from django.utils.safestring import SafeString

from customers.console import compiled, navigation
from customers.console.lines import Line

register = template.Library()
register.simple_tag(compiled.icon)
register.simple_tag(compiled.drawn, name="compiled")


@register.simple_tag(takes_context=True)
def articles(context: dict[str, Any], lines: list[Line], *, show_day: bool = True) -> SafeString:
    """Lines of the timeline; `show_day`: each with its date."""
    return compiled.articles(context["request"], lines, show_day=show_day)


@register.simple_tag(takes_context=True)
def article(context: dict[str, Any], line: Line) -> SafeString:
    """One line, with its date."""
    return compiled.articles(context["request"], [line], show_day=True)


@register.simple_tag(takes_context=True)
def head(context: dict[str, Any]) -> SafeString:
    user = context.get("user")
    return navigation.head(signed_in=user is not None and user.is_authenticated)


@register.simple_tag(takes_context=True)
def top(context: dict[str, Any]) -> SafeString:
    return navigation.top(context["request"], context.get("q", ""), searches=context.get("searches", False))
