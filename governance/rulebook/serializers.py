"""JSON shapes of rulebook."""

from rest_framework import serializers

from governance.site.api.shapes import Answer, Input, number


class PolicyAnswer(Answer):
    """A version of a policy."""

    name = serializers.CharField()
    number = serializers.IntegerField()
    state = serializers.CharField(help_text="draft, published or retired.")
    digest = serializers.CharField()
    written_by = serializers.CharField()
    written_at = serializers.DateTimeField()
    published_by = serializers.CharField()
    published_at = serializers.DateTimeField(allow_null=True)


class ScopeAnswer(Answer):
    """Whom a rule speaks of; empty lists mean everybody."""

    teams = serializers.ListField(child=serializers.CharField())
    tiers = serializers.ListField(child=serializers.CharField())
    environments = serializers.ListField(child=serializers.CharField())


class PolicyRuleAnswer(Answer):
    """A rule: what must hold, on which evidence, and what follows when it does not."""

    id = serializers.CharField()
    metric = serializers.CharField()
    statistic = serializers.CharField()
    comparator = serializers.CharField()
    limit = number()
    unit = serializers.CharField()
    accept = serializers.ListField(child=serializers.CharField())
    min_n = serializers.IntegerField(allow_null=True)
    scope = ScopeAnswer()
    effect = serializers.CharField()
    level = serializers.CharField()
    on_indeterminate = serializers.CharField()
    message = serializers.CharField()


class PolicyStageAnswer(Answer):
    """A stage of the review the policy asks for."""

    id = serializers.CharField()
    title = serializers.CharField()
    role = serializers.CharField()
    quorum = serializers.IntegerField()


class PolicyDetailAnswer(PolicyAnswer):
    """A version of a policy with what it says."""

    source = serializers.CharField(help_text="The YAML as it was written.")  # type: ignore[assignment]  # a field of that name, not DRF's attribute
    rules = PolicyRuleAnswer(many=True)
    stages = PolicyStageAnswer(many=True)


class PolicyInput(Input):
    """A policy as YAML."""

    source = serializers.CharField(trim_whitespace=False, help_text="The document, apiVersion: weighbridge/v1.")  # type: ignore[assignment]  # a field of that name, not DRF's attribute
