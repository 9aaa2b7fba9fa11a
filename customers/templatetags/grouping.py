"""Counts in Django's templates: `{{ count|grouped }}`, in a `blocktranslate count`, too."""

from django import template

from customers.console.grouping import grouped

register = template.Library()
register.filter("grouped", grouped)
