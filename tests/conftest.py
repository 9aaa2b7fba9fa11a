"""Tests run on real servers: those of DATABASE_URL and REDIS_URL, else embedded ones in a throw-away folder."""

import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cxhub.embedded import Servers, secret_key, start

# Nothing of a test run is worth keeping when the machine fails.
FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_wal_size=1GB"
SERVERS = pytest.StashKey[tuple[Servers, Path]]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Before pytest-django reads the settings, which want the addresses."""
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
    # Servers that were given may stand elsewhere than on loopback.
    config.option.allow_hosts += f",{urlsplit(servers.redis_url).hostname}"


def pytest_unconfigure(config: pytest.Config) -> None:
    if (started := config.stash.get(SERVERS, None)) is not None:
        servers, var = started
        servers.stop()
        shutil.rmtree(var, ignore_errors=True)


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the repository."""
    return Path(__file__).resolve().parent.parent
