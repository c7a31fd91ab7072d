"""Settings for development and the demo: plain HTTP on the loopback interface."""

from config import env
from config.settings.base import *  # noqa: F403 -- settings modules extend each other

DEBUG = env.flag("WEIGHBRIDGE_DEBUG")
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
STORAGES["staticfiles"] = {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"}  # noqa: F405 -- defined in base
