"""Python's own sleep under libfaketime: version 0.9.10 fails each `clock_nanosleep` by the monotonic clock (EINVAL).

Whoever sleeps would die of it and be started again and again, which takes the processors from everybody.
"""

import select
import time
from typing import SupportsIndex


def sleep(seconds: float | SupportsIndex, /) -> None:
    select.select((), (), (), float(seconds))


time.sleep = sleep
