"""A receiver of outgoing messages on loopback, which answers as it is told and keeps what it was sent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


@dataclass
class Told:
    headers: dict[str, str]
    body: bytes
    wire: int
    """The port that it came from: the same one for what came over one connection."""

    def verified(self, secret: str) -> Any:
        """What it says, if the reference library finds it signed with this secret; raises otherwise."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """`answers`: (status, headers, body) of the next ones; 204 when there are none left.

    `hangs_up`: it ends the connection after an answer, without a word of that.
    """

    url: str = ""
    told: list[Told] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    hold: threading.Event | None = None
    hangs_up: bool = False
    reached: threading.Event = field(default_factory=threading.Event)

    def types(self, secret: str) -> list[str]:
        return [one.verified(secret)["type"] for one in self.told]


@contextmanager
def receiving() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.told.append(Told(dict(self.headers), body, self.client_address[1]))
            made.reached.set()
            if made.hold is not None:
                made.hold.wait(30)
            status, headers, said = made.answers.pop(0) if made.answers else (204, {}, b"")
            try:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(said)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said)
                self.close_connection = self.close_connection or made.hangs_up
            except OSError:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    try:
        yield made
    finally:
        if made.hold is not None:
            made.hold.set()
        server.shutdown()
        server.server_close()
        thread.join()
