"""Production settings, except that the stand-in of Jira may have an inner address, and is given up on soon."""

import os

from config.settings.prod import *  # noqa: F403 -- settings modules extend each other

WEIGHBRIDGE["ALLOWS_PLAIN_HTTP"] = True  # noqa: F405 -- defined in base
WEIGHBRIDGE["TICKETS"] = {"connect_timeout_s": 1.0, "read_timeout_s": 2.0}  # noqa: F405 -- defined in base

if os.environ.get("TRIAL_VERSION") == "next":
    INSTALLED_APPS = [*INSTALLED_APPS, "tests.promises.hosts.next_version"]  # noqa: F405 -- as above
