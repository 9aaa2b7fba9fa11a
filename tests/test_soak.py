"""A few hundred operations of the soak (`make soak` does 20,000): what must hold afterwards holds."""

import os
import secrets

import pytest

from tests.soak.running import soak
from tests.support import COMMITTED, database_url
from tests.workers import workers

pytestmark = [*COMMITTED, pytest.mark.slow]


def test_a_short_soak(committed: None) -> None:
    seed = secrets.token_hex(4)
    environment = {**os.environ, "DATABASE_URL": database_url(), "CXHUB_RULES": "1", "CXHUB_LOG_LEVEL": "ERROR"}
    with workers(environment) as pool:
        report = soak(pool, seed=seed, count=480, share=30)
    assert report.wrong == [], f"SEED={seed}"
    assert report.done["refused"] < 480 / 2
    assert {"push", "work_off", "merge", "undo"} <= set(report.done)
