"""Closed vocabularies stored in the database; changing one needs a migration."""

from django.db.models import TextChoices


class BudgetUnit(TextChoices):
    """The unit of a budget account."""

    USD = "USD", "USD"
    GPU_H = "gpu_h", "GPU hours"
