"""Second factors: who has one, and who has to have one before he gets any further."""

from collections.abc import Collection

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Exists, OuterRef


def has(user: AbstractBaseUser | AnonymousUser) -> bool:
    model = apps.get_model("mfa", "Authenticator")
    return user.pk is not None and model.objects.filter(user_id=user.pk, type="totp").exists()


def exists() -> Exists:
    """The same for a query of users."""
    return Exists(apps.get_model("mfa", "Authenticator").objects.filter(user_id=OuterRef("pk"), type="totp"))


def owed(user: AbstractBaseUser | AnonymousUser, roles: Collection[str]) -> bool:
    """Whether one of these roles of his is for people with a second factor only, and he has none yet."""
    return not settings.CXHUB_MFA_REQUIRED.isdisjoint(roles) and not has(user)


def offered(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether he sees anything of it; whoever has one may always take it away again."""
    return settings.CXHUB_MFA or bool(settings.CXHUB_MFA_REQUIRED) or has(user)


def taken_away(user: AbstractBaseUser) -> bool:
    """An administrator's help for whoever lost his telephone and his recovery codes; False if there was none."""
    count, _ = apps.get_model("mfa", "Authenticator").objects.filter(user_id=user.pk).delete()
    return bool(count)
