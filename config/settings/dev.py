"""Settings of a developer's machine and of the demo: plain HTTP on loopback."""

from config import env
from config.settings.base import *  # noqa: F403 -- the one place where settings are stacked

DEBUG = env.flag("WEIGHBRIDGE_DEBUG")
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
STORAGES["staticfiles"] = {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"}  # noqa: F405 -- stacked above
