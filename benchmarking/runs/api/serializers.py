"""What the benchmarking API answers: how data sets and runs are written as JSON."""

from rest_framework import serializers

from governance.site.api.shapes import Answer, number


class DatasetAnswer(Answer):
    """Evaluation data, named by its content."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    digest = serializers.CharField()
    size_bytes = serializers.IntegerField()
    registered_by = serializers.CharField(source="registered_by.username")
    registered_at = serializers.DateTimeField()


class MeasuredAnswer(Answer):
    """A measured metric value; bounds are null where too few samples allow none."""

    name = serializers.CharField()
    value = number()
    unit = serializers.CharField()
    lower = number(allow_null=True)
    upper = number(allow_null=True)
    confidence = number(allow_null=True)
    n = serializers.IntegerField(allow_null=True)


class RunDetailAnswer(Answer):
    """A benchmark run: how far it is, what it measured, and in which environment."""

    id = serializers.IntegerField()
    key = serializers.CharField()
    asked_for = serializers.CharField(help_text="Reference of the request it was started for.")
    model = serializers.CharField()
    model_digest = serializers.CharField()
    dataset = serializers.CharField()
    scenario = serializers.CharField()
    state = serializers.CharField(help_text="queued, claimed, running, done, failed, paused, dead or canceled.")
    is_finished = serializers.BooleanField()
    progress = serializers.FloatField(help_text="A share of one.")
    phase = serializers.CharField()
    queue_place = serializers.IntegerField(allow_null=True)
    attempts = serializers.IntegerField()
    max_attempts = serializers.IntegerField()
    error = serializers.CharField()
    verdict = serializers.CharField(help_text="valid, indicative or invalid; empty before it is done.")
    reasons = serializers.ListField(child=serializers.CharField())
    metrics = MeasuredAnswer(many=True)
    manifest = serializers.JSONField()
    isolation = serializers.CharField()
    result_digest = serializers.CharField()
    repeats = serializers.IntegerField(
        allow_null=True, help_text="The run it repeats with the settings of its manifest."
    )
    equivalence = serializers.JSONField(
        allow_null=True,
        help_text="Of a repeated run: answer (equivalent, different, cannot_tell), values with the ratio's interval "
        "and p-value, reasons, and the differences of the environment.",
    )
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class SandboxAnswer(Answer):
    """What fences models in."""

    may_go_without = serializers.BooleanField(help_text="Whether files of requesters are measured without bubblewrap.")
    last_layers = serializers.ListField(
        child=serializers.CharField(), help_text="What the last results say fenced them in, each once."
    )
