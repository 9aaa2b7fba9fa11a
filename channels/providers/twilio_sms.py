"""Twilio Messaging: SMS, MMS, WhatsApp and RCS. https://www.twilio.com/docs/messaging/guides/webhook-request

A line is a message, by its sid. Twilio gives no time with an inbound message, so the time of receipt stands.
What the company sent through Twilio's API is known here by its delivery states alone, unless somebody pushes the
text under the same source with the message's sid as id.
"""

import re
from base64 import b64decode
from collections.abc import Iterator
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
from customers.incoming import Attachment, ChannelEvent, Handle, Trust

STATES = {  # MessageStatus → our state and its rank; the later one counts, in whatever order they come
    "accepted": ("queued", 1),
    "scheduled": ("queued", 2),
    "queued": ("queued", 3),
    "sending": ("sending", 4),
    "sent": ("sent", 5),
    "delivered": ("delivered", 6),
    "read": ("read", 7),
    "partially_delivered": ("delivered", 6),
    "undelivered": ("undelivered", 8),
    "failed": ("failed", 8),
    "canceled": ("canceled", 8),
}
INBOUND = ("received", "receiving", "")
CHANNELS = {"": "sms", "whatsapp": "whatsapp", "rcs": "rcs"}
OPTED_OUT = "21610"
# Twilio's own words; with advanced opt-out it says which it took them for.
KEYWORDS = {
    "stop": "STOP STOPALL UNSUBSCRIBE CANCEL END QUIT REVOKE OPTOUT",
    "start": "START UNSTOP",
    "help": "HELP INFO",
}
MAX_FILES = 10
SID = re.compile(r"[A-Za-z0-9]{2,64}")
PREFIX = re.compile(r"([a-z_]+):(.*)", re.DOTALL)
BASE64 = re.compile(r"[A-Za-z0-9+/]{60,}={0,2}")
BSUID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9.]{1,140}")


class TwilioSms(Provider):
    name = "twilio_sms"
    label = "Twilio SMS and WhatsApp"
    docs = "https://www.twilio.com/docs/messaging"
    answer = Answer(200, b"<Response/>", "text/xml; charset=utf-8")
    kept_headers = ("content-type", "i-twilio-idempotency-token")  # the token is the same when Twilio tries again
    secrets = (
        Secret("auth_token", "The auth token of the account, on the console's first page."),
        Secret("account_sid", "AC…, beside it; needed to fetch pictures.", required=False),
        Secret("shared_key", "Only if webhooks are signed with a shared key.", required=False),
    )
    handled = frozenset({"message", "state"})
    ignored = frozenset({"onConversationAdd", "onMessageAdd", "onParticipantAdd"})  # questions, not events
    unsupported = frozenset({"onMessageAdded", "onMessageUpdated", "onMessageRemoved", "onDeliveryUpdated", "json"})

    def verify(self, received: Received, source: SourceInfo) -> None:
        signatures.twilio(received, source)

    def paste(self, source: SourceInfo) -> str:
        return f"{source.hook_url}: as «A message comes in» of the number or service, and as its status callback."

    def media(self, source: SourceInfo, ref: str, url: str) -> MediaRequest | None:
        return MediaRequest(url, headers=signatures.twilio_credentials(source, url)) if url else None

    def parse(self, delivery: StoredDelivery) -> Iterator[ChannelEvent]:
        if delivery.body.lstrip()[:1] in (b"{", b"["):
            raise Unsupported("json")
        form = Form.read(delivery.body)
        if form["EventType"].startswith("on"):  # of Conversations; others name a state
            kind = named(form["EventType"])
            raise Ignored(kind) if kind in self.ignored else Unsupported(kind)
        sid = form["MessageSid"] or form["SmsSid"]
        if not SID.fullmatch(sid):
            raise Unreadable("no MessageSid")
        status = (form["MessageStatus"] or form["SmsStatus"]).lower()
        yield message(delivery, form, sid) if status in INBOUND else state(delivery, form, sid, status)


def handles_of(delivery: StoredDelivery, form: Form, address: str, bsuid: str) -> tuple[str, tuple[Handle, ...]]:
    """The channel and who it was: a number, or WhatsApp's id for a customer who shows none."""
    trust = delivery.source.capped(Trust.ASSERTED)
    found = PREFIX.fullmatch(address)
    prefix, value = found.groups() if found else ("", address)
    if prefix == "messenger":
        return "messenger", (Handle("messenger", value, trust=trust),)
    if prefix not in CHANNELS:
        raise Unsupported(f"channel {named(prefix)}")
    handles = []
    if prefix == "whatsapp" and not BSUID.fullmatch(value):
        handles.append(Handle("whatsapp", value.lstrip("+"), trust=trust))
    elif prefix != "whatsapp":
        handles.append(Handle("phone", value, trust=trust))
    ids = (value if prefix == "whatsapp" else "", bsuid.removeprefix("whatsapp:"))
    account = form["AccountSid"]
    known = dict.fromkeys(id_ for id_ in ids if BSUID.fullmatch(id_))
    handles += [Handle("wa_bsuid", id_, scope=account, trust=trust) for id_ in known]
    return CHANNELS[prefix], tuple(handles)


def message(delivery: StoredDelivery, form: Form, sid: str) -> ChannelEvent:
    channel, handles = handles_of(delivery, form, form["From"], form["ExternalUserId"])
    words = plain(form)
    place = some(latitude=form["Latitude"], longitude=form["Longitude"], name=form["Label"], address=form["Address"])
    return reading.event(
        delivery,
        key=sid,
        channel=channel,
        kind="message",
        direction="inbound",
        handles=handles,
        name=form["ProfileName"],
        text=form["ButtonText"] or words,
        attachments=tuple(files(form)),
        details=some(
            segments=form.whole("NumSegments"),
            to=form["To"],
            service=form["MessagingServiceSid"],
            opt_out=opt_out(form, words),
            reply_to=form["OriginalRepliedMessageSid"],
            button=form["ButtonPayload"],
            location=place,
            forwarded=True if form["Forwarded"] == "true" else None,
            referral=some(url=form["ReferralSourceUrl"], type=form["ReferralSourceType"]),
        ),
    )


def state(delivery: StoredDelivery, form: Form, sid: str, status: str) -> ChannelEvent:
    """A delivery state of what the company sent: it names the customer, for it may be all that we ever hear."""
    if status not in STATES:
        raise Unsupported(f"MessageStatus {named(status)}")
    channel, handles = handles_of(delivery, form, form["To"], form["ExternalUserId"])
    word, rank = STATES[status]
    error = form["ErrorCode"]
    said: dict[str, Any] = some(status=word, error=error, reason=form["ChannelStatusMessage"] or form["ErrorMessage"])
    return reading.event(
        delivery,
        key=sid,
        part=f"state:{status}",
        revision=rank,
        channel=channel,
        kind="message",
        direction="outbound",
        handles=handles,
        state=word,
        details=some(delivery=said, opt_out="stop" if error == OPTED_OUT else "", service=form["MessagingServiceSid"]),
    )


def plain(form: Form) -> str:
    """The text; a long SMS in parts sometimes comes as base64 of the whole."""
    body = form["Body"]
    if (form.whole("NumSegments") or 0) < 2 or len(body) % 4 or not BASE64.fullmatch(body):
        return body
    try:
        words = b64decode(body, validate=True).decode()
    except ValueError:
        return body
    return words if " " in words and all(sign.isprintable() or sign.isspace() for sign in words) else body


def opt_out(form: Form, words: str) -> str:
    said = form["OptOutType"] or words.strip().upper()
    return next((kind for kind, keywords in KEYWORDS.items() if said in keywords.split()), "")


def files(form: Form) -> Iterator[Attachment]:
    for place in range(min(form.whole("NumMedia") or 0, MAX_FILES)):
        url, kind = form[f"MediaUrl{place}"], form[f"MediaContentType{place}"]
        if url:
            yield Attachment(f"media{place}", kind, url=url)
