"""How evidence is written as JSON: metric values, comparisons, checklist items, runs, rules."""

from rest_framework import serializers

from benchmarking.runs.domain.alternatives import VariantLine
from benchmarking.runs.queries.runs import RunView
from governance.rulebook.domain.evaluation.upper_limits import PolicyLimit
from governance.site.api.shapes import Answer, answer_of
from reviews.evidence.domain.repeated_runs import MissedRun, RepeatedRun
from reviews.evidence.queries.metric_views import MetricView
from reviews.evidence.queries.projections import ProjectionView
from reviews.packets.domain.packet_evidence import PolicyEvaluationPart, RuleLine
from reviews.workflow.queries.view_evidence import ChecklistItemView
from weighbridge.core.metrics.values import MetricValue

MetricValueAnswer = answer_of(
    MetricValue,
    after={"id": "", "observed_at": "source"},
    helps={
        "basis": "declared, estimated, measured or billed.",
        "p80": "Of an estimate: what four draws of five stay below.",
    },
)
StatedProjectionAnswer = answer_of(
    ProjectionView,
    "StatedProjectionAnswer",
    after={"widened_by": "", "widened_on": "widened_by"},
    helps={
        "widened_by": "How many times as wide the ranges of its yearly costs became; null for as projected.",
        "widened_on": "How many billed months asked for that.",
        "changes": "What a measurement moved (`weighbridge.projection-change/1`).",
        "stated_by": "Empty where a benchmark had it drawn anew.",
    },
)
LimitAnswer = answer_of(PolicyLimit, without=["status"])
MetricEvidenceAnswer = answer_of(
    MetricView,
    "MetricEvidenceAnswer",
    without=["kind", "contradiction", "answer", "answered_by"],
    after={"name": "", "unit": "name", "direction": "unit", "meaning": "direction"},
    name=serializers.CharField(source="kind.name"),
    unit=serializers.CharField(source="kind.unit"),
    direction=serializers.CharField(source="kind.direction"),
    meaning=serializers.CharField(source="kind.meaning"),
)
ItemAnswer = answer_of(
    ChecklistItemView,
    helps={
        "kind": "metric and cost are answered by metric values; text, file and attestation by people.",
        "answer_digest": "Send it as `seen` with another answer, and nobody's answer is overwritten unread.",
    },
)
VariantAnswer = answer_of(
    VariantLine,
    helps={
        "answer": "What it is worth: worth it, no gain, slower, costs too much quality …",
        "quality_drop": "Points of accuracy that it loses to its original, on the same rows.",
        "status": "frontier, dominated or ambiguous, on accuracy, p95 and size.",
    },
)
RunAnswer = answer_of(
    RunView,
    without=[
        *("asked_for", "model", "model_digest", "dataset", "dataset_digest", "hardware"),
        *("manifest", "isolation", "pictures", "frontiers", "repeats", "equivalence"),
    ],
)
MissedRunAnswer = answer_of(MissedRun, helps={"ref": "Its request; empty for this one."})
RepeatedRunAnswer = answer_of(
    RepeatedRun,
    properties=["sentence"],
    helps={
        "number": "Its place among the runs that measured the metric under the same conditions.",
        "condition": "The limit that it meets.",
        "missed": "The valid earlier runs that missed the limit, the worst first.",
    },
)
RuleAnswer = answer_of(RuleLine, helps={"status": "passed, fired, indeterminate, not_applicable or waived."})
PolicyEvaluationAnswer = answer_of(
    PolicyEvaluationPart, helps={"outcome": "cleared, advised, review_required or denied."}
)


class ComparisonAnswer(Answer):
    """A claim beside its measurement, and what the requester says where they contradict each other."""

    name = serializers.CharField(source="kind.name")
    unit = serializers.CharField(source="kind.unit")
    claimed = MetricValueAnswer()
    measured = MetricValueAnswer()
    is_contradicted = serializers.BooleanField(source="contradiction")
    message = serializers.CharField(source="contradiction")
    answer = serializers.CharField()
    answered_by = serializers.CharField()
    answer_digest = serializers.CharField()
