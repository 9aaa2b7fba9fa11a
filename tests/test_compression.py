"""What leaves compressed and what does not, and that it is the same when it is read."""

import gzip
import random
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from channels.sources import make_source
from customers.console.timelines import FIRST
from cxhub.compression import VARIES, compressed
from tests.support import COMMITTED, Api, event, identifier, phone, push_and_drain
from tests.test_console import agent

pytestmark = COMMITTED
GZIP = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.fixture
def number(api: Api) -> str:
    number = phone()
    lines = [event(identifier("phone", number), text=f"message {place} " * 20) for place in range(20)]
    lines[0]["customer"]["attributes"] = {"hobby": "grinding coffee " * 60}
    push_and_drain(api, *lines)
    return number


def test_a_page_is_the_same_in_a_fraction_of_its_bytes(api: Api, number: str) -> None:
    who = api.card("phone", number)["id"]
    client = agent()
    plain, small = client.get(f"/customers/{who}"), client.get(f"/customers/{who}", headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert small["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in plain["Vary"]
    assert "Accept-Encoding" in small["Vary"]
    assert small["Cache-Control"] == "private, no-store"
    assert int(small["Content-Length"]) == len(small.content) < len(plain.content) / 3
    html = gzip.decompress(small.content).decode()
    assert html.count("<article") == plain.content.decode().count("<article") == FIRST


def test_json_and_what_hangs_on_its_etag(api: Api, number: str) -> None:
    who = api.card("phone", number)["id"]
    small = api.get(f"customers/{who}", Accept_Encoding="gzip")
    assert small["Content-Encoding"] == "gzip"
    assert small["ETag"].startswith('W/"')
    patch = {"attributes": {"city": "Vilnius"}}
    changed = api.client.patch(
        f"/api/v1/customers/{who}", patch, content_type="application/json", headers={"If-Match": small["ETag"]}
    )
    assert changed.status_code == 200
    token = api.ok(f"customers/{who}/changes")["next"]
    first = api.get(f"customers/{who}/changes", {"since": token}, **GZIP)
    again = api.get(f"customers/{who}/changes", {"since": token}, If_None_Match=first["ETag"], **GZIP)
    assert again.status_code == 304
    assert not again.content


def test_what_stays_as_it_is(api: Api, number: str) -> None:
    telegram = make_source("telegram", "bot")
    hook = Client().post(f"/hooks/telegram/{telegram.key}", b"{}", "application/json", headers=GZIP)
    assert hook.status_code == 403
    assert "Content-Encoding" not in hook.headers
    assert "Content-Encoding" not in Client().get("/healthz", headers=GZIP).headers
    assert "Content-Encoding" not in api.get("customers", {"phone": "+79990001122"}, **GZIP).headers  # short


def test_a_stream_is_compressed_as_it_comes(api: Api, number: str) -> None:
    who = api.card("phone", number)["id"]
    answer = agent().get(f"/customers/{who}/export", {"format": "csv"}, headers=GZIP)
    assert answer.status_code == 200
    assert answer["Content-Encoding"] == "gzip"
    assert gzip.decompress(b"".join(answer)).decode().count("message 7 ") == 20


def test_the_length_tells_little() -> None:
    content = random.Random(1).randbytes(3000)
    lengths = {len(compressed(content)) for _ in range(400)}
    assert len(lengths) > VARIES / 2
    assert {gzip.decompress(compressed(content)) for _ in range(5)} == {content}


def test_static_files_lie_there_compressed(tmp_path: Path) -> None:
    from django.contrib.staticfiles import finders
    from whitenoise.compress import Compressor
    from whitenoise.middleware import WhiteNoiseMiddleware

    found = Path(str(finders.find("customers/console.css")))
    (tmp_path / "console.css").write_bytes(found.read_bytes())
    for _ in Compressor(quiet=True).compress(str(tmp_path / "console.css")):
        pass
    assert "whitenoise.storage.CompressedStaticFilesStorage" in str(settings.STORAGES["staticfiles"])
    server = WhiteNoiseMiddleware(lambda request: None)
    server.add_files(str(tmp_path), prefix="/packed/")
    assert any(name == "/packed/console.css" for name in server.files)
    assert (tmp_path / "console.css.gz").stat().st_size < found.stat().st_size / 2
