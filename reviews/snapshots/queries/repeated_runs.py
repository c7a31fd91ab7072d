"""Read which runs of an artifact met a limit only after valid earlier ones missed it."""

from collections.abc import Mapping
from typing import Any

from benchmarking.runs.domain.routing import hardware_of
from benchmarking.runs.enums import RunVerdict
from benchmarking.runs.models import Run
from governance.rulebook.domain.evaluation.limits import EvaluationCase
from governance.rulebook.domain.evaluation.metric_index import index_values
from reviews.evidence.domain.repeated_runs import RepeatedRun, RunConditions, RunMeasurement, repeated_runs
from reviews.evidence.queries.evidence import metric_value_of, subject_of
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from weighbridge.core.canonical import canonical_json
from weighbridge.core.metrics.catalog import MetricGroup

PLANNED = ("settings", "sizes")
"""What a plan sets besides scenario and machine type; the number of samples changes the interval alone."""


def repeated_runs_of(evidence: EvidenceSnapshot) -> tuple[RepeatedRun, ...]:
    """The runs that meet a limit of the policy which valid earlier ones missed; none before submission.

    Runs of other submitted requests for the artifact count as well, if they measured under the same conditions.
    """
    run_ids = {row.run_id for row in evidence.records if row.run_id is not None}
    if evidence.request.policy is None or len(run_ids) <= 1:
        return ()
    subject = subject_of(evidence.request)
    case = EvaluationCase(
        subject=subject,
        index=index_values(evidence.counted_values, catalog=evidence.catalog),
        now=evidence.now,
        references=evidence.references,
    )
    limits = (limit for rule in evidence.policy.rules if rule.scope.covers(subject) for limit in rule.limits)
    return repeated_runs(_measurements(evidence), limits=limits, case=case)


def _measurements(evidence: EvidenceSnapshot) -> list[RunMeasurement]:
    rows = [row for row in evidence.records if row.run is not None and row.name in evidence.catalog]
    runs = Run.objects.filter(pk__in={row.run_id for row in rows}).values_list("pk", "plan", "dataset__digest")
    measured_on = {pk: (plan, digest or "") for pk, plan, digest in runs}
    return [
        RunMeasurement(
            value=metric_value_of(row),
            run_id=row.run.pk,
            ref="" if row.request_id == evidence.request.pk else row.request.ref,
            is_valid=row.run.verdict == RunVerdict.VALID,
            conditions=_conditions(
                row.run.scenario,
                *measured_on[row.run.pk],
                is_of_quality=evidence.catalog[row.name].group is MetricGroup.QUALITY,
            ),
        )
        for row in rows
        if row.run is not None
    ]


def _conditions(scenario: str, plan: Mapping[str, Any], data_digest: str, *, is_of_quality: bool) -> RunConditions:
    return RunConditions(
        scenario=scenario,
        hardware=str(hardware_of(plan)),
        settings=canonical_json({part: plan.get(part) or {} for part in PLANNED}),
        data_digest=data_digest if is_of_quality else "",
    )
