"""Django settings, driven by the environment (see `netvexa.config` and docs/configuration.md)."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import django_stubs_ext
from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF
from kombu import Queue

from netvexa.config import PROJECT, load

CONFIG = load()
django_stubs_ext.monkeypatch()  # forms and managers name their model as a type parameter

# --- Core ---
BASE_DIR = PROJECT
ENVIRONMENT = CONFIG.netvexa_environment
DEBUG = CONFIG.netvexa_debug
SECRET_KEY = CONFIG.secret_key
MASTER_KEYS = CONFIG.netvexa_master_keys  # the first seals, all of them open
MASTER_KEY_KMS = CONFIG.netvexa_master_key_kms
NETVEXA_VAR = CONFIG.netvexa_var
ROOT_URL = CONFIG.netvexa_root_url.rstrip("/")
ROOT_HOST = CONFIG.root_host
SECURE = ROOT_URL.startswith("https://")
ALLOWED_HOSTS = [ROOT_HOST, f".{ROOT_HOST}", "127.0.0.1"]
ROOT_URLCONF = "netvexa.urls.workspace"
PUBLIC_SCHEMA_URLCONF = "netvexa.urls.root"
HOST_URLCONFS = {"": PUBLIC_SCHEMA_URLCONF, "admin": "netvexa.urls.admin", "api": "netvexa.urls.api"}
ASGI_APPLICATION = "netvexa.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = True

# --- Apps: which tables stand in the public schema, which in each workspace's ---
SHARED_APPS = [
    "daphne",
    "tenants",
    "billing",
    "django_tenants",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "netvexa.apps.RoofConfig",
    "netvexa.apps.StaffAdminConfig",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_celery_beat",
    "djstripe",
    "rest_framework",
    "drf_spectacular",
    "django_htmx",
    "csp",
]
TENANT_APPS = ["agents", "knowledge", "chat"]
INSTALLED_APPS = [*SHARED_APPS, *TENANT_APPS]
TENANT_MODEL = "tenants.Workspace"
TENANT_DOMAIN_MODEL = "tenants.Domain"
AUTH_USER_MODEL = "tenants.User"
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
TENANT_LIMIT_SET_CALLS = True
MIGRATION_MODULES = {"djstripe": "billing.djstripe_migrations"}

MIDDLEWARE = [
    "csp.middleware.CSPMiddleware",  # around everything: what is told of an unknown host, and files, are strict too
    "netvexa.middleware.PermissionsPolicyMiddleware",
    "tenants.middleware.HostMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "netvexa.middleware.ErrorMiddleware",
    "netvexa.middleware.BodyLimitMiddleware",
    "netvexa.middleware.PrivatePagesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tenants.middleware.PersonMiddleware",
    "tenants.middleware.SeenMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "tenants.middleware.TimezoneMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "netvexa.context_processors.site",
            ]
        },
    }
]


# --- PostgreSQL ---
def _database(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    options = dict(pair.split("=", 1) for pair in unquote(parts.query).split("&") if "=" in pair)
    return {
        "ENGINE": "tenants.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(options.pop("host", parts.hostname or "")),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 300,  # bounds what a backend remembers of the schemas it touched
        "CONN_HEALTH_CHECKS": True,
        # a cursor of the server lives in one session, and behind a pooler the next statement is in another
        "DISABLE_SERVER_SIDE_CURSORS": CONFIG.database_pooling == "transaction",
        "OPTIONS": options,
    }


DATABASES = {"default": _database(CONFIG.database_url)}
DATABASE_POOLING = CONFIG.database_pooling

# --- Redis: cache, channel layer, Celery ---
REDIS_URL = CONFIG.redis_url
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "nv",
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "nv"},
    }
}
CELERY_BROKER_URL = CONFIG.celery_broker_url or REDIS_URL
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 1800
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600}  # longer than the longest task
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
# Money has a queue of its own, so that neither a large document nor a slow Stripe holds the other up. A worker that
# is given no queue by name serves all of them.
CELERY_TASK_QUEUES = [Queue("celery"), Queue("billing")]
CELERY_TASK_ROUTES = {"billing.tasks.*": {"queue": "billing"}}
CELERY_IMPORTS = ["tenants.reset"]  # a task that stands with its noun, not in tasks.py
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "provision-what-waits": {"task": "tenants.tasks.resume_provisioning", "schedule": 60.0},
    "ingest-what-waits": {"task": "knowledge.tasks.resume_ingestion", "schedule": 60.0},
    "scan-knowledge": {
        "task": "knowledge.tasks.scan_all_knowledge",
        "schedule": crontab(hour="2", minute="41"),
    },
    "check-links": {"task": "knowledge.tasks.check_all_links", "schedule": crontab(hour="21", minute="33")},
    "mail-weekly-radar": {
        "task": "knowledge.tasks.mail_weekly_radar",
        "schedule": crontab(day_of_week="mon", hour="6", minute="23"),
    },
    "finish-orphaned-answers": {"task": "chat.tasks.finish_orphaned_answers", "schedule": 10.0},
    "take-up-events": {"task": "billing.tasks.take_up_waiting_events", "schedule": 300.0},
    "tell-of-overage": {"task": "billing.tasks.tell_of_overage", "schedule": crontab(minute="*/5")},
    "take-down-usage": {"task": "billing.tasks.take_down_usage", "schedule": crontab(minute="3")},
    "refresh-paying": {"task": "billing.tasks.replay_events", "schedule": crontab(minute="23")},
    "remind-of-payment": {"task": "billing.tasks.remind_of_payment", "schedule": crontab(minute="41")},
    "look-at-usage": {"task": "billing.tasks.look_at_usage", "schedule": crontab(minute="53")},
    "check-drift": {"task": "billing.tasks.check_drift", "schedule": crontab(hour="4", minute="7")},
    "prune-webhooks": {"task": "billing.tasks.prune_webhooks", "schedule": crontab(hour="4", minute="37")},
    "delete-workspaces": {
        "task": "netvexa.tasks.delete_workspaces",
        "schedule": crontab(hour="2", minute="13"),
    },
    "apply-retention": {"task": "chat.tasks.apply_retention", "schedule": crontab(hour="0", minute="47")},
    "anchor-audit-logs": {
        "task": "tenants.tasks.anchor_audit_logs",
        "schedule": crontab(hour="0", minute="19"),
    },
    "shorten-audit-logs": {
        "task": "tenants.tasks.shorten_audit_logs",
        "schedule": crontab(hour="3", minute="29"),
    },
    "clear-attachments": {"task": "chat.tasks.clear_attachments", "schedule": crontab(hour="3", minute="41")},
    "probe-isolation": {"task": "chat.tasks.probe_isolation", "schedule": crontab(hour="1", minute="37")},
    "seal-rows": {"task": "tenants.tasks.seal_rows", "schedule": crontab(hour="1", minute="17")},
    "digest-conversations": {"task": "chat.tasks.digest_quiet_conversations", "schedule": 60.0},
    "resume-test-runs": {"task": "chat.tasks.resume_trials", "schedule": 300.0},
    "tend-answers": {"task": "chat.tasks.tend_answers", "schedule": crontab(hour="4", minute="51")},
    "clear-sessions": {"task": "tenants.tasks.clear_sessions", "schedule": crontab(hour="3", minute="17")},
}

# --- Accounts and sessions ---
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
AUTH_PASSWORD_VALIDATORS[1]["OPTIONS"] = {"min_length": 10}  # type: ignore[assignment]
AUTH_PASSWORD_VALIDATORS.append({"NAME": "tenants.passwords.GuessableValidator"})
LOGIN_URL = "tenants:log_in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
PASSWORD_RESET_TIMEOUT = int(timedelta(hours=2).total_seconds())
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "netvexa_session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_ENGINE = "tenants.sessions"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "netvexa_csrf"
OTP_TOTP_ISSUER = "NETVEXA"
OTP_TOTP_THROTTLE_FACTOR = 0  # `tenants.attempts` counts wrong codes, as it counts wrong passwords
OTP_ADMIN_HIDE_SENSITIVE_DATA = True

# --- Browser security ---
SECURE_SSL_REDIRECT = SECURE
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
TRUSTED_PROXIES = CONFIG.netvexa_trusted_proxies
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
X_FRAME_OPTIONS = "DENY"
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "browsing-topics",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "usb",
    )
)
_SOCKETS = (
    ("wss:" if SECURE else "ws:")
    + f"//*.{ROOT_HOST}"
    + (f":{urlsplit(ROOT_URL).port}" if urlsplit(ROOT_URL).port else "")
)
# A browser holds a form to this also where the answer sends it on: to Stripe's own pages.
_PAYMENT_PAGES = (
    [CONFIG.stripe_api_host or "https://checkout.stripe.com", "https://billing.stripe.com"]
    if CONFIG.stripe_secret_key
    else []
)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF, _SOCKETS],
        "form-action": [
            SELF,
            f"{'https' if SECURE else 'http'}://*.{urlsplit(ROOT_URL).netloc}",
            ROOT_URL,
            *_PAYMENT_PAGES,
        ],
        "frame-src": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}

# --- Files, static files, mail ---
MEDIA_ROOT = NETVEXA_VAR / "media"
MEDIA_URL = "/media/"  # never routed: uploads are only ever served by views that check who asks
STATIC_URL = "/static/"
STATIC_ROOT = NETVEXA_VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "netvexa.static_files.BuiltFilesFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
]
MAX_UPLOAD_BYTES = CONFIG.netvexa_max_upload_mb * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024


def _uploads() -> dict[str, Any]:
    if not CONFIG.storage_s3_bucket:
        return {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    given = {
        "bucket_name": CONFIG.storage_s3_bucket,
        "endpoint_url": CONFIG.storage_s3_endpoint_url or None,
        "region_name": CONFIG.storage_s3_region or None,
        "access_key": CONFIG.storage_s3_access_key or None,
        "secret_key": CONFIG.storage_s3_secret_key or None,
        "default_acl": "private",
        "file_overwrite": False,
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": given}


STORAGES = {
    "default": _uploads(),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if ENVIRONMENT == "test"
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = ENVIRONMENT == "test"
WHITENOISE_AUTOREFRESH = ENVIRONMENT == "test"  # else each client of a test reads all static files first


def _mail(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme in ("console", "file"):
        kind = "console" if parts.scheme == "console" else "filebased"
        return {"EMAIL_BACKEND": f"django.core.mail.backends.{kind}.EmailBackend"}
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname or "",
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": 10,
    }


globals().update(_mail(CONFIG.email_url))
EMAIL_FILE_PATH = NETVEXA_VAR / "mail"
DEFAULT_FROM_EMAIL = SERVER_EMAIL = CONFIG.email_from

# --- Language and time ---
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = USE_TZ = True

# --- API ---
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tenants.api.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["tenants.api.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["billing.throttling.ApiCalls"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["netvexa.lib.json_body.JsonBody"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "netvexa.lib.api.KeysetPagination",
    "EXCEPTION_HANDLER": "netvexa.lib.api.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
API_CALLS_PER_ADDRESS = CONFIG.netvexa_api_calls_per_address  # a minute, whoever calls
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    # A key of its own: nothing else that is signed with SECRET_KEY passes for a token, nor the other way round.
    "SIGNING_KEY": hashlib.sha256(b"netvexa api tokens " + SECRET_KEY.encode()).hexdigest(),
    "ISSUER": ROOT_URL,
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=10),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=30),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "NETVEXA API",
    "DESCRIPTION": "Agents, knowledge and conversations of a workspace.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "netvexa.lib.openapi.add_errors",
    ],
    "ENUM_NAME_OVERRIDES": {
        "ConversationState": "chat.models.ConversationState",
        "MessageState": "chat.models.MessageState",
        "GapState": "chat.quality_models.GapState",
        "TrialState": "chat.quality_models.TrialState",
    },
}

# --- Chat ---
CHAT_SOCKETS_PER_ADDRESS = CONFIG.netvexa_chat_sockets_per_address  # of one web process
CHAT_MESSAGES_PER_MINUTE = CONFIG.netvexa_chat_messages_per_minute

# --- Language models ---
OPENAI_API_KEY, OPENAI_BASE_URL = CONFIG.openai_api_key, CONFIG.openai_base_url
ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL = CONFIG.anthropic_api_key, CONFIG.anthropic_base_url
GOOGLE_API_KEY, GOOGLE_BASE_URL = CONFIG.google_api_key, CONFIG.google_base_url
MODEL_PRESET = CONFIG.model_preset
EMBEDDING_BACKEND = CONFIG.embedding_backend
EMBEDDING_THREADS = CONFIG.embedding_threads
RERANK_MODEL = CONFIG.rerank_model
MODELS_FOLDER = CONFIG.netvexa_models or NETVEXA_VAR / "models"
FETCH_PRIVATE_HOSTS = CONFIG.netvexa_fetch_private_hosts
RENDERER_URL = CONFIG.netvexa_renderer_url

# --- Stripe ---
STRIPE_LIVE_MODE = CONFIG.stripe_secret_key.startswith(("sk_live", "rk_live"))
STRIPE_LIVE_SECRET_KEY = CONFIG.stripe_secret_key if STRIPE_LIVE_MODE else ""
STRIPE_TEST_SECRET_KEY = "" if STRIPE_LIVE_MODE else CONFIG.stripe_secret_key
STRIPE_ENABLED = bool(CONFIG.stripe_secret_key)
STRIPE_API_VERSION = "2026-05-27.dahlia"
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
DJSTRIPE_SUBSCRIBER_MODEL = "tenants.Workspace"
DJSTRIPE_SUBSCRIBER_MODEL_REQUEST_CALLBACK = "billing.subscriptions.subscriber_of_request"
STRIPE_IS_STAND_IN = bool(CONFIG.stripe_api_host)
if CONFIG.stripe_api_host:
    STRIPE_API_HOST = CONFIG.stripe_api_host

# --- Log ---
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "workspace": {"()": "netvexa.lib.log.WorkspaceLogFilter"},
        "masking": {"()": "netvexa.lib.masking.MaskingLogFilter"},
    },
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s [%(workspace)s] %(message)s"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["workspace", "masking"],
        },
    },
    "root": {"handlers": ["console"], "level": CONFIG.netvexa_log_level},
    "loggers": {
        "django.server": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "httpx": {"level": "WARNING"},
        "stripe": {"level": "WARNING"},
        "pdfminer": {"level": "ERROR"},
    },
}
SILENCED_SYSTEM_CHECKS = [
    "djstripe.C001",  # no Stripe key is a supported way to run: plans are then switched by staff
]
