"""A lean load client: raw requests over kept connections, by a few processes of its own."""

import multiprocessing
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass

PROCESSES, CONNECTIONS = 2, 2
RECONNECT_SECONDS = 0.2
"""A server spreads connections over its workers as chance has it: new ones now and then even that out."""
END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Load:
    """What the clients saw: how long each answer took, and all of them together."""

    seconds: float
    latencies: list[float]

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds


class Connection:
    """One kept connection; raises AssertionError for any other status than the one that is due."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes, status: int) -> bytes:
        self.socket.sendall(request)
        buffer = b""
        while (at := buffer.find(END)) < 0:
            buffer += self._receive()
        head, chunks = buffer[:at].lower(), [buffer[at + len(END) :]]
        _, found, rest = head.partition(b"content-length:")
        assert found, head
        missing = int(rest.split(b"\r\n", 1)[0]) - len(chunks[0])
        while missing > 0:
            chunks.append(self._receive())
            missing -= len(chunks[-1])
        body = b"".join(chunks)
        assert head.split(b" ", 2)[1] == str(status).encode(), (head, body[:500])
        return body

    def close(self) -> None:
        self.socket.close()

    def _receive(self) -> bytes:
        chunk = self.socket.recv(262_144)
        assert chunk, "the server closed the connection"
        return chunk


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """The bytes of one HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def together(requests: Sequence[bytes], work: Callable[[Sequence[bytes]], None]) -> None:
    """One thread a connection, each with its share of the requests; raises what one of them raised."""
    failures: list[BaseException] = []

    def guarded(share: Sequence[bytes]) -> None:
        try:
            work(share)
        except BaseException as failure:
            failures.append(failure)

    shares = [share for place in range(CONNECTIONS) if (share := requests[place::CONNECTIONS])]
    threads = [threading.Thread(target=guarded, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def hammer(port: int, requests: Sequence[bytes], status: int, seconds: float) -> list[float]:
    """Ask round and round for some seconds (0: once through); how long each answer took."""
    latencies: list[float] = []

    def work(share: Sequence[bytes]) -> None:
        connection = Connection(port)
        begun, place = time.perf_counter(), 0
        end, reconnect = begun + seconds, begun + RECONNECT_SECONDS
        while (begun < end) if seconds else (place < len(share)):
            connection.ask(share[place % len(share)], status)
            place += 1
            now = time.perf_counter()
            latencies.append(now - begun)
            if now > reconnect:
                connection.close()
                connection, now = Connection(port), time.perf_counter()
                reconnect = now + RECONNECT_SECONDS
            begun = now
        connection.close()

    together(requests, work)
    return latencies


def pace(port: int, requests: Sequence[bytes], status: int, rate: float) -> float:
    """Ask at a steady rate; the rate that was kept."""

    def work(share: Sequence[bytes]) -> None:
        connection = Connection(port)
        for place, one in enumerate(share):
            time.sleep(max(0, begun + place * CONNECTIONS / rate - time.perf_counter()))
            connection.ask(one, status)
        connection.close()

    begun = time.perf_counter()
    together(requests, work)
    return len(requests) / (time.perf_counter() - begun)


class Clients:
    """Processes that stay, so that no round pays for their start."""

    def __init__(self) -> None:
        self.pool = ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn"))

    def __enter__(self) -> "Clients":
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.shutdown()

    def run(self, port: int, requests: Sequence[bytes], *, status: int = 200, seconds: float = 0) -> Load:
        """All processes at once, each over its share of the requests."""
        begun = time.perf_counter()
        shares = [share for place in range(PROCESSES) if (share := requests[place::PROCESSES])]
        waiting = [self.pool.submit(hammer, port, share, status, seconds) for share in shares]
        latencies = [one for answer in waiting for one in answer.result()]
        return Load(time.perf_counter() - begun, latencies)

    def pace(self, port: int, requests: Sequence[bytes], *, status: int, rate: float) -> list[Future[float]]:
        """All processes, beside whatever the caller does meanwhile; each tells the rate that it kept."""
        shares = [requests[place::PROCESSES] for place in range(PROCESSES)]
        return [self.pool.submit(pace, port, share, status, rate / PROCESSES) for share in shares if share]
