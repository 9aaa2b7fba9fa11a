"""All settings, read from the environment; a bad value fails at the start, not at the first request."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from psycopg.conninfo import conninfo_to_dict

from cxhub.environment import env_bool, env_int, env_secret

BASE_DIR = Path(__file__).resolve().parent.parent

CXHUB_VAR = Path(os.environ.get("CXHUB_VAR") or BASE_DIR / "var").resolve()
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
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "django_htmx",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "cxhub.compression.CompressionMiddleware",
    "cxhub.policy.PolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "customers.console.profile.ProfileMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
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
    }
]


def database(url: str, *, session: str = "") -> dict[str, Any]:
    """Django's settings of one connection; `session` are settings of the PostgreSQL session."""
    info: dict[str, Any] = {key: value for key, value in conninfo_to_dict(url).items() if value is not None}
    options = {
        "connect_timeout": 5,
        "prepare_threshold": 5,  # Django's default is never: the timeline then costs its planning each time.
        "options": f"-c statement_timeout=30s -c idle_in_transaction_session_timeout=60s {session}",
    }
    known = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    settings = {ours: info.pop(theirs, "") for ours, theirs in known.items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        **settings,
        "CONN_MAX_AGE": None,
        "OPTIONS": {**options, **info},
    }


DATABASE_URL = env_secret("DATABASE_URL")
REDIS_URL = env_secret("REDIS_URL")
DATABASES = {
    "default": database(DATABASE_URL),
    # The reads log each view on this connection; a crash of the database may cost the last second of views.
    "reading": {**database(DATABASE_URL, session="-c synchronous_commit=off"), "TEST": {"MIRROR": "default"}},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False  # It loops; the attempts counter of the deliveries replaces it.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000  # KiB
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 5
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 25,
}
CELERY_BEAT_SCHEDULE = {
    "drain": {"task": "channels.tasks.drain", "schedule": 30.0, "options": {"expires": 25}},
    "media": {"task": "channels.tasks.fetch_media", "schedule": 10.0, "options": {"expires": 9}},
    "verify": {"task": "channels.tasks.verify_identity", "schedule": crontab(hour="3", minute="17")},
    "prune": {"task": "channels.tasks.prune", "schedule": 3600.0, "options": {"expires": 3000}},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(CXHUB_VAR / "beat-schedule")
CELERY_TIMEZONE = "UTC"

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
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
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "customers.console.lockout.locked"
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"

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
    },
}

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("CXHUB_LOG_LEVEL", "INFO")},
    "loggers": {
        "axes": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}

CXHUB_BODY_DAYS = env_int("CXHUB_BODY_DAYS", 90)
"""For how many days the raw bytes of deliveries are kept, and can be replayed."""

CXHUB_ERASURE_KEY = env_secret("CXHUB_ERASURE_KEY")
"""The key of the hashes of erased handles; a file in CXHUB_VAR where none is given. Lost, erased people may return."""

CXHUB_ERASURE_JOURNAL = os.environ.get("CXHUB_ERASURE_JOURNAL", "")
"""The list of erasures that outlives a restored backup: a file outside the database, in CXHUB_VAR if not said."""

CXHUB_RULES = env_bool("CXHUB_RULES", default=True)
"""Whether the rules decide: they may join two known customers, and object to a link; else the first link stands."""

CXHUB_MASKED_LOOKUPS = env_int("CXHUB_MASKED_LOOKUPS", 60)
"""How many different customers a reader of masked identifiers may look up in an hour."""

CXHUB_METRICS_TOKEN = env_secret("CXHUB_METRICS_TOKEN")
"""What Prometheus sends as its bearer token; without one there is no /metrics."""

CXHUB_SMTP_HOST = os.environ.get("CXHUB_SMTP_HOST") or "127.0.0.1"
CXHUB_SMTP_PORT = env_int("CXHUB_SMTP_PORT", 2525)
CXHUB_LMTP_PORT = env_int("CXHUB_LMTP_PORT", 2424)
"""The doors for mail; 0 keeps one shut."""

CXHUB_FETCH_ALLOW_LOOPBACK = env_bool("CXHUB_FETCH_ALLOW_LOOPBACK", default=False)
"""Whether files may be fetched from this machine: for tests only."""

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
