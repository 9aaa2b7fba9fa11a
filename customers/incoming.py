"""The contract: what a provider's bytes mean, in our words. The only thing that crosses from channels to customers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID, uuid5

from customers.models.identity import Trust

__all__ = ["Agent", "Attachment", "ChannelEvent", "Direction", "Handle", "Kind", "Trust", "line_id"]

LINES = UUID("6f0d5f0e-3c1e-4b5e-9d55-5f0f3e9ac0de")

Direction = Literal["inbound", "outbound", "internal"]
Kind = Literal[
    "message",
    "call",
    "email",
    "note",
    "visit",
    "purchase",
    "review",
    "survey",
    "form",
    "comment",
    "mention",
    "campaign",
    "other",
]


@lru_cache(maxsize=4096)  # Whoever records an event asks several times.
def line_id(source_id: int, key: str) -> UUID:
    """The id of a line: the same thing of the same source always addresses the same row."""
    return uuid5(LINES, f"{source_id}:{key}")


@dataclass(frozen=True, slots=True)
class Handle:
    """How somebody is reached, as the provider wrote it; `customers` makes the normal form.

    `scope` is the bot, page or portfolio within which the value is unique; the source's slug when empty.
    """

    kind: str
    value: str
    scope: str = ""
    trust: Trust = Trust.ASSERTED


@dataclass(frozen=True, slots=True)
class Agent:
    """Who spoke for the company."""

    id: str = ""
    name: str = ""
    type: Literal["human", "bot", "system"] = "human"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a line: by `url`, or by `ref`, which only its provider can resolve (a Telegram file_id, `mime:3`)."""

    name: str = ""
    content_type: str = ""
    size: int | None = None
    url: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelEvent:
    """One part of one line of the timeline.

    The line hangs on the first of `handles` that is not blocked, else on an anonymous identity. An event of a
    part other than `main` that names no handles is a follow-up: it joins the line where it lives, or waits.
    """

    source_id: int
    source: str
    region: str = ""
    key: str  # the provider's id of the thing: with source_id it makes the line's id
    part: str = "main"
    revision: int = 0  # from the provider's own clock or counter; the highest one of a part stands
    received_at: datetime
    occurred_at: datetime | None = None  # None: the provider gives no time, received_at is used and marked
    rank: int = 0  # the provider's sequence within a second
    changed_at: datetime | None = None  # when this revision was made, if the provider says so
    channel: str
    kind: Kind
    direction: Direction
    handles: tuple[Handle, ...] = ()
    name: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    thread: str = ""
    subject: str = ""
    text: str = ""
    agent: Agent | None = None
    attachments: tuple[Attachment, ...] = ()
    state: str = ""
    deleted: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)
    origin: UUID | None = None  # opaque: the delivery
    replay: bool = False  # replaces what the same origin wrote before
    on: UUID | None = None  # what we add ourselves: a part of this line, which stands
    beside: UUID | None = None  # what we add ourselves: a line on the identity of this one

    @property
    def line(self) -> UUID:
        return self.on or line_id(self.source_id, self.key)
