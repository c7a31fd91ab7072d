"""The Celery application: it executes; the rows in the database decide."""

import os
from typing import Any

from celery import Celery, Task

from governance.audit.domain import correlation as trace

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")


class MarkedTask(Task):  # type: ignore[type-arg]  # generic in the stubs alone
    """A task whose log lines and effects name it and the request that wanted it."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Run, marked; a message without the header was sent by the tick, for no request."""
        asked_in = str(self.request.get(trace.REQUEST_ID) or "")
        with trace.marked(task=self.name, request_id=asked_in):
            return super().__call__(*arguments, **named)


app = Celery("weighbridge", task_cls=MarkedTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
