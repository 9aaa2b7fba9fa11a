"""`make soak`: random operations on identities, random faults under load, and a great backlog; SEED repeats the first.

OPERATIONS (20,000), MINUTES (10) and BACKLOG (200,000) say how much of each; 0 leaves one out.
"""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def tell(line: str) -> None:
    print(f"soak: {line}", flush=True)


def main() -> int:
    seed = os.environ.get("SEED") or secrets.token_hex(4)
    count = int(os.environ.get("OPERATIONS") or 20_000)
    minutes = float(os.environ.get("MINUTES") or 10)
    backlog = int(os.environ.get("BACKLOG") or 200_000)
    tell(f"{count} operations, {minutes:g} minutes of faults, a backlog of {backlog}; SEED={seed}")
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    given = dict(os.environ)  # What breaks things in this process leaves its settings behind.
    wrong = 0
    if count:
        # In a process of its own: Django is set up for those servers only.
        argv = [sys.executable, "-m", "tests.soak", "identities", seed, str(count)]
        wrong += subprocess.run(argv, check=False).returncode
    if minutes:
        from tests.soak.faults import break_for

        found = break_for(minutes, seed=seed, tell=tell)
        for line in found:
            tell(f"WRONG {line}")
        wrong += len(found)
    if backlog:
        argv = [sys.executable, "-m", "pytest", "-q", "-s", "tests/faults/test_events.py", "-k", "backlog"]
        wrong += subprocess.run(argv, env={**given, "CXHUB_TEST_LONG": str(backlog)}, check=False).returncode
    tell(f"{'all is well' if not wrong else 'SOMETHING IS WRONG'} (SEED={seed})")
    return 1 if wrong else 0


def identities(seed: str, count: int) -> int:
    var = Path(tempfile.mkdtemp(prefix="cxhub-soak-"))
    os.environ |= {
        "CXHUB_VAR": str(var),
        "CXHUB_RULES": "1",
        "CXHUB_LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "cxhub.settings",
    }
    os.environ.setdefault("CXHUB_PG_OPTIONS", "-c fsync=off -c synchronous_commit=off -c full_page_writes=off")
    from cxhub.embedded import secret_key, start

    servers = start(var)
    try:
        servers.export()
        secret_key(var)
        return run(seed, count)
    finally:
        servers.stop()
        shutil.rmtree(var, ignore_errors=True)


def run(seed: str, count: int) -> int:
    import django

    django.setup()
    from django.core.management import call_command

    from tests.soak.running import soak
    from tests.workers import workers

    call_command("migrate", verbosity=0)
    begun = time.monotonic()
    with workers(os.environ) as pool:
        report = soak(pool, seed=seed, count=count, tell=tell)
    tell(f"{dict(report.done)}; {report.pushed} events, {report.deadlocks} deadlocks retried")
    for line in report.wrong[:20]:
        tell(f"WRONG {line}")
    tell(f"{len(report.wrong)} things wrong after {time.monotonic() - begun:.0f} s (SEED={seed})")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(identities(sys.argv[2], int(sys.argv[3])) if sys.argv[1:2] == ["identities"] else main())
