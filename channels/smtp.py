"""The mailbox of the service: SMTP (RFC 5321) and LMTP (RFC 2033) that say 250 only once the mail is committed.

What cannot be stored is answered 451, so the sender's queue keeps it; 550 is only for an address of no source.
"""

import asyncio
import logging
import signal
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from channels import counting
from channels.accepting import accept
from channels.charsets import clean
from channels.models import Source
from channels.structure import MAX_SIZE
from customers.figures import alive

logger = logging.getLogger(__name__)

PROVIDER = "email"
SECONDS = 60
"""For the database to answer; the sender waits ten minutes (RFC 5321 section 4.5.3.2.6)."""
CLOSING_SECONDS = 15
BEAT_SECONDS = 10
CONNECTIONS = 50
THREADS = 8

LATER = "451 4.3.0 not stored, please try again"
UNKNOWN = "550 5.1.1 no such address here"
TOO_LARGE = ("552", "500 Line too long")

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Rcpt:
    """One recipient of a mail, and the source that his address belongs to."""

    address: str
    source: Source


def source_of(address: str) -> Source | None:
    """The source of an address; name+anything@ is name@, and @domain is the last resort."""
    local, _, domain = address.strip("<> ").casefold().rpartition("@")
    wanted = [f"{local}@{domain}", f"{local.partition('+')[0]}@{domain}", f"@{domain}"]
    found: dict[str, Source] = {}
    for source in Source.objects.filter(provider=PROVIDER).order_by("-id"):
        for own in source.addresses:
            found[own.strip().casefold()] = source
    return next((found[one] for one in wanted if one in found), None)


def in_database(function: Callable[[], Result]) -> Result:
    """Runs in a thread of the pool, on a connection of its own: a fresh one outlives no restart of the database."""
    try:
        return function()
    finally:
        connection.close()


class Door:
    """What aiosmtpd asks at each step."""

    def __init__(self, *, per_recipient: bool, threads: ThreadPoolExecutor) -> None:
        self.per_recipient = per_recipient
        self.threads = threads

    async def run(self, function: Callable[[], Result]) -> Result:
        loop = asyncio.get_running_loop()
        return await asyncio.wait_for(loop.run_in_executor(self.threads, in_database, function), SECONDS)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        try:
            source = await self.run(partial(source_of, address))
        except Exception:
            logger.exception("recipient not looked up")
            return LATER
        if source is None:
            return UNKNOWN
        envelope.rcpt_tos.append(address)
        known: list[Rcpt] = envelope.__dict__.setdefault("known", [])
        known.append(Rcpt(address, source))
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        known: list[Rcpt] = envelope.__dict__.get("known", [])
        answers = {}
        for source_id in sorted({rcpt.source.pk for rcpt in known}):
            mine = [rcpt for rcpt in known if rcpt.source.pk == source_id]
            answers[source_id] = await self.store(mine, session, envelope)
        ordered = [answers[rcpt.source.pk] for rcpt in known]
        if self.per_recipient:
            return "\r\n".join(ordered)
        # One answer for all: if any failed the sender comes back with the whole, and what is stored is known again.
        return next((answer for answer in ordered if answer == LATER), ordered[0])

    async def store(self, rcpts: Sequence[Rcpt], session: Session, envelope: Envelope) -> str:
        body = envelope.original_content or b""
        headers = {
            "mail-from": clean(envelope.mail_from or ""),
            "rcpt-to": ", ".join(clean(rcpt.address) for rcpt in rcpts),
            "peer": peer_of(session.peer),
            "protocol": "lmtp" if self.per_recipient else "smtp",
        }
        save = partial(accept, rcpts[0].source, body=body, headers=headers, received_at=timezone.now())
        try:
            receipt = await self.run(save)
        except Exception:
            counting.accepted(PROVIDER, "unstored")
            logger.exception("mail of %d bytes not stored", len(body))
            return LATER
        return f"250 2.0.0 stored {receipt}"


def peer_of(peer: Any) -> str:
    """The address of the sender's host; aiosmtpd calls it a string, asyncio gives a tuple."""
    return str(peer[0]) if isinstance(peer, tuple) else str(peer)


class Counted:
    """What both protocols need: a limit of connections, long lines, and to be told when a server closes."""

    # RFC 5321 allows 1,000 bytes a line, but a 500 loses the mail of a customer whose program knows no limit.
    line_length_limit = MAX_SIZE
    live: "set[Any]"
    transport: Any
    envelope: Any

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if len(self.live) >= CONNECTIONS and isinstance(transport, asyncio.WriteTransport):
            transport.write(b"421 4.3.2 too many connections, please try again\r\n")
            transport.close()
        self.live.add(self)
        super().connection_made(transport)  # type: ignore[misc]

    def connection_lost(self, error: Exception | None) -> None:
        self.live.discard(self)
        super().connection_lost(error)  # type: ignore[misc]

    @property
    def busy(self) -> bool:
        return bool(self.envelope and self.envelope.rcpt_tos)


class Smtp(Counted, SMTP):
    """One SMTP connection."""

    def __init__(self, *args: Any, live: set[Any], **options: Any) -> None:
        self.live = live
        super().__init__(*args, **options)


class Lmtp(Counted, LMTP):
    """One LMTP connection; a refusal after DATA is said once per recipient, as aiosmtpd does not."""

    def __init__(self, *args: Any, live: set[Any], **options: Any) -> None:
        self.live = live
        super().__init__(*args, **options)

    async def push(self, status: Any) -> None:
        if isinstance(status, str) and status.startswith(TOO_LARGE) and self.busy and "\n" not in status:
            status = "\r\n".join([status] * len(self.envelope.rcpt_tos))
        await super().push(status)


class Doors:
    """Both listeners, in one event loop, until they are told to stop."""

    def __init__(self, hostname: str) -> None:
        self.hostname = hostname
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="mail")
        self.live: set[Any] = set()
        self.servers: list[asyncio.Server] = []
        self.stopping = asyncio.Event()

    async def listen(self, host: str, port: int, *, lmtp: bool) -> int:
        """Returns the port, which is a free one for 0."""
        door = Door(per_recipient=lmtp, threads=self.threads)
        protocol: Callable[..., Any] = Lmtp if lmtp else Smtp
        factory = partial(
            protocol,
            door,
            live=self.live,
            data_size_limit=MAX_SIZE,
            enable_SMTPUTF8=True,
            hostname=self.hostname,
            ident="cxhub",
            loop=asyncio.get_running_loop(),
        )
        server = await asyncio.get_running_loop().create_server(factory, host, port)
        self.servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    def stop_on(self, signals: Iterable[signal.Signals]) -> None:
        for one in signals:
            asyncio.get_running_loop().add_signal_handler(one, self.stopping.set)

    async def beat(self) -> None:
        """Say again and again that the doors are open and the threads behind them get to the database."""
        while not self.stopping.is_set():
            with suppress(DatabaseError, InterfaceError):
                await asyncio.get_running_loop().run_in_executor(self.threads, in_database, partial(alive, "smtpd"))
            await asyncio.sleep(BEAT_SECONDS)

    async def run(self) -> None:
        """Until told to stop; then mails that are on the way are finished first."""
        await self.stopping.wait()
        for server in self.servers:
            server.close()
        deadline = asyncio.get_running_loop().time() + CLOSING_SECONDS
        while any(one.busy for one in self.live) and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.05)
        for one in list(self.live):
            if one.transport is not None:
                one.transport.write(b"421 4.3.2 closing, please try again\r\n")
                one.transport.close()
        await asyncio.get_running_loop().run_in_executor(None, partial(self.threads.shutdown, wait=True))
