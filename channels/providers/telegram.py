"""Telegram Bot API: one update a POST, a constant secret in a header. https://core.telegram.org/bots/api#update"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from channels import reading, signatures
from channels.provider import (
    Ignored,
    MediaRequest,
    Provider,
    Received,
    Secret,
    SourceInfo,
    StoredDelivery,
    Unreadable,
    Unsupported,
)
from channels.reading import Json, moment, named, some
from customers.incoming import Agent, Attachment, ChannelEvent, Direction, Handle, Trust

SECOND = 10**9  # a revision is a second of Telegram's clock and, for what can change within one, the update's number

MESSAGES = frozenset({"message", "business_message", "channel_post"})
EDITS = frozenset({"edited_message", "edited_business_message", "edited_channel_post"})

# Field of a message → media type when Telegram gives none; an animation comes with a copy of itself as document.
FILES = {"animation": "video/mp4", "document": "", "video": "video/mp4", "video_note": "video/mp4"}
FILES |= {"audio": "audio/mpeg", "voice": "audio/ogg", "sticker": "image/webp"}
CONTENT = ("location", "venue", "poll", "dice", "story")  # kept in details as they come
SERVICE = re.compile(  # the chat's own notices
    "(new|left|delete|group|supergroup|channel)_chat_|migrate_|pinned_message$|message_auto_delete_|forum_topic_|"
    "general_forum_|video_chat_|write_access_|connected_website$|proximity_alert_|boost_added$|chat_background_"
)
ENVELOPE = re.compile("(message_id|from|chat|date|edit_date|sender_chat|message_thread_id|is_topic_message)$")
MEMBERSHIP = {"kicked": "blocked", "member": "unblocked"}


@dataclass(frozen=True, slots=True)
class Sides:
    """Who the message is from or to, seen from the company."""

    direction: Direction
    person: Json  # the customer: a user or a private chat, else a chat that speaks for itself
    agent: Agent | None = None
    kind: Literal["telegram", "telegram_chat"] = "telegram"


class Telegram(Provider):
    """Lines are `<chat id>:<message id>`: message ids count within a chat only, the source stands for the bot."""

    name = "telegram"
    label = "Telegram"
    docs = "https://core.telegram.org/bots/api"
    # The answer stays empty: Telegram would execute a body that holds a `method`.
    secrets = (
        Secret("secret_token", "Give it to setWebhook as secret_token.", generated=True),
        Secret("bot_token", "From @BotFather; needed to fetch photos and files.", required=False),
    )
    handled = MESSAGES | EDITS | {"callback_query", "message_reaction", "my_chat_member", "deleted_business_messages"}
    ignored = frozenset({"message_reaction_count", "poll", "inline_query", "chosen_inline_result", "chat_member"})
    ignored |= {"chat_boost", "removed_chat_boost", "business_connection", "managed_bot"}
    unsupported = frozenset({"poll_answer", "shipping_query", "pre_checkout_query", "purchased_paid_media"})
    unsupported |= {"chat_join_request", "guest_message", "subscription"}

    def verify(self, received: Received, source: SourceInfo) -> None:
        signatures.shared_token(received.headers.get("x-telegram-bot-api-secret-token", ""), source, "secret_token")

    def paste(self, source: SourceInfo) -> str:
        url, secret = source.hook_url, source.secrets.get("secret_token")
        return f"setWebhook: url={url}, secret_token={secret}, allowed_updates={sorted(self.handled)}"

    def media(self, source: SourceInfo, ref: str, url: str) -> MediaRequest | None:
        token, file_id = source.secrets.get("bot_token"), ref.removeprefix("telegram:")
        if not token or file_id == ref:
            return None
        return MediaRequest(
            f"https://api.telegram.org/bot{token}/getFile?file_id={quote(file_id, safe='')}",
            json_path=("result", "file_path"),
            then=f"https://api.telegram.org/file/bot{token}/",
        )

    def parse(self, delivery: StoredDelivery) -> Iterator[ChannelEvent]:
        update = Json.read(delivery.body)
        names = [name for name, value in update.items() if isinstance(value, dict)]
        name = next((name for name in names if name in self.handled), names[0] if names else "")
        number = (update.whole("update_id") or 0) % SECOND
        if name in MESSAGES or name in EDITS:
            yield message(delivery, name, update.node(name), number)
        elif name in self.handled:
            yield from OTHERS[name](delivery, update.node(name), number)
        elif name in self.ignored:
            raise Ignored(name)
        elif name:
            raise Unsupported(named(name))
        else:
            raise Unreadable("no update")


def said_by(delivery: StoredDelivery, user: Json | None = None, **said: Any) -> ChannelEvent:
    """A line of Telegram; with a user, his id, name and what Telegram knows of him."""
    if user is not None:
        handle = Handle("telegram", str(user.number("id")), trust=delivery.source.capped(Trust.ASSERTED))
        said = {"handles": (handle,), "name": name_of(user), "attributes": attributes_of(user), **said}
    return reading.event(delivery, **{"channel": "telegram", "kind": "message", "direction": "inbound", **said})


def key_of(node: Json, message_id: int) -> str:
    """A business account counts apart: its chat may have the number of a chat of the bot."""
    business = node.text("business_connection_id")
    return f"{f'business:{business}:' if business else ''}{node.node('chat').number('id')}:{message_id}"


def thread_of(node: Json) -> str:
    """A private chat is one thread; groups, their topics and business accounts have their own."""
    topic, business = node.whole("message_thread_id"), node.text("business_connection_id")
    names = (f"business:{business}" if business else "", chat_of(node).get("id", ""), str(topic or ""))
    return ":".join(filter(None, names))


def message(delivery: StoredDelivery, name: str, node: Json, number: int) -> ChannelEvent:
    """One version of a message: an edit is a full copy, a higher revision of the same part."""
    date, edited = node.seconds("date"), node.seconds("edit_date") if node.whole("edit_date") else None
    sides, details, files = sides_of(name, node), details_of(node), files_of(node)
    words = node.text("text") or node.text("caption") or node.node("sticker").text("emoji")
    if not (words or files or details.keys() & {*CONTENT, "contact"}):
        refuse(node)
    return said_by(
        delivery,
        key=key_of(node, node.number("message_id")),
        revision=edited * SECOND + number if edited else date * SECOND,
        occurred_at=moment(date),
        rank=node.number("message_id"),  # An album's files share a second.
        changed_at=moment(edited),
        kind="campaign" if name.endswith("channel_post") else "message",
        direction=sides.direction,
        handles=handles_of(delivery.source, node, sides),
        name=name_of(sides.person),
        attributes=attributes_of(sides.person),
        thread=thread_of(node),
        text=words,
        agent=sides.agent,
        attachments=files,
        details=details,
    )


def refuse(node: Json) -> None:
    """A message that says nothing: the chat's own notices are ignored, new kinds of content are kept."""
    content = [name for name in node if not ENVELOPE.match(name)] or ["empty"]
    unknown = next((name for name in content if not SERVICE.match(name)), "")
    raise Unsupported(f"message: {named(unknown)}") if unknown else Ignored(content[0])


def sides_of(name: str, node: Json) -> Sides:
    """Who speaks: a business account's and a bot's words are the company's, and go to the chat's user."""
    chat, sender, speaker = node.node("chat"), node.node("from"), node.node("sender_chat")
    if name.endswith("channel_post"):
        return Sides("outbound", chat, kind="telegram_chat")
    if speaker:  # an anonymous administrator or a channel: `from` is a stand-in
        return Sides("inbound", speaker, kind="telegram_chat")
    if not sender:
        raise Unreadable("no sender")
    if name.endswith("business_message"):
        if sender.number("id") == chat.number("id"):
            return Sides("inbound", sender)
        return Sides("outbound", chat, agent_of(node.node("sender_business_bot") or sender))
    if sender.get("is_bot") is not True:
        return Sides("inbound", sender)
    answered = chat if chat.text("type") == "private" else node.node("reply_to_message").node("from")
    if not answered or answered.get("is_bot") is True:
        raise Ignored("a bot to a group")
    return Sides("outbound", answered, agent_of(sender))


def agent_of(user: Json) -> Agent:
    return Agent(f"telegram:{user.number('id')}", name_of(user), "bot" if user.get("is_bot") is True else "human")


def handles_of(source: SourceInfo, node: Json, sides: Sides) -> tuple[Handle, ...]:
    """The person's id, and his phone if it is his own card: of another's card Telegram proves nothing."""
    own = Handle(sides.kind, str(sides.person.number("id")), trust=source.capped(Trust.ASSERTED))
    contact, phone = node.node("contact"), node.node("contact").text("phone_number")
    if not phone or sides.direction != "inbound" or contact.whole("user_id") != sides.person.whole("id"):
        return (own,)
    # Always international, but some clients leave out the plus sign.
    return own, Handle("phone", f"+{phone}" if phone.isdigit() else phone, trust=own.trust)


def name_of(person: Json) -> str:
    return " ".join(filter(None, (person.text("first_name"), person.text("last_name")))) or person.text("title")


def attributes_of(person: Json) -> Mapping[str, Any]:
    """A username can pass to another person: an attribute, never a handle."""
    return some(username=person.text("username"), language=person.text("language_code"))


def chat_of(node: Json) -> dict[str, Any]:
    """The group or channel of a message; a private chat is the person himself."""
    chat = node.node("chat")
    if chat.text("type") in ("private", ""):
        return {}
    return some(id=str(chat.number("id")), type=chat.text("type"), title=chat.text("title"))


def details_of(node: Json) -> dict[str, Any]:
    """Entities keep Telegram's offsets, which count UTF-16 units."""
    reply, contact, origin = node.node("reply_to_message"), node.node("contact"), node.node("forward_origin")
    return some(
        **{name: dict(node.node(name)) for name in CONTENT},
        reply_to=key_of(Json({**node, **reply}), reply.number("message_id")) if reply else "",
        album=node.text("media_group_id"),
        contact=some(phone=contact.text("phone_number"), name=name_of(contact)),
        forwarded=some(type=origin.text("type"), date=origin.whole("date")),
        entities=node.nodes("entities") or node.nodes("caption_entities"),
        author=node.text("author_signature"),
        chat=chat_of(node),
    )


def files_of(node: Json) -> tuple[Attachment, ...]:
    """The largest photo, or the one file that a message can have."""
    photos = sorted(node.nodes("photo"), key=lambda photo: photo.whole("width") or 0)
    name = "photo" if photos else next((name for name in FILES if node.node(name)), "")
    if not (file := photos[-1] if photos else node.node(name)).text("file_id"):
        return ()
    kind = file.text("mime_type") or FILES.get(name, "image/jpeg")
    said = file.text("file_name") or name, kind, file.whole("file_size")
    return (Attachment(*said, ref=f"telegram:{file.text('file_id')}"),)


def reaction(delivery: StoredDelivery, node: Json, number: int) -> Iterator[ChannelEvent]:
    """All reactions of one person to one message; in a group the line may be another's, so it names nobody."""
    date, user, chat = node.seconds("date"), node.node("user"), node.node("chat")
    actor = (user or node.node("actor_chat")).number("id")
    private = user.whole("id") == chat.number("id")
    marks = node.nodes("new_reaction")
    yield said_by(
        delivery,
        user if private else None,
        key=key_of(node, node.number("message_id")),
        part=f"reaction:{actor}",
        revision=date * SECOND + number,
        occurred_at=moment(date),
        thread=thread_of(node),
        details={"reactions": {str(actor): [mark.text("emoji") or mark.text("type") for mark in marks]}},
    )


def callback(delivery: StoredDelivery, node: Json, _: int) -> Iterator[ChannelEvent]:
    """A button that was pressed: its label is what was said. Telegram gives no time."""
    user, origin, data = node.node("from"), node.node("message"), node.text("data") or node.text("game_short_name")
    if not node.text("id"):
        raise Unreadable("no id")
    keyboard = origin.node("reply_markup").get("inline_keyboard")
    rows = [row for row in keyboard if isinstance(row, list)] if isinstance(keyboard, list) else []
    buttons = [Json(button) for row in rows for button in row if isinstance(button, dict)]
    label = next((button.text("text") for button in buttons if button.get("callback_data") == data != ""), "")
    said = some(data=data, message=key_of(origin, origin.number("message_id")) if origin else "")
    yield said_by(
        delivery,
        user,
        key=f"callback:{node.text('id')}",
        thread=thread_of(origin) if origin else "",
        text=label or data,
        details=some(callback=said, chat=chat_of(origin) if origin else {}),
    )


def membership(delivery: StoredDelivery, node: Json, _: int) -> Iterator[ChannelEvent]:
    """In a private chat: the person blocked the bot, or took it back."""
    date, user, chat = node.seconds("date"), node.node("from"), node.node("chat")
    if chat.text("type") != "private":
        raise Ignored("the bot in a group")
    if (status := node.node("new_chat_member").text("status")) not in MEMBERSHIP:
        raise Unsupported(f"my_chat_member: {named(status)}")
    yield said_by(
        delivery,
        user,
        key=f"{chat.number('id')}:member:{date}:{status}",
        occurred_at=moment(date),
        kind="other",
        state=MEMBERSHIP[status],
    )


def deletions(delivery: StoredDelivery, node: Json, _: int) -> Iterator[ChannelEvent]:
    """Follow-ups of a business account's messages; who wrote them is not said, nor when they went."""
    numbers = node.get("message_ids")
    if not isinstance(numbers, list) or not all(isinstance(number, int) for number in numbers):
        raise Unreadable("no message_ids")
    for number in dict.fromkeys(numbers):
        yield said_by(delivery, key=key_of(node, number), part="deleted", deleted=True, thread=thread_of(node))


OTHERS = {"message_reaction": reaction, "callback_query": callback}
OTHERS |= {"my_chat_member": membership, "deleted_business_messages": deletions}
