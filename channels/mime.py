"""The door to the contents of a mail: small mails are read here, large and odd ones in a bounded child.

Format: RFC 5322, RFC 2045 to 2049. What is too large, too deep or too slow is Unreadable: it ends in quarantine
and takes no neighbour down.
"""

from channels import mail
from channels.bounces import Outcome, Report
from channels.bounded import OutOfBounds, Refused, bounded
from channels.mail import File, Mail
from channels.mailheaders import Mailbox, normal
from channels.provider import Unreadable
from channels.structure import MAX_SIZE, measure

__all__ = ["MAX_SIZE", "File", "Mail", "Mailbox", "Outcome", "Report", "attachment", "normal", "read"]


def read(raw: bytes, *, authserv_id: str = "", envelope_sender: str | None = None) -> Mail:
    """What the mail says; raises Unreadable."""
    arguments = (authserv_id, "?" if envelope_sender is None else envelope_sender)
    try:
        if measure(raw).heavy():
            return Mail.from_json(bounded(mail.read_json, raw, *arguments))
        return mail.read(raw, *arguments)
    except (Refused, OutOfBounds) as error:
        raise Unreadable(f"mail: {error}") from error
    except Exception as error:  # The parser of the standard library fails in many ways on broken mail.
        raise Unreadable(f"mail: {type(error).__name__}") from error


def attachment(raw: bytes, index: int) -> bytes:
    """The bytes of one attachment by its place; raises Unreadable."""
    try:
        if measure(raw).heavy():
            return bounded(mail.extract, raw, str(index))
        return mail.extract(raw, str(index))
    except (Refused, OutOfBounds) as error:
        raise Unreadable(f"mail: {error}") from error
