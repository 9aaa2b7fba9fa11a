"""Who may do what: API keys with scopes, agents with roles, and the log of views."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.utils import timezone

from customers import factors, replica
from customers.models import ApiKey
from customers.sql import Cursor, cursor, noting

Scope = Literal["read", "read:masked", "write", "admin", "ingest", "unmask"]
SCOPES: tuple[Scope, ...] = ("read", "read:masked", "write", "admin", "ingest", "unmask")
MASKED: Scope = "read:masked"
IMPLIED: dict[str, frozenset[str]] = {
    "read": frozenset({"read"}),
    # Whoever has it is shown masked identifiers, whatever else he has.
    MASKED: frozenset({"read", MASKED}),
    "write": frozenset({"read", "write"}),
    "admin": frozenset({"read", "write", "admin"}),
    "ingest": frozenset({"ingest"}),
    # Opens nothing by itself: see `may_unmask`.
    "unmask": frozenset({"unmask"}),
}
ROLES: dict[str, str] = {"agent": "write", "supervisor": "write", "admin": "admin", "masked": MASKED}
"""What a role (a group of users) may do over the API; its name is the group's."""
SUPERVISORS = frozenset({"supervisor", "admin"})

PREFIX = "cx_"
ANY_SOURCE = "*"


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever asks: a key of an integration, or an agent who signed in."""

    viewer: str  # key:ID or user:ID, as the logs name him
    name: str
    scopes: frozenset[str]
    source: str = ""
    sources: tuple[str, ...] = ()
    key_id: int | None = None
    roles: frozenset[str] = frozenset()
    is_authenticated: bool = True

    @property
    def supervises(self) -> bool:
        """Supervisors and administrators see what others did, and what needs a person."""
        return bool(self.roles & SUPERVISORS)

    @property
    def masked(self) -> bool:
        """Whether identifiers are shown to him masked (`customers.masking`)."""
        return MASKED in self.scopes

    @property
    def may_unmask(self) -> bool:
        """Whether he may ask to see one card's identifiers (`customers.unmasking`): agents, and keys that may."""
        return self.masked and (self.key_id is None or "unmask" in self.scopes)

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes

    def may_push_for(self, source: str) -> bool:
        return source == self.source or source in self.sources or ANY_SOURCE in self.sources


def issue_key(
    name: str,
    scopes: Iterable[str],
    *,
    source: str = "",
    sources: Iterable[str] = (),
    expires_at: datetime | None = None,
    created_by: str = "",
) -> tuple[ApiKey, str]:
    """A new key and its only plain copy; raises ValueError for an unknown scope."""
    wanted = sorted(set(scopes))
    if not wanted or not set(wanted) <= set(SCOPES):
        raise ValueError(f"scopes are one or more of {', '.join(SCOPES)}")
    plain = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        name=name,
        prefix=plain[:10],
        digest=digest_of(plain),
        scopes=wanted,
        source=source,
        sources=sorted(set(sources)),
        expires_at=expires_at,
        created_by=created_by,
    )
    return key, plain


def digest_of(plain: str) -> bytes:
    """A fast hash: the key is random, so there is nothing to guess (a password hash would cost 0.1 s a request)."""
    return sha256(plain.encode("utf-8", "replace")).digest()


FIND = """
SELECT id, name, scopes, source, sources, last_used_at < now() - interval '1 minute' OR last_used_at IS NULL, wrote
  FROM customers_apikey
 WHERE digest = %s AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
"""
USED = "UPDATE customers_apikey SET last_used_at = now() WHERE id = %s"
WROTE = "UPDATE customers_apikey SET wrote = pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint WHERE id = %s"


def principal_of_key(plain: str) -> Principal | None:
    """Whose key this is, if it is valid now; its use is noted once a minute."""
    with cursor("noting") as sql:  # A revoked key opens nothing, however far behind a replica is.
        sql.execute(FIND, (digest_of(plain),), prepare=True)
        row = sql.fetchone()
        if row is None:
            return None
        id_, name, scopes, source, sources, stale, wrote_at = row
        if stale:
            sql.execute(USED, (id_,))
    replica.at_least(wrote_at)
    granted = frozenset[str]().union(*(IMPLIED.get(scope, frozenset()) for scope in scopes))
    return Principal(f"key:{id_}", name, granted, source, tuple(sources), id_)


def wrote(key_id: int) -> None:
    """Remember how far the primary has come: reads with this key then show what was written with it."""
    with cursor("noting") as sql:
        sql.execute(WROTE, (key_id,), prepare=True)


def told(principal: Principal) -> None:
    """He heard that something is recorded, so he must find it."""
    if replica.configured() and principal.key_id is not None and principal.may("read"):
        wrote(principal.key_id)


def roles_of(user: AbstractBaseUser | AnonymousUser) -> frozenset[str]:
    """The groups of his that are roles; whoever made the first start has all but the masked one."""
    if not isinstance(user, User) or not user.is_active:
        return frozenset()
    given = groups_of(user)
    return frozenset(role for role in ROLES if role in given or (user.is_superuser and ROLES[role] != MASKED))


def know_groups(user: AbstractBaseUser | AnonymousUser, names: Iterable[str]) -> None:
    """The names of his groups, for this request: whoever has read them with something else spares a query."""
    user.known_groups = frozenset(names)  # type: ignore[union-attr]


def groups_of(user: User) -> frozenset[str]:
    known: frozenset[str] | None = getattr(user, "known_groups", None)
    return frozenset(user.groups.values_list("name", flat=True)) if known is None else known


def principal_of_user(user: AbstractBaseUser | AnonymousUser) -> Principal | None:
    """What an agent may do by his role; None for nobody, and for whoever still owes his second factor."""
    if not isinstance(user, User) or not user.is_active:
        return None
    roles = roles_of(user)
    if factors.owed(user, roles):
        return None
    scopes = frozenset[str]().union(*(IMPLIED[ROLES[role]] for role in roles))
    return Principal(f"user:{user.pk}", user.get_username(), scopes, roles=roles)


VIEWED = """
INSERT INTO customers_cardview (viewer, customer_id, period, viewed_at, path)
SELECT %(viewer)s, c, date_bin('5 minutes', now(), 'epoch'), now(), %(path)s FROM unnest(%(customers)s::bigint[]) AS c
    ON CONFLICT (viewer, customer_id, period) DO NOTHING
"""


def log_views(sql: Cursor, viewer: str, customers: Iterable[int], path: str) -> None:
    """Note who saw whom, once per viewer, customer and five minutes."""
    ids = sorted(set(customers))
    if ids:
        with noting(sql) as near:
            near.execute(VIEWED, {"viewer": viewer, "customers": ids, "path": path[:200]})


def revoke(key: ApiKey) -> None:
    """At once: keys are looked up at every request."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
