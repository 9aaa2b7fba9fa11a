"""What a run needs before it serves: migrations, keys, users and sources; and what it tells when it is ready."""

import io
import json
import os
import secrets
import sys
from importlib import import_module
from typing import Any

from cxhub.embedded import Servers, write_private
from cxhub.roster import Place

UNUSED = ["redoc*", "*.map", "swagger-ui-es-*"]
"""Static files of the API's documentation that no page asks for."""


class NotPrepared(Exception):
    """One line that says what is missing."""


def prepare(place: Place, servers: Servers, *, demo: bool) -> dict[str, Any]:
    """Migrate and make sure of what a start needs, all in this process: every further interpreter costs a second."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cxhub.settings")
    import django
    from django.core.management import call_command
    from django.db import connections
    from django.db.utils import OperationalError

    try:
        (place.var / "static").mkdir(exist_ok=True)  # before the settings are read: they look whether it is there
        django.setup()
        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=UNUSED)
        made = _demo_access(place) if demo else _first_admin(place)
    except OperationalError as error:
        raise NotPrepared(f"no database: {str(error).strip().splitlines()[0]}") from error
    finally:
        connections.close_all()
    return {
        "url": place.url,
        **{f"{name}_key": key for name, key in made.get("keys", {}).items()},
        "users": made.get("users", {}),
        "sources": made.get("sources", {}),
        "database_url": servers.database_url,
        "redis_url": servers.redis_url,
        "smtp_port": place.smtp_port,
        "lmtp_port": place.lmtp_port,
        "pids": {},
        "manage": place.manage,
    }


def _demo_access(place: Place) -> dict[str, Any]:
    """Keys are stored hashed: the plain ones are kept here, so that a restart shows the same."""
    from django.core.management import call_command

    kept = place.var / "demo-keys.json"
    before = kept.read_text() if kept.exists() else "{}"
    answer, stdin = io.StringIO(), sys.stdin
    sys.stdin = io.StringIO(before)
    try:
        call_command("ensure_demo", json=True, stdout=answer)
    finally:
        sys.stdin = stdin
    made = json.loads(answer.getvalue())
    if not isinstance(made, dict):
        raise NotPrepared("ensure_demo did not answer with an object")
    if json.dumps(made) != before:
        write_private(kept, json.dumps(made))
    return made


def _first_admin(place: Place) -> dict[str, Any]:
    """An empty cxhub gets an admin with a random password, shown once."""
    from django.contrib.auth import get_user_model

    users = get_user_model()
    if users.objects.filter(is_superuser=True).exists():
        return {}
    password = secrets.token_urlsafe(12)
    users.objects.create_superuser("admin", password=password)
    return {"users": {"admin": {"username": "admin", "password": password, "language": "en"}}}


def push_history(place: Place, state: dict[str, Any]) -> None:
    """Push the demo history through the doors that providers use, once per database."""
    marker = place.var / "demo-pushed"
    database = _database_identity()
    if marker.exists() and marker.read_text().strip() == database:
        return
    import_module("cxhub.demo").push(place.url, state)
    write_private(marker, database + "\n")


def _database_identity() -> str:
    """Another cluster, or the same one with the database made anew, is another history."""
    from django.db import connection

    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT oid FROM pg_database WHERE datname = current_database()")
            (oid,) = cursor.fetchone()
            cursor.execute("SELECT system_identifier FROM pg_control_system()")
            (cluster,) = cursor.fetchone()
    finally:
        connection.close()
    return f"{cluster}/{oid}"


def publish(place: Place, state: dict[str, Any]) -> None:
    write_private(place.state_file, json.dumps(state, indent=2, ensure_ascii=False) + "\n")


def announce(place: Place, state: dict[str, Any]) -> None:
    lines = ["", f"  cxhub runs at {place.url}   (logs in {place.var / 'log'}, Ctrl-C stops it)"]
    for role, user in state["users"].items():
        lines.append(f"  {role:<12} {user['username']} / {user['password']}   sign in at {place.url}/login/")
    lines += [f"  {name.replace('_', ' '):<12} {state[name]}" for name in sorted(state) if name.endswith("_key")]
    print("\n".join([*lines, ""]), flush=True)
