"""Contacts as updates of the Telegram Bot API."""

from typing import Any

from cxhub.demo.screenplay import Contact, Parcel, Phase

Update = dict[str, Any]
BUSINESS = "bcDemo0001"
BOT = {"id": 7000000001, "is_bot": True, "first_name": "Зёрнышко", "username": "demo_coffee_bot"}
BIGGEST = [(90, 67), (320, 240), (1280, 960)]


class Chat:
    """The private chat of one person with the bot, or with the company's business account (`biz`)."""

    def __init__(self, place: int) -> None:
        self.place = place
        self.said = 0  # updates
        self.messages = {"tg": 0, "biz": 0}

    def parcels(self, contact: Contact) -> list[Parcel]:
        user = user_of(contact)
        date = int(contact.at.timestamp())
        for word, make in ODDITIES.items():
            if word in contact.words:
                return [self.parcel(make(contact, user, date, self.messages[contact.verb]))]
        if "edit" in contact.words:
            message = self.message(contact, user, date - 60, new=False) | {"edit_date": date}
            return [self.parcel({"edited_message": message})]
        pictures = int(contact.values.get("album", 1))
        found = []
        for index in range(pictures):
            message = self.message(contact, user, date, new=True)
            if pictures > 1:
                message |= photo(contact, index) | {"media_group_id": f"139{contact.sid[:4]}"}
                message = message if index == 0 else without(message, "caption")
            name = "business_message" if contact.verb == "biz" else "message"
            found.append(self.parcel({name: message}, 1 if "contact" in contact.words else 2))
        return found

    def sent(self, contact: Contact) -> str:
        """The id of a message of the bot, as its integration pushes it."""
        self.messages["tg"] += 1
        return f"{contact.person.handles['telegram']}:{self.messages['tg']}"

    def parcel(self, update: Update, phase: Phase = 2) -> Parcel:
        self.said += 1
        return Parcel("telegram", {"update_id": 600_000_000 + self.place * 1_000 + self.said, **update}, phase)

    def message(self, contact: Contact, user: Update, date: int, *, new: bool) -> Update:
        self.messages[contact.verb] += new
        message = {"message_id": self.messages[contact.verb], "from": user, "chat": chat_of(user), "date": date}
        if contact.verb == "biz":
            message["business_connection_id"] = BUSINESS
        return message | content(contact, user)


def content(contact: Contact, user: Update) -> Update:
    words = contact.words
    if "photo" in words or "album" in contact.values:
        return photo(contact, 0)
    if "voice" in words:
        seconds = contact.seconds or 7
        voice = {"file_id": f"AwAC{contact.sid}", "file_unique_id": contact.sid[:12], "duration": seconds}
        return {"voice": voice | {"mime_type": "audio/ogg", "file_size": seconds * 4_000}}
    if "contact" in words:
        own = {"phone_number": contact.person.handles["phone"].lstrip("+"), "first_name": user["first_name"]}
        return {"contact": own | {"user_id": user["id"]}}
    if "location" in words:
        return {"location": {"latitude": 56.838, "longitude": 60.605}}
    if "sticker" in words:
        sticker = {"file_id": f"CAAC{contact.sid}", "file_unique_id": contact.sid[:12], "emoji": contact.text}
        return {"sticker": sticker | {"width": 512, "height": 512, "type": "regular", "is_animated": False}}
    return {"text": contact.text}


def photo(contact: Contact, index: int) -> Update:
    sizes = [
        {
            "file_id": f"AgAC{contact.sid}{index}{width}",
            "file_unique_id": f"{contact.sid[:10]}{index}{width}",
            "width": width,
            "height": height,
            "file_size": width * 100,
        }
        for width, height in BIGGEST
    ]
    return {"photo": sizes, "caption": contact.text}


def liked(contact: Contact, user: Update, date: int, last: int) -> Update:
    marks = [{"type": "emoji", "emoji": contact.text}]
    common = {"chat": chat_of(user), "message_id": last, "user": user, "date": date}
    return {"message_reaction": common | {"old_reaction": [], "new_reaction": marks}}


def blocked(_contact: Contact, user: Update, date: int, _last: int) -> Update:
    before, after = {"user": BOT, "status": "member"}, {"user": BOT, "status": "kicked", "until_date": 0}
    common = {"chat": chat_of(user), "from": user, "date": date}
    return {"my_chat_member": common | {"old_chat_member": before, "new_chat_member": after}}


def gone(_contact: Contact, user: Update, _date: int, last: int) -> Update:
    """The customer deleted his last message to the business account."""
    common = {"business_connection_id": BUSINESS, "chat": chat_of(user)}
    return {"deleted_business_messages": common | {"message_ids": [last]}}


ODDITIES = {"like": liked, "block": blocked, "gone": gone}


def user_of(contact: Contact) -> Update:
    first, _, last = contact.person.name.partition(" ")
    language = "lt" if contact.person.home == "vilnius" else "ru"
    user = {"id": int(contact.person.handles["telegram"]), "is_bot": False, "first_name": first or "?"}
    return user | ({"last_name": last} if last else {}) | {"language_code": language}


def chat_of(user: Update) -> Update:
    return {**without(user, "is_bot", "language_code"), "type": "private"}


def without(node: Update, *names: str) -> Update:
    return {name: value for name, value in node.items() if name not in names}
