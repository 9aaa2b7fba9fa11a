"""A server on loopback that behaves as badly as those that media come from."""

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Handler(BaseHTTPRequestHandler):
    """A provider's media server with bad manners."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server: Any = self.server
        server.seen.append((self.path, dict(self.headers)))
        action = getattr(self, "do_" + self.path.strip("/").partition("?")[0].partition("/")[0], None)
        if action is None:
            self.answer(404, b"")
        else:
            action()

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Length": str(len(body)),
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_file(self) -> None:
        self.answer(200, b"the bytes", Content_Type="image/png")

    def do_secret(self) -> None:
        self.answer(200 if self.headers.get("Authorization") else 401, b"secret")

    def do_gone(self) -> None:
        self.answer(410, b"")

    def do_gzip(self) -> None:
        self.answer(200, b"\x1f\x8b", Content_Encoding="gzip")

    def do_loop(self) -> None:
        self.answer(302, b"", Location="/loop")

    def do_to(self) -> None:
        self.answer(302, b"", Location=self.path.partition("?")[2])

    def do_announced(self) -> None:
        self.answer(200, b"", Content_Length=str(10**12))

    def do_endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"x" * 65536)
        except OSError:
            self.close_connection = True

    def do_short(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"only this")
        self.close_connection = True

    def do_drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.drip()

    def do_headers(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        self.drip()

    def drip(self) -> None:
        try:
            for _ in range(200):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.05)
        except OSError:
            self.close_connection = True

    def do_nothing(self) -> None:
        self.wfile.write(b"220 mail.example ESMTP\r\n")
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        return


class Server(ThreadingHTTPServer):
    """Remembers what it was asked."""

    daemon_threads = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.seen: list[tuple[str, dict[str, str]]] = []


class serving:
    def __init__(self, prepare: Callable[[ThreadingHTTPServer], Any]) -> None:
        self.server = Server(("127.0.0.1", 0), Handler)
        prepare(self.server)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Any:
        self.thread.start()
        return self.server

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


def url(server: Any, path: str, host: str = "127.0.0.1", scheme: str = "http") -> str:
    return f"{scheme}://{host}:{server.server_address[1]}/{path}"
