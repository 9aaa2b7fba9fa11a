"""The command `smtpd` as a process: it listens where it is told, and finishes what it has begun."""

import os
import signal
import smtplib
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from channels.models import Delivery, Source
from tests.test_smtp import LETTER, STORED

pytestmark = pytest.mark.django_db(transaction=True)


def stops_listening(port: int) -> bool:
    for _ in range(200):
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) != 0:
                return True
        time.sleep(0.05)
    return False


@pytest.mark.slow
def test_the_command_finishes_a_mail_before_it_stops(root: Path, unused_tcp_ports: list[int]) -> None:
    Source.objects.create(provider="email", slug="shop", addresses=["support@shop.example"])
    given = {
        name: value
        for name, value in connection.get_connection_params().items()
        if name in {"dbname", "user", "password", "host", "port"}
    }
    environment = {**os.environ, "DATABASE_URL": make_conninfo(**given)}
    ports = [str(port) for port in unused_tcp_ports]
    command = [sys.executable, "manage.py", "smtpd", "--smtp-port", ports[0], "--lmtp-port", ports[1]]
    process = subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == f"smtp on 127.0.0.1:{ports[0]}\n"
        assert process.stdout.readline() == f"lmtp on 127.0.0.1:{ports[1]}\n"
        with smtplib.SMTP("127.0.0.1", int(ports[0]), timeout=60) as client:
            client.ehlo("client.example")
            client.mail("ada@customer.example")
            client.rcpt("support@shop.example")
            client.docmd("DATA")
            client.send(LETTER)
            process.send_signal(signal.SIGTERM)
            assert stops_listening(int(ports[0]))
            client.send(b".\r\n")
            code, said = client.getreply()
            assert code == 250
            assert STORED.fullmatch(said.decode())
            assert client.getreply()[0] == 421
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    assert Delivery.objects.count() == 1


@pytest.fixture
def unused_tcp_ports() -> list[int]:
    found = []
    for _ in range(2):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            found.append(one.getsockname()[1])
    return found
