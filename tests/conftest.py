"""Tests run on real servers: those of DATABASE_URL and REDIS_URL, else embedded ones in a throw-away folder."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from cxhub.embedded import Servers, secret_key, start

if TYPE_CHECKING:
    from tests.support import Api

# Nothing of a test run is worth keeping when the machine fails.
FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_wal_size=1GB"
SERVERS = pytest.StashKey[tuple[Servers, Path]]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Before pytest-django reads the settings, which want the addresses. Each process of xdist has its own servers."""
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        os.environ.pop("DJANGO_SETTINGS_MODULE", None)  # Too early for those who run them: they have no servers yet.
        return
    var = Path(tempfile.mkdtemp(prefix="cxhub-test-"))
    os.environ.setdefault("CXHUB_PG_OPTIONS", FAST)
    os.environ |= {"CXHUB_VAR": str(var), "DJANGO_SETTINGS_MODULE": "cxhub.settings"}
    try:
        servers = start(var)
    except BaseException:
        shutil.rmtree(var, ignore_errors=True)
        raise
    config.stash[SERVERS] = (servers, var)
    servers.export()
    secret_key(var)
    # pytest-django sets Django up at the end of this hook, but only where the settings were read.
    from django.conf import settings

    assert settings.DATABASES
    # Real ones take half a second each; how many there were stands in what is kept, so other processes check it, too.
    from django.contrib.auth.hashers import PBKDF2PasswordHasher

    PBKDF2PasswordHasher.iterations = 1000
    # Servers that were given may stand elsewhere than on loopback.
    config.option.allow_hosts += f",{urlsplit(servers.redis_url).hostname}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not os.environ.get("CXHUB_TEST_LONG"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="SKIPPED: takes long; CXHUB_TEST_LONG=1 runs it, .ci/run does"))


def pytest_unconfigure(config: pytest.Config) -> None:
    if (started := config.stash.get(SERVERS, None)) is not None:
        from customers import figures

        figures.end()
        servers, var = started
        servers.stop()
        shutil.rmtree(var, ignore_errors=True)


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the repository."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_modify_db_settings: None, django_db_blocker: Any
) -> Iterator[None]:
    """One test database for both connections, whatever the tests that were picked say they need."""
    from django.conf import settings
    from django.db import connections
    from django.test.utils import setup_databases, teardown_databases

    from channels.distributing import PREPARE, run

    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False)
        if settings.CXHUB_DISTRIBUTED:  # `CXHUB_DISTRIBUTED=1 make test T=…`: on the keys that Citus would take apart.
            run(PREPARE)
    yield
    with django_db_blocker.unblock():
        connections["reading"].close()
        teardown_databases(made, verbosity=0)


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database, where what a test commits stays until its end."""
    from tests.support import wipe

    with django_db_blocker.unblock():
        try:
            yield
        finally:
            wipe()


@pytest.fixture
def api(committed: None) -> "Api":
    """The API for somebody who may do everything; there is one shop that pushes."""
    from tests.support import everything, shop

    shop()
    return everything()
