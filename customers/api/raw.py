"""The bytes of a request as they came, before anything else touches them."""

from django.http import HttpRequest
from django.http.request import UnreadablePostError


class TooLarge(ValueError):
    """The body is larger than it may be."""


class BrokenOff(OSError):
    """The sender went away in the middle of the body."""


def raw_body(request: HttpRequest, most: int) -> bytes:
    """At most so many bytes; raises TooLarge, BrokenOff.

    Django reads nothing of a body without Content-Length, yet some clients send theirs in chunks; and its own
    `body` would refuse what is over the limit for forms.
    """
    declared = request.META.get("CONTENT_LENGTH") or ""
    if declared.isdigit() and int(declared) > most:
        raise TooLarge
    chunked = not declared and "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
    stream = request.META["wsgi.input"] if chunked else request
    try:
        body: bytes = stream.read(most + 1)
    except (UnreadablePostError, OSError) as error:
        raise BrokenOff from error
    if len(body) > most:
        raise TooLarge
    return body
