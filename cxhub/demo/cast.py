"""Everybody in the demo, and their contacts as parcels for the doors."""

from dataclasses import replace
from datetime import date

from cxhub.demo import care, english, forms, lithuanian, regular, russian, switchboard
from cxhub.demo.events import Pushed
from cxhub.demo.letters import Mailbox
from cxhub.demo.screenplay import Contact, Parcel, Person, contacts
from cxhub.demo.updates import Chat

PEOPLE: list[Person] = [
    *russian.PEOPLE,
    *switchboard.PEOPLE,
    regular.PERSON,
    *lithuanian.PEOPLE,
    *care.PEOPLE,
    *english.PEOPLE,
]
FIRST, FIRST_DAY = PEOPLE[0].crm, int(PEOPLE[0].story.split()[0])
LAST = PEOPLE[-1].crm


def parcels(anchor: date) -> list[Parcel]:
    """In the order of the people; the last customer's contacts are the last phase."""
    *others, last = ([*parcels_of(person, place, anchor)] for place, person in enumerate(PEOPLE))
    return [parcel for parcels in others for parcel in parcels] + [replace(parcel, phase=3) for parcel in last]


def parcels_of(person: Person, place: int, anchor: date) -> list[Parcel]:
    pushed, chat, mailbox = Pushed(), Chat(place), Mailbox()
    found: list[Parcel] = []
    for contact in contacts(person, anchor):
        found += parcels_for(contact, pushed, chat, mailbox)
    return found


def parcels_for(contact: Contact, pushed: Pushed, chat: Chat, mailbox: Mailbox) -> list[Parcel]:
    match contact.verb, contact.direction:
        case ("tg" | "biz", "inbound"):
            return chat.parcels(contact)
        case ("tg", "outbound"):
            return [pushed.parcel(named(contact, chat.sent(contact)))]
        case ("voice", _):
            return forms.call(contact)
        case ("text", "inbound"):
            return [forms.text(contact)]
        case ("text", "outbound"):
            return [pushed.parcel(named(contact, f"SM{contact.sid}")), *forms.states(contact)]
        case ("mail" | "re" | "bounce", _):
            return [mailbox.parcel(contact)]
    return [pushed.parcel(contact)]


def named(contact: Contact, id_: str) -> Contact:
    """The provider knows it by another id than ours."""
    return replace(contact, values={**contact.values, "id": id_})


def handles() -> dict[str, list[str]]:
    """How everybody can be looked up: by the first handle that the API names a parameter for."""
    found: dict[str, list[str]] = {}
    for person in PEOPLE:
        kind = next((kind for kind in ("crm_id", "phone", "email", "telegram") if kind in person.handles), "")
        if kind:
            found.setdefault(kind, []).append(person.handles[kind])
    return found
