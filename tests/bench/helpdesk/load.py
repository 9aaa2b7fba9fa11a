"""`python -m tests.bench.helpdesk.load`: customers from standard input become tickets; says how to sign in.

In: a line of JSON for each customer, {"email": str, "threads": [{"subject": str, "messages": [str, ...]}, ...]}.
Out: one object, {"cookie": str, "csrf": str, "tickets": {email: [id, ...]}}.
"""

import json
import sys
from typing import Any

import django

CHUNK = 2_000


def main() -> None:
    django.setup()
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command
    from django.middleware.csrf import _get_new_csrf_string

    call_command("migrate", interactive=False, verbosity=0)
    user = User.objects.create_superuser("bench", "bench@example.org", None)
    tickets = write(user)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    csrf = _get_new_csrf_string()
    cookie = f"sessionid={session.session_key}; csrftoken={csrf}"
    print(json.dumps({"cookie": cookie, "csrf": csrf, "tickets": tickets}))


def write(user: Any) -> dict[str, list[int]]:
    from django.db import connection

    # Its packages are not ours.
    from helpdesk.models import FollowUp, Queue, Ticket  # type: ignore[import-not-found]

    queue = Queue.objects.create(title="Support", slug="support")
    tickets: dict[str, list[int]] = {}
    later: list[Any] = []
    for line in sys.stdin:
        said = json.loads(line)
        made = Ticket.objects.bulk_create(
            Ticket(
                title=thread["subject"],
                queue=queue,
                submitter_email=said["email"],
                description=thread["messages"][0],
                assigned_to=user,
            )
            for thread in said["threads"]
        )
        tickets[said["email"]] = [ticket.pk for ticket in made]
        for ticket, thread in zip(made, said["threads"], strict=True):
            later += [
                FollowUp(ticket=ticket, title="Reply", comment=text, public=True, user=user)
                for text in thread["messages"][1:]
            ]
        if len(later) >= CHUNK:
            FollowUp.objects.bulk_create(later)
            later.clear()
    FollowUp.objects.bulk_create(later)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    return tickets


if __name__ == "__main__":
    main()
