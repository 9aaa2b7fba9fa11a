"""What allauth asks of us: which steps a sign-in has, how secrets are kept, which company's sign-in there is."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from customers.access import roles_of
from customers.signin import coming
from customers.signin.refusing import refused


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]
    """Users are made by administrators, or come by the company's sign-in; nobody signs up, nothing is mailed."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_stages(self) -> list[str]:
        return ["allauth.mfa.stages.AuthenticateStage"]

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Attempts are counted by axes."""

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """In our words."""
        words = {"reauthenticate": _("With your password"), "mfa_reauthenticate": _("With a code")}
        return [{**one, "description": words[one["id"]]} for one in super().get_reauthentication_methods(user)]


class Factors(DefaultMFAAdapter):  # type: ignore[misc]
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": _("Your role is only for people with a second factor."),
    }

    def get_totp_label(self, user: User) -> str:
        return str(user.get_username())

    def encrypt(self, text: str) -> str:
        """A copy of the database tells nobody the secrets; the key is the one that signs sessions."""
        return box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return box().decrypt(encrypted_text.encode()).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return settings.CXHUB_MFA_REQUIRED.isdisjoint(roles_of(authenticator.user))

    def is_mfa_enabled(self, user: Any, types: Any = None) -> bool:
        return bool(super().is_mfa_enabled(user, types))


def box() -> MultiFernet:
    keys = (str(key).encode() for key in [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS])
    return MultiFernet([Fernet(urlsafe_b64encode(sha256(b"cxhub second factors" + key).digest())) for key in keys])


class Company(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """The one sign-in of the settings; those that somebody put into the database do not count."""

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[SocialApp]:
        if not settings.CXHUB_OIDC_URL:
            return []
        return [
            SocialApp(
                provider="openid_connect",
                provider_id=provider_id(),
                name=settings.CXHUB_OIDC_NAME,
                client_id=settings.CXHUB_OIDC_CLIENT_ID,
                secret=settings.CXHUB_OIDC_CLIENT_SECRET,
                settings={"server_url": settings.CXHUB_OIDC_URL, "oauth_pkce_enabled": True},
            )
        ]

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Somebody proved there who he is: whether that is a user of ours."""
        sociallogin.state["process"] = "login"
        try:
            coming.let_in(request, sociallogin)
        except coming.Refused as error:
            raise ImmediateHttpResponse(refused(request, str(error))) from error

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def on_authentication_error(self, request: HttpRequest, provider: Any, **told: Any) -> None:
        """One page for all that may go wrong over there."""
        raise ImmediateHttpResponse(refused(request, "cancelled" if told.get("error") == "cancelled" else "failed"))


def provider_id() -> str:
    """Users are known by their number at this issuer: another one's numbers are other people's."""
    return f"oidc-{sha256(settings.CXHUB_OIDC_URL.encode()).hexdigest()[:16]}"
