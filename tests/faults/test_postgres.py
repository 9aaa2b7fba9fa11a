"""The database is restarted, killed, frozen, cut off, hangs in COMMIT, and takes no more connections."""

import random
import signal
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.breaking import COMMITTING, CUT, commits_hang, no_connection_left
from tests.faults.sender import Sender, get, reading
from tests.faults.settling import settled
from tests.faults.stack import Stack, tree

pytestmark = [pytest.mark.timeout(600), pytest.mark.enable_socket]
RANDOM = random.Random(20261122)


@pytest.mark.parametrize("how", ["restarted", "killed"])
def test_started_again(stack: Stack, sender: Sender, tmp_path: Path, how: str) -> None:
    with sender:
        for _ in range(2):
            time.sleep(1)
            before = stack.pid("postgres")
            if how == "killed":
                stack.kill("postgres")
            else:
                tree(before, signal.SIGINT)
            stack.back("postgres", before)
            stack.wait_until(lambda: stack.ask("SELECT 1") == 1, "PostgreSQL does not come back")
    settled(stack, sender, tmp_path)
    assert sender.answers["503"] + sender.answers["none"] > 0, "nobody noticed"


def test_frozen(stack: Stack, sender: Sender, tmp_path: Path) -> None:
    """It takes connections and says nothing: more senders than there are threads hear 503 in time all the same.

    Whoever reads hears it, too, while it is still frozen.
    """
    sender.threads = 24
    with sender:
        time.sleep(1)
        with stack.frozen("postgres"):
            status, _ = get(stack.place.url, sender.key, "lookup?phone=%2B79120000001")
            time.sleep(6)
    settled(stack, sender, tmp_path)
    assert status == 503
    assert sender.answers["503"] > 24


def test_frozen_while_all_threads_read(stack: Stack, sender: Sender, tmp_path: Path) -> None:
    """Who reads has a longer patience, and there are more of them than threads: who pushes hears 503 in time."""
    sender.threads = 8
    with ExitStack() as trouble:
        statuses = trouble.enter_context(reading(stack.place.url, sender.key, "lookup?phone=%2B79120000001", 24))
        trouble.enter_context(stack.frozen("postgres"))
        with sender:
            time.sleep(5)
            trouble.close()
    settled(stack, sender, tmp_path)
    assert sender.answers["503"] > 8
    assert statuses["503"] >= 16
    assert set(statuses) <= {"200", "404", "503", "none"}


def test_connections_cut(stack: Stack, sender: Sender, tmp_path: Path) -> None:
    """Again and again, at any moment."""
    with sender, stack.connect() as db:
        for _ in range(60):
            time.sleep(RANDOM.uniform(0, 0.2))
            db.execute(CUT)
    settled(stack, sender, tmp_path)


def test_connections_cut_in_the_middle_of_commit(stack: Stack, sender: Sender, tmp_path: Path) -> None:
    """What was committed and never confirmed: on this side nobody knows, on that side it stands."""
    cut = 0
    with sender:
        for _ in range(8):
            time.sleep(RANDOM.uniform(0.1, 0.3))
            with commits_hang(stack) as db:
                time.sleep(RANDOM.uniform(0.1, 0.3))
                cut += len(db.execute(COMMITTING).fetchall())
    settled(stack, sender, tmp_path)
    assert cut >= 8, "nobody was in the middle of COMMIT"


def test_commit_hangs(stack: Stack, sender: Sender, tmp_path: Path) -> None:
    """Whoever pushes hears 503 in time; what was committed all the same is known when he comes again."""
    with sender:
        time.sleep(0.5)
        with commits_hang(stack):
            time.sleep(6)
    settled(stack, sender, tmp_path)
    assert sender.answers["503"] > 0


def test_too_many_connections(stack: Stack, sender: Sender, tmp_path: Path) -> None:
    with sender:
        time.sleep(0.3)
        with no_connection_left(stack):
            time.sleep(3)
    settled(stack, sender, tmp_path)
