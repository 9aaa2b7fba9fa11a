"""`python -m tests.bench.follower`: follows behind the timeline as `manage.py sweep` does, and does nothing else."""

import time

import django


def main() -> None:
    django.setup()
    from channels.leasing import anything_waits
    from channels.management.commands.sweep import PAUSE
    from customers.experience.following import follow

    while True:
        follow(PAUSE, others_wait=anything_waits)
        time.sleep(PAUSE)


if __name__ == "__main__":
    main()
