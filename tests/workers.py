"""Real processes that work on one database, and start at the same instant (nothing of Django is imported here)."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import BrokenBarrierError
from typing import Any

WORKERS = 8
Job = Callable[[], Any]
_meeting: Any = None


class Workers:
    """Eight processes, each with a connection of its own."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self.pool = pool

    def together(self, *jobs: Job) -> list[Any]:
        """Each job in a process of its own, all begun at once; their results, in order."""
        assert len(jobs) <= WORKERS
        idle: list[Job] = [int] * (WORKERS - len(jobs))
        futures = [self.pool.submit(_at_once, job) for job in (*jobs, *idle)]
        return [future.result(timeout=280) for future in futures][: len(jobs)]

    def each(self, work: Callable[..., Any], *given: Any) -> list[Any]:
        """`work(number, *given)` in every process."""
        return self.together(*(partial(work, number, *given) for number in range(WORKERS)))


@contextmanager
def workers(environment: Mapping[str, str]) -> Iterator[Workers]:
    context = multiprocessing.get_context("spawn")
    meeting = context.Barrier(WORKERS)
    with ProcessPoolExecutor(WORKERS, context, _begin, (dict(environment), meeting)) as pool:
        yield Workers(pool)


def _begin(environment: dict[str, str], meeting: Any) -> None:
    global _meeting
    _meeting = meeting
    os.environ.update(environment)
    import django

    django.setup()


def _at_once(job: Job) -> Any:
    meet()
    try:
        return job()
    except BaseException:
        _meeting.abort()  # nobody waits for one that is out
        raise


def meet() -> None:
    """Wait until all eight are here."""
    try:
        _meeting.wait(60)
    except BrokenBarrierError:
        raise RuntimeError("another worker failed") from None
