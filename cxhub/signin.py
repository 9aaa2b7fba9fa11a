"""How people sign in: passwords and their lock-out, a second factor, and a company's own sign-in by OpenID Connect."""

import os
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from cxhub.environment import env_bool, env_secret

ROLES = ("agent", "supervisor", "admin", "masked", "agent masked")


def named(name: str) -> list[str]:
    return [one.strip() for one in os.environ.get(name, "").split(",") if one.strip()]


def known(name: str, roles: list[str], allowed: tuple[str, ...]) -> list[str]:
    if unknown := sorted(set(roles) - set(allowed)):
        raise ImproperlyConfigured(f"{name} knows the roles {', '.join(allowed)}, not {', '.join(unknown)}")
    return roles


def pairs(name: str) -> list[tuple[str, str]]:
    """`theirs=ours,theirs=ours`, in their order."""
    found = [one.rpartition("=")[::2] for one in named(name)]
    if any(not theirs for theirs, _ in found):
        raise ImproperlyConfigured(f"{name} is a list of value=role with commas between")
    roles = known(name, [ours.strip() for _, ours in found], ROLES)
    return [(theirs.strip(), ours) for (theirs, _), ours in zip(found, roles, strict=True)]


CXHUB_MFA_REQUIRED = frozenset(known("CXHUB_MFA_REQUIRED", named("CXHUB_MFA_REQUIRED"), ROLES[:4]))
"""Roles that get no further than to their second factor until they have one: «admin,supervisor»."""

CXHUB_MFA = env_bool("CXHUB_MFA", default=bool(CXHUB_MFA_REQUIRED))
"""Whether users may protect their sign-in with a second factor. Whoever has one is asked for it in any case."""

CXHUB_OIDC_URL = os.environ.get("CXHUB_OIDC_URL", "").rstrip("/")
CXHUB_OIDC_CLIENT_ID = os.environ.get("CXHUB_OIDC_CLIENT_ID", "")
CXHUB_OIDC_CLIENT_SECRET = env_secret("CXHUB_OIDC_CLIENT_SECRET")
CXHUB_OIDC_NAME = os.environ.get("CXHUB_OIDC_NAME") or "OpenID Connect"
"""The company's own sign-in: the issuer's address, what it gave us, what the button says. Off without an address."""

CXHUB_OIDC_ROLES = pairs("CXHUB_OIDC_ROLES")
CXHUB_OIDC_CLAIM = os.environ.get("CXHUB_OIDC_CLAIM") or "groups"
"""Who is let in without having been here before: «cx-leads=supervisor,cx=agent», the first that fits, of this claim."""

if CXHUB_OIDC_URL and not (CXHUB_OIDC_CLIENT_ID and CXHUB_OIDC_CLIENT_SECRET):
    raise ImproperlyConfigured("CXHUB_OIDC_URL wants CXHUB_OIDC_CLIENT_ID and CXHUB_OIDC_CLIENT_SECRET, too")

SIGNIN_APPS = [
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "customers.signin.users.Users"]
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AUTH_PASSWORD_VALIDATORS += [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}}
]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"

AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "customers.console.lockout.locked"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "code", "state"]

# Attempts are counted by axes, in the database: allauth's own limits live in the memory of one process.
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False
ACCOUNT_ADAPTER = "customers.signin.adapters.Accounts"
ACCOUNT_FORMS = {"reauthenticate": "customers.signin.codes.PasswordAgain"}
ACCOUNT_EMAIL_VERIFICATION = "none"
MFA_ADAPTER = "customers.signin.adapters.Factors"
MFA_FORMS = {
    "authenticate": "customers.signin.codes.Code",
    "reauthenticate": "customers.signin.codes.CodeAgain",
    "activate_totp": "customers.signin.codes.FirstCode",
}
MFA_TOTP_ISSUER = "cxhub"
MFA_TOTP_TOLERANCE = 1  # a code is good for half a minute before and after its own, once
MFA_RECOVERY_CODE_DIGITS = 10
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # nobody signs up here: addresses come from administrators
SOCIALACCOUNT_ADAPTER = "customers.signin.adapters.Company"
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5
