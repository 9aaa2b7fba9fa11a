"""Fetches the wanted files of lines: out of the stored mail they came in, or from where their provider says."""

import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from django.db import Error as DatabaseError

from channels import mime
from channels.draining import info_of
from channels.fetching import FetchError, fetch
from channels.models import Delivery, DeliveryBody, Source
from channels.provider import MediaRequest, Unreadable
from channels.providers import PROVIDERS
from customers import attachments
from customers.models.attachment import Attachment

logger = logging.getLogger(__name__)

MIME = "mime:"
BATCH = 4
"""Few at a time: their leases run while they wait for one another."""
MAX_JSON = 1024 * 1024


def fetch_due(limit: int = 100) -> int:
    """Fetch up to `limit` due files; returns how many were tried. Safe to run in many processes at once."""
    tried = 0
    while tried < limit:
        claimed = attachments.claim(min(BATCH, limit - tried))
        for attachment in claimed:
            fetch_one(attachment)
        tried += len(claimed)
        if not claimed:
            break
    return tried


def fetch_one(attachment: Attachment) -> None:
    """Store the file, or note why not; only trouble with our own database gets out."""
    try:
        with content(attachment) as chunks:
            attachments.store(attachment, chunks)
    except FetchError as error:
        attachments.fail(attachment, str(error), gone=error.gone)
    except DatabaseError:
        raise
    except Exception as error:
        # Not the message: it may hold an address with a token in it.
        logger.error("attachment %s: %s", attachment.id, type(error).__name__)  # noqa: TRY400
        attachments.fail(attachment, f"our own trouble ({type(error).__name__})")


@contextmanager
def content(attachment: Attachment) -> Iterator[Iterable[bytes]]:
    if attachment.ref.startswith(MIME):
        yield [part_of_mail(attachment)]
        return
    request = asked(attachment)
    if request.json_path:
        request = completed(request)
    with fetch(request.url, request.headers) as fetched:
        yield fetched.chunks()


def part_of_mail(attachment: Attachment) -> bytes:
    """The part of the mail that the line came from, parsed again."""
    delivery = Delivery.objects.filter(id=attachment.delivery).first() if attachment.delivery else None
    body = None
    if delivery is not None:
        body = DeliveryBody.objects.filter(received_at=delivery.received_at, delivery_id=delivery.id).first()
    if body is None:
        raise FetchError("the mail is not kept any more", gone=True)
    try:
        return mime.attachment(bytes(body.body), int(attachment.ref.removeprefix(MIME)))
    except (Unreadable, ValueError) as error:
        raise FetchError("the mail cannot be read", gone=True) from error


def asked(attachment: Attachment) -> MediaRequest:
    source = Source.objects.filter(id=attachment.source_id).first()
    provider = PROVIDERS.get(source.provider) if source else None
    request = provider.media(info_of(source), attachment.ref, attachment.url) if source and provider else None
    if request is None:
        raise FetchError("the source does not say how to fetch it")
    return request


def completed(request: MediaRequest) -> MediaRequest:
    """The second request, whose address the answer to the first one completes."""
    with fetch(request.url, request.headers, max_bytes=MAX_JSON) as fetched:
        try:
            found: Any = json.loads(fetched.body())
            for name in request.json_path:
                found = found[name]
        except (ValueError, KeyError, TypeError, IndexError, RecursionError):
            raise FetchError("the provider did not say where the file is") from None
    if not isinstance(found, str) or not found:
        raise FetchError("the provider did not say where the file is")
    if not request.then:
        return MediaRequest(found, request.headers)
    return MediaRequest(request.then + quote(found, safe="/"), request.headers)
