"""JSON shapes of rulebook."""

from rest_framework import serializers

from governance.rulebook.domain.policy import PolicyRule
from governance.rulebook.domain.stages import Stage
from governance.rulebook.queries.rulebook import VersionRow
from governance.site.api.shapes import Input, answer_of

_STATES = {"state": "draft, published or retired."}

PolicyAnswer = answer_of(VersionRow, "PolicyAnswer", helps=_STATES)
PolicyRuleAnswer = answer_of(
    PolicyRule,
    after={"statistic": "metric", "min_n": "accept", "scope": "min_n", "message": "on_indeterminate"},
    min_n=serializers.IntegerField(allow_null=True),
)
PolicyDetailAnswer = answer_of(
    VersionRow,
    "PolicyDetailAnswer",
    helps=_STATES,
    source=serializers.CharField(help_text="The YAML as it was written."),
    rules=PolicyRuleAnswer(many=True),
    stages=answer_of(Stage, "PolicyStageAnswer")(many=True),
)


class PolicyInput(Input):
    """A policy as YAML."""

    source = serializers.CharField(trim_whitespace=False, help_text="The document, apiVersion: weighbridge/v1.")  # type: ignore[assignment]  # a field of that name, not DRF's attribute
