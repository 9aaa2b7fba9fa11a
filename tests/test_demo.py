"""What `make demo` needs is made once: users, keys and sources."""

import io
import json
import sys
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command

from channels.models import Source
from customers.access import ROLES, principal_of_key
from customers.models import ApiKey

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "reading"])


def ensure(monkeypatch: pytest.MonkeyPatch, before: str = "") -> dict[str, Any]:
    monkeypatch.setattr(sys, "stdin", io.StringIO(before))
    answer = io.StringIO()
    call_command("ensure_demo", json=True, stdout=answer)
    made: dict[str, Any] = json.loads(answer.getvalue())
    return made


def test_a_second_time_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ensure(monkeypatch)
    assert ensure(monkeypatch, json.dumps(first)) == first
    assert ApiKey.objects.count() == len(first["keys"]) == 4


def test_keys_and_users_may_what_they_are_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made = ensure(monkeypatch)
    ingest = principal_of_key(made["keys"]["ingest"])
    assert ingest is not None
    assert (ingest.source, ingest.may("ingest"), ingest.may("read")) == ("demo", True, False)
    assert ingest.may_push_for("telegram")
    for name in ("read", "write", "admin"):
        principal = principal_of_key(made["keys"][name])
        assert principal is not None
        assert principal.may(name)
    assert set(made["users"]) == set(ROLES)
    for role, user in made["users"].items():
        account = get_user_model().objects.get(username=user["username"])
        assert account.check_password(user["password"])
        assert account.is_superuser == account.is_staff == (role == "admin")


def test_what_nobody_knows_any_more_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ensure(monkeypatch)
    second = ensure(monkeypatch, "")
    assert principal_of_key(first["keys"]["admin"]) is None
    assert principal_of_key(second["keys"]["admin"]) is not None
    assert not get_user_model().objects.get(username="agent").check_password(first["users"]["agent"]["password"])
    assert first["sources"] == second["sources"]


def test_sources_say_what_is_needed_to_send_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = ensure(monkeypatch)["sources"]
    assert (sources["demo"]["slug"], Source.objects.get(slug="demo").region) == ("demo", "RU")
    assert Source.objects.get(slug="vilnius").region == "LT"
    assert sources["telegram"]["secret_token"]
    assert sources["voice"]["auth_token"] != sources["sms"]["auth_token"]
    assert all("/hooks/" in source["hook_url"] for source in sources.values())
