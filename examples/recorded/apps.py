"""The Django application of `make try`."""

from django.apps import AppConfig
from django.utils import timezone


class RecordedConfig(AppConfig):
    """Its styles and pages; the tick compares the recorded clock with itself, not with the database server's."""

    name = "examples.recorded"
    label = "recorded"

    def ready(self) -> None:
        """Let the tick trust the recorded clock."""
        from governance.jobs.management.commands import tick

        tick.database_clock = timezone.now  # type: ignore[attr-defined]  # it is imported there
