"""Closed vocabularies stored in the database; changing one needs a migration."""

from django.db.models import TextChoices


class Severity(TextChoices):
    """The severity of a finding."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class FindingState(TextChoices):
    """The state of a finding. A closed finding cannot be reopened."""

    OPEN = "open"
    CLOSED = "closed"
