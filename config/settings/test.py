"""Settings for tests: fast password hashes, an in-memory broker, no debug pages."""

from config.artifact_storage import storage_of
from config.settings.base import *  # noqa: F403 -- settings modules extend each other

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = {}
WAKE_TRANSPORT_OPTIONS = {}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405 -- defined in base
STORAGES["artifacts"] = storage_of("", folder=VAR_DIR / "artifacts")  # noqa: F405 -- defined in base
WHITENOISE_AUTOREFRESH = True
REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"] = {"write": None, "read": None}  # noqa: F405 -- defined in base
WEIGHBRIDGE["GATE_KEEPS_S"] = 0.0  # noqa: F405 -- defined in base
# Tests may empty append-only tables, and their rows need not survive a crash of the database.
DATABASES["default"]["OPTIONS"]["options"] = "-c weighbridge.maintenance=on -c synchronous_commit=off"  # noqa: F405 -- defined in base
