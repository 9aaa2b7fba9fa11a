"""The id of the request that is being answered: in the answer, in each line of the log, in problems."""

import os
import re
from contextvars import ContextVar

HEADER, META = "X-Request-Id", "HTTP_X_REQUEST_ID"
SANE = re.compile(r"[A-Za-z0-9._:-]{8,64}")

REQUEST: ContextVar[str] = ContextVar("request", default="")


def begin(given: str | None) -> str:
    """The caller's own id if it is a sane token, else a new one.

    It is not taken back at the end: what a thread logs before its next request (a long answer is written while it is
    sent) still belongs to this one.
    """
    id_ = given if given and SANE.fullmatch(given) else os.urandom(8).hex()
    REQUEST.set(id_)
    return id_
