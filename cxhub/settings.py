"""All settings, read from the environment; a bad value fails at the start, not at the first request."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from cxhub.databases import *  # noqa: F403
from cxhub.environment import env_bool, env_int, env_secret
from cxhub.logs import *  # noqa: F403
from cxhub.options import *  # noqa: F403
from cxhub.options import CXHUB_VAR
from cxhub.queueing import *  # noqa: F403
from cxhub.signin import *  # noqa: F403
from cxhub.signin import SIGNIN_APPS

CXHUB_PORT = env_int("CXHUB_PORT", 8000)
CXHUB_PUBLIC_URL = (os.environ.get("CXHUB_PUBLIC_URL") or f"http://127.0.0.1:{CXHUB_PORT}").rstrip("/")

DEBUG = env_bool("CXHUB_DEBUG", default=False)


def secret_key() -> str:
    key = env_secret("CXHUB_SECRET_KEY")
    kept = CXHUB_VAR / "secret_key"
    if not key and kept.is_file():
        key = kept.read_text().strip()
    if len(key) < 32:
        raise ImproperlyConfigured(
            "CXHUB_SECRET_KEY (32 characters or more) is not set; manage.py makes one for the embedded run"
        )
    return key


SECRET_KEY = secret_key()
public = urlsplit(CXHUB_PUBLIC_URL)
HTTPS = public.scheme == "https"
ALLOWED_HOSTS = [
    host.strip()
    for host in (os.environ.get("CXHUB_ALLOWED_HOSTS") or f"{public.hostname},localhost,127.0.0.1,[::1]").split(",")
]

INSTALLED_APPS = [
    "customers",  # its pages stand in for those of others
    "channels",
    "cxhub.administration.AdministrationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    *SIGNIN_APPS,
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "django_htmx",
]
MIDDLEWARE = [
    "cxhub.observing.ObservingMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "cxhub.compression.CompressionMiddleware",
    "cxhub.policy.PolicyMiddleware",
    "cxhub.waiting.WaitingMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "cxhub.lean.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "customers.signin.users.WithSessionMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "customers.own_writes.OwnWritesMiddleware",
    "customers.console.profile.ProfileMiddleware",
    "cxhub.lean.PageMessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "cxhub.urls"
WSGI_APPLICATION = "cxhub.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    },
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "APP_DIRS": True,
        "OPTIONS": {"environment": "customers.console.compiled.environment"},
    },
]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ru", _("Russian")), ("lt", _("Lithuanian"))]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
COLLECTED = Path(os.environ.get("CXHUB_STATIC") or CXHUB_VAR / "static").resolve()
# `collectstatic` writes them there compressed, once; where nobody did they are served from where they lie.
STATIC_ROOT = str(COLLECTED) if COLLECTED.is_dir() else None
WHITENOISE_USE_FINDERS = STATIC_ROOT is None
WHITENOISE_AUTOREFRESH = False

SESSION_ENGINE = "customers.signin.sessions"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [CXHUB_PUBLIC_URL]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
# TLS ends at the proxy, and health checks come without it.
SILENCED_SYSTEM_CHECKS = ["security.W008"]
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "customers.api.authentication.KeyAuthentication",
        "customers.api.authentication.AgentAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["customers.api.authentication.Denied"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS tells nobody how the views are called.
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "customers.api.problems.handle",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "cxhub",
    "DESCRIPTION": "One timeline per customer, over every channel.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "OAS_VERSION": "3.1.0",  # the first that knows null
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "customers.api.describing.described"],
    # Sets of words that have two names.
    "ENUM_NAME_OVERRIDES": {
        "ExpectationOutcomeEnum": ("missed", "met", "exceeded"),
        "ConsentStateEnum": ("given", "withdrawn"),
    },
}

S3_BUCKET = os.environ.get("CXHUB_ATTACHMENTS_BUCKET", "")
S3 = {
    "BACKEND": "storages.backends.s3.S3Storage",
    "OPTIONS": {
        "bucket_name": S3_BUCKET,
        "endpoint_url": os.environ.get("CXHUB_ATTACHMENTS_URL") or None,
        "default_acl": None,
        "file_overwrite": True,
    },
}
FILES = {"BACKEND": "customers.blobs.HashedFiles", "OPTIONS": {"location": str(CXHUB_VAR / "attachments")}}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
    "attachments": S3 if S3_BUCKET else FILES,
}
