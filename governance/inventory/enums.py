"""Closed vocabularies stored in the database; changing one needs a migration."""

from django.db.models import TextChoices


class Tier(TextChoices):
    """Materiality: exposure times purpose."""

    T1 = "T1", "T1 · customer-facing or financial"
    T2 = "T2", "T2 · internal decision support"
    T3 = "T3", "T3 · experiment"
