"""Signs of life: when something that must go on by itself last did, or since when nobody takes what waits."""

from datetime import datetime

from django.db import models


class Pulse(models.Model):
    """One moment, by name; written by the tick, read by pages, `/readyz` and `/metrics`."""

    name = models.CharField(max_length=60, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def note(cls, *, name: str, at: datetime | None) -> None:
        """Set the moment; None forgets it: nothing waits."""
        if at is None:
            cls._default_manager.filter(name=name).delete()
        else:
            cls._default_manager.update_or_create(name=name, defaults={"at": at})
