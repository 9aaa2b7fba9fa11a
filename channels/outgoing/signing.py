"""Signatures of outgoing messages as Standard Webhooks has them: HMAC-SHA-256 over id, time and body.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"
BYTES = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(BYTES)).decode()


def signed(keys: Iterable[str], id_: str, at: int, body: bytes) -> dict[str, str]:
    """The headers of a message; while a secret is being replaced, one signature by each."""
    content = f"{id_}.{at}.".encode() + body
    signatures = (
        "v1," + base64.b64encode(hmac.new(key_of(secret), content, hashlib.sha256).digest()).decode() for secret in keys
    )
    return {"webhook-id": id_, "webhook-timestamp": str(at), "webhook-signature": " ".join(signatures)}


def key_of(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX))
