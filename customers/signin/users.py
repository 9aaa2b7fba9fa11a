"""Whoever signed in, with his roles, language and time zone: read with his session, at the beginning of each page."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject

from customers.access import know_groups
from customers.sql import cursor


class Who(NamedTuple):
    """What is read of `u`, a user."""

    columns: str
    joins: str


FIELDS = [field.attname for field in User._meta.concrete_fields]
WHO = Who(
    f"""p.language, p.time_zone,
       ARRAY(SELECT g.name FROM auth_user_groups m JOIN auth_group g ON g.id = m.group_id WHERE m.user_id = u.id),
       {", ".join(f"u.{field.column}" for field in User._meta.concrete_fields)}""",
    "LEFT JOIN customers_agentprofile p ON p.user_id = u.id",
)
READ = f"SELECT {WHO.columns} FROM auth_user u {WHO.joins} WHERE u.id = %s".encode()


class Users(ModelBackend):
    """Passwords as Django keeps them."""

    def get_user(self, user_id: Any) -> User | None:
        """Asked of the primary: whoever was barred a moment ago is."""
        with cursor("noting") as sql:
            sql.execute(READ, (user_id,), prepare=True)
            row = sql.fetchone()
        return self.of_row(row)

    def of_row(self, row: Sequence[Any] | None) -> User | None:
        """Of the columns of WHO; None for whoever may not sign in."""
        if row is None:
            return None
        language, zone, groups, *values = row
        user = User.from_db("default", FIELDS, values)
        if not self.user_can_authenticate(user):
            return None
        know_groups(user, groups)
        user.speaks, user.lives_in = language or "", zone or ""  # type: ignore[attr-defined]
        return user


USERS = Users()
PATH = f"{Users.__module__}.{Users.__qualname__}"


class WithSessionMiddleware(AuthenticationMiddleware):
    """`request.user` of what came with the session."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: user_of(request))  # type: ignore[assignment]


def user_of(request: HttpRequest) -> Any:
    """What `django.contrib.auth.get_user` says, which is asked whenever it could say anything else."""
    session: Any = request.session
    if auth.SESSION_KEY not in session:
        return AnonymousUser()
    if session.whose and session.get(auth.BACKEND_SESSION_KEY) == PATH and PATH in settings.AUTHENTICATION_BACKENDS:
        user = USERS.of_row(session.whose)
        if user is not None and str(user.pk) == session[auth.SESSION_KEY] and signed(session, user):
            return user
    return auth.get_user(request)


def signed(session: Any, user: User) -> bool:
    """Whether he has the password with which the session began."""
    return constant_time_compare(session.get(auth.HASH_SESSION_KEY, ""), user.get_session_auth_hash())
