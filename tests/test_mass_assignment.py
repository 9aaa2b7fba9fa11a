"""No form of the console or of the administration takes a field that it does not name, whatever is sent along.

Every page of `tests/matrix.py` that takes a form is asked for it, and every form, action and button of the
administration: it goes in as a browser would send it, with every other column of the database beside it. Afterwards no
row may have what was planted.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection, models
from django.test import Client, override_settings

from channels.models import Delivery, Source
from customers.models import ApiKey, Link, RetentionRule
from tests.forms import Form, forms_of
from tests.matrix import rows
from tests.support import COMMITTED, everything
from tests.test_console import agent
from tests.whole_world import World, whole_world

pytestmark = COMMITTED
MORE = (
    "pk",
    "user",
    "user_id",
    "role",
    "roles",
    "scopes",
    "groups",
    "user_permissions",
    "permissions",
    "principal",
    "by",
)
PLANTED = r"\m(000)?98765\d{4}\M|1999-09-09"
RIGHTS = (
    "auth_user_groups",
    "auth_user_user_permissions",
    "customers_apikey",
    "channels_source",
    "channels_subscription",
)
ELSEWHERE = ("login/", "logout/", "profile/again", "profile/factor", "profile/recovery", "hooks/", "api/", "admin/")
"""Signing in and out writes nothing that a form could say; what is off until configured has forms of allauth's."""

# Where each form stands (the page itself unless said), what a person fills in, and whoever may send it.
CARD, WHY = "customers/<customer>", {"reason": "a reason"}
FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "lookup/note": ("lookup?phone=%2B79125550777", {"text": "who was it"}),
    "profile": ("", {"language": "lt"}),
    "customers/<customer>/requests/<uuid:number>": ("", {"do": "reopen", **WHY}),
    "customers/<customer>/notes": (CARD, {"text": "a note"}),
    "customers/<customer>/clear": ("", WHY),
    "customers/<customer>/known": ("", {"value": "Ada King"}),
    "customers/<customer>/consent": (CARD, {"purpose": "calls", "state": "given"}),
    "customers/<customer>/hold": ("", WHY),
    "customers/<customer>/handles/<handle>": ("", {"done": "block", "why": "allowed", "note": "theirs"}),
    "customers/<customer>/promise": ("", {"what": "call back", "due": "tomorrow"}),
    "customers/<customer>/promise/<interaction>": ("", {"what": "write", "due": "tomorrow"}),
    "promises/<uuid:number>": ("", {"done": "kept", **WHY}),
    "customers/<customer>/expectation": ("", {"what": "an answer"}),
    "customers/<customer>/expectation/<interaction>": ("", {"what": "a letter"}),
    "expectations/<uuid:number>": ("", {"outcome": "met"}),
    "feedback/<uuid:feedback>": ("feedback", {"state": "solved"}),
    "segments/new": ("", {"name": "new", "do": "save"}),
    "segments/<int:number>": ("", {"name": "known", "do": "save"}),
    "queue/deliveries/<receipt>": ("", {}),
    "queue/deliveries/replay": ("queue/deliveries?state=quarantined", {}),
    "customers/<customer>/move/<interaction>": ("customers/<customer>/move/<interaction>?with=<other>", WHY),
    "candidates/<candidate>": ("", {"decision": "reject", **WHY}),
    "customers/<customer>/split": ("customers/<customer>/split?identity=<identity>", WHY),
    "customers/<customer>/merge": ("customers/<customer>/merge?with=<other>", WHY),
    "customers/<customer>/links/<link>/undo": ("", WHY),
}
# Of the administration: what makes one of them.
MADE: dict[str, dict[str, Any]] = {
    "user": {"username": "newcomer", "password1": "a long sentence, too", "password2": "a long sentence, too"},
    "apikey": {"name": "key", "scopes": ["read"]},
    "blockedhandle": {"kind": "phone", "value": "+79125550666", "why": "blocked"},
    "businesshours": {"time_zone": "Europe/Vilnius", "mon": "09:00-18:00"},
    "experiencesettings": {},
    "retentionrule": {"days": "10"},
    "source": {"slug": "new-shop", "provider": "push"},
    "subscription": {"url": "https://receiver.example/"},
}
DJANGOS = ("changelist", "add", "history", "delete", "change", "password_change")
"""Pages that Django gives every model; our own are buttons."""


@pytest.fixture
def world(committed: None) -> World:
    found = whole_world(everything())
    Delivery.objects.update(state=Delivery.QUARANTINED, reason="unreadable")
    return found


def columns() -> Iterator[tuple[str, Any]]:
    """Every column that we know, by each of its names."""
    for model in apps.get_models():
        if model._meta.app_label in ("customers", "channels", "auth"):
            for column in model._meta.concrete_fields:
                yield from {(column.name, column), (column.attname, column)}
    yield from ((name, None) for name in MORE)


def planted(number: int, named: set[str]) -> dict[str, str]:
    """For every column that a form does not name, a value that could stand there and that nobody else writes."""
    found: dict[str, str] = {}
    for name, column in columns():
        value = f"98765{number:04}"
        if isinstance(column, models.BooleanField):
            value = "on"
        elif isinstance(column, models.DateTimeField):
            value = "1999-09-09T09:09:09Z"
        elif isinstance(column, models.UUIDField):
            value = f"00000000-0000-4000-8000-000{value}"
        found.setdefault(name, value)
    return {name: value for name, value in found.items() if name not in named}


def tables() -> list[str]:
    with connection.cursor() as sql:
        sql.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'customers_session'")
        return [row[0] for row in sql.fetchall()]


def grown() -> list[tuple[str, str]]:
    """Rows that have what was planted."""
    with connection.cursor() as sql:
        found = []
        for table in tables():
            sql.execute(f"SELECT t::text FROM {table} t WHERE t::text ~ %s", (PLANTED,))
            found += [(table, row[0]) for row in sql.fetchall()]
    return found


def rights(tables: tuple[str, ...] = RIGHTS) -> list[Any]:
    """Who may what: nothing of the console changes it."""
    with connection.cursor() as sql:
        sql.execute("SELECT id, username, password, is_superuser, is_staff, is_active FROM auth_user ORDER BY id")
        found = list(sql.fetchall())
        for table in tables:
            used = " - 'last_used_at'" if table == "customers_apikey" else ""
            sql.execute(f"SELECT to_jsonb(t){used} FROM {table} t ORDER BY id")
            found += sql.fetchall()
    return found


def chosen(html: str, page: str, target: str, filled: dict[str, Any]) -> tuple[Form, set[str]]:
    """The form that leads to `target` and takes what is filled in, and the names of all that lead there."""
    found = [one for one in forms_of(html) if (one.action or page).partition("?")[0] == target.partition("?")[0]]
    fitting = [
        one
        for one in found
        if set(filled) <= one.named
        and all(pair in one.buttons for pair in filled.items() if pair[0] in dict(one.buttons))
    ]
    assert fitting, (target, filled, [(one.action, one.named) for one in forms_of(html)])
    return fitting[0], set().union(*(one.named for one in found))


def sent(client: Client, number: int, page: str, route: str, filled: dict[str, Any]) -> Any:
    answer = client.get(page, follow=True)
    assert answer.status_code == 200, (page, answer.status_code)
    here = answer.redirect_chain[-1][0] if answer.redirect_chain else page
    target = route if page.partition("?")[0] != route else here.partition("?")[0]
    form, named = chosen(answer.content.decode(), here, target, filled)
    return client.post(target, {**planted(number, named), **form.sent, **filled})


def test_the_console_takes_what_its_forms_name_only(world: World) -> None:
    known = [row.route for row in rows() if "POST" in row.methods and not row.route.startswith(ELSEWHERE)]
    assert sorted(known) == sorted(FORMS), "a new form: say above what is filled in"
    boss, masked = agent("supervisor", name="boss"), agent("masked", name="masked")
    before = rights()
    for number, (route, (page, filled)) in enumerate(FORMS.items()):
        names = {"interaction": world.names["line"], "link": str(Link.objects.filter(undone_at=None).latest("pk").pk)}
        address = world.path(route, **names)
        asked = world.path(page, **names) if page else address
        client = masked if route.endswith("/clear") else boss
        answer = sent(client, number, asked, address, filled)
        assert answer.status_code == 302, (route, answer.status_code, answer.content.decode()[-3000:])
    assert grown() == []
    assert rights() == before


def test_what_is_planted_is_found(world: World) -> None:
    User.objects.create(username="987650001")
    assert [table for table, _row in grown()] == ["auth_user"]


def test_the_administration_takes_what_its_forms_name_only(world: World) -> None:
    root = agent("admin", name="root")
    User.objects.filter(username="root").update(is_staff=True, is_superuser=True)
    request = root.get("/admin/").wsgi_request
    changed = set()
    for number, (model, of) in enumerate(sorted(admin.site._registry.items(), key=str)):
        name, base = str(model._meta.model_name), f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        before = model._default_manager.count()
        if of.has_add_permission(request):
            add = f"{base}add/" + ("?provider=push" if name == "source" else "")
            answer = sent(root, number, add, add, MADE[name])
            assert answer.status_code == 302, (name, answer.content.decode()[-4000:])
            assert model._default_manager.count() == before + 1
        else:
            answer = root.post(f"{base}add/", planted(number, set()))
            assert answer.status_code == 403, name
            assert model._default_manager.count() == before
        one = model._default_manager.order_by("pk").last()
        if one is None:
            continue
        if of.has_change_permission(request, one):
            change = f"{base}{one.pk}/change/"
            assert sent(root, number, change, change, {}).status_code == 302, name
            changed.add(name)
        else:
            assert root.post(f"{base}{one.pk}/change/", planted(number, set())).status_code == 403, name
    assert changed >= set(MADE)
    new = User.objects.get(username="newcomer")
    again = {"password1": "another long sentence", "password2": "another long sentence"}
    page = f"/admin/auth/user/{new.pk}/password/"
    assert sent(root, 1, page, page, again).status_code == 302
    assert grown() == []
    new.refresh_from_db()
    assert (new.is_superuser, new.is_staff, new.check_password(again["password1"])) == (False, False, True)
    Source.objects.update(provider="telegram")  # A push cannot be tried by a button.
    known = rights(RIGHTS[:2])
    with override_settings(CXHUB_PUBLIC_URL="http://127.0.0.1:9"):
        done = dict(pressed(root, request))
    assert set(done.values()) == {302}, done
    assert {"apikey revoke", "delivery replay", "user take_factor_away", "retentionrule delete_selected"} < set(done)
    assert {"source test", "subscription test", "subscription rotate", "subscription delete"} < set(done)
    assert ApiKey.objects.exclude(revoked_at=None).exists()
    assert not RetentionRule.objects.exists()
    assert grown() == []
    assert rights(RIGHTS[:2]) == known


def pressed(root: Client, request: Any) -> Iterator[tuple[str, int]]:
    """Every button of ours, every action and every deletion of the administration, for one row each: the answers."""
    for number, (model, of) in enumerate(sorted(admin.site._registry.items(), key=str)):
        name, base = str(model._meta.model_name), f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        found, plants = model._default_manager.order_by("pk"), planted(number, set())
        first = str(found.values_list("pk", flat=True).first())
        for page in of.get_urls():
            if page.name and not page.name.endswith(DJANGOS):
                route = re.sub("<.+?>", first, str(page.pattern))
                yield f"{name} {page.name.rpartition('_')[2]}", root.post(base + route, plants).status_code
        actions = of.get_actions(request) if found else {}
        for action in sorted(actions, key=lambda one: (one == "delete_selected", one)):
            pushed = {"action": action, "_selected_action": first, "index": "0", "post": "yes"}
            yield f"{name} {action}", root.post(base, {**plants, **pushed}).status_code
        if (one := found.last()) is not None and of.has_delete_permission(request, one):
            yield f"{name} delete", root.post(f"{base}{one.pk}/delete/", {**plants, "post": "yes"}).status_code
