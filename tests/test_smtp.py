"""The doors for mail, with real clients: swaks and smtplib against SMTP and LMTP on loopback."""

import asyncio
import re
import shutil
import smtplib
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError

from channels import smtp
from channels.accepting import accept
from channels.models import Delivery, DeliveryBody, Source
from channels.smtp import Doors

pytestmark = pytest.mark.django_db(transaction=True)

LETTER = (
    b"From: Ada <ada@customer.example>\r\nTo: support@shop.example\r\nSubject: Hi\r\nMessage-ID: <1@x>\r\n\r\nHello\r\n"
)
STORED = re.compile(r"2\.0\.0 stored ([0-9a-f-]{36})")


@dataclass
class Ports:
    smtp: int
    lmtp: int


@pytest.fixture
def sources() -> list[Source]:
    shop = Source.objects.create(
        provider="email", slug="shop", addresses=["Support@Shop.example", "sales@shop.example"]
    )
    other = Source.objects.create(provider="email", slug="other", addresses=["@other.example"])
    Source.objects.create(provider="push", slug="crm", addresses=["crm@shop.example"])
    return [shop, other]


@pytest.fixture
def ports(sources: list[Source]) -> Iterator[Ports]:
    started = threading.Event()
    running: dict[str, Any] = {}

    async def serve() -> None:
        doors = Doors("mx.shop.example")
        found = [await doors.listen("127.0.0.1", 0, lmtp=lmtp) for lmtp in (False, True)]
        running.update(ports=Ports(*found), doors=doors, loop=asyncio.get_running_loop())
        started.set()
        await doors.run()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert started.wait(60)
    yield running["ports"]
    running["loop"].call_soon_threadsafe(running["doors"].stopping.set)
    thread.join(20)
    assert not thread.is_alive()


def conversation(port: int, *recipients: str, body: bytes = LETTER, sender: str = "ada@customer.example") -> Any:
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        client.ehlo("client.example")
        client.mail(sender)
        answers = [client.rcpt(one) for one in recipients]
        code, said = client.data(body)
        return answers, code, said.decode()


def swaks(port: int, *arguments: str) -> str:
    found = shutil.which("swaks")
    if found is None:
        pytest.skip("swaks is not installed: apt-get install swaks")
    command = [
        found,
        "--server",
        f"127.0.0.1:{port}",
        "--from",
        "ada@customer.example",
        "--helo",
        "client.example",
        *arguments,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def body_of(receipt: str) -> DeliveryBody:
    row = Delivery.objects.get(id=UUID(receipt))
    return DeliveryBody.objects.get(received_at=row.received_at, delivery_id=row.id)


def test_a_mail_is_stored_before_250(ports: Ports, sources: list[Source]) -> None:
    _, code, said = conversation(ports.smtp, "support+orders@SHOP.example")
    assert code == 250
    match = STORED.fullmatch(said)
    assert match
    row = Delivery.objects.get(id=UUID(match.group(1)))
    assert (row.source_id, row.state, row.push) == (sources[0].pk, "accepted", False)
    body = body_of(match.group(1))
    assert bytes(body.body) == LETTER
    assert body.headers == {
        "mail-from": "ada@customer.example",
        "rcpt-to": "support+orders@SHOP.example",
        "peer": "127.0.0.1",
        "protocol": "smtp",
    }


def test_an_address_of_no_source_is_550(ports: Ports) -> None:
    with smtplib.SMTP("127.0.0.1", ports.smtp, timeout=60) as client:
        client.ehlo("client.example")
        client.mail("ada@customer.example")
        for address in ("nobody@shop.example", "crm@shop.example", "support@elsewhere.example"):
            code, said = client.rcpt(address)
            assert (code, said[:5]) == (550, b"5.1.1")
        assert client.rcpt("any.one@other.example")[0] == 250
    assert not Delivery.objects.exists()


def test_recipients_of_two_sources_are_two_deliveries(ports: Ports, sources: list[Source]) -> None:
    _, code, _ = conversation(ports.smtp, "support@shop.example", "sales@shop.example", "x@other.example")
    assert code == 250
    assert sorted(Delivery.objects.values_list("source_id", flat=True)) == sorted(one.pk for one in sources)


def test_the_size_limit_is_announced_and_kept(ports: Ports) -> None:
    with smtplib.SMTP("127.0.0.1", ports.smtp, timeout=60) as client:
        client.ehlo("client.example")
        assert client.esmtp_features["size"] == str(30 * 1024 * 1024)
        assert client.docmd("MAIL", f"FROM:<a@x.example> SIZE={31 * 1024 * 1024}")[0] == 552
    for port, lines in ((ports.smtp, 1), (ports.lmtp, 2)):
        answers = talk(port, "support@shop.example", "sales@shop.example", size=31 * 1024 * 1024, lines=lines)
        assert [one[:3] for one in answers] == ["552"] * lines
    assert not Delivery.objects.exists()


def talk(port: int, *recipients: str, size: int, lines: int) -> list[str]:
    """A client that reads as many answers to DATA as it must."""
    with smtplib.SMTP(timeout=60) as client:
        client.connect("127.0.0.1", port)
        client.docmd("LHLO" if lines > 1 else "EHLO", "client.example")
        client.docmd("MAIL", "FROM:<a@x.example>")
        for one in recipients:
            client.docmd("RCPT", f"TO:<{one}>")
        client.docmd("DATA")
        client.send((b"x" * 998 + b"\r\n") * (size // 1000) + b".\r\n")
        return [str(client.getreply()[0]) for _ in range(lines)]


def test_a_line_of_any_length_is_mail_too(ports: Ports) -> None:
    _, code, said = conversation(ports.smtp, "support@shop.example", body=LETTER + b"x" * 200_000 + b"\r\n")
    assert (code, said[:12]) == (250, "2.0.0 stored")


def test_dots_and_bytes_beyond_ascii_survive(ports: Ports) -> None:
    letter = LETTER + b"..two\r\n.\xff\xfe\x00 one\r\n"
    _, _, said = conversation(ports.smtp, "support@shop.example", body=letter)
    match = STORED.fullmatch(said)
    assert match
    assert bytes(body_of(match.group(1)).body) == letter


@pytest.mark.parametrize("lmtp", [False, True])
def test_trouble_with_the_database_is_451(ports: Ports, monkeypatch: pytest.MonkeyPatch, *, lmtp: bool) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(smtp, "accept", broken)
    answers = (
        lmtp_answers(ports.lmtp, ["support@shop.example"])
        if lmtp
        else [conversation(ports.smtp, "support@shop.example")[1:]]
    )
    assert answers == [(451, "4.3.0 not stored, please try again")]
    monkeypatch.setattr(smtp, "source_of", broken)
    with smtplib.SMTP("127.0.0.1", ports.smtp, timeout=60) as client:
        client.ehlo("client.example")
        client.mail("a@x.example")
        assert client.rcpt("support@shop.example")[0] == 451


def test_a_database_that_hangs_is_451(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(smtp, "SECONDS", 0.3)
    monkeypatch.setattr(smtp, "accept", lambda *args, **kwargs: release.wait(20))
    _, code, _ = conversation(ports.smtp, "support@shop.example")
    release.set()
    assert code == 451


def lmtp_answers(port: int, recipients: list[str]) -> list[tuple[int, str]]:
    with smtplib.LMTP("127.0.0.1", port, timeout=60) as client:
        client.ehlo("client.example")
        client.mail("ada@customer.example")
        for one in recipients:
            client.rcpt(one)
        client.docmd("DATA")
        client.send(LETTER + b".\r\n")
        return [(code, said.decode()) for code, said in (client.getreply() for _ in recipients)]


def test_lmtp_answers_once_per_recipient(ports: Ports, monkeypatch: pytest.MonkeyPatch, sources: list[Source]) -> None:
    accepted = accept

    def half(source: Source, **kwargs: Any) -> UUID:
        if source.slug == "other":
            raise OperationalError("no")
        return accepted(source, **kwargs)

    monkeypatch.setattr(smtp, "accept", half)
    answers = lmtp_answers(ports.lmtp, ["support@shop.example", "x@other.example", "sales@shop.example"])
    assert [code for code, _ in answers] == [250, 451, 250]
    assert answers[0] == answers[2]
    assert Delivery.objects.count() == 1
    assert body_of(answers[0][1].split()[-1]).headers["rcpt-to"] == "support@shop.example, sales@shop.example"


def test_smtp_is_all_or_nothing(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    accepted = accept

    def half(source: Source, **kwargs: Any) -> UUID:
        if source.slug == "other":
            raise OperationalError("no")
        return accepted(source, **kwargs)

    monkeypatch.setattr(smtp, "accept", half)
    assert conversation(ports.smtp, "support@shop.example", "x@other.example")[1] == 451


def test_swaks_by_smtp_with_an_attachment(ports: Ports, tmp_path: Path) -> None:
    file = tmp_path / "invoice.pdf"
    file.write_bytes(b"%PDF-1.7 invoice")
    said = swaks(ports.smtp, "--to", "support@shop.example", "--attach", f"@{file}", "--header", "Subject: With a file")
    match = STORED.search(said)
    assert match, said
    assert b"invoice.pdf" in bytes(body_of(match.group(1)).body)


def test_swaks_by_lmtp_to_three(ports: Ports) -> None:
    said = swaks(ports.lmtp, "--protocol", "LMTP", "--to", "support@shop.example,sales@shop.example,x@other.example")
    assert len(STORED.findall(said)) == 3, said
    assert Delivery.objects.count() == 2


def test_many_at_once(ports: Ports) -> None:
    answers: list[int] = []
    clients = [
        threading.Thread(target=lambda: answers.append(conversation(ports.smtp, "support@shop.example")[1]))
        for _ in range(20)
    ]
    for one in clients:
        one.start()
    for one in clients:
        one.join(30)
    assert answers == [250] * 20
    assert Delivery.objects.count() == 20


def test_too_many_connections_are_told_to_come_back(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "CONNECTIONS", 1)
    with smtplib.SMTP("127.0.0.1", ports.smtp, timeout=60) as first:
        first.ehlo("client.example")
        with pytest.raises(smtplib.SMTPConnectError) as refused:
            smtplib.SMTP("127.0.0.1", ports.smtp, timeout=60)
        assert refused.value.smtp_code == 421
        assert first.noop()[0] == 250
