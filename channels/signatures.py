"""How a provider proves that a delivery is its own: every check fails closed and takes constant time."""

import hmac
from base64 import b64encode
from collections.abc import Iterable, Iterator
from hashlib import sha1, sha256
from urllib.parse import SplitResult, parse_qs, parse_qsl, urlsplit

from channels.provider import Received, Rejected, SourceInfo

MAX_FIELDS = 2_000  # of a form
DEFAULT_PORTS = {"https": 443, "http": 80}
TWILIO_HASHES = {"HMAC_SHA1": sha1, "HMAC_SHA256": sha256}


def secret(source: SourceInfo, name: str) -> str:
    """A secret of the source; one that is missing or empty refuses everything."""
    value = str(source.secrets.get(name) or "")
    if not value:
        raise Rejected(f"the source has no {name}")
    return value


def same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))


def shared_token(given: str, source: SourceInfo, name: str) -> None:
    """A constant that the provider repeats with each delivery: nothing is signed."""
    expected = secret(source, name)
    if not given:
        raise Rejected("no secret token")
    if not same(expected, given):
        raise Rejected("wrong secret token")


def form_fields(body: bytes) -> list[tuple[str, str]]:
    """The fields of an urlencoded form as they are signed: empty ones and repeated ones too.

    Raises ValueError when there are too many.
    """
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS)


def twilio(received: Received, source: SourceInfo) -> None:
    """X-Twilio-Signature: the printed URL, then the sorted fields; of other bodies the URL carries a hash.

    https://www.twilio.com/docs/usage/security#validating-requests
    A delivery signed with a shared key says so in a header; its secret is another one than the auth token.
    """
    settings = received.headers.get("x-twilio-webhooks-signature-settings", "")
    algorithm = dict(twilio_settings(settings)).get("algorithm", "HMAC_SHA1").upper()
    if algorithm not in TWILIO_HASHES:
        raise Rejected("unknown signature algorithm")
    key = secret(source, "shared_key" if settings else "auth_token")
    given = received.headers.get("x-twilio-signature", "")
    if not given:
        raise Rejected("no signature")
    fields = signed_fields(received)
    url = source.hook_url + (f"?{received.query}" if received.query else "")
    if not sum(same(twilio_signature(key, spelling, fields, algorithm), given) for spelling in spellings(url)):
        raise Rejected("wrong signature")


def twilio_settings(header: str) -> Iterator[tuple[str, str]]:
    for part in header.split(","):
        name, _, value = part.partition("=")
        if value.strip():
            yield name.strip(), value.strip()


def twilio_signature(key: str, url: str, fields: Iterable[tuple[str, str]], algorithm: str = "HMAC_SHA1") -> str:
    """A value that a field repeats counts once, as in Twilio's own library."""
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    digest = hmac.new(key.encode(), text.encode("utf-8", "surrogateescape"), TWILIO_HASHES[algorithm]).digest()
    return b64encode(digest).decode()


def signed_fields(received: Received) -> list[tuple[str, str]]:
    """The fields that the signature covers; Rejected when it would not cover the body."""
    hashes = parse_qs(received.query).get("bodySHA256")
    if hashes:
        if not same(sha256(received.body).hexdigest(), hashes[0].lower()):
            raise Rejected("the body is not the signed one")
        return []
    if not received.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded"):
        raise Rejected("the body is not signed")
    try:
        return form_fields(received.body)
    except ValueError:
        raise Rejected("too many fields") from None


def spellings(url: str) -> list[str]:
    """The URL as printed, without its port and with the default one: Twilio signs any of them."""
    parts = urlsplit(url)
    bare = without_port(parts)
    default = DEFAULT_PORTS.get(parts.scheme, 443)
    ported = parts.netloc if parts.netloc != bare else f"{bare}:{default}"
    return list(dict.fromkeys((url, parts._replace(netloc=bare).geturl(), parts._replace(netloc=ported).geturl())))


def without_port(parts: SplitResult) -> str:
    host, colon, port = parts.netloc.rpartition(":")
    return host if colon and port.isdigit() else parts.netloc


def twilio_credentials(source: SourceInfo, url: str) -> dict[str, str]:
    """The account's password, for addresses of Twilio itself and no other."""
    parts = urlsplit(url)
    account, token = source.secrets.get("account_sid"), source.secrets.get("auth_token")
    if parts.scheme != "https" or not f".{parts.hostname or ''}".endswith(".twilio.com") or not (account and token):
        return {}
    return {"Authorization": "Basic " + b64encode(f"{account}:{token}".encode()).decode()}
