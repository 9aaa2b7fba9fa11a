"""The company's sign-in by OpenID Connect: there with PKCE, a state and a nonce, and back with a signed token."""

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

import jwt
from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from requests import RequestException

from customers.console.pages import private, refusal
from customers.signin.adapters import provider_id
from customers.signin.refusing import refused

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""With a public key only: one that is shared or missing proves nothing."""
NAMES = ("sub", "preferred_username", "given_name", "family_name")
LEEWAY = 60
TROUBLE = (OAuth2Error, RequestException, ImproperlyConfigured, LookupError, ValueError, TypeError, AttributeError)
View = Callable[[HttpRequest], HttpResponse]


class Issuer(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """Its token is read only if its signature is right, also where it came straight from the issuer."""

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return f"{settings.CXHUB_PUBLIC_URL}{reverse('oidc_callback')}"

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        told = self.signed(app, kwargs["response"].get("id_token") or "")
        more = self._fetch_user_info(token.token) if "userinfo_endpoint" in self.openid_config else {}
        if more and more.get("sub") != told["sub"]:
            raise OAuth2Error("The answers are about two people.")
        address = told if told.get("email") else more
        kept = {name: {**more, **told}[name] for name in NAMES if name in told or name in more}
        # An address and whether it was proven are from one answer, never from two.
        kept |= {name: address.get(name) for name in ("email", "email_verified")} | {"nonce": told.get("nonce")}
        kept["roles"] = member(told, settings.CXHUB_OIDC_CLAIM) or member(more, settings.CXHUB_OIDC_CLAIM)
        return self.get_provider().sociallogin_from_response(request, {"userinfo": kept})

    def signed(self, app: SocialApp, token: str) -> dict[str, Any]:
        """What the token says; raises OAuth2Error unless this issuer signed it for us, just now."""
        with get_adapter().get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
        try:
            header = jwt.get_unverified_header(token)
            keys = jwt.PyJWKSet.from_dict(answer.json()).keys
            fitting = [one for one in keys if one.key_id == header.get("kid") and one.public_key_use in (None, "sig")]
            if header.get("alg") not in ALGORITHMS or not fitting:
                raise OAuth2Error("The token is signed with no key of the issuer.")
            found: dict[str, Any] = jwt.decode(
                token,
                key=fitting[0].key,
                algorithms=[header["alg"]],
                audience=app.client_id,
                issuer=self.openid_config["issuer"],
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise OAuth2Error("The token is not right.") from error
        return found


def member(claims: dict[str, Any], path: str) -> Any:
    """A claim, also within others: `realm_access.roles`; one whose own name has dots goes first."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def configured(view: View) -> View:
    """Nothing is there without an issuer; whatever goes wrong on the way to it is one page."""

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        if not settings.CXHUB_OIDC_URL or request.method not in ("GET", "HEAD"):
            return refusal(request, 405 if settings.CXHUB_OIDC_URL else 404)
        try:
            return private(view(request))
        except TROUBLE:
            return refused(request, "failed")

    return answer


@configured
def leave(request: HttpRequest) -> HttpResponse:
    """`/login/oidc`, with `next`"""
    provider = get_adapter(request).get_provider(request, provider=provider_id())
    provider.oauth2_adapter_class = Issuer
    nonce = secrets.token_urlsafe(16)
    # What else an address asks for (scopes, linking to whoever is signed in) is not listened to.
    answer: HttpResponse = provider.redirect(
        request,
        AuthProcess.LOGIN,
        next_url=get_next_redirect_url(request),
        scope=provider.get_scope(),
        auth_params={"nonce": nonce},
        nonce=nonce,
    )
    return answer


@configured
def come_back(request: HttpRequest) -> HttpResponse:
    """`/login/oidc/callback`"""
    answer: HttpResponse = OAuth2CallbackView.adapter_view(Issuer(request, provider_id()))(request)
    return answer
