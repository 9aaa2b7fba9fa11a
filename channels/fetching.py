"""Fetches what a customer or a provider points to, from public addresses only: the one way out to foreign hosts
(outgoing messages take it, too).

The host is resolved once, every address is checked, and the connection goes to the checked address (no second
look-up); each redirect is checked again. Rules: OWASP ASVS 5.0 1.3.6; the cases are Zammad CVE-2026-34719 (checked
when set, not when fired) and FreeScout CVE-2026-41905 (redirect followed, original URL checked).
Reasons never hold an address: it may contain a token.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack, closing, contextmanager, suppress
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from django.conf import settings

MAX_BYTES = 25 * 1024 * 1024
MAX_SECONDS = 30.0
MAX_REDIRECTS = 5
STEP_SECONDS = 10.0
CHUNK = 64 * 1024
QUERY = "/%:@!$&'()*+,;=~-._?"
REDIRECTS = frozenset({301, 302, 303, 307, 308})

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Beyond what `is_global` says (which differs between releases, CVE-2024-4032): addresses that carry another one.
NEVER = [
    ipaddress.ip_network(network)
    for network in (
        *("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4"),
        *(
            "::/96",
            "::ffff:0:0/96",
            "64:ff9b::/96",
            "64:ff9b:1::/48",
            "100::/64",
            "2001::/23",
            "2002::/16",
            "fc00::/7",
            "fe80::/9",
        ),
    )
]


class FetchError(Exception):
    """Not fetched, and why, in words without addresses. `gone`: trying again is of no use."""

    def __init__(self, reason: str, *, gone: bool = False) -> None:
        super().__init__(reason)
        self.gone = gone


class Clock:
    """A deadline that also ends a read which is waiting: a server may send one byte every nine seconds."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds
        self.sock: socket.socket | None = None
        self.timer = threading.Timer(seconds, self.ring)
        self.timer.daemon = True
        self.timer.start()

    def ring(self) -> None:
        with suppress(OSError):
            if self.sock is not None:
                self.sock.shutdown(socket.SHUT_RDWR)

    def left(self) -> float:
        self.check()
        return min(STEP_SECONDS, max(0.01, self.end - time.monotonic()))

    def check(self) -> None:
        if time.monotonic() >= self.end:
            raise FetchError("took too long")


class Fetched:
    """An answer whose body is still to be read, once."""

    def __init__(self, response: http.client.HTTPResponse, clock: Clock, max_bytes: int) -> None:
        self.response, self.clock, self.max_bytes = response, clock, max_bytes

    def chunks(self) -> Iterator[bytes]:
        """The body; raises FetchError where it is too large, too slow or cut off."""
        announced = self.response.length
        if announced is not None and announced > self.max_bytes:
            raise FetchError(f"larger than {self.max_bytes} bytes", gone=True)
        size = 0
        with reasons(self.clock):
            while chunk := self.response.read1(CHUNK):
                self.clock.check()
                size += len(chunk)
                if size > self.max_bytes:
                    raise FetchError(f"larger than {self.max_bytes} bytes", gone=True)
                yield chunk
        self.clock.check()
        if announced is not None and size < announced:
            raise FetchError("the answer was cut off")

    def body(self) -> bytes:
        return b"".join(self.chunks())


class Pinned(http.client.HTTPConnection):
    """Speaks to the checked address, while Host, SNI and the certificate are those of the name.

    `http.client` knows nothing of proxies in the environment.
    """

    def __init__(self, url: SplitResult, addresses: list[Address], clock: Clock) -> None:
        self.url, self.secure = url, url.scheme == "https"
        self.addresses, self.clock = addresses, clock
        self.peer: Address | None = None
        super().__init__(url.hostname or "", port_of(url))

    def connect(self) -> None:
        for place, address in enumerate(self.addresses):
            self.sock = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET)
            self.clock.sock = self.sock
            try:
                self.sock.settimeout(self.clock.left())
                self.sock.connect((str(address), self.port))
                self.peer = address
                break
            except OSError:
                self.sock.close()
                if place + 1 == len(self.addresses):
                    raise
        if self.secure:
            self.sock = tls().wrap_socket(self.sock, server_hostname=self.host)
            self.clock.sock = self.sock


@contextmanager
def fetch(
    url: str, headers: Mapping[str, str] | None = None, *, max_bytes: int = MAX_BYTES, max_seconds: float = MAX_SECONDS
) -> Iterator[Fetched]:
    """The answer to a GET; raises FetchError. `headers` go to the first host only."""
    clock = Clock(max_seconds)
    with ExitStack() as opened:
        opened.callback(clock.timer.cancel)
        with reasons(clock):
            target, sent = split(url), dict(headers or {})
            for _ in range(MAX_REDIRECTS + 1):
                connection = opened.enter_context(closing(Pinned(target, resolve(target, clock), clock)))
                connection.request(
                    "GET", path_of(target), headers={"User-Agent": "cxhub", "Accept-Encoding": "identity", **sent}
                )
                response = opened.enter_context(closing(connection.getresponse()))
                if response.status not in REDIRECTS:
                    break
                following = split(urljoin(target.geturl(), response.getheader("Location", "")))
                if origin(following) != origin(target):
                    sent = {}
                target = following
            else:
                raise FetchError("too many redirects", gone=True)
            check_answer(response)
        yield Fetched(response, clock, max_bytes)


@contextmanager
def reasons(clock: Clock) -> Iterator[None]:
    """Every trouble of the network as a FetchError; the original stays out, it may quote the address."""
    try:
        yield
    except FetchError:
        raise
    except ssl.SSLError as error:
        clock.check()
        reason = "the certificate is not valid" if isinstance(error, ssl.SSLCertVerificationError) else "no TLS"
        raise FetchError(reason) from None
    except TimeoutError:
        raise FetchError("took too long") from None
    except (OSError, AttributeError):  # AttributeError: http.client after its socket was shut by the clock.
        clock.check()
        raise FetchError("the connection failed") from None
    except (http.client.HTTPException, ValueError) as error:
        clock.check()
        raise FetchError(f"no proper answer ({type(error).__name__})") from None


def check_answer(response: http.client.HTTPResponse) -> None:
    if not 200 <= response.status < 300:
        raise FetchError(f"answered {response.status}", gone=response.status in (404, 410))
    if response.getheader("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise FetchError("the answer is compressed, though that was not asked for")


def split(url: str, inside: Collection[str] = ()) -> SplitResult:
    """The parts of an address that may be asked at all; hosts `inside` the company also without TLS."""
    try:
        parts = urlsplit(url)
        port_of(parts)
        host = (parts.hostname or "").encode("idna").decode() if parts.hostname else ""
    except (ValueError, UnicodeError):
        raise FetchError("not an address", gone=True) from None
    if parts.scheme != "https" and not (parts.scheme == "http" and (host in inside or settings_allow_loopback())):
        raise FetchError("not https", gone=True)
    if not host or parts.username is not None or parts.password is not None:
        raise FetchError("an address without a host, or with a password", gone=True)
    bracketed = f"[{host}]" if ":" in host else host
    netloc = f"{bracketed}:{parts.port}" if parts.port else bracketed
    return parts._replace(netloc=netloc, fragment="")


def resolve(url: SplitResult, clock: Clock, inside: Collection[str] = ()) -> list[Address]:
    """The addresses of the host, if all of them may be spoken to: one private among them is a trick.

    A host that whoever runs this named as `inside` may be private; link-local (of clouds' metadata) nobody is.
    """
    found: Future[list[Address]] = Future()

    def look_up() -> None:
        try:
            infos = socket.getaddrinfo(url.hostname, port_of(url), type=socket.SOCK_STREAM)
            found.set_result([ipaddress.ip_address(str(info[4][0]).partition("%")[0]) for info in infos])
        except (OSError, ValueError, UnicodeError):
            found.set_result([])

    threading.Thread(target=look_up, daemon=True).start()
    addresses = found.result(clock.left())
    if not addresses:
        raise FetchError("the host has no address")
    if url.hostname in inside and not any(address.is_link_local or address.is_multicast for address in addresses):
        return list(dict.fromkeys(addresses))
    loopback = all(address.is_loopback for address in addresses) and settings_allow_loopback()
    if url.scheme == "http" and not loopback:
        raise FetchError("not https", gone=True)
    if not loopback and not all(map(public, addresses)):
        raise FetchError("the host is not public", gone=True)
    return list(dict.fromkeys(addresses))


def public(address: Address) -> bool:
    return address.is_global and not address.is_multicast and not any(address in network for network in NEVER)


def settings_allow_loopback() -> bool:
    """Only tests and the demo, where a stand-in of a provider listens on this machine."""
    return bool(getattr(settings, "CXHUB_FETCH_ALLOW_LOOPBACK", False))


def port_of(url: SplitResult) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def origin(url: SplitResult) -> tuple[str, str | None, int]:
    return url.scheme, url.hostname, port_of(url)


def path_of(url: SplitResult) -> str:
    path = quote(url.path or "/", safe="/%:@!$&'()*+,;=~-._")
    return f"{path}?{quote(url.query, safe=QUERY)}" if url.query else path


def tls() -> ssl.SSLContext:
    return ssl.create_default_context()
