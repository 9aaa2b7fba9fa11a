"""Twilio Voice: callbacks of calls, legs and recordings. https://www.twilio.com/docs/voice/api/call-resource#statuscallback

One call is one line, `call:<sid of the parent call>`, and every callback is a part of it. Nothing depends on the
order in which they come: the parts fold by revision, which starts with how much the callback decides (`Weight`).

Was it answered? Twilio itself picks up an inbound call (and a call from an agent's browser) to play its TwiML, so
`completed` of the parent only says that it ended. What decides is the leg that Twilio dialled: one that was
answered makes the call completed, else one that was not makes it missed (or voicemail, if a message was
recorded); only without any leg does the parent's word stand. A call placed to the customer decides for itself.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Any

from channels import reading, signatures
from channels.provider import (
    Answer,
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
from channels.reading import Form, named, some
from customers.incoming import Agent, Attachment, ChannelEvent, Direction, Handle, Trust

WORDS = {  # CallStatus or DialCallStatus → our state
    "queued": "queued",
    "initiated": "queued",
    "ringing": "ringing",
    "in-progress": "in-progress",
    "answered": "completed",  # of a finished <Dial>
    "completed": "completed",
    "busy": "busy",
    "failed": "failed",
    "no-answer": "missed",
    "canceled": "canceled",
}
OPEN = ("queued", "ringing", "in-progress")
# What says what a callback is, the first that is there; calls of other products come to the same address.
FIELDS = {
    "ConferenceSid": "conference",
    "TranscriptionSid": "transcription",
    "SiprecSid": "siprec",
    "PaymentConfirmationCode": "payment",
    "StreamSid": "stream",
    "QueueSid": "queue",
    "RecordingStatus": "recording",
    "DialCallStatus": "dial",
    "ParentCallSid": "leg",
    "CallStatus": "status",
    "AnsweredBy": "machine",  # machine detection that ran beside the call
}
RECORDINGS = {"in-progress": 1, "absent": 2, "failed": 2, "completed": 3}
SID = re.compile(r"[A-Za-z0-9_.:@-]{2,100}")


class Weight(IntEnum):
    """How much a callback decides; the parent's come first, so that they lead the line."""

    QUEUED = 1
    RINGING = 2
    RUNNING = 3
    ENDED = 4
    LEG = 5
    MISSED = 6
    VOICEMAIL = 7
    ANSWERED = 8
    DONE = 9
    MACHINE = 10


WEIGHTS = {"queued": Weight.QUEUED, "ringing": Weight.RINGING, "in-progress": Weight.RUNNING}
OUTCOMES = {"completed": (Weight.DONE, "completed"), "in-progress": (Weight.ANSWERED, "in-progress")}
OUTCOMES |= {"ringing": (Weight.LEG, ""), "queued": (Weight.LEG, "")}


@dataclass(frozen=True, slots=True)
class Sides:
    """Who called whom: `customer` is empty when the callback does not say who of the two it is."""

    direction: Direction
    customer: str = ""
    agent: Agent | None = None


class TwilioVoice(Provider):
    """The company's own numbers, and those of agents who are called on theirs, belong in the source's addresses."""

    name = "twilio_voice"
    label = "Twilio Voice"
    docs = "https://www.twilio.com/docs/voice"
    answer = Answer(200, b"<Response/>", "text/xml; charset=utf-8")
    kept_headers = ("content-type", "i-twilio-idempotency-token")  # the token is the same when Twilio tries again
    secrets = (
        Secret("auth_token", "The auth token of the account, on the console's first page."),
        Secret("account_sid", "AC…, beside it; needed to fetch recordings.", required=False),
        Secret("shared_key", "Only if webhooks are signed with a shared key.", required=False),
    )
    handled = frozenset({"status", "leg", "dial", "recording", "machine"})
    ignored = frozenset({"stream", "queue"})
    unsupported = frozenset({"conference", "transcription", "siprec", "payment", "json"})

    def verify(self, received: Received, source: SourceInfo) -> None:
        signatures.twilio(received, source)

    def paste(self, source: SourceInfo) -> str:
        where = "«Call status changes» of each number, StatusCallback of calls, <Number> and <Client>, recordings'"
        return f"{source.hook_url} as {where} RecordingStatusCallback; list the company's own numbers as addresses."

    def media(self, source: SourceInfo, ref: str, url: str) -> MediaRequest | None:
        return MediaRequest(url, headers=signatures.twilio_credentials(source, url)) if url else None

    def parse(self, delivery: StoredDelivery) -> Iterator[ChannelEvent]:
        if delivery.body.lstrip()[:1] in (b"{", b"["):
            raise Unsupported("json")
        form = Form.read(delivery.body)
        kind = next((FIELDS[name] for name in FIELDS if form[name]), "")
        if kind in self.ignored:
            raise Ignored(kind)
        if kind in self.unsupported:
            raise Unsupported(kind)
        if kind not in self.handled or not SID.fullmatch(form["CallSid"]):
            raise Unreadable("no CallSid") if kind else Unsupported("no CallStatus")
        yield from events(delivery, form, kind)


def events(delivery: StoredDelivery, form: Form, kind: str) -> Iterator[ChannelEvent]:
    if kind in ("status", "leg", "dial"):
        word = WORDS.get(form["CallStatus"])
        if word is None:
            raise Unsupported(f"CallStatus {named(form['CallStatus'])}")
        sides = sides_of(form, delivery.source)
        if sides.direction == "internal" and kind != "leg" and form["From"] and form["To"]:
            raise Ignored("between agents")
        yield leg(delivery, form, sides, word) if kind == "leg" else call(delivery, form, sides, word)
        if kind == "dial":
            yield dial(delivery, form, sides)
    elif kind == "machine":
        yield part(delivery, form, f"machine:{form['CallSid']}", Weight.MACHINE, answer_details(form))
    if form["RecordingUrl"] or kind == "recording":
        yield recording(delivery, form)


def sides_of(form: Form, source: SourceInfo) -> Sides:
    """Own numbers, `client:` and `sip:` are the company; if neither or both are, Twilio's Direction tells."""
    caller, called = form["From"] or form["Caller"], form["To"] or form["Called"]
    if ours(caller, source):
        if called and not ours(called, source):
            return Sides("outbound", called, agent_of(caller))
        return Sides("internal", "", agent_of(called) or Agent(called))
    if ours(called, source):
        return Sides("inbound", caller, agent_of(called) or Agent(called))
    if form["Direction"] == "inbound" and not form["ParentCallSid"]:
        return Sides("inbound", caller)
    if form["Direction"].startswith("outbound") and form["Direction"] != "outbound-dial":
        return Sides("outbound", called)
    return Sides("inbound")


def ours(address: str, source: SourceInfo) -> bool:
    digits = re.sub(r"\D", "", address)
    own = {re.sub(r"\D", "", own) for own in source.addresses}
    return address.startswith(("client:", "sip:")) or (len(digits) > 2 and digits in own)


def agent_of(address: str) -> Agent | None:
    scheme, _, name = address.partition(":")  # He has this name everywhere; under two he would be two people.
    name = re.split("[@;]", name)[0] if scheme == "sip" else name
    return Agent(name or address, name) if scheme in ("client", "sip") else None


def part(
    delivery: StoredDelivery, form: Form, title: str, weight: int, call: dict[str, Any], **said: Any
) -> ChannelEvent:
    at = form.moment("Timestamp")
    order = said.pop("order", None)
    said = {"occurred_at": at, "channel": "phone", "kind": "call", "direction": "inbound", **said}
    return reading.event(
        delivery,
        key=f"call:{form['ParentCallSid'] or form['CallSid']}",
        part=title,
        revision=weight * 10**11 + (int(at.timestamp()) if at and order is None else order or 0),
        details=some(call=call),
        **said,
    )


def party(delivery: StoredDelivery, form: Form, sides: Sides) -> dict[str, Any]:
    """The customer of the call; a caller id that STIR/SHAKEN found false is only claimed."""
    false = sides.direction == "inbound" and "Failed" in form["StirVerstat"]
    trust = delivery.source.capped(Trust.CLAIMED if false else Trust.ASSERTED)
    kind, value = "phone", sides.customer
    if value.startswith("whatsapp:"):
        kind, value = "whatsapp", value.removeprefix("whatsapp:").lstrip("+")
    name = form["CallerName"] if value and sides.direction == "inbound" else ""
    return {"direction": sides.direction, "handles": (Handle(kind, value, trust=trust),) if value else (), "name": name}


def answer_details(form: Form) -> dict[str, Any]:
    by = form["AnsweredBy"]
    return some(answered_by=by, status="voicemail" if by.startswith("machine") else "")


def call(delivery: StoredDelivery, form: Form, sides: Sides, word: str) -> ChannelEvent:
    """The parent's own status; a request for TwiML carries one too, but no time."""
    at, seconds, ended = form.moment("Timestamp"), form.whole("CallDuration"), word not in OPEN
    direct = sides.direction == "outbound" and form["Direction"].startswith("outbound")
    word = "missed" if word == "canceled" and sides.direction == "inbound" else word
    details = some(
        status=word if ended else "",
        started_at=at.isoformat() if at and word == "ringing" else "",
        answered_at=at.isoformat() if at and word == "in-progress" and direct else "",
        ended_at=at.isoformat() if at and ended else "",
        duration_s=seconds,
        talk_s=seconds if direct and word == "completed" else None,
        stir=form["StirVerstat"],
        forwarded_from=form["ForwardedFrom"],
    )
    details |= answer_details(form) if direct else {}
    weight = WEIGHTS.get(word, Weight.DONE if direct else Weight.ENDED)
    began = at - timedelta(seconds=seconds or 0) if at and ended and (seconds or 0) < 10**6 else at
    return part(
        delivery,
        form,
        f"{'status' if at else 'request'}:{form['CallSid']}:{form['CallStatus']}",
        weight,
        details,
        occurred_at=began,
        agent=sides.agent if sides.direction == "outbound" else None,
        state=details.get("status", "") if ended else word,
        **party(delivery, form, sides),
    )


def outcome(word: str, *, customer: bool) -> tuple[Weight, str]:
    """What a dialled leg says of the whole call: its weight and the call's status."""
    return OUTCOMES.get(word, (Weight.MISSED, word if customer else "missed"))


def leg(delivery: StoredDelivery, form: Form, sides: Sides, word: str) -> ChannelEvent:
    at, seconds = form.moment("Timestamp"), form.whole("CallDuration")
    weight, status = outcome(word, customer=sides.direction == "outbound")
    answered = weight >= Weight.ANSWERED
    spoken = seconds if word == "completed" else None
    one = some(id=form["CallSid"], **{"from": form["From"]}, to=form["To"], status=word, duration_s=spoken)
    answered_at = at.isoformat() if at and word == "in-progress" else ""
    return part(
        delivery,
        form,
        f"status:{form['CallSid']}:{form['CallStatus']}",
        weight,
        some(status=status, answered_at=answered_at, talk_s=spoken, legs=[one]),
        agent=sides.agent if answered or sides.direction == "outbound" else None,
        state=word if answered else "",
        **party(delivery, form, sides),
    )


def dial(delivery: StoredDelivery, form: Form, sides: Sides) -> ChannelEvent:
    """The end of a <Dial> as a whole, from its `action`; a callee who declined at a screening was not bridged."""
    word = WORDS.get(form["DialCallStatus"], "failed")
    word = "missed" if form["DialBridged"] == "false" and word == "completed" else word
    weight, status = outcome(word, customer=sides.direction == "outbound")
    spoken = form.whole("DialCallDuration") if word == "completed" else None
    sid = form["DialCallSid"]
    legs = [some(id=sid, status=word, duration_s=spoken)] if sid else []
    said = some(status=status, talk_s=spoken, legs=legs)
    return part(delivery, form, f"dial:{sid}", weight, said, state=status, **party(delivery, form, sides))


def recording(delivery: StoredDelivery, form: Form) -> ChannelEvent:
    """May come first, and names no number: it waits for its line. <Record> on a call nobody took is a voicemail."""
    url, status = form["RecordingUrl"], form["RecordingStatus"] or "completed"
    sid = form["RecordingSid"] or url.rpartition("/")[2]
    if status not in RECORDINGS or not SID.fullmatch(sid):
        raise Unsupported(f"RecordingStatus {named(status)}")
    done = status == "completed" and bool(url)
    action = not (form["RecordingStatus"] or form["DialCallStatus"] or form["Timestamp"])  # of <Record> itself
    message = done and (action or form["RecordingSource"] == "RecordVerb")
    seconds = form.whole("RecordingDuration") if done else None
    said = some(sid=sid, status=status, url=url if done else "", duration_s=seconds)
    return part(
        delivery,
        form,
        f"recording:{sid}",
        Weight.VOICEMAIL if message else Weight.LEG,
        some(status="voicemail" if message else "", recording=said),
        order=2 * RECORDINGS[status] + bool(form["RecordingStatus"]),  # an `action` says less than the callback
        attachments=(Attachment(f"{sid}.wav", "audio/wav", url=url),) if done else (),
        occurred_at=form.moment("RecordingStartTime"),
    )
