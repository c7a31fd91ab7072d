"""The WSGI entry point."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from config import production

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.prod")

application = get_wsgi_application()
if not settings.WEIGHBRIDGE["ALLOWS_DEMO"]:
    production.refuse_demo_people()
