"""What the benchmarking API answers: how data sets and runs are written as JSON."""

from rest_framework import serializers

from benchmarking.runs.queries.runs import RunView
from governance.site.api.shapes import Answer, answer_of


class DatasetAnswer(Answer):
    """Evaluation data, named by its content."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    digest = serializers.CharField()
    size_bytes = serializers.IntegerField()
    registered_by = serializers.CharField(source="registered_by.username")
    registered_at = serializers.DateTimeField()


RunDetailAnswer = answer_of(
    RunView,
    "RunDetailAnswer",
    without=["hardware", "variants", "pictures"],
    after={
        "dataset": "model_digest",
        "queue_place": "phase",
        "result_digest": "isolation",
        "repeats": "result_digest",
        "equivalence": "repeats",
    },
    helps={
        "asked_for": "Reference of the request it was started for.",
        "state": "queued, claimed, running, done, failed, paused, dead or canceled.",
        "progress": "A share of one.",
        "verdict": "valid, indicative or invalid; empty before it is done.",
        "repeats": "The run it repeats with the settings of its manifest.",
        "equivalence": "Of a repeated run: answer (equivalent, different, cannot_tell), values with the ratio's "
        "interval and p-value, reasons, and the differences of the environment.",
    },
)


class SandboxAnswer(Answer):
    """What fences models in."""

    may_go_without = serializers.BooleanField(help_text="Whether files of requesters are measured without bubblewrap.")
    last_layers = serializers.ListField(
        child=serializers.CharField(), help_text="What the last results say fenced them in, each once."
    )
