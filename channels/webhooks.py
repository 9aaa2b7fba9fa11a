"""The door for providers: raw bytes first, then verify, store, and answer what the provider needs to hear."""

import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus

from django.db import Error as DatabaseTrouble
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from channels import accepting, counting
from channels.draining import info_of
from channels.models import Source
from channels.provider import Answer, Provider, Received, Rejected
from channels.providers import PROVIDERS
from customers.api.raw import BrokenOff, TooLarge, raw_body
from customers.patience import patience

logger = logging.getLogger(__name__)

MAX_BODY = 30 * 1024 * 1024
RETRY_AFTER = "5"
KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


@csrf_exempt
def receive(request: HttpRequest, provider: str, key: str) -> HttpResponse:
    """POST /hooks/<provider>/<source key>; a 2xx means that the delivery is committed."""
    received_at = datetime.now(UTC)
    try:
        body = raw_body(request, MAX_BODY)
    except TooLarge:
        return text(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is over 30 MB.")
    except BrokenOff:
        return text(HTTPStatus.SERVICE_UNAVAILABLE, "The body broke off.")
    received = Received(
        body, headers_of(request), received_at, request.META.get("QUERY_STRING", ""), request.method or ""
    )
    translator = PROVIDERS.get(provider)
    try:
        with patience():
            source = Source.having("key", key) if translator and KEY.fullmatch(key) else None
            if translator is None or source is None or source.provider != provider:
                return text(HTTPStatus.NOT_FOUND, "There is no such source.")
            return admit(translator, source, received)
    except DatabaseTrouble as trouble:
        counting.accepted(provider, "unstored")
        logger.error("a delivery of %s was not stored: %s", provider, type(trouble).__name__)  # noqa: TRY400 (texts may quote data)
        return text(HTTPStatus.SERVICE_UNAVAILABLE, "Not stored, please send it again.")


def admit(provider: Provider, source: Source, received: Received) -> HttpResponse:
    known = info_of(source)
    greeting = provider.greet(received, known)
    if greeting is not None:
        return answered(greeting)
    if received.method != "POST":
        return HttpResponse(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST"})
    try:
        provider.verify(received, known)
    except Rejected as refusal:
        Source.objects.filter(pk=source.pk).update(refused=F("refused") + 1)
        counting.accepted(provider.name, "refused")
        logger.warning("refused a delivery for source %s (%s): %s", source.slug, provider.name, refusal)
        return text(HTTPStatus.FORBIDDEN, f"Refused: {refusal}.")
    headers = {name: received.headers[name] for name in provider.kept_headers if name in received.headers}
    receipt = accepting.accept(source, body=received.body, headers=headers, received_at=received.received_at)
    response = answered(provider.answer)
    response.headers["Cxhub-Receipt"] = str(receipt)
    return response


def headers_of(request: HttpRequest) -> Mapping[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def answered(answer: Answer) -> HttpResponse:
    return HttpResponse(answer.body, status=answer.status, content_type=answer.content_type)


def text(status: HTTPStatus, words: str) -> HttpResponse:
    response = HttpResponse(words + "\n", status=status, content_type="text/plain; charset=utf-8")
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = RETRY_AFTER
    return response
