"""A tick in a process of its own, on the database of a test: `ticking.py DATABASE`."""

import os
import sys
from datetime import timedelta

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
django.setup()

from django.conf import settings  # noqa: E402 -- Django is set up first
from django.core.management import call_command  # noqa: E402 -- Django is set up first

from governance.jobs import ticks  # noqa: E402 -- Django is set up first
from governance.jobs.management import tick_lock  # noqa: E402 -- likewise

if __name__ == "__main__":
    settings.DATABASES["default"]["NAME"] = sys.argv[1]
    settings.LOGGING["root"]["level"] = "INFO"
    tick_lock.LEASE = timedelta(seconds=2)
    ticks.tick = lambda **_: print("ticked", flush=True)
    call_command("tick", every=0.2)
