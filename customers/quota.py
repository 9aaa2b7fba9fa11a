"""How many different look-ups a key or an agent may have in an hour: whoever tries all numbers comes to an end.

Counted in Redis, by fingerprints only (a HyperLogLog: 12 kB at most, a per cent off). Where Redis is away or slow
nobody waits for it and nobody is refused: it carries no data, and service goes on without it.
"""

import time
from collections.abc import Iterable
from functools import cache

import redis
from django.conf import settings

HOUR = 3600
SECONDS = 0.05
REST = 5.0
"""Seconds for which a Redis that did not answer is not asked again."""
asleep_until = 0.0


@cache
def broker() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=SECONDS, socket_timeout=SECONDS, retry=None)


def wait_for(viewer: str, digests: Iterable[bytes], most: int) -> int:
    """0 where he may, and is counted; else the seconds until he may again."""
    global asleep_until
    now = time.time()
    if not most or time.monotonic() < asleep_until:
        return 0
    name = f"cxhub:lookups:{viewer}:{int(now // HOUR)}"
    try:
        if int(broker().pfcount(name)) >= most:
            return HOUR - int(now % HOUR)
        with broker().pipeline(transaction=False) as asked:
            asked.pfadd(name, *digests)
            asked.expire(name, HOUR)
            asked.execute()
    except (redis.RedisError, OSError, ValueError):
        asleep_until = time.monotonic() + REST
    return 0
