"""Whoever wrote finds it again: each request knows how new its reads must be, and the answer to a write remembers."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.signing import BadSignature
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest
from django.http.response import HttpResponseBase, StreamingHttpResponse

from customers import replica
from customers.access import Principal, wrote
from customers.patience import patience

COOKIE = "cxhub_wrote"
BEYOND = 2**62
REMEMBERING = 0.3
"""Seconds."""
SAFE = ("GET", "HEAD", "OPTIONS")


class OwnWritesMiddleware:
    """For agents the place of their last write is a signed cookie, for keys a column of their row."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not replica.configured():
            return self.get_response(request)
        writes = request.method not in SAFE
        with replica.reader(kept(request), primary=writes) as reader:
            answer = self.get_response(request)
        if writes:
            remember(request, answer)
        if isinstance(answer, StreamingHttpResponse) and isinstance(pieces := answer.streaming_content, Iterable):
            answer.streaming_content = streamed(pieces, reader)
        return answer


def kept(request: HttpRequest) -> int:
    """The place in the cookie; a forged or old one says nothing."""
    if COOKIE not in request.COOKIES:
        return 0
    try:
        return int(request.get_signed_cookie(COOKIE, salt=COOKIE) or 0)
    except (BadSignature, ValueError):
        return 0


def remember(request: HttpRequest, answer: HttpResponseBase) -> None:
    """Nobody is remembered who cannot read."""
    who = getattr(request, "user", None)
    if isinstance(who, Principal) and who.key_id is not None:
        if who.may("read"):
            # What he wrote stands, whatever happens now; and he was promised an answer in time.
            with suppress(OperationalError, InterfaceError), patience(REMEMBERING):
                wrote(who.key_id)
    elif getattr(who, "is_authenticated", False):
        answer.set_signed_cookie(
            COOKIE,
            str(place()),
            salt=COOKIE,
            # A replica that is further behind is not read from at all.
            max_age=settings.CXHUB_REPLICA_LAG + 60,
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )


def place() -> int:
    """How far the primary is; beyond every replica when it does not say."""
    try:
        return replica.position()
    except (OperationalError, InterfaceError):
        return BEYOND


def streamed(pieces: Iterable[Any], reader: replica.Reader) -> Iterator[bytes]:
    """A stream is read after the request: as new as the request's own reads."""
    with replica.reader(reader.floor, primary=reader.primary):
        yield from pieces
