"""Whether each kind of process gets its work done: what it last said to the database (`customers.figures.alive`).

`python -m cxhub.heartbeats sweep` exits with 0 or 1, for the health checks of containers.
"""

import os
import sys
from typing import Final

import psycopg

from cxhub.environment import env_secret

LATE: Final = {"sweep": 60.0, "worker": 180.0, "beat": 300.0, "smtpd": 60.0}
"""Seconds after which a process that said nothing is stuck or gone. Workers drain for up to a minute at a time, and
the heart of `beat` beats through the queue and a worker."""
OPTIONAL: Final = frozenset(("smtpd",))
"""Who takes no mail does not run it; one that has been away for a day is not expected back."""
FORGOTTEN: Final = 86_400.0

AGES = """
SELECT series::jsonb->>1, extract(epoch FROM clock_timestamp()) - value FROM customers_figure
 WHERE series IN ({})
""".format(", ".join(f"""'["alive","{process}"]'""" for process in LATE))


def main(argv: list[str]) -> int:
    if len(argv) != 1 or argv[0] not in LATE:
        print(f"usage: python -m cxhub.heartbeats {'|'.join(LATE)}", file=sys.stderr)
        return 2
    try:
        with psycopg.connect(env_secret("DATABASE_URL") or os.environ["DATABASE_URL"], connect_timeout=5) as connection:
            ages: dict[str, float] = dict(connection.execute(AGES.encode()).fetchall())
    except (psycopg.Error, KeyError) as error:
        # No process gets well by being started again because the database is away.
        print(f"not known: {type(error).__name__}", file=sys.stderr)
        return 0
    age = ages.get(argv[0])
    print("never heard of" if age is None else f"{age:.0f} s ago")
    return 0 if age is not None and age < LATE[argv[0]] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
