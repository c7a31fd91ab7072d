"""Closed vocabularies stored in the database; changing one needs a migration."""

from django.db.models import TextChoices


class ChangeState(TextChoices):
    """The state of a change. Waiting is the only open state."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Changed(TextChoices):
    """The kind of a change that takes two people."""

    POLICY = "policy"
    POLICY_END = "policy_end", "retirement of a policy"
    CHECKLIST = "checklist"
    CATALOG = "catalog", "metric catalog"
    ROLE = "role"
    ALLOCATION = "allocation", "allocation rules"
    BUDGET = "budget"
    OWNER = "owner"
    TIER_OR_TASK = "tier_or_task", "tier or task of a model"
    RETIREMENT = "retirement"
    SANDBOX = "sandbox"
    DATASET = "dataset", "evaluation set"
    WORKER = "worker"
    DEPUTY = "deputy"
