"""The one way out: what it refuses to fetch, and from whom, against real servers on loopback."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from channels import fetching
from channels.fetching import FetchError, fetch, public
from tests.media_server import serving, url


@pytest.fixture
def server() -> Iterator[Any]:
    with serving(lambda made: made) as running:
        yield running


@pytest.fixture(autouse=True)
def loopback(settings: Settings) -> None:
    settings.CXHUB_FETCH_ALLOW_LOOPBACK = True


def get(address: str, headers: dict[str, str] | None = None, **options: Any) -> bytes:
    with fetch(address, headers, **options) as fetched:
        return fetched.body()


def refusal(address: str, **options: Any) -> FetchError:
    with pytest.raises(FetchError) as caught:
        get(address, **options)
    assert "127.0.0.1" not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value


def test_a_file_is_fetched(server: Any) -> None:
    assert get(url(server, "file")) == b"the bytes"
    assert get(url(server, "to?/file")) == b"the bytes"
    assert get(url(server, "file/имя файла.png?x=й")) == b"the bytes"
    assert server.seen[-1][0] == "/file/%D0%B8%D0%BC%D1%8F%20%D1%84%D0%B0%D0%B9%D0%BB%D0%B0.png?x=%D0%B9"
    assert server.seen[-1][1]["Host"] == f"127.0.0.1:{server.server_address[1]}"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0.0.0.0",  # noqa: S104
        "10.0.0.1",
        "169.254.169.254",
        "[::ffff:127.0.0.1]",
    ],
)
def test_hosts_that_are_not_public_are_refused(host: str, settings: Settings) -> None:
    settings.CXHUB_FETCH_ALLOW_LOOPBACK = False
    with pytest.raises(FetchError):
        get(f"https://{host}/file", max_seconds=5)
    with pytest.raises(FetchError, match="not https"):
        get(f"http://{host}/file", max_seconds=5)


@pytest.mark.parametrize(
    "others", [["10.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["93.184.216.34", "fe80::1"], ["64:ff9b::7f00:1"]]
)
def test_names_that_lead_inside_are_refused(
    others: list[str], monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.CXHUB_FETCH_ALLOW_LOOPBACK = False
    infos = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in others]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: infos)
    assert "not public" in str(refusal("https://media.example/x"))


def test_only_loopback_itself_is_allowed_for_tests(server: Any) -> None:
    for host in ("10.0.0.1", "192.168.1.1", "169.254.169.254"):
        assert refusal(f"http://{host}/", max_seconds=5).gone
        assert refusal(url(server, f"to?http://{host}/")).gone
        assert refusal(url(server, f"to?https://{host}/")).gone


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1 10.1.2.3 172.16.0.1 192.168.0.1 169.254.1.1 0.0.0.0",
        "100.64.0.1 192.0.0.8 198.18.0.1 224.0.0.1 255.255.255.255",
        ":: ::1 ::7f00:1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 64:ff9b::808:808",
        "64:ff9b:1::1 2002:7f00:1:: 2001::1 fc00::1 fe80::1 ff02::1",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not [one for one in address.split() if public(ip_address(one))]
    assert public(ip_address("93.184.216.34"))
    assert public(ip_address("2a00:1450:4001::1"))


@pytest.mark.parametrize(
    "address",
    [
        "",
        "file:///etc/passwd",
        "ftp://x.example/",
        "https://",
        "https://u:p@x.example/",
        "https://[::1",
        "gopher://x",
        "https://x.example:99999/",
    ],
)
def test_other_addresses_are_refused(address: str) -> None:
    assert refusal(address).gone


def test_a_token_goes_to_the_first_host_only(server: Any) -> None:
    with serving(lambda made: made) as other:
        token = {"Authorization": "Bearer very-secret"}
        assert get(url(server, "secret"), token) == b"secret"
        assert get(url(server, "to?/secret"), token) == b"secret"
        with pytest.raises(FetchError, match="answered 401") as caught:
            get(url(server, f"to?{url(other, 'secret')}"), token)
        assert "very-secret" not in repr(caught.value)
        assert "Authorization" not in other.seen[-1][1]


def test_redirects_end(server: Any) -> None:
    assert "too many redirects" in str(refusal(url(server, "loop")))
    assert len(server.seen) == fetching.MAX_REDIRECTS + 1


def test_sizes_end(server: Any) -> None:
    assert refusal(url(server, "announced")).gone
    assert refusal(url(server, "endless"), max_bytes=1024 * 1024).gone
    assert "cut off" in str(refusal(url(server, "short")))


@pytest.mark.parametrize("path", ["drip", "headers", "endless"])
def test_time_ends(server: Any, path: str) -> None:
    started = time.monotonic()
    assert "too long" in str(refusal(url(server, path), max_seconds=0.6, max_bytes=10**12))
    assert time.monotonic() - started < 2


def test_other_answers(server: Any) -> None:
    assert not refusal(url(server, "secret")).gone
    assert refusal(url(server, "gone")).gone
    assert refusal(url(server, "no-such")).gone
    assert "compressed" in str(refusal(url(server, "gzip")))
    assert "no proper answer" in str(refusal(url(server, "nothing")))


def test_nobody_there() -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    assert str(refusal(f"http://127.0.0.1:{port}/")) == "the connection failed"
    assert str(refusal("https://no-such-host.invalid/", max_seconds=5)) == "the host has no address"


def test_a_resolver_that_hangs_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: release.wait(10) and [])
    assert "too long" in str(refusal("https://slow.example/", max_seconds=0.3))
    release.set()


def test_proxies_of_the_environment_are_ignored(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert get(url(server, "file")) == b"the bytes"


def test_the_certificate_is_that_of_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=media.example"
    )
    command += f" -addext subjectAltName=DNS:media.example -keyout {key} -out {certificate}"
    subprocess.run(command.split(), check=True, capture_output=True)

    def over_tls(made: ThreadingHTTPServer) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        made.socket = context.wrap_socket(made.socket, server_side=True)

    infos = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]
    with serving(over_tls) as server:
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: infos)
        assert "certificate" in str(refusal(url(server, "file", "media.example", "https")))
        monkeypatch.setattr(fetching, "tls", lambda: ssl.create_default_context(cafile=str(certificate)))
        assert get(url(server, "file", "media.example", "https")) == b"the bytes"
        assert server.seen[-1][1]["Host"] == f"media.example:{server.server_address[1]}"
        assert "certificate" in str(refusal(url(server, "file", "other.example", "https")))
