"""Contacts as the forms that Twilio posts: callbacks of calls and recordings in no order, SMS and their states."""

from datetime import timedelta
from email.utils import format_datetime
from random import Random

from cxhub.demo.screenplay import Contact, Parcel

Form = dict[str, str]
ACCOUNT = "AC" + "d" * 32
NUMBERS = {"demo": "+73433000000", "vilnius": "+37052000000"}
RECORDINGS = "https://recordings.demo.example/"


def call(contact: Contact) -> list[Parcel]:
    """A call of several callbacks, shuffled; a recording comes before the call that it is of."""
    forms = outbound(contact) if contact.direction == "outbound" else inbound(contact)
    Random(contact.id).shuffle(forms)  # noqa: S311
    seconds = contact.seconds or 9
    if "voicemail" in contact.words:
        forms.insert(0, recording(contact, seconds, "RecordVerb"))
    elif "rec" in contact.words:
        forms.insert(0, recording(contact, seconds, "DialVerb"))
    return [Parcel("voice", form) for form in forms]


def inbound(contact: Contact) -> list[Form]:
    """Twilio picks up; what counts is whether the agent's leg was answered."""
    talk = None if contact.words & {"missed", "voicemail"} else contact.seconds or 60
    after = (talk or 25) + 8
    forms = [
        status(contact, "ringing", 0),
        status(contact, "in-progress", 2),
        status(contact, "completed", after, CallDuration=str(after)),
    ]
    if talk is None:
        return [*forms, leg(contact, "no-answer", 25)]
    return [*forms, leg(contact, "in-progress", 8), leg(contact, "completed", after, CallDuration=str(talk))]


def outbound(contact: Contact) -> list[Form]:
    forms = [status(contact, "initiated", 0), status(contact, "ringing", 2)]
    end = next((word for word in ("busy", "no-answer", "failed") if word in contact.words), "")
    if end:
        return [*forms, status(contact, end, 30, CallDuration="0")]
    seconds = contact.seconds or 60
    answered = status(contact, "in-progress", 9)
    return [*forms, answered, status(contact, "completed", 9 + seconds, CallDuration=str(seconds))]


def status(contact: Contact, word: str, after: int, **more: str) -> Form:
    own, other = NUMBERS[contact.person.home], number_of(contact)
    caller, called = (other, own) if contact.direction == "inbound" else (own, other)
    return {
        **callback(contact, word, after),
        "CallSid": f"CA{contact.sid}",
        "From": caller,
        "To": called,
        "Caller": caller,
        "Called": called,
        "Direction": "inbound" if contact.direction == "inbound" else "outbound-api",
        **more,
    }


def leg(contact: Contact, word: str, after: int, **more: str) -> Form:
    return {
        **callback(contact, word, after),
        "CallSid": f"CA{contact.sid[::-1]}",
        "ParentCallSid": f"CA{contact.sid}",
        "From": number_of(contact),
        "To": f"client:{contact.agent or 'anna'}",
        "Direction": "outbound-dial",
        **more,
    }


def callback(contact: Contact, word: str, after: int) -> Form:
    return {
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
        "CallbackSource": "call-progress-events",
        "CallStatus": word,
        "Timestamp": format_datetime(contact.at + timedelta(seconds=after)),
    }


def recording(contact: Contact, seconds: int, source: str) -> Form:
    return {
        "AccountSid": ACCOUNT,
        "CallSid": f"CA{contact.sid}",
        "RecordingSid": f"RE{contact.sid}",
        "RecordingUrl": f"{RECORDINGS}RE{contact.sid}",
        "RecordingStatus": "completed",
        "RecordingDuration": str(seconds),
        "RecordingStartTime": format_datetime(contact.at + timedelta(seconds=8)),
        "RecordingSource": source,
    }


def number_of(contact: Contact) -> str:
    return "anonymous" if "hidden" in contact.words else contact.person.handles["phone"]


def text(contact: Contact) -> Parcel:
    """An SMS of the customer's; Twilio says nothing of when it was sent."""
    sid = f"SM{contact.sid}"
    form = {
        "AccountSid": ACCOUNT,
        "MessageSid": sid,
        "SmsSid": sid,
        "SmsStatus": "received",
        "From": number_of(contact),
        "To": NUMBERS[contact.person.home],
        "Body": contact.text,
        "NumMedia": "0",
        "NumSegments": "1",
    }
    return Parcel("sms", form)


def states(contact: Contact) -> list[Parcel]:
    """What became of an SMS of ours, the last word first."""
    words = ("undelivered", "sent") if "undelivered" in contact.words else ("delivered", "sent")
    sid = f"SM{contact.sid}"
    common = {"AccountSid": ACCOUNT, "MessageSid": sid, "SmsSid": sid}
    common |= {"From": NUMBERS[contact.person.home], "To": number_of(contact)}
    failed = {"ErrorCode": "30003"}
    return [
        Parcel("sms", {**common, "MessageStatus": word, "SmsStatus": word, **(failed if word == "undelivered" else {})})
        for word in words
    ]
