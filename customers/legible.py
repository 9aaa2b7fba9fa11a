"""What PostgreSQL cannot hold, made legible: NUL and lone surrogates become U+FFFD, numbers beyond 2^53 become text."""

from dataclasses import replace
from typing import Any

import orjson

from customers.incoming import Agent, Attachment, ChannelEvent, Handle

EXACT = 2**53
"""Beyond it a reader in JavaScript would see another number."""


def legible(value: Any) -> Any:
    """A JSON value with every text and number that can be stored and read back."""
    if isinstance(value, str):
        return value if value.isascii() and "\x00" not in value else legible_text(value)
    if isinstance(value, dict):
        return {legible(key): legible(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [legible(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > EXACT:
        return str(value)
    return value


def legible_text(text: str) -> str:
    return text.replace("\x00", "\ufffd").encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def legible_event(event: ChannelEvent) -> ChannelEvent:
    """The event itself as a rule; a clean copy of one that PostgreSQL would refuse."""
    said = (
        event.name,
        event.thread,
        event.subject,
        event.text,
        event.part,
        event.state,
        event.details,
        event.attributes,
        [(handle.value, handle.scope) for handle in event.handles],
        [(file.name, file.content_type, file.url, file.ref) for file in event.attachments],
        event.agent and (event.agent.id, event.agent.name),
    )
    try:
        if b"\\u0000" not in orjson.dumps(said):
            return event
    except TypeError:  # a lone surrogate, or a number of more than 64 bits
        pass
    text = legible_text
    agent = event.agent
    return replace(
        event,
        name=text(event.name),
        thread=text(event.thread),
        subject=text(event.subject),
        text=text(event.text),
        part=text(event.part),
        state=text(event.state),
        details=legible(dict(event.details)),
        attributes=legible(dict(event.attributes)),
        handles=tuple(Handle(one.kind, text(one.value), text(one.scope), one.trust) for one in event.handles),
        attachments=tuple(
            Attachment(text(file.name), text(file.content_type), file.size, text(file.url), text(file.ref))
            for file in event.attachments
        ),
        agent=agent and Agent(text(agent.id), text(agent.name), agent.type),
    )
