"""Who comes in by the company's sign-in: a known user, or a new one whose claims give him a role; nobody else.

A user who was made here follows his claims at each sign-in and has no password; one whom an administrator made keeps
the role that he was given.
"""

from typing import Any

from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from customers.roles import give


class Refused(Exception):
    """In a word (`refusing`)."""


def let_in(request: HttpRequest, login: SocialLogin) -> None:
    """Makes `login` that of a user of ours; raises Refused."""
    claims = login.account.extra_data["userinfo"]
    if not constant_time_compare(str(claims.get("nonce", "")), str(login.state.get("nonce"))):
        raise Refused("failed")
    role = role_of(claims)
    try:
        with transaction.atomic():
            if login.is_existing:
                follow(login.user, role)
            else:
                login.connect(request, known(claims, login.account.provider) or made(claims, role))
    except IntegrityError as error:
        raise Refused("failed") from error  # He came in twice at once: once is enough.


def follow(user: User, role: str) -> None:
    if not user.is_active:
        raise Refused("inactive")
    if settings.CXHUB_OIDC_ROLES and not user.has_usable_password():
        if not role:
            raise Refused("role")
        give(user, role)


def known(claims: dict[str, Any], provider: str) -> User | None:
    """The user with this address, if it was proven to be his and nobody else of that company signs in as him."""
    email = claims.get("email") or ""
    found = list(User.objects.filter(email__iexact=email)[:2]) if email else []
    if not found:
        return None
    if not verified(claims):
        raise Refused("unverified")
    (user, *others) = found
    if others or SocialAccount.objects.filter(user=user, provider=provider).exists():
        raise Refused("nobody")
    if not user.is_active:
        raise Refused("inactive")
    return user


def made(claims: dict[str, Any], role: str) -> User:
    if not role:
        raise Refused("nobody")
    email = claims.get("email") if verified(claims) else ""
    user = User.objects.create_user(
        free_name(claims),
        email or "",
        first_name=str(claims.get("given_name") or "")[:150],
        last_name=str(claims.get("family_name") or "")[:150],
    )
    give(user, role)
    return user


def free_name(claims: dict[str, Any]) -> str:
    """Never that of somebody else, whatever the claims call him."""
    wanted = str(claims.get("preferred_username") or claims.get("email") or claims["sub"])
    wanted = "".join(one for one in wanted if one.isalnum() or one in "@.+-_")[:140] or "user"
    taken = set(User.objects.filter(username__istartswith=wanted).values_list("username", flat=True))
    lowered = {one.casefold() for one in taken}
    names = (wanted, *(f"{wanted}-{number}" for number in range(2, len(lowered) + 3)))
    return next(one for one in names if one.casefold() not in lowered)


def verified(claims: dict[str, Any]) -> bool:
    """Some say it as a word."""
    return claims.get("email_verified") in (True, "true")


def role_of(claims: dict[str, Any]) -> str:
    """The first of CXHUB_OIDC_ROLES that the claim has; nothing for none."""
    said: Any = claims.get("roles")
    values = {str(one) for one in (said if isinstance(said, list) else [said])}
    return next((ours for theirs, ours in settings.CXHUB_OIDC_ROLES if theirs in values), "")
