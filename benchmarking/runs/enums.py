"""Closed vocabularies stored in the database; changing one needs a migration."""

from django.db.models import TextChoices


class RunVerdict(TextChoices):
    """How far a measurement can be believed; the workflow refuses invalid ones as evidence."""

    VALID = "valid"
    INDICATIVE = "indicative"
    INVALID = "invalid"
