"""`python -m tests.faults.poison <program>`: runs it, but a body with the poisonous word kills whoever parses it."""

import os
import runpy
import signal
import sys
from collections.abc import Iterator
from typing import Any

WORD = "deadly-nightshade"


def poisonous() -> None:
    import django

    django.setup()
    from channels.providers.push import Push

    parse = Push.parse

    def killing(self: Push, delivery: Any) -> Iterator[Any]:
        if WORD.encode() in delivery.body:
            os.kill(os.getpid(), signal.SIGKILL)
        yield from parse(self, delivery)

    Push.parse = killing  # type: ignore[method-assign]


if __name__ == "__main__":
    poisonous()
    if sys.argv[1] == "-m":
        del sys.argv[:2]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        del sys.argv[0]
        runpy.run_path(sys.argv[0], run_name="__main__")
