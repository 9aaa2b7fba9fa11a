"""The interface of a provider: verify what came, parse it into ChannelEvents, optionally greet and resolve media."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from customers.incoming import ChannelEvent, Trust


class Rejected(Exception):
    """The signature is missing or wrong, or the source lacks the secret to check it: answered 403, not stored."""


class Ignored(Exception):
    """Understood, and of no interest to a history (e.g. a typing notice); the delivery says so."""


class Unsupported(Exception):
    """Known or unknown, but not handled yet: kept, counted and shown until somebody writes the code."""


class Unreadable(Exception):
    """Signed, but not in the provider's format: quarantined with this reason."""


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What a provider may know of the source; no row of the database."""

    id: int
    slug: str
    provider: str
    region: str = ""
    trust: Trust = Trust.ASSERTED
    addresses: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    hook_url: str = field(default="", repr=False)

    def capped(self, trust: Trust) -> Trust:
        """A handle's trust, but never more than this source may say."""
        return min(trust, self.trust)


@dataclass(frozen=True, slots=True)
class Received:
    """The request or mail as it came: raw bytes first."""

    body: bytes
    headers: Mapping[str, str]  # names in lower case
    received_at: datetime
    query: str = ""  # the raw query string, without «?»
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """What `parse` gets, now or in a year: the same bytes must give the same events."""

    id: UUID
    source: SourceInfo
    body: bytes
    headers: Mapping[str, str]
    received_at: datetime
    replay: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider needs to hear after its delivery is stored."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Secret:
    """One value that a source of this provider needs, and how a person finds it."""

    name: str
    help: str
    required: bool = True
    generated: bool = False  # made by us when the source is made, then pasted at the provider


@dataclass(frozen=True, slots=True)
class MediaRequest:
    """How to fetch one attachment; the address and the headers may hold a token and are never logged."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json_path: tuple[str, ...] = ()  # first fetch gives JSON; this path in it completes `then`
    then: str = field(default="", repr=False)


class Provider:
    """One file per provider: translation only, no database and no network."""

    name: ClassVar[str] = ""  # URL segment, stored in the database: never renamed
    label: ClassVar[str] = ""
    docs: ClassVar[str] = ""
    answer: ClassVar[Answer] = Answer()
    secrets: ClassVar[tuple[Secret, ...]] = ()
    kept_headers: ClassVar[tuple[str, ...]] = ("content-type",)  # stored with the body, for `parse`
    handled: ClassVar[frozenset[str]] = frozenset()
    ignored: ClassVar[frozenset[str]] = frozenset()
    unsupported: ClassVar[frozenset[str]] = frozenset()  # known, wanted, not written yet; the unknown joins them

    def verify(self, received: Received, source: SourceInfo) -> None:
        """Raise Rejected unless the delivery is proven to come from the provider; fails closed."""
        raise Rejected(f"{self.name} takes no webhooks")

    def parse(self, delivery: StoredDelivery) -> Iterator[ChannelEvent]:
        """The events of a stored delivery; raises Ignored, Unsupported or Unreadable."""
        raise NotImplementedError

    def greet(self, received: Received, source: SourceInfo) -> Answer | None:
        """The answer to a handshake that is no event (a challenge), else None."""
        return None

    def media(self, source: SourceInfo, ref: str, url: str) -> MediaRequest | None:
        """How to fetch an attachment by its `ref` or `url`; None if that needs the stored body instead."""
        return MediaRequest(url) if url else None

    def paste(self, source: SourceInfo) -> str:
        """What a person has to enter at the provider, in one or two sentences."""
        return source.hook_url
