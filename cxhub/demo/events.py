"""Contacts that a CRM, a PBX, a shop or a messenger's integration pushes in our own JSON."""

from typing import Any

from cxhub.demo.screenplay import AGENTS, Contact, Parcel
from cxhub.demo.told import attributes, told

# Verb → channel, kind, and the handles that such a system knows a customer by, the best first.
VERBS = {
    "call": ("phone", "call", "phone"),
    "sms": ("sms", "message", "phone"),
    "wa": ("whatsapp", "message", "whatsapp"),
    "viber": ("viber", "message", "viber"),
    "vk": ("vk", "message", "vk"),
    "wall": ("vk", "comment", "vk"),
    "max": ("max", "message", "max"),
    "ig": ("instagram", "message", "instagram"),
    "chat": ("web", "message", "device"),
    "form": ("web", "form", "phone email"),
    "order": ("web", "purchase", "crm_id"),
    "shop": ("store", "visit", "loyalty"),
    "buy": ("store", "purchase", "loyalty"),
    "back": ("store", "other", "loyalty"),
    "review": ("reviews", "review", "crm_id"),
    "nps": ("web", "survey", "crm_id"),
    "csat": ("web", "survey", "crm_id"),
    "ces": ("web", "survey", "crm_id"),
    "news": ("email", "campaign", "email"),
    "crm": ("crm", "other", "crm_id"),
    "note": ("note", "note", "crm_id"),
    "tg": ("telegram", "message", "telegram"),
    "text": ("sms", "message", "phone"),
}
SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7), "review": (1, 5)}
STATES = {"missed", "busy", "failed", "voicemail"}
CURRENCIES = {"demo": "RUB", "vilnius": "EUR"}
TYPES = {"jpg": "image/jpeg", "mp4": "video/mp4", "pdf": "application/pdf"}
ELSEWHERE = {"tg": "telegram", "text": "sms"}
"""What the company itself sends by a bot or a number belongs to the source that hears the answers."""


class Pushed:
    """The events of one person; an edit and a deletion repeat the id of what was said before."""

    def __init__(self) -> None:
        self.last: dict[str, dict[str, Any]] = {}

    def parcel(self, contact: Contact) -> Parcel:
        kept = self.last.get(contact.verb)
        if kept and contact.words & {"edit", "delete"}:
            event = {**kept, "revision": kept["revision"] + 1}
            event |= {"deleted": True} if "delete" in contact.words else {"text": contact.text}
        else:
            event = event_of(contact)
        self.last[contact.verb] = event
        return Parcel("push", event, 1 if "all" in contact.words else 2)


def event_of(contact: Contact) -> dict[str, Any]:
    channel, kind, _ = VERBS[contact.verb]
    event: dict[str, Any] = {
        "id": contact.values.get("id", contact.id),
        "source": ELSEWHERE.get(contact.verb, contact.person.home),
        "channel": channel,
        "kind": kind,
        "direction": contact.direction,
        "occurred_at": contact.at.isoformat(),
        "customer": {"identifiers": identifiers(contact)},
        "text": contact.text,
        "revision": 0,
        "details": details(contact),
    }
    if "all" in contact.words and contact.person.name:
        event["customer"]["name"] = contact.person.name
    if known := attributes(contact):
        event["customer"]["attributes"] = known
    if contact.agent:
        event["agent"] = {
            "id": contact.agent,
            "name": AGENTS[contact.agent],
            "type": "bot" if contact.agent == "bot" else "human",
        }
    if name := contact.values.get("file"):
        event["attachments"] = [
            {"name": name, "content_type": TYPES[name.rpartition(".")[2]], "size": 40_000 + 977 * contact.number}
        ]
    if contact.direction == "outbound" and kind == "message":
        event["state"] = "delivered" if channel == "sms" else "read"
    if thread := contact.values.get("thread"):
        event["thread"] = thread
    return event


def identifiers(contact: Contact) -> list[dict[str, Any]]:
    """One handle, or all of them; `also` and `claim` add one of somebody's."""
    handles = contact.person.handles
    if "hidden" in contact.words:
        return [{"kind": "phone", "value": "Номер скрыт"}]
    wanted = [contact.values["as"]] if "as" in contact.values else VERBS[contact.verb][2].split()
    kind = next((kind for kind in [*wanted, "crm_id", *handles] if kind in handles), "")
    found: list[dict[str, Any]] = []
    if "all" in contact.words:
        # An integration knows its own customers, also when they come by the web.
        found = [one | {"verified": True} for one in contact.person.identifiers()]
    elif kind:
        national = kind == "phone" and contact.verb not in ELSEWHERE
        value = spelled(handles[kind], contact) if national else handles[kind]
        found = [{"kind": kind, "value": value}]
    for word, verified in (("also", True), ("claim", False)):
        if word in contact.values:
            other, value = contact.values[word].split(":", 1)
            found.append({"kind": other, "value": value, "verified": verified})
    return found


def spelled(phone: str, contact: Contact) -> str:
    """The same number as different systems write it."""
    if not phone.startswith("+7") or contact.person.home != "demo":
        national = f"8 {phone[4:7]} {phone[7:]}"
        return national if phone.startswith("+370") and contact.number % 2 else phone
    area, number = phone[2:5], phone[5:]
    forms = (phone, f"8 ({area}) {number[:3]}-{number[3:5]}-{number[5:]}", f"7{area}{number}", f"8{area}{number}")
    return forms[contact.number % len(forms)]


def details(contact: Contact) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if contact.verb == "call":
        status = next(iter(STATES & contact.words), "completed" if contact.seconds else "missed")
        found["call"] = {"status": status, "started_at": contact.at.isoformat()}
        if contact.seconds:
            found["call"] |= {"duration_s": contact.seconds + 11, "talk_s": contact.seconds}
    if contact.verb in SCALES and "score" in contact.values:
        low, high = SCALES[contact.verb]
        metric = "stars" if contact.verb == "review" else contact.verb
        found["score"] = {"metric": metric, "value": int(contact.values["score"]), "min": low, "max": high}
    if "order" in contact.values:
        number, _, total = contact.values["order"].partition(":")
        found["order"] = {"number": number}
        if total:
            found["order"] |= {"total": total, "currency": CURRENCIES[contact.person.home]}
        if "arrived" in contact.words:
            found["order"]["state"] = "delivered"
    if contact.verb == "news":
        found["campaign"] = {"name": contact.values.get("name", "newsletter")}
    return found | told(contact)
