"""Closed vocabularies stored in the database; changing one needs a migration."""

from django.db.models import TextChoices


class DocumentState(TextChoices):
    """The state of a rulebook document: written as a draft, published once, and later retired."""

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"
