"""Closed vocabularies stored in the database; changing one needs a migration."""

from django.db.models import TextChoices


class ChangeState(TextChoices):
    """A change of what binds people waits for a second person; every other state is an end."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Changed(TextChoices):
    """What takes two people to change."""

    POLICY = "policy"
    CHECKLIST = "checklist"
    ROLE = "role"
    ALLOCATION = "allocation", "allocation rules"
    BUDGET = "budget"
