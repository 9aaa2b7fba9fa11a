"""`Authorization: Bearer <key>` for integrations, the session for agents; permissions by scope."""

from typing import TYPE_CHECKING, Any

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from customers.access import Principal, Scope, principal_of_key, principal_of_user

if TYPE_CHECKING:
    from rest_framework.views import APIView


class KeyAuthentication(BaseAuthentication):
    """Raises AuthenticationFailed for a key that is unknown, expired or revoked."""

    def authenticate(self, request: Request) -> tuple[Principal, None] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        scheme, _, key = header.partition(" ")
        if scheme.lower() != "bearer":
            return None
        principal = principal_of_key(key.strip())
        if principal is None:
            raise AuthenticationFailed("The key is unknown, expired or revoked.")
        return principal, None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="cxhub"'


class AgentAuthentication(SessionAuthentication):
    """An agent who signed in at /login/; what changes something needs the CSRF token."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        found = super().authenticate(request)
        principal = principal_of_user(found[0]) if found else None
        return (principal, None) if principal else None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="cxhub"'


class Denied(BasePermission):
    """The default: a view that names no scope lets nobody in."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return False


def needs(*scopes: Scope) -> type[BasePermission]:
    """Any one of these scopes."""

    class Needs(BasePermission):
        def has_permission(self, request: Request, view: "APIView") -> bool:
            principal: Any = request.user
            return isinstance(principal, Principal) and any(principal.may(scope) for scope in scopes)

    return Needs


class Manages(BasePermission):
    """How the company does, agent by agent: integrations that read, and agents who supervise."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        principal: Any = request.user
        return (
            isinstance(principal, Principal)
            and principal.may("read")
            and (principal.key_id is not None or principal.supervises)
        )


class Whole(BasePermission):
    """Nobody who is shown masked identifiers: what he would make or take away is not masked."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        principal: Any = request.user
        return isinstance(principal, Principal) and not principal.masked


class Unmasks(BasePermission):
    """Whoever is shown masked identifiers and may ask for one card's in the clear."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        principal: Any = request.user
        return isinstance(principal, Principal) and principal.may("read") and principal.may_unmask


def principal_of(request: Request) -> Principal:
    principal: Any = request.user
    assert isinstance(principal, Principal)
    return principal
