"""A test of a source: what its provider might send that says nothing of anybody, through the door that providers use.

It proves the address, the secrets and the way into the database, and leaves no line in any history: the receipt says
«ignored». The address is the public one, so a wrong name or proxy shows, too.
"""

import smtplib
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from uuid import UUID, uuid4

import orjson
import requests
from django.conf import settings

from channels.models import Delivery, Source
from channels.signatures import form_fields, twilio_signature
from channels.tasks import nudge

SECONDS = 5
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Trial:
    """`answer`: what the door said; `receipt`: the delivery that it made, if it made one."""

    answer: str
    receipt: Delivery | None = None


Request = tuple[bytes, dict[str, str]]


def telegram(source: Source) -> Request:
    update = {"update_id": 0, "poll": {"id": "0", "question": "cxhub asks itself", "options": []}}
    token = source.secrets.get("secret_token", "")
    return orjson.dumps(update), {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": token}


def signed(source: Source, body: bytes) -> Request:
    key = source.secrets.get("auth_token", "")
    signature = twilio_signature(key, source.hook_url, form_fields(body))
    return body, {"Content-Type": FORM, "X-Twilio-Signature": signature}


def twilio_sms(source: Source) -> Request:
    return signed(source, b"EventType=onConversationAdd&Source=cxhub")


def twilio_voice(source: Source) -> Request:
    return signed(source, b"StreamEvent=stream-started&StreamSid=MZ0&CallSid=CA0")


HOOKS: dict[str, Callable[[Source], Request]] = {
    "telegram": telegram,
    "twilio_sms": twilio_sms,
    "twilio_voice": twilio_voice,
}
MAIL = "email"


def possible(source: Source) -> bool:
    """A push needs a key, which nobody has here; of the others we know what says nothing."""
    return source.provider in HOOKS or (source.provider == MAIL and bool(mailbox(source)))


def run(source: Source) -> Trial:
    """Send it, and wait a little for what becomes of it. Raises nothing for a door that is shut."""
    if source.provider == MAIL:
        return mailed(source)
    body, headers = HOOKS[source.provider](source)
    try:
        answer = requests.post(source.hook_url, body, headers=headers, timeout=SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        return Trial(f"{source.hook_url.partition('/hooks')[0]}: {type(error).__name__}")
    said = f"{answer.status_code} {answer.reason}"
    if answer.status_code >= 300:
        said += f": {answer.text[:200].strip()}"
    receipt = answer.headers.get("Cxhub-Receipt", "")
    return Trial(said, settled(UUID(receipt)) if receipt else None)


def mailbox(source: Source) -> str:
    return next((one for one in source.addresses if "@" in one[1:]), "")


def mailed(source: Source) -> Trial:
    """A mail of ours to nobody but ourselves."""
    name = f"{uuid4()}@cxhub.invalid"
    mail = EmailMessage()
    mail["From"] = mail["To"] = mailbox(source)
    mail["Subject"], mail["Message-ID"] = "cxhub asks itself", f"<{name}>"
    mail.set_content("A test of the way into cxhub. It appears in no history.")
    before = newest(source)
    try:
        with smtplib.SMTP(settings.CXHUB_SMTP_HOST, settings.CXHUB_SMTP_PORT, timeout=SECONDS) as door:
            door.send_message(mail)
    except (OSError, smtplib.SMTPException) as error:
        return Trial(f"{settings.CXHUB_SMTP_HOST}:{settings.CXHUB_SMTP_PORT}: {type(error).__name__}")
    fresh = newest(source)
    return Trial("250", settled(fresh) if fresh and fresh != before else None)


def newest(source: Source) -> UUID | None:
    return Delivery.objects.filter(source=source).order_by("-pk").values_list("pk", flat=True).first()


def settled(receipt: UUID) -> Delivery | None:
    """The delivery as it stands after the drain had its chance."""
    nudge()
    end = time.monotonic() + SECONDS
    while (found := Delivery.objects.filter(pk=receipt).first()) and found.state in Delivery.OPEN:
        if time.monotonic() > end:
            break
        time.sleep(0.1)
    return found
