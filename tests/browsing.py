"""A server at the test database and Debian's Chromium, shared by the tests of a module; a context for each test."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import connections
from django.test import Client

from customers.models import AgentProfile
from cxhub.ports import free_port
from tests.support import COMMITTED, database_url

CHROMIUM = "/usr/bin/chromium"
FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
FLAGS += " --disable-component-update --disable-sync"
BROWSED = [
    *COMMITTED,
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which(CHROMIUM), reason="SKIPPED: no /usr/bin/chromium; the console was not clicked"),
]
PATIENCE = 60_000
"""Milliseconds: for whatever must be seen, on the busiest machine, too."""
PASSWORD = "a long sentence"


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """What a module has the server's environment say beside the usual."""
    return {}


@pytest.fixture(scope="module")
def site(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[str]:
    """The address of a server of our own at the test database."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    given = {**os.environ, "DATABASE_URL": database_url(), "CXHUB_PUBLIC_URL": address, **environment}
    argv = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    with (tmp_path_factory.mktemp("site") / "log").open("wb") as log:
        server = subprocess.Popen(
            [*argv, "cxhub.wsgi:application"],
            cwd=settings.BASE_DIR,
            env=given,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            wait_for(address + "/login/")
            yield address
        finally:
            server.terminate()
            with suppress(subprocess.TimeoutExpired):
                server.wait(20)
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def wait_for(address: str) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            urlopen(address, timeout=20).close()  # noqa: S310
        except (URLError, OSError):
            assert time.monotonic() < end
            time.sleep(0.2)
        else:
            return


@pytest.fixture(scope="module")
def chromium(site: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright keeps a loop running in this thread.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split(), timeout=PATIENCE)
        yield browser
        browser.close()
        connections.close_all()  # Those of the loop are others than those of the thread.


@pytest.fixture
def browser(chromium: Any, committed: None) -> Iterator[Any]:
    """Without a page of whoever came before."""
    yield chromium
    for context in chromium.contexts:
        context.close()


@pytest.fixture
def page(browser: Any, site: str) -> Iterator[Any]:
    """A browser's page; whatever the browser complains of fails the test."""
    page = patient(browser.new_context(base_url=site, viewport={"width": 1280, "height": 800})).new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.context.close()
    # What is said of a line that is cut, by the browser and by htmx.
    cut = ("ERR_CONNECTION", "ERR_INTERNET", "htmx:sendError", "htmx:afterRequest")
    assert not [one for one in complaints if not any(word in one for word in cut)], complaints


def patient(context: Any) -> Any:
    context.set_default_timeout(PATIENCE)
    context.set_default_navigation_timeout(PATIENCE)
    return context


def without_scripts(page: Any, site: str) -> Any:
    """A page of the same agent where no script runs."""
    state = page.context.storage_state()
    context = page.context.browser.new_context(java_script_enabled=False, storage_state=state, base_url=site)
    return patient(context).new_page()


def agent(language: str = "en", password: str = "") -> User:
    user = User.objects.create_user("agent", password=password or None)
    user.groups.add(Group.objects.get_or_create(name="agent")[0])
    AgentProfile.objects.create(user=user, language=language)
    return user


def signed_in(page: Any, language: str = "en") -> None:
    """By a session that is there already."""
    client = Client()
    client.force_login(agent(language))
    known = {"domain": "127.0.0.1", "path": "/"}
    page.context.add_cookies([{"name": one.key, "value": one.value, **known} for one in client.cookies.values()])
    page.goto("/")
    page.wait_for_selector("#q:focus")


def signs_in(page: Any, language: str = "en") -> None:
    """By keyboard, as an agent does."""
    agent(language, PASSWORD)
    page.goto("/login/")
    page.wait_for_selector("[name=username]:focus")
    page.keyboard.type("agent")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("#q:focus")
