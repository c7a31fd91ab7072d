"""Settings shared by every environment. Values from the environment are read only through `config.env`."""

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from config import embedded_database, env, log_lines
from config.artifact_storage import storage_of
from config.broker import options as brokers
from config.settings import applications, sign_on
from weighbridge.core import masking
from weighbridge.core.secret_files import stored_secret

env.set_polars_cache_size()
env.keep_files_private()
BASE_DIR = env.ROOT / "config"  # contains the templates: a link in a checkout, files in the wheel
VAR_DIR = env.var_folder()
CONNECT_S = 5
# A connection that was cut without a word is noticed after a minute, not after two hours: here, and by
# the server, which would otherwise keep the locks of a host that lost its power.
LOST_CONNECTION = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
    "options": "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
    " -c tcp_user_timeout=60000",
}


def _own_secret_key() -> str:
    key = stored_secret(VAR_DIR / "keys" / "django", lambda: secrets.token_urlsafe(50))
    masking.hide_secrets(key)
    return key


def _database() -> dict[str, Any]:
    url = env.text("DATABASE_URL", "")
    common: dict[str, Any] = {"ENGINE": "config.database", "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    common["OPTIONS"] = {"connect_timeout": CONNECT_S, **LOST_CONNECTION}
    if not url:
        return common | {
            "NAME": embedded_database.DATABASE,
            "USER": "postgres",
            "HOST": embedded_database.socket_folder(),
        }
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise env.MissingVariable("DATABASE_URL must begin with postgresql://; other databases are not supported.")
    return common | {
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
    }


SECRET_KEY = env.text("WEIGHBRIDGE_SECRET_KEY", "") or _own_secret_key()
SECRET_KEY_FALLBACKS = env.names("WEIGHBRIDGE_SECRET_KEY_FALLBACKS", [])
DEBUG = False
ALLOWED_HOSTS = env.names("WEIGHBRIDGE_HOSTS", ["localhost", "127.0.0.1", "[::1]"])

INSTALLED_APPS = applications.INSTALLED_APPS
MIDDLEWARE = applications.MIDDLEWARE
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "libraries": {"weighbridge": "governance.site.templatetags.weighbridge"},
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "governance.operations.web.context_processors.page",
            ],
        },
    },
]
DATABASES = {"default": _database()}
STATEMENT_S = env.number("WEIGHBRIDGE_STATEMENT_S")
EMBEDDED_DATABASE = None if env.text("DATABASE_URL", "") else embedded_database.revive  # for `manage.py up`
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ATOMIC_REQUESTS = False

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "governance.accounts.web.adapters.OneWayIn"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # else anybody could make this server send mail to any address
ACCOUNT_RATE_LIMITS = {
    "login_failed": "",  # allauth counts each name separately; governance.accounts.web.attempts counts the account
    "failed_by_address": "10/m/ip",
    "failed_by_account": "5/5m/key",
}
ACCOUNT_FORMS = {"change_password": "governance.accounts.web.attempts.CountedChangePassword"}
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("WEIGHBRIDGE_PROXIES")
MFA_ADAPTER = "governance.accounts.web.adapters.SealedFactors"
MFA_FORMS = {
    "authenticate": "governance.accounts.web.attempts.CountedAuthenticate",
    "authenticate_webauthn": "governance.accounts.web.attempts.CountedAuthenticateWebAuthn",
    "reauthenticate": "governance.accounts.web.attempts.CountedReauthenticate",
    "reauthenticate_webauthn": "governance.accounts.web.attempts.CountedReauthenticateWebAuthn",
    "activate_totp": "governance.accounts.web.attempts.CountedActivateTOTP",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Weighbridge"
# Half a minute before and after, as RFC 6238 advises: people type slowly and clocks differ.
MFA_TOTP_TOLERANCE = 1
MFA_ALLOW_UNVERIFIED_EMAIL = True  # administrators create accounts and know the owner of each address
STEP_UP_ROUTES = frozenset(
    {
        "reviews:vote",
        "reviews:waive",
        "reviews:revoke",
        "reviews:ticket_site_people",
        "benchmarking:sandbox_choose",
        "governance:policy_propose",
        "governance:changes",
        "governance:change_confirm",
        "governance:change_refuse",
        "governance:absence_deputy",
        "api:votes",
        "api:waivers",
        "api:revoke",
        "api:sandbox",
        "api:policy-propose",
        "api:changes",
        "api:change-confirm",
        "api:change-refuse",
        "api:absence-deputy",
    }
)
ACCOUNT_SIGNUP_FIELDS = ["email", "username*", "password1*", "password2*"]
SOCIALACCOUNT_ADAPTER = "governance.accounts.web.adapters.ProviderSignup"
OIDC_SERVER_URL = env.text("OIDC_SERVER_URL", "")
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {}
if OIDC_SERVER_URL:
    SOCIALACCOUNT_PROVIDERS = sign_on.providers(
        server_url=OIDC_SERVER_URL,
        client_id=env.text("OIDC_CLIENT_ID"),
        secret=env.text("OIDC_CLIENT_SECRET"),
        name=env.text("OIDC_NAME", "Single sign-on"),
    )

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": VAR_DIR / "files"}},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    "artifacts": storage_of(env.text("WEIGHBRIDGE_ARTIFACTS", ""), folder=VAR_DIR / "artifacts"),
}
UPLOAD_LIMIT_BYTES = env.number("WEIGHBRIDGE_UPLOAD_MB") * 1_000_000
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o600, 0o700
FILE_UPLOAD_TEMP_DIR = VAR_DIR / "uploads"
FILE_UPLOAD_TEMP_DIR.mkdir(exist_ok=True)
CACHES = {"default": {"BACKEND": "config.database.kept_cache.KeptCache", "LOCATION": "weighbridge_cache"}}

SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": sign_on.form_targets(OIDC_SERVER_URL),
        "frame-ancestors": ["'none'"],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "governance.people.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["governance.site.api.limits.WriteLimit", "governance.site.api.limits.ReadLimit"],
    "DEFAULT_THROTTLE_RATES": {
        "write": f"{env.number('WEIGHBRIDGE_API_WRITES')}/min",
        "read": f"{env.number('WEIGHBRIDGE_API_READS')}/min",
    },
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["governance.site.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "governance.site.api.problems.problem_response",
    "DEFAULT_PAGINATION_CLASS": "governance.site.api.pages.BoundedPages",
    "PAGE_SIZE": 50,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Weighbridge",
    "DESCRIPTION": "Model review requests, evidence, decisions, and the gate.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "governance.site.api.schema.describe"],
}

BROKER_FOLDER = VAR_DIR / "broker"
CELERY_BROKER_URL = env.text("BROKER_URL", "filesystem://")
if CELERY_BROKER_URL.startswith("filesystem"):
    BROKER_FOLDER.mkdir(exist_ok=True)
CELERY_BROKER_TRANSPORT_OPTIONS = brokers.transport_options(CELERY_BROKER_URL, folder=BROKER_FOLDER)
CELERY_BROKER_CONNECTION_TIMEOUT = brokers.CONNECT_S
WAKE_TRANSPORT_OPTIONS = brokers.wake_options(CELERY_BROKER_URL)
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10.0
# One process for each worker, no pool: if a waiting process of a pool is killed, the lock of the pool stays locked for
# ever, and a worker that looks healthy takes nothing. A killed worker is started again by what supervises it.
CELERY_WORKER_POOL = "solo"
CELERY_BROKER_HEARTBEAT = 0  # a busy worker would send none, and RabbitMQ would end its connection
CELERY_TASK_DEFAULT_QUEUE = "effects"
CELERY_TASK_ROUTES = {
    # A queue and a worker of their own: drawing a packet takes seconds to minutes, and no effect waits for it.
    "reviews.packets.tasks.render_packet": {"queue": "packets"},
    "reviews.quarterly.tasks.render_cycle_packet": {"queue": "packets"},
    "governance.bills.tasks.ingest_bill": {"queue": "bills"},
    "benchmarking.runs.tasks.execute_run": {"queue": "bench.cpu"},
    "benchmarking.load_tests.tasks.execute_load_part": {"queue": "load"},
    "benchmarking.runs.tasks.execute_run_on_gpu": {"queue": "bench.gpu"},
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"

WEIGHBRIDGE: dict[str, Any] = {
    "BASE_URL": env.text("WEIGHBRIDGE_BASE_URL", "http://127.0.0.1:8000").rstrip("/"),
    "REQUIRE_MFA": env.flag("WEIGHBRIDGE_REQUIRE_MFA"),
    "ALLOWS_DEMO": True,
    "HAS_MAIL": bool(env.text("EMAIL_URL", "")),
    "SESSION": {
        "idle_s": env.number("WEIGHBRIDGE_SESSION_IDLE_MIN") * 60,
        "longest_s": env.number("WEIGHBRIDGE_SESSION_MAX_H") * 3600,
    },
    "INSTANCE": env.text("WEIGHBRIDGE_INSTANCE", "wb"),
    "SIGNING_KEY": Path(env.text("WEIGHBRIDGE_SIGNING_KEY", str(VAR_DIR / "keys" / "signing.pem"))),
    "FEED_HEAD_S": env.number("WEIGHBRIDGE_FEED_HEAD_S"),
    "GATE_KEEPS_S": env.number("WEIGHBRIDGE_GATE_KEEPS_MS") / 1000,
    "GATE_OUTAGE_S": env.number("WEIGHBRIDGE_GATE_OUTAGE_S"),
    "REMIND_DAYS": env.numbers("WEIGHBRIDGE_REMIND_DAYS"),
    "ESCALATE_PERCENT": env.number("WEIGHBRIDGE_ESCALATE_PERCENT", most=100),
    "WEBHOOK_NETWORKS": env.hosts("WEIGHBRIDGE_WEBHOOK_NETWORKS", need_network=True),
    "ALLOWS_LOCAL_WEBHOOKS": True,
    "LEASE_S": env.number("WEIGHBRIDGE_LEASE_S"),
    "EFFECT_LEASE_S": env.number("WEIGHBRIDGE_EFFECT_LEASE_S"),
    "BENCH_PASSWORD": env.text("WEIGHBRIDGE_BENCH_PASSWORD", ""),
    "RUN_WALL_S": env.number("WEIGHBRIDGE_RUN_WALL_S"),
    "RUN_MEMORY_MB": env.number("WEIGHBRIDGE_RUN_MEMORY_MB"),
    "UNREQUESTED_USD": env.number("WEIGHBRIDGE_UNREQUESTED_USD"),
    "UNREQUESTED_GPU_H": env.number("WEIGHBRIDGE_UNREQUESTED_GPU_H"),
    "BILLS_FOLDER": env.text("WEIGHBRIDGE_BILLS_FOLDER", ""),
    "LOAD_TARGETS": env.hosts("WEIGHBRIDGE_LOAD_TARGETS"),
    "ALLOWS_PLAIN_HTTP": True,
    "TICKETS": {"connect_timeout_s": 5.0, "read_timeout_s": 20.0},
}

LOGGING = log_lines.logging_settings()
