"""What the console's templates say hundreds of times a page."""

from functools import lru_cache

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
@lru_cache(100)
def icon(name: str) -> SafeString:
    """A picture that says nothing by itself: words stand beside it."""
    place = f"{static('customers/icons.svg')}#{name}"
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}"></use></svg>',
        place,
    )
