"""A process that works off what waits, apart from who measures it: nothing of Django is imported here."""

import resource


def ready() -> None:
    import django

    django.setup()


def work_off() -> tuple[int, float]:
    """Drain all that waits: how many deliveries, and this process's greatest memory so far in MiB."""
    from channels.draining import drain_all

    return drain_all(seconds=600), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
