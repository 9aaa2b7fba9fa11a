"""Names, tables and headers that try to be more than words: in downloads, exports and what is fetched."""

import ast
import csv
import io
import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import pytest
from django.test import Client

from channels.fetching import FetchError, fetch
from customers import attachments
from customers.models import Attachment, Segment
from tests.hostile import CORPUS
from tests.support import COMMITTED, Api, event, identifier, phone, push_and_drain
from tests.test_matrix import signed_in

pytestmark = COMMITTED
ROOT = Path(__file__).resolve().parent.parent
NAMES = [
    "../../../etc/passwd",
    "..\\..\\boot.ini",
    "/etc/passwd",
    "a\r\nSet-Cookie: sessionid=1",
    "a\nContent-Type: text/html\n\n<script>alert(1)</script>",
    'a"; filename="evil.exe',
    "a\\",
    "a; filename*=utf-8''evil.exe",
    "photo\u202egnp.exe",
    "имя\r\nфайла.png",
    "a\u0085b\u2028c",
    "\x07\x1b[2J",
    " .. ",
    "CON",
    "x" * 2000,
    "😀" * 500,
    "%0d%0aSet-Cookie:a=b",
    *CORPUS.values(),
]


def stored(api: Api, name: str) -> Attachment:
    dirty = event(identifier("phone", phone()), text="see below")
    dirty["attachments"] = [{"name": "a", "content_type": "text/html", "url": f"https://files.example/{uuid4()}"}]
    (receipt,) = push_and_drain(api, dirty)
    found = Attachment.objects.get(line_id=receipt["interaction"])
    attachments.store(found, [b"<script>alert(1)</script>"])
    Attachment.objects.filter(pk=found.pk).update(name=name)
    return found


def saved_as(disposition: str) -> str:
    """The name under which a browser would keep it; fails where it is not exactly one."""
    quoted, encoded = r'filename="(?:[^"\\\r\n]|\\["\\])*"', r"filename\*=utf-8''[A-Za-z0-9%!#$&+.^_`|~*'()-]+"
    assert re.fullmatch(f"attachment; (?:{quoted}|{encoded})", disposition), disposition
    return disposition.partition("=")[2]


@pytest.mark.parametrize("name", NAMES)
def test_a_downloads_name_is_one_harmless_name(api: Api, name: str) -> None:
    row = stored(api, name)
    answer = api.get(f"attachments/{row.pk}")
    b"".join(answer.streaming_content)
    answer.close()
    assert answer.status_code == 200
    said = saved_as(answer["Content-Disposition"])
    plain = unquote(said.removeprefix("utf-8''")) if said.startswith("utf-8''") else said
    assert not re.search(r"[\x00-\x1f/\u202e\u0085\u2028]|\\\\", plain), said
    assert len(said) < 1500
    assert answer["Content-Type"] == "application/octet-stream"
    assert "Set-Cookie" not in answer.headers
    assert "sandbox" in answer["Content-Security-Policy"]


@pytest.mark.parametrize("name", NAMES[:8])
def test_a_pushed_name_is_a_label_and_no_path(api: Api, name: str) -> None:
    dirty = event(identifier("phone", phone()), text="see below")
    dirty["attachments"] = [{"name": name, "url": "https://files.example/x"}]
    receipt = api.push(dirty)[0]
    assert receipt["status"] in ("accepted", "rejected")
    before = set(ROOT.parent.iterdir())
    push_and_drain(api, {**dirty, "id": f"{dirty['id']}-2"})
    assert set(ROOT.parent.iterdir()) == before


FORMULAS = ("=1+1", "+7", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("https://spy.example")', "＝1", "|calc")


@pytest.mark.parametrize("evil", FORMULAS)
def test_no_cell_of_a_segment_is_a_formula(api: Api, evil: str) -> None:
    push_and_drain(api, event(identifier("phone", phone()), name=f"{evil}", text="x"))
    segment = Segment.objects.create(name=evil, filter={"all": []})
    for client, path in (
        (signed_in("ann", "agent"), f"/segments/{segment.pk}/export"),
        (api.client, f"/api/v1/segments/{segment.pk}/export"),
    ):
        answer = client.get(path)
        assert re.fullmatch(r'attachment; filename="[\w.-]+"', answer["Content-Disposition"])
        body = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
        for row in csv.reader(io.StringIO(body, newline="")):
            for value in row:
                assert value.lstrip(" \u00a0\u200b")[:1] not in set("=+-@\t\r\n|%＝＋－＠"), value


@pytest.mark.parametrize("evil", CORPUS.values(), ids=CORPUS)
def test_a_dossier_is_words(api: Api, evil: str) -> None:
    number = phone()
    dirty = event(identifier("phone", number), name=evil, text=evil, subject=evil, details={"note": evil})
    dirty["customer"]["attributes"] = {"city": evil}
    push_and_drain(api, dirty)
    answer = api.get(f"customers/{api.card('phone', number)['id']}/dossier", {"format": "html"})
    html = b"".join(answer.streaming_content).decode()
    tags = set(re.findall(r"<\s*/?\s*([a-zA-Z!][\w-]*)", html))
    ours = {"doctype", "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "pre", "article", "time"}
    assert {one.lower().removeprefix("!") for one in tags} <= ours | {"strong"}, tags
    assert re.fullmatch(r'attachment; filename="[\w.-]+"', answer["Content-Disposition"])


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nSet-Cookie: a=b", "\u0085x", "%0d%0aX-Evil:1"])
def test_nothing_that_is_asked_becomes_a_header(api: Api, value: str) -> None:
    client = signed_in("ann", "agent")
    for path, params in (
        ("/login/", {"next": value}),
        ("/api/schema/", {"version": value, "format": value}),
        ("/", {"q": value}),
        ("/lookup", {"phone": value}),
        ("/api/v1/customers", {"q": value}),
    ):
        for who in (client, Client()):
            answer = who.get(path, params, headers={"X-Request-Id": value, "Accept-Language": value})
            assert answer.status_code < 500
            assert "X-Evil" not in answer.headers
            assert not [one for one in answer.headers.values() if "\r" in one or "\n" in one]


def test_nothing_is_unpacked_or_drawn() -> None:
    """Archives and pictures stay closed; gzip is read at one door, which stops at 5 MB."""
    allowed = {"gzip": {"cxhub/compression.py"}, "zlib": {"channels/cutting.py", "cxhub/demo/letters.py"}}
    never = {"zipfile", "tarfile", "lzma", "bz2", "PIL", "shelve", "pickle", "marshal", "yaml", "xml", "lxml"}
    for package in ("customers", "channels", "cxhub"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
                for name in {one.partition(".")[0] for one in names}:
                    own = str(path.relative_to(ROOT))
                    assert name not in never, own
                    assert name not in allowed or own in allowed[name], own


INSIDE = [
    *(
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "169.254.43518",
        "[::ffff:169.254.169.254]",
    ),
    *("[::ffff:a9fe:a9fe]", "[fd00:ec2::254]", "[64:ff9b::a9fe:a9fe]", "①⑥⑨.②⑤④.①⑥⑨.②⑤④", "１６９.254.169.254"),
    *("169。254。169。254", "0", "127.0.0.1.", "localhost.", "[::]", "[::1%25lo]", "017700000001", "127.127.127.127"),
]


@pytest.mark.parametrize("host", INSIDE)
def test_no_spelling_of_an_inner_address_is_asked(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(FetchError), fetch(f"https://{host}/latest/meta-data/", max_seconds=5):
        pass


@pytest.fixture
def rebinding(monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], list[str]]:
    """A name server that answers a public address first and an inner one from then on."""
    asked: list[str] = []
    spoken: list[str] = []

    def answers(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        asked.append(host)
        address = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def connected(self: socket.socket, address: Any) -> None:
        spoken.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    monkeypatch.setattr(socket.socket, "connect", connected)
    return asked, spoken


def test_a_name_is_asked_once_and_its_checked_address_spoken_to(rebinding: tuple[list[str], list[str]]) -> None:
    asked, spoken = rebinding
    with pytest.raises(FetchError), fetch("https://rebind.example/x", max_seconds=5):
        pass
    assert asked == ["rebind.example"]
    assert spoken == ["93.184.216.34"]
    with pytest.raises(FetchError, match="not public"), fetch("https://rebind.example/x", max_seconds=5):
        pass
    assert spoken == ["93.184.216.34"], "and again at each fetch"
