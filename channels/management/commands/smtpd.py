"""Listens for mail: SMTP and LMTP, in the foreground."""

import asyncio
import logging
import signal
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from channels.smtp import Doors
from customers.figures import keep_flushing


class Command(BaseCommand):
    help = "Take mail by SMTP and LMTP; answers 250 once it is stored. Port 0 turns a door off."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=getattr(settings, "CXHUB_SMTP_HOST", "127.0.0.1"))
        parser.add_argument("--smtp-port", type=int, default=getattr(settings, "CXHUB_SMTP_PORT", 2525))
        parser.add_argument("--lmtp-port", type=int, default=getattr(settings, "CXHUB_LMTP_PORT", 2424))

    def handle(self, *args: Any, **options: Any) -> None:
        logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd notes what it is sent, and warns with it
        keep_flushing()
        try:
            asyncio.run(self.listen(options["host"], options["smtp_port"], options["lmtp_port"]))
        except OSError as error:
            raise CommandError(f"cannot listen: {error.strerror or error}") from error

    async def listen(self, host: str, smtp: int, lmtp: int) -> None:
        doors = Doors(urlsplit(settings.CXHUB_PUBLIC_URL).hostname or "localhost")
        doors.stop_on([signal.SIGTERM, signal.SIGINT])
        for name, port in (("smtp", smtp), ("lmtp", lmtp)):
            if port:
                self.stdout.write(f"{name} on {host}:{await doors.listen(host, port, lmtp=name == 'lmtp')}")
                self.stdout.flush()
        beating = asyncio.create_task(doors.beat())
        await doors.run()
        beating.cancel()
