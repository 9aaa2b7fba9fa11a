"""Parts into a line: commutative and idempotent, whatever order the parts come in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Literal
from uuid import UUID, uuid5

import orjson

from customers.incoming import Attachment, ChannelEvent

Status = Literal["recorded", "duplicate", "conflict"]
Data = dict[str, Any]

AHEAD = timedelta(minutes=5)
"""How far a sender's clock may run ahead of ours before the sort key stops following it."""

# A state never goes back, whatever order the callbacks come in.
STATE_RANK = {
    word: rank
    for rank, words in enumerate(
        (
            "queued accepted scheduled initiated started",
            "sending delayed ringing",
            "sent in-progress answered",
            "delivered",
            "read played",
            "undelivered failed missed busy canceled no-answer rejected voicemail",
            "completed",
        ),
        start=1,
    )
    for word in words.split()
}

FINAL = STATE_RANK["missed"]


@dataclass(frozen=True, slots=True)
class Version:
    """What a part says at one revision; `data` is JSON-ready, times in UTC with microseconds."""

    revision: int
    digest: str
    origin: str | None
    data: Data


@dataclass(frozen=True, slots=True)
class Part:
    """The versions of one part, the lowest revision first: the last one stands, the others are its edits."""

    name: str
    versions: tuple[Version, ...]

    @property
    def stands(self) -> Version:
        return self.versions[-1]


def instant(moment: datetime) -> str:
    """A time as text that sorts like the time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def attachment_id(line: UUID, attachment: Attachment) -> UUID:
    return uuid5(line, attachment.ref or attachment.url or attachment.name)


def version_of(event: ChannelEvent) -> Version:
    """What the event says, as data of its part; the digest leaves out when it was received."""
    occurred = event.occurred_at or event.received_at
    details = dict(event.details)
    if event.occurred_at is None:
        details["time_quality"] = "received"
    content: Data = {
        "channel": event.channel,
        "kind": event.kind,
        "direction": event.direction,
        "rank": event.rank,
        "thread": event.thread,
        "subject": event.subject,
        "text": event.text,
        "state": event.state,
        "details": details,
        "agent": None
        if event.agent is None
        else {"id": event.agent.id, "name": event.agent.name, "type": event.agent.type},
        "attachments": [
            {
                "id": str(attachment_id(event.line, file)),
                "name": file.name,
                "content_type": file.content_type,
                "size": file.size,
                **({"url": file.url} if file.url else {}),
                **({"ref": file.ref} if file.ref else {}),
            }
            for file in event.attachments
        ],
    }
    said = (
        content,
        event.occurred_at and instant(event.occurred_at),
        event.changed_at and instant(event.changed_at),
        event.deleted,
        event.name,
        event.attributes,
        [(handle.kind, handle.scope, handle.value, handle.trust) for handle in event.handles],
    )
    digest = blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()
    data = {
        **content,
        "occurred_at": instant(occurred),
        "sorted_at": instant(min(occurred, event.received_at + AHEAD)),
        "deleted_at": instant(event.changed_at or event.received_at) if event.deleted else None,
    }
    if event.changed_at is not None:
        data["said_at"] = instant(event.changed_at)
    return Version(event.revision, digest, str(event.origin) if event.origin else None, data)


def put(part: Part | None, name: str, new: Version) -> tuple[Part, Status]:
    """The part with one more version; the same revision with other content is a conflict and changes nothing."""
    if part is None:
        return Part(name, (new,)), "recorded"
    for version in part.versions:
        if version.revision == new.revision:
            return part, "duplicate" if version.digest == new.digest else "conflict"
    return Part(name, tuple(sorted((*part.versions, new), key=lambda version: version.revision))), "recorded"


def without(part: Part, origin: str) -> Part | None:
    """The part less what one delivery wrote; None when nothing is left."""
    left = tuple(version for version in part.versions if version.origin != origin)
    return replace(part, versions=left) if left else None


def merged(old: object, new: object) -> Any:
    """Details of two parts: objects key by key, lists of objects by their `id`, of all else the later wins."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return {**old, **{key: merged(old.get(key), value) for key, value in new.items()}}
    if (
        isinstance(old, list)
        and isinstance(new, list)
        and all(isinstance(item, dict) and "id" in item for item in (*old, *new))
    ):
        by_id: dict[Any, Any] = {}
        for item in (*old, *new):
            key = str(item["id"])
            by_id[key] = merged(by_id.get(key), item)
        return [by_id[key] for key in sorted(by_id)]
    return old if new is None else new


def fold(parts: Iterable[Part]) -> Data:
    """The line that the parts make: columns of `Interaction` as JSON-ready values."""
    ordered = sorted(parts, key=lambda part: (part.stands.revision, part.name))
    stands = [part.stands.data for part in ordered]
    leading = [part.stands.data for part in sorted(ordered, key=lambda part: part.name != "main")]

    def first(key: str) -> Any:
        return next((data[key] for data in leading if data.get(key)), leading[0].get(key))

    details: Data = {}
    for data in stands:
        details = merged(details, data["details"])
    said = [version.data for part in ordered for version in part.versions]
    timed = [data for data in said if data["details"].get("time_quality") != "received"]
    if timed and len(timed) < len(said):
        details.pop("time_quality", None)
    earliest = min(timed or said, key=lambda data: (data["occurred_at"], data["sorted_at"], data["rank"]))
    state = max(
        (
            (STATE_RANK.get(data["state"], 0), place, data["state"])
            for place, data in enumerate(stands)
            if data["state"]
        ),
        default=(0, 0, ""),
    )
    files = {file["id"]: file for data in leading for file in data["attachments"]}
    return {
        **{key: first(key) for key in ("channel", "kind", "direction", "thread", "subject", "text", "agent")},
        "occurred_at": earliest["occurred_at"],
        "sorted_at": earliest["sorted_at"],
        "rank": earliest["rank"],
        "state": outcome_of(details) or state[2] if state[0] >= FINAL else state[2],
        "details": details,
        "attachments": list(files.values()),
        "deleted_at": min((data["deleted_at"] for data in stands if data["deleted_at"]), default=None),
        "edits": edits(ordered),
    }


def outcome_of(details: Data) -> str:
    """How a call ended, if its details tell: a provider calls «completed» what nobody answered, too."""
    call = details.get("call")
    status = call.get("status") if isinstance(call, dict) else None
    return status if isinstance(status, str) and STATE_RANK.get(status, 0) >= FINAL else ""


def edits(parts: Sequence[Part]) -> list[Data]:
    """What the line said before, oldest first: `{subject, text, at}`."""
    return [
        {
            "subject": version.data["subject"],
            "text": version.data["text"],
            "at": version.data.get("said_at") or version.data["occurred_at"],
        }
        for part in parts
        for version in part.versions[:-1]
        if version.data["text"] or version.data["subject"]
    ]
