"""Settings of `make try`: those of development, the clock of the recording, and a list of its people at log-in.

They are not in `config`, and the image has no `examples`: no other installation can be started with them.
"""

from typing import Any

from config import env
from config.settings.dev import *  # noqa: F403 -- settings modules extend each other
from examples.recorded.clock import RecordedClock

RECORDED_CLOCK = RecordedClock.of(VAR_DIR)  # noqa: F405 -- defined in base
RECORDED_CLOCK.put_in_place()
INSTALLED_APPS = ["examples.recorded.apps.RecordedConfig", "examples.history", *INSTALLED_APPS]  # noqa: F405 -- defined in base
_pages: dict[str, Any] = TEMPLATES[0]  # noqa: F405 -- defined in base
_pages["DIRS"] = [env.ROOT / "examples" / "recorded" / "templates", *_pages["DIRS"]]
_pages["OPTIONS"]["context_processors"].append("examples.recorded.web.recorded")
# Not compressed: that would take longer than everything else of `make try`.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405 -- defined in base
ROOT_URLCONF = "examples.recorded.urls"
