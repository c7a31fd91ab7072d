"""Enqueues a message of the new kind with each request, and delivers it."""

from collections.abc import Callable
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_save
from django.utils import timezone

KIND = "next.noticed"


class NextVersionConfig(AppConfig):
    """The next version."""

    name = "tests.promises.hosts.next_version"

    def ready(self) -> None:
        """Register both ends."""
        from governance.jobs import outbox
        from reviews.requests.models import ReviewRequest

        post_save.connect(_notice, sender=ReviewRequest)
        outbox.handles(KIND)(_deliver)


def _notice(instance: Any, **_: Any) -> None:
    from governance.jobs import outbox

    key, payload = f"{KIND}:{instance.pk}", {"request": instance.pk}
    outbox.enqueue(kind=KIND, key=key, lane=key, payload=payload, now=timezone.now())


def _deliver(message: Any) -> Callable[[], object]:
    from tests.promises.hosts.next_version.models import Notice

    return lambda: Notice.objects.create(request_id=message.payload["request"])
