"""Mail from the door to the timeline: question, answer, bounce and files, in any order and more than once."""

from itertools import permutations
from typing import Any

import pytest
from django.utils import timezone

from channels.accepting import accept
from channels.draining import drain_all
from channels.media import fetch_due
from channels.models import Delivery, Source
from channels.providers import PROVIDERS
from channels.providers.email import Email
from customers.models import Interaction
from tests.support import COMMITTED, everything
from tests.test_payloads import PAYLOADS

pytestmark = COMMITTED


@pytest.fixture(autouse=True)
def provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROVIDERS, "email", Email())


@pytest.fixture
def mailbox() -> Source:
    return Source.objects.create(
        provider="email", slug="mailbox", addresses=["support@shop.example"], secrets={"authserv_id": "mx.shop.example"}
    )


def take(mailbox: Source, *names: str, **headers: str) -> list[Delivery]:
    bodies = [(PAYLOADS / "email" / f"{name}.eml").read_bytes() for name in names]
    receipts = [accept(mailbox, body=body, headers=headers, received_at=timezone.now()) for body in bodies]
    drain_all(seconds=20)
    return [Delivery.objects.get(id=receipt) for receipt in receipts]


def said(entries: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(entry["direction"], entry["text"], entry["state"] or "") for entry in reversed(entries)]


CONVERSATION = ("inbound__plain", "outbound__to_two_and_bcc", "bounce__failed_headers_only")


@pytest.mark.parametrize(
    "order", list(permutations(CONVERSATION)), ids=lambda order: "-".join(one[:4] for one in order)
)
def test_a_conversation_is_one_timeline(mailbox: Source, order: tuple[str, ...]) -> None:
    assert {one.state for one in take(mailbox, *order)} == {"recorded"}
    entries = everything().timeline("email", "olga@klient.example")
    assert said(entries) == [
        ("inbound", "Where is my order?", ""),
        ("outbound", "It was sent yesterday.", "failed"),
    ]
    (sent,) = [entry for entry in entries if entry["direction"] == "outbound"]
    assert sent["details"]["bounce"]["status"] == "5.1.1"
    assert {entry["thread"] for entry in entries} == {"m1@klient.example"}


def test_the_same_mail_again_changes_nothing(mailbox: Source) -> None:
    first, second = take(mailbox, "inbound__plain", "inbound__plain")
    (third,) = take(mailbox, "inbound__plain", rcpt="other")
    assert [one.state for one in (first, second, third)] == ["recorded", "duplicate", "duplicate"]
    assert Interaction.objects.count() == 1


def test_what_cannot_be_read_is_quarantined_and_takes_nobody_down(mailbox: Source) -> None:
    bomb, mail = take(mailbox, "inbound__unreadable_bomb", "inbound__plain")
    assert (bomb.state, bomb.reason) == ("quarantined", "mail: 502 headers in one part, more than 500")
    assert mail.state == "recorded"


def test_who_pretends_to_be_us_is_nobodys_mail(mailbox: Source) -> None:
    take(mailbox, "inbound__pretends_to_be_us")
    (line,) = Interaction.objects.all()
    assert line.identity.kind == "anonymous"
    assert line.direction == "inbound"


def test_files_of_a_mail_can_be_downloaded(mailbox: Source) -> None:
    take(mailbox, "inbound__alternative_with_files")
    fetch_due()
    api = everything()
    (entry,) = api.timeline("email", "olga@klient.example")
    found = {}
    for file in entry["attachments"]:
        answer = api.get(f"attachments/{file['id']}")
        assert answer.status_code == 200
        found[file["name"]] = b"".join(answer.streaming_content)
        answer.close()
    assert found == {"photo.png": b"\x89PNG\r\n\x1a\n", "счёт.pdf": b"%PDF-1.7\n"}
