"""The ASGI entry point."""

import os
import sys

from django.conf import settings
from django.core.asgi import get_asgi_application

from config import production

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.prod")

try:
    application = get_asgi_application()
    if not settings.WEIGHBRIDGE["ALLOWS_DEMO"]:
        production.refuse_demo_people()
except SystemExit as refused:
    sys.stderr.write(f"{refused}\n")
    raise SystemExit(production.HALT) from None
