"""The WSGI entry point."""

import os
import sys

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection

from config import production
from config.database.base import limit_web_requests
from config.web import gunicorn
from config.web.bulkhead import Bulkhead

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.prod")

try:
    served = get_wsgi_application()
    from reviews.feed.api.short_path import ShortPath  # its modules need the applications

    limit_web_requests(settings.DATABASES["default"]["OPTIONS"], statement_s=settings.STATEMENT_S)
    application = ShortPath(Bulkhead(served, slots=gunicorn.threads - gunicorn.RESERVED_THREADS))
    application.follower.read()  # before the first question, and before gunicorn freezes what is in memory
    connection.close()
    if not settings.WEIGHBRIDGE["ALLOWS_DEMO"]:
        production.refuse_demo_people()
except SystemExit as refused:
    sys.stderr.write(f"{refused}\n")
    raise SystemExit(production.HALT) from None
