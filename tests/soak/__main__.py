"""`make soak`: 20,000 random operations (or OPERATIONS) by 8 processes on servers of their own; SEED repeats a run."""

import os
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path


def main() -> int:
    seed = os.environ.get("SEED") or secrets.token_hex(4)
    count = int(os.environ.get("OPERATIONS") or 20_000)
    print(f"soak: {count} operations, SEED={seed}", flush=True)
    var = Path(tempfile.mkdtemp(prefix="cxhub-soak-"))
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
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
        report = soak(pool, seed=seed, count=count, tell=lambda line: print(f"soak: {line}", flush=True))
    print(f"soak: {dict(report.done)}; {report.pushed} events, {report.deadlocks} deadlocks retried")
    for line in report.wrong[:20]:
        print(f"soak: WRONG {line}")
    print(f"soak: {len(report.wrong)} things wrong after {time.monotonic() - begun:.0f} s (SEED={seed})", flush=True)
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
