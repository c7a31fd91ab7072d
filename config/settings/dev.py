"""Settings for development and the demo: plain HTTP on the loopback interface."""

import sys

from config import env
from config.settings.base import *  # noqa: F403 -- settings modules extend each other

DEBUG = env.flag("WEIGHBRIDGE_DEBUG")
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
STORAGES["staticfiles"] = {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"}  # noqa: F405 -- defined in base

if "runserver" in sys.argv:  # it starts a thread for each request, whose connection nobody would use again
    DATABASES["default"]["CONN_MAX_AGE"] = 0  # noqa: F405 -- defined in base
