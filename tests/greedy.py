"""Functions that a bounded child should not survive; a module of its own, for the child knows no Django."""

from channels.bounded import Refused


def spin(raw: bytes) -> bytes:
    while True:
        pass


def eat(raw: bytes) -> bytes:
    return b"".join([b"x" * (64 * 1024 * 1024)] * 20)


def die(raw: bytes) -> bytes:
    raise RuntimeError("what the mail said")


def refuse(raw: bytes) -> bytes:
    raise Refused("no")
