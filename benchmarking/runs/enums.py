"""Closed vocabularies stored in the database; changing one needs a migration."""

from django.db.models import TextChoices


class RunVerdict(TextChoices):
    """Whether a measurement is valid; the workflow rejects invalid ones as evidence."""

    VALID = "valid"
    INDICATIVE = "indicative"
    INVALID = "invalid"
