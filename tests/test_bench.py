"""The benchmarks at a tiny scale: that they run, count every row and end what they started; never how fast."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import psutil
import pytest

from tests.bench.figures import Figure
from tests.bench.history import HEAVIEST, History, sizes
from tests.bench.stream import MIX, Stream


@pytest.mark.parametrize("scale", [1_000, 30_000, 1_000_000])
def test_a_history_has_as_many_lines_as_asked_for_and_some_heavy_customers(scale: int) -> None:
    found = sizes(scale)
    assert sum(found) == scale
    assert min(found) >= 1
    assert found[0] == max(found) <= HEAVIEST
    assert found[0] > 4 * scale / len(found)


def test_the_same_scale_gives_the_same_history() -> None:
    one, other = History(500), History(500)
    other.end = one.end
    assert list(one.lines()) == list(other.lines())
    assert len({person.public_id for person in one.people}) == len(one.people)


def test_the_stream_keeps_its_shares() -> None:
    stream = Stream(History(2_000))
    events = stream.events(4_000)
    assert len({event.key for event in events}) == 4_000
    for sort, share in MIX.items():
        assert stream.sorts[sort] / 4_000 == pytest.approx(share, abs=0.03)
    named = Counter(len(event.said["customer"]["identifiers"]) for event in events)
    assert named[2] == stream.sorts["two known"] + stream.sorts["one new"]


def test_a_figure_says_when_it_misses_its_bar() -> None:
    figure = Figure("pages", "requests/s", 0.5)
    for ours in (40, 60, 30):
        figure.round(ours, 100, 4_000)
    assert figure.ratios == [0.4, 0.6, 0.3]
    assert figure.misses
    assert "0.30–**0.40**–0.60 | ≥ 0.5 **missed**" in figure.row()


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("CXHUB_TEST_BENCH"), reason="SKIPPED: takes minutes; CXHUB_TEST_BENCH=1 runs it")
@pytest.mark.parametrize("what", [[], ["profile"]])
def test_a_run_counts_its_rows_and_leaves_nothing_behind(what: list[str], root: Path, tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "tests.bench", *what, "--scale=2k", "--rounds=1", "--seconds=0.2", "--batches=2"]
    # Short: a socket's path must fit 100 bytes.
    with subprocess.Popen(
        argv, cwd=root, env={**os.environ, "TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as run:
        started = psutil.Process(run.pid)
        out = (run.communicate(timeout=900)[0] or b"").decode()
        assert run.returncode == 0, out
    if not what:
        for figure in range(1, 11):
            assert f"\n| ({figure}) " in out, out
    else:
        assert "events drained: processor time each" in out
        assert "Execution Time" in out
    assert list(tmp_path.iterdir()) == []
    assert not started.is_running()
