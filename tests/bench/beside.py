"""`python -m tests.bench.beside SCALE`: another history on servers of its own, for whoever started it."""

import base64
import subprocess
import sys
from pathlib import Path

import orjson


class Beside:
    """That process: its port, and the requests for its customers with full pages."""

    def __init__(self, scale: int) -> None:
        self.scale = scale

    def __enter__(self) -> "Beside":
        root = Path(__file__).resolve().parent.parent.parent
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.beside", str(self.scale)],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        assert said, "the smaller history did not start"
        told = orjson.loads(said)
        self.port: int = told["port"]
        self.requests = [base64.b64decode(one) for one in told["requests"]]
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(30)


def main(scale: int) -> None:
    """Say where, and stay until standard input ends."""
    from tests.bench.history import History
    from tests.bench.servers import Bench

    with Bench() as bench:
        from tests.bench import access, loading
        from tests.bench.growing import equal
        from tests.bench.reading import page

        history, granted = History(scale), access.grant()
        with bench.connect() as db:
            loading.load(db, history)
        bench.start("web")
        requests = [base64.b64encode(page(person, granted)).decode() for person in equal(history)]
        print(orjson.dumps({"port": bench.place.port, "requests": requests}).decode(), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]))
