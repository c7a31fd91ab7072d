"""Review blockers: the reasons why the review of a request cannot start yet."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from benchmarking.runs.enums import RunVerdict
from benchmarking.runs.models import Run
from governance.inventory.domain.retirement import end_of
from governance.inventory.queries import retirement_day
from governance.jobs.enums import UNFINISHED
from governance.rulebook.domain.checklists import ChecklistItem
from governance.rulebook.domain.evaluation.limits import RuleStatus
from governance.rulebook.domain.evaluation.policies import Evaluation
from governance.rulebook.domain.policy import RuleEffect
from reviews.authorizations.queries.retiring import RETIRED
from reviews.evidence.queries.audits import open_audits
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from weighbridge.core.metrics.catalog import MetricGroup


class Remedy(StrEnum):
    """A step that may resolve a review blocker."""

    RUN_AGAIN = "run_again"
    OTHER_DATA = "other_data"
    OTHER_FILE = "other_file"


AUDIT_OPEN = "Run {} measures a signed result of {} again and did not finish; run it again."


@dataclass(frozen=True)
class ReviewBlocker:
    """A reason why the review cannot start. `part` is the anchor of the page section where it can be resolved.

    `remedies` are the steps that may resolve it, `run_id` is the run that gave no evidence, if that is the reason.
    """

    code: str
    reason: str
    part: str
    remedies: tuple[str, ...] = ()
    run_id: int | None = None


def review_blockers(evidence: EvidenceSnapshot) -> tuple[ReviewBlocker, ...]:
    """The blockers of a submitted request, in the order of the page; empty before submission."""
    return () if evidence.request.policy is None else tuple(_blockers(evidence))


def _blockers(evidence: EvidenceSnapshot) -> Iterator[ReviewBlocker]:
    day = retirement_day(evidence.request.model_version)
    if day is not None and end_of(day) <= evidence.now:
        yield ReviewBlocker("retired", RETIRED.format(day=day), "next")
    if any(run.state in UNFINISHED for run in evidence.runs):
        yield ReviewBlocker("run_unfinished", "A benchmark is still running; wait for it, or cancel it.", "runs")
    else:
        for audited in open_audits(evidence.request, finished=evidence.runs):
            yield ReviewBlocker("audit_open", AUDIT_OPEN.format(audited.audit_run_id, audited.tool), "runs")
    if _is_value_missing(evidence):
        yield from map(_failure, _failed_runs(evidence))
    for status in evidence.checklist:
        if status.item.required and not status.is_complete:
            remedies = (Remedy.OTHER_DATA.value,) if _wants_data(status.item, evidence) else ()
            yield ReviewBlocker("checklist_open", f"{status.item.title}: {status.reason}", "checklist", remedies)
    for contradicted in evidence.contradictions:
        if not contradicted.answer:
            yield ReviewBlocker("contradicted", contradicted.contradiction.message, "metric-values")
    yield from _rule_blockers(evidence.policy_evaluation)


def _is_value_missing(evidence: EvidenceSnapshot) -> bool:
    """Whether a metric value is missing, so that a run without evidence matters."""
    is_item_open = any(
        status.item.required and status.item.kind.is_answered_by_metrics and not status.is_complete
        for status in evidence.checklist
    )
    standing = evidence.policy_evaluation.standing()
    return is_item_open or any(result.status is RuleStatus.INDETERMINATE for result in standing)


def _failed_runs(evidence: EvidenceSnapshot) -> Iterator[Run]:
    """The latest run of each scenario, if it ended without evidence."""
    latest = {run.scenario: run for run in evidence.runs}
    for run in latest.values():
        if run.state not in UNFINISHED and run.verdict not in {RunVerdict.VALID, RunVerdict.INDICATIVE}:
            yield run


def _failure(run: Run) -> ReviewBlocker:
    verdict = (run.result or {}).get("verdict", {})
    why = run.error or " ".join(reason["message"] for reason in verdict.get("reasons", ()))
    reason = f"Run {run.pk} ({run.scenario}) gave no evidence: {why or f'it ended {run.state}.'}"
    return ReviewBlocker("run_failed", reason, f"run-{run.pk}", tuple(each.value for each in Remedy), run.pk)


def _wants_data(item: ChecklistItem, evidence: EvidenceSnapshot) -> bool:
    """Whether the item wants quality to be measured, and the request has no data to measure it on."""
    named = (evidence.catalog[name] for name in item.metrics if name in evidence.catalog)
    return evidence.request.dataset_id is None and any(each.group is MetricGroup.QUALITY for each in named)


def _rule_blockers(evaluation: Evaluation) -> Iterator[ReviewBlocker]:
    for result in evaluation.standing():
        if result.effect is RuleEffect.ADVISE:
            continue  # advice blocks nothing, known or not
        if result.status is RuleStatus.INDETERMINATE:
            yield ReviewBlocker("indeterminate", result.reason, "policy")
        elif result.effect is RuleEffect.DENY:
            yield ReviewBlocker("denied", f"{result.reason} The policy denies this.", "policy")
