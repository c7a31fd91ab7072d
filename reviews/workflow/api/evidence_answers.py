"""How evidence is written as JSON: metric values, comparisons, checklist items, runs, rules."""

from rest_framework import serializers

from governance.site.api.shapes import Answer, number


class AllowedStepAnswer(Answer):
    """Whether you may do something now; `why_not` is empty when you may."""

    is_allowed = serializers.BooleanField()
    why_not = serializers.CharField()


class MetricValueAnswer(Answer):
    """A metric value with everything needed to judge it."""

    id = serializers.CharField()
    name = serializers.CharField()
    value = number()
    unit = serializers.CharField()
    basis = serializers.CharField(help_text="declared, estimated, measured or billed.")
    lower = number(allow_null=True)
    upper = number(allow_null=True)
    confidence = number(allow_null=True)
    n = serializers.IntegerField(allow_null=True)
    source = serializers.CharField()  # type: ignore[assignment]  # a field of that name, not DRF's attribute
    observed_at = serializers.DateTimeField()
    valid_until = serializers.DateTimeField(allow_null=True)
    p80 = number(allow_null=True, help_text="Of an estimate: what four draws of five stay below.")


class StatedProjectionAnswer(Answer):
    """A cost projection of the request; the first of the list counts. `changes` is what a measurement moved
    (`weighbridge.projection-change/1`)."""

    widened_by = number(
        allow_null=True,
        help_text="How many times as wide the ranges of its yearly costs became metric values; null for as projected.",
    )
    widened_on = serializers.IntegerField(allow_null=True, help_text="How many billed months asked for that.")
    number = serializers.IntegerField()
    token = serializers.CharField()
    title = serializers.CharField()
    option = serializers.CharField()
    digest = serializers.CharField()
    document = serializers.JSONField()
    run_id = serializers.IntegerField(allow_null=True)
    changes = serializers.JSONField()
    stated_by = serializers.CharField(help_text="Empty where a benchmark had it drawn anew.")
    stated_at = serializers.DateTimeField()


class LimitAnswer(Answer):
    """The tightest limit the policy sets."""

    value = number()
    comparator = serializers.CharField()
    rule_id = serializers.CharField()


class MetricEvidenceAnswer(Answer):
    """A metric with the value that counts, the latest claim, the best measurement, and everything ever stated."""

    name = serializers.CharField(source="kind.name")
    unit = serializers.CharField(source="kind.unit")
    direction = serializers.CharField(source="kind.direction")
    meaning = serializers.CharField(source="kind.meaning")
    best = MetricValueAnswer(allow_null=True)
    claimed = MetricValueAnswer(allow_null=True)
    measured = MetricValueAnswer(allow_null=True)
    limit = LimitAnswer(allow_null=True)
    is_expired = serializers.BooleanField()
    run_id = serializers.IntegerField(allow_null=True)
    verdict = serializers.CharField()
    history = MetricValueAnswer(many=True)


class ComparisonAnswer(Answer):
    """A claim beside its measurement, and what the requester says where they contradict each other."""

    name = serializers.CharField()
    unit = serializers.CharField()
    claimed = MetricValueAnswer()
    measured = MetricValueAnswer()
    is_contradicted = serializers.BooleanField()
    message = serializers.CharField()
    answer = serializers.CharField()
    answered_by = serializers.CharField()


class ItemAnswer(Answer):
    """A checklist item with what stands for it."""

    id = serializers.CharField()
    kind = serializers.CharField(
        help_text="metric and cost are answered by metric values; text, file and attestation by people."
    )
    title = serializers.CharField()
    help = serializers.CharField()
    is_required = serializers.BooleanField()
    is_complete = serializers.BooleanField()
    why = serializers.CharField()
    metrics = serializers.ListField(child=serializers.CharField())
    metric_values = MetricValueAnswer(many=True)
    min_length = serializers.IntegerField()
    text = serializers.CharField()
    file_name = serializers.CharField()
    file_digest = serializers.CharField()
    is_attested = serializers.BooleanField()
    answered_by = serializers.CharField()
    answered_at = serializers.DateTimeField(allow_null=True)


class MetricAnswer(Answer):
    """A measured metric value of a run."""

    name = serializers.CharField()
    value = number()
    unit = serializers.CharField()
    lower = number(allow_null=True)
    upper = number(allow_null=True)
    confidence = number(allow_null=True)
    n = serializers.IntegerField(allow_null=True)


class VariantAnswer(Answer):
    """A candidate of a run that measured several, in words with their bounds; empty where it was not measured."""

    name = serializers.CharField()
    made_by = serializers.CharField()
    answer = serializers.CharField(help_text="What it is worth: worth it, no gain, slower, costs too much quality …")
    accuracy = serializers.CharField()
    drop = serializers.CharField(help_text="Points of accuracy that it loses to its original, on the same rows.")
    p95_ms = serializers.CharField()
    speed_up = serializers.CharField()
    size_mb = serializers.CharField()
    standing = serializers.CharField(help_text="frontier, dominated or ambiguous, on accuracy, p95 and size.")
    reasons = serializers.ListField(child=serializers.CharField())


class RunAnswer(Answer):
    """A benchmark run in short; `runs/{id}/` has the manifest too."""

    id = serializers.IntegerField()
    key = serializers.CharField()
    scenario = serializers.CharField()
    state = serializers.CharField()
    is_finished = serializers.BooleanField()
    progress = serializers.FloatField()
    phase = serializers.CharField()
    queue_place = serializers.IntegerField(allow_null=True)
    attempts = serializers.IntegerField()
    max_attempts = serializers.IntegerField()
    error = serializers.CharField()
    verdict = serializers.CharField()
    reasons = serializers.ListField(child=serializers.CharField())
    metrics = MetricAnswer(many=True)
    variants = VariantAnswer(many=True)
    result_digest = serializers.CharField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class RuleAnswer(Answer):
    """One rule, answered; `effect` is empty when nothing stands against the request."""

    rule_id = serializers.CharField()
    metric = serializers.CharField()
    status = serializers.CharField(help_text="passed, fired, indeterminate, not_applicable or waived.")
    level = serializers.CharField()
    effect = serializers.CharField()
    condition = serializers.CharField()
    observed = number(allow_null=True)
    unit = serializers.CharField()
    basis = serializers.CharField()
    n = serializers.IntegerField(allow_null=True)
    why = serializers.CharField()
    message = serializers.CharField()


class PolicyEvaluationAnswer(Answer):
    """What the policy said, and on which occasion."""

    outcome = serializers.CharField(help_text="cleared, advised, review_required or denied.")
    occasion = serializers.CharField()
    evaluated_at = serializers.DateTimeField()
    policy_name = serializers.CharField()
    policy_version = serializers.IntegerField()
    policy_digest = serializers.CharField()
    rules = RuleAnswer(many=True)
