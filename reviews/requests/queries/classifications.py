"""The classifications of one artifact: everything by which any team registered its digest."""

from dataclasses import replace

from governance.inventory.domain.classification import strictest_tier
from governance.inventory.models import ModelVersion
from governance.rulebook.domain.scopes import EvaluationSubject, chosen
from governance.rulebook.queries.rulebook import policies_in_force


def strictest_tier_of(version: ModelVersion) -> str:
    """The strictest tier of the models for which any team registered the digest of the version."""
    tiers = ModelVersion.objects.filter(digest=version.digest).values_list("asset__tier", flat=True).distinct()
    return strictest_tier(tiers)


def is_classified_otherwise(version: ModelVersion, *, subject: EvaluationSubject) -> bool:
    """Whether the digest is registered with another tier, task, kind or format, or where another policy would judge.

    `subject` is that of the request, as the policies in force judge it.
    """
    columns = ("kind", "format", "asset__task", "asset__tier", "asset__team__slug")
    others = set(ModelVersion.objects.filter(digest=version.digest).values_list(*columns))
    registered = [
        replace(subject, kind=kind, format=format_name or kind, task=task, tier=tier, team=team)
        for kind, format_name, task, tier, team in others
    ]
    own = replace(subject, tier=version.asset.tier)
    if any(replace(each, team=subject.team) != own for each in registered):
        return True
    policies = policies_in_force()
    names = {policy.name for each in registered if (policy := chosen(policies, subject=each)) is not None}
    return len(names) > 1
