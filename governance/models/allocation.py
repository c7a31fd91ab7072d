"""Versions of the allocation rules, and the rules of those that were published."""

from django.db import models

from governance.models.inventory import ModelAsset
from governance.models.people import Team
from governance.models.rulebook import Document


class AllocationVersion(Document):
    """One version of the rules by which costs belong to models and teams."""


class AllocationRule(models.Model):
    """A rule of a published version; never changed (a trigger holds that), lines of bills point here."""

    version = models.ForeignKey(AllocationVersion, on_delete=models.PROTECT, related_name="rules")
    rule_id = models.SlugField(max_length=80)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="allocation_rules")
    asset = models.ForeignKey(ModelAsset, on_delete=models.PROTECT, null=True, related_name="allocation_rules")
    request_ref = models.CharField(max_length=20, blank=True, default="", db_default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "rule_id"], name="one_rule_of_a_name")]

    def __str__(self) -> str:
        return f"{self.version}: {self.rule_id}"
