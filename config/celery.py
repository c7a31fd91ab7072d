"""The Celery application. It only executes tasks; rows in the database decide what has to be done."""

import os
from typing import Any

from celery import Celery, Task

from config.broker import files as file_broker
from governance.audit.domain import correlation as trace

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")


class CorrelatedTask(Task):  # type: ignore[type-arg]  # generic only in the stubs
    """A task whose log lines and outbox rows carry its name and the id of the request that started it."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Run in a correlation context. A message without the header was sent by the tick."""
        request_id = str(self.request.get(trace.REQUEST_ID) or "")
        with trace.correlated(task=self.name, request_id=request_id):
            return super().__call__(*arguments, **options)


file_broker.install()
app = Celery("weighbridge", task_cls=CorrelatedTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
