"""The ASGI entry point."""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

from config import production

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.prod")

application = get_asgi_application()
if not settings.WEIGHBRIDGE["ALLOWS_DEMO"]:
    production.refuse_demo_people()
