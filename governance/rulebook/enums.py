"""Closed vocabularies stored in the database; changing one needs a migration."""

from django.db.models import TextChoices


class DocumentState(TextChoices):
    """A rulebook document is written as a draft, published once, and later retired."""

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"
