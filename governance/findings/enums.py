"""Closed vocabularies stored in the database; changing one needs a migration."""

from django.db.models import TextChoices


class Severity(TextChoices):
    """How much a finding matters."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class FindingState(TextChoices):
    """A finding waits for somebody, or is closed; it never opens again."""

    OPEN = "open"
    CLOSED = "closed"
