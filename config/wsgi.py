"""The WSGI entry point."""

import os
import sys

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from config import production

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.prod")

try:
    application = get_wsgi_application()
    if not settings.WEIGHBRIDGE["ALLOWS_DEMO"]:
        production.refuse_demo_people()
except SystemExit as refused:
    sys.stderr.write(f"{refused}\n")
    raise SystemExit(production.HALT) from None
